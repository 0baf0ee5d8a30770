use super::*;
use crate::Budget;
use proptest::prelude::*;

/// The line that decides on a path under one file at the root.
fn line(rules: &str, path: &str) -> Option<u32> {
    let ignore = Ignore::new(&[(b"", rules.as_bytes())]).unwrap();
    let is_folder = path.ends_with('/');
    let path = path.trim_end_matches('/').as_bytes();
    ignore.cursor().matched(path, is_folder, &mut Budget::default()).unwrap().map(|found| found.line)
}

#[test]
fn comments_blank_lines_and_spaces() {
    let rules = "\u{feff}# a\n\n\\#b\r\nc  \nd\\ \ne\\\n\tf";
    assert_eq!(line(rules, "# a"), None);
    assert_eq!(line(rules, "#b"), Some(3));
    assert_eq!(line(rules, "c"), Some(4));
    assert_eq!(line(rules, "d "), Some(5));
    assert_eq!(line(rules, "d"), None);
    assert_eq!(line(rules, "e"), None, "a `\\` at the end makes a rule that never matches");
    assert_eq!(line(rules, "\tf"), Some(7));
}

#[test]
fn rules_with_a_slash_are_anchored() {
    assert_eq!(line("/a", "a"), Some(1));
    assert_eq!(line("/a", "b/a"), None);
    assert_eq!(line("a/b", "x/a/b"), None);
    assert_eq!(line("a", "x/y/a"), Some(1));
    assert_eq!(line("a/", "x/a"), None);
    assert_eq!(line("a/", "x/a/"), Some(1));
    assert_eq!(line("a/", "x/a/b"), Some(1));
}

#[test]
fn what_is_in_an_ignored_folder_stays_ignored() {
    assert_eq!(line("a/\n!a/b", "a/b"), Some(1));
    assert_eq!(line("a/*\n!a/b", "a/b"), Some(2));
    let ignore = Ignore::new(&[(b"", b"a/"), (b"a", b"!b")]).unwrap();
    assert!(ignore.cursor().is_ignored(b"a/b", false, &mut Budget::default()).unwrap());
}

#[test]
fn of_several_files_for_a_folder_the_later_come_first() {
    let ignore = Ignore::new(&[(b"x", b"a\nb"), (b"", b"c"), (b"x", b"!b")]).unwrap();
    let mut cursor = ignore.cursor();
    let mut found = |path: &[u8]| {
        let found = cursor.matched(path, false, &mut Budget::default()).unwrap();
        found.map(|found| (found.file, found.line, found.negated))
    };
    assert_eq!(found(b"x/a"), Some((0, 1, false)));
    assert_eq!(found(b"x/b"), Some((2, 1, true)));
    assert_eq!(found(b"x/c"), Some((1, 1, false)));
}

#[test]
fn paths_that_begin_with_a_slash_match_nothing() {
    let ignore = Ignore::new(&[(b"", b"*")]).unwrap();
    for path in [&b"/"[..], b"//", b"//a", b"/a/b"] {
        assert_eq!(ignore.cursor().matched(path, false, &mut Budget::default()), Ok(None));
    }
}

#[test]
fn work_is_bounded() {
    let rules = "*a*a*a*a*b\n".repeat(10_000);
    let ignore = Ignore::new(&[(b"", rules.as_bytes())]).unwrap();
    let mut cursor = ignore.cursor();
    let path = "a".repeat(4000);
    let mut budget = Budget::new(1_000_000);
    assert_eq!(cursor.matched(path.as_bytes(), false, &mut budget), Err(Limit::Budget { units: 1_000_000 }));
    assert_eq!(cursor.matched(b"c", false, &mut Budget::default()), Ok(None), "it is still usable");
}

proptest! {
    /// What a cursor remembers changes no answer.
    #[test]
    fn the_order_of_paths_does_not_matter(rules in "[ab*/!\n]{0,20}", deeper in "[ab*/!\n]{0,20}", paths in proptest::collection::vec("([ab]{1,2}/){0,3}[ab]{1,2}", 1..20)) {
        let ignore = Ignore::new(&[(b"", rules.as_bytes()), (b"a", deeper.as_bytes())]).unwrap();
        let mut cursor = ignore.cursor();
        let mut budget = Budget::default();
        for path in &paths {
            let fresh = ignore.cursor().matched(path.as_bytes(), false, &mut budget);
            prop_assert_eq!(cursor.matched(path.as_bytes(), false, &mut budget), fresh);
        }
    }

    #[test]
    fn no_bytes_are_too_strange(rules: Vec<u8>, path: Vec<u8>) {
        let ignore = Ignore::new(&[(b"", &rules)]).unwrap();
        ignore.cursor().matched(&path, false, &mut Budget::default()).unwrap();
    }
}

/// A path of so many folders and a file, and the units that it takes to look it up.
fn units_of_depth(folders: usize, ignore: &Ignore) -> u64 {
    let path = "a/".repeat(folders) + "b";
    let mut budget = Budget::default();
    assert_eq!(ignore.cursor().matched(path.as_bytes(), false, &mut budget), Ok(None));
    Budget::DEFAULT_UNITS - budget.left()
}

#[test]
fn limit_a_deep_path_is_linear_and_compares_of_long_folders_meet_the_budget() {
    let ignore = Ignore::new(&[(b"", b"*.log\n/a/b/c\n")]).unwrap();
    let (few, many) = (units_of_depth(10_000, &ignore), units_of_depth(100_000, &ignore));
    assert!(many <= few * 11 && many < 2_000_000, "{few} {many}");

    let deep = "a/".repeat(100_000);
    let rules = format!("/{deep}x");
    for files in [[&deep.as_bytes()[..deep.len() - 1], b"x"], [b"", rules.as_bytes()]] {
        let ignore = Ignore::new(&[(files[0], files[1])]).unwrap();
        let result = ignore.cursor().matched(deep.as_bytes(), false, &mut Budget::new(10_000_000));
        assert_eq!(result, Err(Limit::Budget { units: 10_000_000 }));
    }
}
