//! What a patch does to contents, and how a hunk without a place is reported.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests may fail, and need not be fast"
)]

use millwright_core::Budget;
use millwright_core::edits::Difference;
use millwright_core::patch::{ApplyError, ApplyOptions, ParseOptions, Patch, Placed, Reject, RejectKind};

const OPTIONS: ApplyOptions =
    ApplyOptions { reverse: false, fuzz: 0, anchored: true, seed: millwright_core::hash::Seed(3) };

fn apply_with(
    patch: &str,
    lenient: bool,
    old: &str,
    options: &ApplyOptions,
) -> Result<(String, Vec<Placed>), ApplyError> {
    let patch = Patch::parse(patch.as_bytes(), &ParseOptions { lenient, strip: 1 }).unwrap();
    let applied = patch.files[0].apply(old.as_bytes(), options, &mut Budget::default())?;
    Ok((String::from_utf8(applied.bytes).unwrap(), applied.hunks))
}

fn apply(hunks: &str, old: &str) -> Result<String, ApplyError> {
    apply_with(&format!("--- a/x\n+++ b/x\n{hunks}"), false, old, &OPTIONS).map(|(new, _)| new)
}

fn bare(hunks: &str, old: &str) -> Result<String, ApplyError> {
    apply_with(&format!("--- a/x\n+++ b/x\n{hunks}"), true, old, &OPTIONS).map(|(new, _)| new)
}

fn rejects(result: Result<String, ApplyError>) -> Vec<Reject> {
    match result {
        Err(ApplyError::Rejected(rejects)) => rejects,
        other => panic!("{other:?}"),
    }
}

fn kind(result: Result<String, ApplyError>) -> RejectKind {
    rejects(result).into_iter().next().unwrap().kind
}

/// Lines `1` to `count`.
fn numbers(count: usize) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

const HUNK: &str = "@@ -4,3 +4,3 @@\n 4\n-5\n+five\n 6\n";

#[test]
fn a_hunk_follows_its_lines() {
    let patch = format!("--- a/x\n+++ b/x\n{HUNK}");
    for (before, offset) in [(0, 0), (7, 7)] {
        let old = "x\n".repeat(before) + &numbers(9);
        let (new, placed) = apply_with(&patch, false, &old, &OPTIONS).unwrap();
        assert_eq!(new, old.replace('5', "five"));
        assert_eq!(placed, [Placed { line: 4 + before, offset, fuzz: (0, 0) }]);
    }
    // The nearest of several; of two as near, the later.
    assert_eq!(apply(HUNK, "4\n5\n6\n\n4\n5\n6\n").unwrap(), "4\n5\n6\n\n4\nfive\n6\n");
    assert_eq!(apply(HUNK, "0\n4\n5\n6\n\n4\n5\n6\n").unwrap(), "0\n4\n5\n6\n\n4\nfive\n6\n");
    assert_eq!(apply(HUNK, "0\n0\n4\n5\n6\n\n4\n5\n6\n").unwrap(), "0\n0\n4\nfive\n6\n\n4\n5\n6\n");
}

#[test]
fn hunks_move_by_what_earlier_ones_add() {
    let hunks = "@@ -1,2 +1,4 @@\n 1\n+a\n+b\n 2\n@@ -5,3 +7,2 @@\n 5\n-6\n 7\n";
    assert_eq!(apply(hunks, &numbers(8)).unwrap(), "1\na\nb\n2\n3\n4\n5\n7\n8\n");
}

#[test]
fn a_hunk_without_context_stays_at_its_position() {
    assert_eq!(apply("@@ -2,0 +3 @@\n+x\n", "1\n2\n3\n").unwrap(), "1\n2\nx\n3\n");
    assert_eq!(apply("@@ -0,0 +1 @@\n+x\n", "1\n").unwrap(), "x\n1\n");
    assert_eq!(apply("@@ -2 +1,0 @@\n-2\n", "1\n2\n3\n").unwrap(), "1\n3\n");
    assert_eq!(kind(apply("@@ -2 +2 @@\n-3\n+x\n", "1\n2\n3\n")), RejectKind::Elsewhere { line: 3 });
    assert_eq!(kind(apply("@@ -9,0 +10 @@\n+x\n", "1\n")), RejectKind::NotFound);
    assert_eq!(kind(apply("@@ -1,0 +2 @@\n+x\n", "1")), RejectKind::JoinsLines { line: 1 });
    assert_eq!(
        kind(apply("@@ -1 +1 @@\n-1\n+x\n\\ No newline at end of file\n", "1\n2\n")),
        RejectKind::NotAtEnd { line: 1 }
    );
}

