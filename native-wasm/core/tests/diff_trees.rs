//! Pairs of trees: what is found, what is refused, and that it has an end.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use millwright_core::diff::{Entry, Format, Mode, Options, Pair, Pairs, Renames, Side, TreeError, pairs, write_patch};
use millwright_core::hash::Seed;
use millwright_core::{Budget, Limit};

fn file<'a>(path: &'a str, bytes: &'a str) -> Entry<'a> {
    Entry { path: path.as_bytes(), mode: Mode::File, id: None, bytes: bytes.as_bytes() }
}

fn find<'a>(before: &[Entry<'a>], after: &[Entry<'a>]) -> Pairs<'a> {
    pairs(before, after, Some(Renames::default()), Seed(1), &mut Budget::default()).unwrap()
}

fn error(before: &[Entry], after: &[Entry]) -> String {
    pairs(before, after, None, Seed(1), &mut Budget::default()).unwrap_err().to_string()
}

#[test]
fn lists_that_are_no_trees_are_refused() {
    let good = file("a", "");
    assert_eq!(
        error(&[good], &[good, file("b", ""), good]),
        "entry 2 of the second tree has the path of an earlier one: give each path once"
    );
    assert_eq!(
        error(&[file("", "")], &[]),
        "entry 0 of the first tree has an empty path or one with a NUL: name a file"
    );
    assert_eq!(
        pairs(&[good, file("a\0b", "")], &[], None, Seed(1), &mut Budget::default()).unwrap_err(),
        TreeError::Path { side: Side::Before, entry: 1 }
    );
    let link = Entry { mode: Mode::Gitlink, ..good };
    assert_eq!(
        error(&[good], &[link]),
        "entry 0 of the second tree is a gitlink without object id: give the id of its commit"
    );
    assert_eq!(TreeError::from(Limit::Budget { units: 1 }).to_string(), Limit::Budget { units: 1 }.to_string());
}

#[test]
fn equal_files_are_matched_by_name_first() {
    let before = [file("a/one", "same\n"), file("a/two", "same\n")];
    let after = [file("b/two", "same\n"), file("c/other", "same\n")];
    let renamed = |before, after| Pair::Renamed { before, after, similarity: 100 };
    assert_eq!(find(&before, &after).pairs, [renamed(before[1], after[0]), renamed(before[0], after[1])]);
}

#[test]
fn a_file_that_is_moved_and_changed_is_a_rename() {
    let text = "one\ntwo\nthree\nfour\nfive\nsix\n";
    let (before, after) = ([file("a/x", text)], [file("b/y", &text[4..]), file("b/z", "one\n")]);
    let found = find(&before, &after);
    let renamed = Pair::Renamed { before: before[0], after: after[0], similarity: 85 };
    assert_eq!(found.pairs, [renamed, Pair::Added(after[1])]);
    // The same without a search for renames, and with one for equal files only.
    for renames in [None, Some(Renames { similarity: 100, ..Renames::default() })] {
        let found = pairs(&before, &after, renames, Seed(1), &mut Budget::default()).unwrap();
        assert_eq!(found.pairs, [Pair::Deleted(before[0]), Pair::Added(after[0]), Pair::Added(after[1])]);
        assert!(!found.degraded);
    }
}

#[test]
fn too_many_files_are_not_compared() {
    let names: Vec<String> = (0..60).map(|number| format!("{number}")).collect();
    let text = "one\ntwo\nthree\nfour\n";
    let texts: Vec<String> = names.iter().map(|name| format!("{text}{name}\n")).collect();
    let new_names: Vec<String> = names.iter().map(|name| format!("new{name}")).collect();
    let before: Vec<_> = names.iter().map(|name| file(name, text)).collect();
    let after: Vec<_> = new_names.iter().zip(&texts).map(|(name, text)| file(name, text)).collect();
    let count = |found: &Pairs| found.pairs.iter().filter(|pair| matches!(pair, Pair::Renamed { .. })).count();
    let found = find(&before, &after);
    assert_eq!((count(&found), found.degraded), (60, false));
    let few = Renames { limit: 59, ..Renames::default() };
    let found = pairs(&before, &after, Some(few), Seed(1), &mut Budget::default()).unwrap();
    assert_eq!((count(&found), found.degraded), (0, true));
    let found = pairs(&before, &after, Some(Renames::default()), Seed(1), &mut Budget::new(3000)).unwrap();
    assert!(found.degraded && count(&found) < 60);
}

#[test]
fn many_equal_files_are_no_many_comparisons() {
    let names: Vec<String> = (0..20_000).map(|number| format!("{number}")).collect();
    let new_names: Vec<String> = names.iter().map(|name| format!("new/{name}")).collect();
    let before: Vec<_> = names.iter().map(|name| file(name, "")).collect();
    let after: Vec<_> = new_names.iter().map(|name| file(name, "")).collect();
    let mut budget = Budget::new(0);
    let found = pairs(&before, &after, Some(Renames::default()), Seed(1), &mut budget).unwrap();
    assert_eq!(found.pairs.len(), before.len());
    assert!(!found.degraded);
}

#[test]
fn a_change_of_type_is_two_pairs() {
    let before = [file("a", "b"), file("c", "d")];
    let after = [Entry { mode: Mode::Symlink, ..before[0] }, Entry { mode: Mode::Executable, ..before[1] }];
    let modified = Pair::Modified { before: before[1], after: after[1] };
    assert_eq!(find(&before, &after).pairs, [Pair::Deleted(before[0]), Pair::Added(after[0]), modified]);
}

#[test]
fn says_what_is_in_a_patch() {
    let before = [file("a", "1\n2\n"), file("b", "\0"), file("c", " x\n"), file("d", "")];
    let after = [file("a", "1\n3\n4\n"), file("b", "\0\0"), file("c", "x\n")];
    let link = Entry { mode: Mode::Gitlink, id: Some(&[0xab; 20]), ..file("e", "") };
    let found = find(&before, &[&after[..], &[link]].concat());
    let options = Options { whitespace: millwright_core::diff::Whitespace::Ignored, ..Options::default() };
    let mut patch = Vec::new();
    let stats = write_patch(&found.pairs, &options, &Format::default(), &mut Budget::default(), &mut patch).unwrap();
    let lines: Vec<_> = stats.iter().map(|file| (file.lines.added, file.lines.removed, file.binary)).collect();
    assert_eq!(lines, [(2, 1, false), (0, 0, true), (0, 0, false), (0, 0, false), (1, 0, false)]);
    let patch = String::from_utf8(patch).unwrap();
    assert!(!patch.contains("a/c"), "only white space has changed: {patch}");
    assert!(patch.ends_with(&format!("@@ -0,0 +1 @@\n+Subproject commit {}\n", "ab".repeat(20))), "{patch}");
}
