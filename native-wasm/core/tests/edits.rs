//! What edits do to a file, and what is said of those that cannot be made.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail")]

use millwright_core::edits::{self, Difference, Edit, EditError, EditErrorKind, EditsError, NearMiss};
use millwright_core::hash::Seed;
use millwright_core::{Budget, Limit};
use proptest::prelude::*;

const fn edit<'a>(search: &'a str, replace: &'a str) -> Edit<'a> {
    Edit { search: search.as_bytes(), replace: replace.as_bytes(), replace_all: false }
}

const fn all<'a>(search: &'a str, replace: &'a str) -> Edit<'a> {
    Edit { replace_all: true, ..edit(search, replace) }
}

fn apply(old: &str, edits: &[Edit<'_>]) -> Result<String, EditsError> {
    let edited = edits::apply(Some(old.as_bytes()), edits, Seed(5), &mut Budget::default())?;
    let replaced: Vec<u8> = edited.replaced.iter().flat_map(|place| edited.bytes[place.new.clone()].to_vec()).collect();
    let expected: Vec<u8> = edited.replaced.iter().flat_map(|place| edits[place.edit].replace.to_vec()).collect();
    assert_eq!(replaced, expected);
    assert!(edited.replaced.iter().all(|place| old.as_bytes()[place.old.clone()] == *edits[place.edit].search));
    Ok(String::from_utf8(edited.bytes).unwrap())
}

fn errors(result: Result<String, EditsError>) -> Vec<EditError> {
    match result {
        Err(EditsError::Rejected(errors)) => errors,
        other => panic!("{other:?}"),
    }
}

fn near(old: &str, search: &str) -> Vec<NearMiss> {
    match errors(apply(old, &[edit(search, "replacement")])).pop().unwrap().kind {
        EditErrorKind::NotFound { near, .. } => near,
        other => panic!("{other:?}"),
    }
}

/// The lines, the first line that differs, the line of the search and how they differ, of the best place.
fn best(old: &str, search: &str) -> (core::ops::Range<usize>, usize, usize, Difference) {
    let near = near(old, search);
    let best = near.first().unwrap_or_else(|| panic!("nothing is near {search:?}"));
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    assert_eq!(old[best.bytes.clone()], lines[best.lines.start - 1..best.lines.end - 1].concat());
    (best.lines.clone(), best.differs_at, best.search_line, best.difference)
}

#[test]
fn one_place_is_replaced() {
    assert_eq!(apply("one two three", &[edit("two", "2")]).unwrap(), "one 2 three");
    assert_eq!(apply("one two three", &[edit("two ", "")]).unwrap(), "one three");
    assert_eq!(apply("a\r\nb\r\n", &[edit("a\r\nb", "c")]).unwrap(), "c\r\n");
}

#[test]
fn all_edits_see_the_file_as_it_was() {
    assert_eq!(apply("a b c", &[edit("c", "a"), edit("a", "b"), edit("b", "c")]).unwrap(), "b c a");
    assert_eq!(apply("abc", &[edit("c", "3"), edit("ab", "12")]).unwrap(), "123");
    let [error] = &errors(apply("a b", &[edit("a", "x y"), edit("y b", "z")]))[..] else { panic!() };
    assert!(matches!(error, EditError { edit: 1, kind: EditErrorKind::NotFound { made_by: None, .. } }));
    let [error] = &errors(apply("a b", &[edit("a", "x y"), edit("x", "z")]))[..] else { panic!() };
    assert!(matches!(error, EditError { edit: 1, kind: EditErrorKind::NotFound { made_by: Some(0), .. } }));
}

#[test]
fn several_places_are_named_and_not_replaced() {
    let [error] = &errors(apply("a\nb\na\n\na a\n", &[edit("a", "x")]))[..] else { panic!() };
    assert_eq!(error.kind, EditErrorKind::NotUnique { lines: vec![1, 3, 5, 5], more: false });
    // `aa` is at two places here, however one counts.
    let [error] = &errors(apply("aaa", &[edit("aa", "x")]))[..] else { panic!() };
    assert_eq!(error.kind, EditErrorKind::NotUnique { lines: vec![1, 1], more: false });
    for (count, more) in [(20, false), (21, true), (1000, true)] {
        let [error] = &errors(apply(&"a\n".repeat(count), &[edit("a", "x")]))[..] else { panic!() };
        assert_eq!(error.kind, EditErrorKind::NotUnique { lines: (1..=20).collect(), more });
    }
    assert_eq!(apply("aaa b aa", &[all("aa", "x")]).unwrap(), "xa b x");
    assert_eq!(apply("a", &[all("a", "aa")]).unwrap(), "aa");
}

#[test]
fn edits_of_the_same_text_are_refused() {
    let found = errors(apply("x\nabc", &[edit("ab", "1"), edit("bc", "2")]));
    assert_eq!(found, [EditError { edit: 1, kind: EditErrorKind::Overlap { with: 0, line: 2 } }]);
    let found = errors(apply("abcd", &[edit("b", "1"), edit("abcd", "2"), edit("c", "3")]));
    assert_eq!(found.iter().map(|error| error.edit).collect::<Vec<_>>(), [0, 2]);
    let found = errors(apply("aaaa", &[all("a", "1"), edit("aaaa", "2")]));
    assert_eq!(found.len(), 2, "once an edit: {found:?}");
}

#[test]
fn an_empty_search_makes_a_file() {
    let make = |contents: Option<&[u8]>, edits: &[Edit<'_>]| {
        edits::apply(contents, edits, Seed(0), &mut Budget::default()).map(|edited| edited.bytes)
    };
    let kind = |result: Result<Vec<u8>, EditsError>| match result {
        Err(EditsError::Rejected(mut errors)) => errors.pop().unwrap().kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(make(None, &[edit("", "a")]).unwrap(), b"a");
    assert_eq!(make(Some(b""), &[edit("", "a")]).unwrap(), b"a");
    assert_eq!(kind(make(Some(b"b"), &[edit("", "a")])), EditErrorKind::Exists);
    assert_eq!(kind(make(None, &[edit("b", "a")])), EditErrorKind::Missing);
    assert_eq!(kind(make(None, &[edit("", "a"), edit("", "b")])), EditErrorKind::Overlap { with: 0, line: 1 });
    assert_eq!(kind(make(Some(b"a"), &[edit("a", "a")])), EditErrorKind::NoChange);
    assert_eq!(make(Some(b"a"), &[]).unwrap(), b"a");
}

#[test]
fn what_only_looks_the_same_is_near() {
    let old = "fn f() {\r\n    call(\"a\");\r\n}\r\n";
    assert_eq!(best(old, "fn f() {\n    call(\"a\");\n}\n"), (1..4, 1, 1, Difference::LineEnd));
    let old = "x\nfn f() { \n    call();\n}\n";
    assert_eq!(best(old, "fn f() {\n    call();\n"), (2..4, 2, 1, Difference::TrailingSpace));
    let old = "x\nfn f() {\n\tcall();\n}\n";
    assert_eq!(best(old, "fn f() {\n    call();\n}"), (2..5, 3, 2, Difference::Indentation));
    let old = "x\n  say(“a” – ‘b’, c\u{a0}d);\n";
    assert_eq!(best(old, "say(\"a\" - 'b', c d);"), (2..3, 2, 1, Difference::Lookalike));
    assert_eq!(best(old, "\n  say(\"a\" - 'b', c d);\n"), (1..3, 2, 2, Difference::Lookalike));
    let old = "a\n  ‘b’\nc";
    assert_eq!(best(old, "a\n'b'\nc\n"), (1..4, 2, 2, Difference::FinalNewline));
    assert_eq!(best("x\n  a\n  b\n  c\n", "a\nb\nc"), (2..5, 3, 2, Difference::Indentation));
    assert_eq!(best("a\n  b\n‘c’\n", "a\nb\n'c'\n"), (1..4, 2, 2, Difference::SpaceAndLookalike));
    assert_eq!(near("x\na\n", "a\r")[0].difference, Difference::LineEnd);
}

#[test]
fn otherwise_the_most_lines_in_common_are_near() {
    let old = "one\ntwo\nthree\nfour\n\none\n2\nthree\nsomething\nelse\n";
    let found = near(old, "two\nthree\n4\nfour\n");
    assert_eq!((found[0].lines.clone(), found[0].same), (2..6, 2));
    assert_eq!((found[0].differs_at, found[0].search_line, found[0].difference), (4, 3, Difference::Text));
    // Best first, and none within another.
    let found = near(old, "one\n2\nthree\nother\n");
    assert_eq!(found.iter().map(|near| near.lines.start).collect::<Vec<_>>(), [6, 1]);
    // One line that is not as it is in the file.
    assert_eq!(best(old, "somthing"), (9..10, 9, 1, Difference::Text));
    assert_eq!(near(old, "nothing of the kind"), []);
    assert_eq!(near(old, " \n\t\n"), []);
    assert_eq!(near("", "a"), []);
    assert_eq!(best("b\nc\n", "a\nb\nc\n"), (1..3, 1, 1, Difference::EndOfFile));
}

#[test]
fn errors_say_what_to_change() {
    let error = apply("a\n  b\n", &[edit("\tb", "c"), edit("", "d")]).unwrap_err().to_string();
    assert_eq!(
        error,
        "edit 1: the text to search for is not in the file: copy it from the file as it is; \
         line 2 is like it; its line 1 first differs from line 2: the indentation differs\n\
         edit 2: an empty search makes a new file, but this file has contents: say what to replace"
    );
}

#[test]
fn limit_a_long_line_and_a_long_search() {
    let old = "a".repeat(1 << 20);
    assert!(errors(apply(&old, &[edit(&"a".repeat(1 << 19), "x")])).len() == 1);
    assert!(matches!(
        errors(apply(&old, &[edit(&("a".repeat(1 << 19) + "b"), "x")]))[0].kind,
        EditErrorKind::NotFound { .. }
    ));
}

#[test]
fn limit_replacements_that_grow_without_end() {
    let (old, replace) = ("a".repeat(1 << 16), "b".repeat(1 << 16));
    let result = apply(&old, &[all("a", &replace)]);
    assert_eq!(result.unwrap_err(), EditsError::Limit(Limit::Size { actual: 1 << 32, max: 1 << 30 }));
}

#[test]
fn limit_many_edits_meet_the_budget() {
    let old = "abc\n".repeat(1000);
    let edits = vec![edit("nothing", "x"); 1000];
    let result = edits::apply(Some(old.as_bytes()), &edits, Seed(0), &mut Budget::new(10_000));
    assert_eq!(result.unwrap_err(), EditsError::Limit(Limit::Budget { units: 10_000 }));
    // With enough to find out that they are not there, but not what is near.
    let result = edits::apply(Some(old.as_bytes()), &edits, Seed(0), &mut Budget::new(65_000));
    let Err(EditsError::Rejected(found)) = result else { panic!() };
    assert!(found.len() == 1000);
}

proptest! {
    #[test]
    fn a_unique_text_is_replaced_as_the_standard_library_does(old in "[ab\n]{0,30}", search in "[ab\n]{1,4}", replace in "[abc]{0,3}") {
        prop_assume!(search != replace);
        let starts: Vec<usize> = (0..old.len()).filter(|at| old[*at..].starts_with(&search)).collect();
        let unique = (starts.len() == 1).then(|| old.replacen(&search, &replace, 1));
        prop_assert_eq!(apply(&old, &[edit(&search, &replace)]).ok(), unique);
        if !starts.is_empty() {
            prop_assert_eq!(apply(&old, &[all(&search, &replace)]).unwrap(), old.replace(&search, &replace));
        }
    }

    #[test]
    fn nothing_panics_and_what_is_near_is_in_the_file(
        old in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), Just(b'a'), Just(b'"'), any::<u8>()], 0..60),
        search in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), Just(b'a'), Just(b'"'), any::<u8>()], 1..20),
    ) {
        let edits = [Edit { search: &search, replace: b"another text", replace_all: false }];
        let result = |seed| edits::apply(Some(&old), &edits, Seed(seed), &mut Budget::default());
        prop_assert_eq!(result(1), result(2));
        if let Err(EditsError::Rejected(errors)) = result(1)
            && let EditErrorKind::NotFound { near, .. } = &errors[0].kind
        {
            for near in near {
                prop_assert!(near.bytes.start <= near.bytes.end && near.bytes.end <= old.len());
                prop_assert!(near.lines.start <= near.lines.end && near.differs_at >= 1 && near.search_line >= 1);
            }
        }
    }

    #[test]
    fn only_space_and_looks_are_always_explained(lines in proptest::collection::vec("[a-c]{1,3}(['\"-] ?[a-c]{1,3})?", 1..6), how in 0usize..4) {
        let old = format!("first\n{}\nlast\n", lines.join("\n"));
        let search = match how {
            0 => lines.join("\r\n") + "\r",
            1 => lines.join(" \n") + " ",
            2 => " ".to_owned() + &lines.join("\n\t"),
            _ => lines.join("\n").replace('\'', "’").replace('"', "”").replace('-', "–").replace(' ', "\u{a0}"),
        };
        prop_assume!(!old.contains(&search));
        let expected = [Difference::LineEnd, Difference::TrailingSpace, Difference::Indentation, Difference::Lookalike][how];
        let near = near(&old, &search);
        prop_assert!(!near.is_empty());
        prop_assert_eq!(near[0].difference, expected);
        prop_assert_eq!(near[0].same, lines.len());
    }
}