#[test]
fn a_hunk_belongs_to_the_end_that_its_context_lacks() {
    let first = "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n";
    assert_eq!(kind(apply(first, "0\n1\n2\n")), RejectKind::NotAtStart { line: 2 });
    let last = "@@ -2,2 +2,2 @@\n 2\n-3\n+x\n";
    assert_eq!(apply(last, "0\n1\n2\n3\n").unwrap(), "0\n1\n2\nx\n");
    assert_eq!(kind(apply(last, "1\n2\n3\n4\n")), RejectKind::NotAtEnd { line: 2 });
    let free = ApplyOptions { anchored: false, ..OPTIONS };
    let patch = format!("--- a/x\n+++ b/x\n{last}");
    assert_eq!(apply_with(&patch, false, "1\n2\n3\n4\n", &free).unwrap().0, "1\n2\nx\n4\n");
}

#[test]
fn fuzz_takes_context_from_the_longer_end() {
    let patch = "--- a/x\n+++ b/x\n@@ -2,6 +2,6 @@\n 2\n 3\n-4\n+x\n 5\n 6\n 7\n";
    let fuzzy = |fuzz, old: &str| apply_with(patch, false, old, &ApplyOptions { fuzz, ..OPTIONS });
    assert_eq!(fuzzy(0, &numbers(9)).unwrap().1[0].fuzz, (0, 0));
    let last_differs = "1\n2\n3\n4\n5\n6\nseven\n8\n";
    assert!(fuzzy(0, last_differs).is_err());
    let (new, placed) = fuzzy(1, last_differs).unwrap();
    assert_eq!((new.as_str(), placed[0].fuzz, placed[0].line), ("1\n2\n3\nx\n5\n6\nseven\n8\n", (0, 1), 2));
    let both_differ = "1\ntwo\n3\n4\n5\nsix\n7\n8\n";
    assert!(fuzzy(1, both_differ).is_err());
    assert_eq!(fuzzy(2, both_differ).unwrap().0, "1\ntwo\n3\nx\n5\nsix\n7\n8\n");
    // Cut from the beginning of the file, the hunk begins before it.
    assert_eq!(fuzzy(2, "3\n4\n5\n").unwrap().1[0].line, 0);
}

#[test]
fn what_a_hunk_would_make_is_seen() {
    assert_eq!(kind(apply(HUNK, "4\nfive\n6\n")), RejectKind::AlreadyApplied { line: 1 });
    assert_eq!(kind(apply("@@ -2 +2 @@\n-2\n+x\n", "1\nx\n3\n")), RejectKind::AlreadyApplied { line: 2 });
    assert_eq!(kind(apply("@@ -2,3 +2,2 @@\n 2\n-3\n 4\n", "1\n2\n4\n5\n")), RejectKind::AlreadyApplied { line: 2 });
    // The context alone says nothing where lines are removed at the end.
    assert_eq!(kind(apply("@@ -2,2 +2 @@\n 2\n-3\n", "1\n2\nother\n")), RejectKind::ContextDiffers);
}

#[test]
fn hunks_do_not_share_lines_nor_change_places() {
    let twice = rejects(apply(&format!("{HUNK}@@ -6,2 +6,2 @@\n 6\n-7\n+seven\n"), "4\n5\n6\n7\n"));
    assert_eq!((twice[0].hunk, &twice[0].kind), (1, &RejectKind::Overlap { hunk: 0 }));
    let order = rejects(apply("@@ -7,3 +7,3 @@\n 7\n-8\n+x\n 9\n@@ -4,3 +4,3 @@\n 4\n-5\n+x\n 6\n", &numbers(12)));
    assert_eq!((order[0].hunk, &order[0].kind), (1, &RejectKind::OutOfOrder { line: 4 }));
}

#[test]
fn the_nearest_places_are_named_with_their_first_difference() {
    let old = "4\n5 \n6\n\n1\n2\n3\n4\n5\r\n6\r\n";
    let [reject] = &rejects(apply(HUNK, old))[..] else { panic!() };
    assert_eq!((reject.hunk, reject.offset, reject.expected), (0, 16, Some(4)));
    assert_eq!(reject.kind, RejectKind::ContextDiffers);
    let [first, second] = reject.nearest[..] else { panic!("{reject:?}") };
    assert_eq!((first.line, first.same, first.differs_at, first.difference), (1, 2, 2, Difference::TrailingSpace));
    assert_eq!((second.line, second.same, second.differs_at, second.difference), (8, 1, 9, Difference::LineEnd));
    assert_eq!(first.offset, 16 + "@@ -4,3 +4,3 @@\n 4\n".len());
    assert_eq!(kind(apply(HUNK, "a\nb\n")), RejectKind::NotFound);
    let [reject] = &rejects(apply(HUNK, "3\n4\n5\n6"))[..] else { panic!() };
    assert_eq!(reject.nearest[0].difference, Difference::FinalNewline);
    let [reject] = &rejects(apply(HUNK, "3\n4\n5\n"))[..] else { panic!() };
    assert_eq!((reject.nearest[0].difference, reject.nearest[0].differs_at), (Difference::EndOfFile, 4));
}

#[test]
fn bare_hunks_need_one_place() {
    let hunk = "@@\n a\n-b\n+c\n";
    assert_eq!(bare(hunk, "x\na\nb\ny\n").unwrap(), "x\na\nc\ny\n");
    assert_eq!(kind(bare(hunk, "a\nb\n\na\nb\n")), RejectKind::Ambiguous { lines: vec![1, 4] });
    // Behind the hunk before, there is one.
    assert_eq!(bare(&format!("@@\n-x\n+y\n{hunk}"), "a\nb\nx\na\nb\n").unwrap(), "a\nb\ny\na\nc\n");
    assert_eq!(kind(bare(&format!("@@\n-x\n+y\n{hunk}"), "a\nb\nx\n")), RejectKind::OutOfOrder { line: 1 });
    assert_eq!(bare("@@\n+a\n", "").unwrap(), "a\n");
    assert_eq!(kind(bare("@@\n+a\n", "b\n")), RejectKind::NoPosition);
    assert_eq!(kind(bare(hunk, "x\n")), RejectKind::NotFound);
    // A wrong count moves the hunks behind it by what is really there.
    let miscounted = "@@ -1,9 +1,9 @@\n 1\n+a\n+b\n 2\n@@ -4,9 +4,9 @@\n 4\n-5\n+x\n 6\n";
    assert_eq!(bare(miscounted, &(numbers(6) + "4\n5\n6\n")).unwrap(), "1\na\nb\n2\n3\n4\nx\n6\n4\n5\n6\n");
}

#[test]
fn created_and_deleted_files_are_empty_on_one_side() {
    let create = "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n";
    let delete = "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    let reverse = ApplyOptions { reverse: true, ..OPTIONS };
    let result = |patch, old, options| apply_with(patch, false, old, options).map(|(new, _)| new);
    assert_eq!(result(create, "", &OPTIONS), Ok("a\n".into()));
    assert_eq!(result(create, "b\n", &OPTIONS), Err(ApplyError::Exists));
    assert_eq!(result(create, "a\n", &reverse), Ok(String::new()));
    assert_eq!(result(delete, "a\n", &OPTIONS), Ok(String::new()));
    assert_eq!(result(delete, "a\nb\n", &OPTIONS), Err(ApplyError::NotEmpty));
    assert_eq!(result(delete, "b\n", &reverse), Err(ApplyError::Exists));
}

#[test]
fn errors_say_what_to_change() {
    let error = apply(HUNK, "4\n5 \n6\n").unwrap_err().to_string();
    assert_eq!(
        error,
        "hunk 1 (line 4): its lines differ from those of the file: copy its context and removed lines from the file; \
         2 of its lines are at line 1, and first differ at line 2: the space at the end of the line differs"
    );
}

#[test]
fn limit_positions_behind_any_file() {
    for start in ["2147483648", "18446744073709551000"] {
        let hunk = format!("@@ -{start},3 +{start},3 @@\n 4\n-5\n+five\n 6\n");
        assert_eq!(apply(&hunk, "4\n5\n6\n7\n").unwrap(), "4\nfive\n6\n7\n");
        assert_eq!(kind(apply(&format!("@@ -{start} +{start} @@\n-5\n+five\n"), "a\n")), RejectKind::NotFound);
    }
}
