//! What holds of applying patches whatever they are, and how much work it is.
#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests may fail, and need not be fast"
)]

use millwright_core::patch::{ApplyError, ApplyOptions, ParseOptions, Patch};
use millwright_core::{Budget, Limit};
use proptest::prelude::*;

const OPTIONS: ApplyOptions =
    ApplyOptions { reverse: false, fuzz: 0, anchored: true, seed: millwright_core::hash::Seed(3) };

fn work(patch: &str, old: &str) -> u64 {
    let mut budget = Budget::default();
    let patch = Patch::parse(patch.as_bytes(), &ParseOptions::default()).unwrap();
    patch.files[0].apply(old.as_bytes(), &OPTIONS, &mut budget).unwrap();
    Budget::DEFAULT_UNITS - budget.left()
}

#[test]
fn work_is_linear_in_hunks_even_where_all_have_moved() {
    let units = |hunks: usize, moved: &str| {
        let old: String = (0..hunks * 20).map(|line| format!("line {line}\n")).collect();
        let mut patch = "--- a/x\n+++ b/x\n".to_owned();
        for hunk in 0..hunks {
            let line = hunk * 20 + 5;
            patch += &format!(
                "@@ -{},3 +{},3 @@\n line {}\n-line {line}\n+changed\n line {}\n",
                line,
                line,
                line - 1,
                line + 1
            );
        }
        work(&patch, &(moved.to_owned() + &old))
    };
    for moved in ["", "another\n"] {
        let (few, many) = (units(250, moved), units(1000, moved));
        assert!(many < few * 5, "{few} {many}");
    }
    assert!(units(1000, "another\n") < 100_000);
}

#[test]
fn limit_hostile_searches_meet_the_budget() {
    let old = "a\n".repeat(20_000);
    let hunks =
        (0..300).map(|at| format!("@@ -{0},101 +{0},100 @@\n{1}-b\n", at + 3, " a\n".repeat(100))).collect::<String>();
    let patch = format!("--- a/x\n+++ b/x\n{hunks}");
    let patch = Patch::parse(patch.as_bytes(), &ParseOptions::default()).unwrap();
    let result = patch.files[0].apply(old.as_bytes(), &OPTIONS, &mut Budget::new(20_000));
    assert_eq!(result.unwrap_err(), ApplyError::Limit(Limit::Budget { units: 20_000 }));
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_patch() {
    let text = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nSubject: s\n\n---\n x | 1 +\n\n\
         diff --git \"a/\\303\\244\" \"b/\\303\\244\"\nsimilarity index 90%\nrename from \"\\303\\244\"\nrename to c\n\
         diff --git a/p b/p\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 4\nLcmZQzWMXDvWn<^y\n\ndelta 1\nIcmZ0s0000x00000\n\n\
         diff --git a/x b/x\nold mode 100644\nnew mode 100755\n--- a/x\t\n+++ b/x\t\n@@ -1,2 +1,2 @@ fn f()\n one\n-two\n+three\n\\ No newline at end of file\n-- \n2.39.5\n";
    for end in 0..text.len() {
        for options in [false, true].map(|lenient| ParseOptions { lenient, strip: 1 }) {
            for text in [&text.as_bytes()[..end], &text.as_bytes()[end..]] {
                match Patch::parse(text, &options) {
                    Ok(patch) => assert!(patch.files.len() <= 3),
                    Err(error) => assert!(error.offset <= text.len() && !error.to_string().is_empty()),
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_diff_applies_both_ways(
        old in "([abc]\n){0,30}[ab]?",
        new in "([abc]\n){0,30}[ab]?",
        context in 0usize..4,
    ) {
        let mut options = diffy::DiffOptions::new();
        options.set_context_len(context);
        let text = options.create_patch(&old, &new).to_string().replace("--- original", "--- a/x").replace("+++ modified", "+++ b/x");
        let patch = Patch::parse(text.as_bytes(), &ParseOptions::default());
        prop_assume!(old != new);
        let patch = patch.unwrap();
        let there = patch.files[0].apply(old.as_bytes(), &OPTIONS, &mut Budget::default()).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&there.bytes), new.as_str());
        let back = patch.files[0].apply(new.as_bytes(), &ApplyOptions { reverse: true, ..OPTIONS }, &mut Budget::default()).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&back.bytes), old.as_str());
        let lenient = Patch::parse(text.as_bytes(), &ParseOptions { lenient: true, strip: 1 }).unwrap();
        prop_assert_eq!(lenient, patch);
    }

    #[test]
    fn nothing_panics_and_results_do_not_depend_on_the_seed(
        lines in proptest::collection::vec("(@@ -[0-9],[0-3] \\+[0-9],[0-3] @@|[-+ ][ab]|[-+ ]|@@|\\\\ No newline|[ab]?)\n?", 0..12),
        old in "[ab\n]{0,20}",
        fuzz in 0u32..4,
    ) {
        let text = format!("--- a/x\n+++ b/x\n@@ -1 +1 @@\n{}", lines.concat());
        for lenient in [false, true] {
            let Ok(patch) = Patch::parse(text.as_bytes(), &ParseOptions { lenient, strip: 1 }) else { continue };
            for reverse in [false, true] {
                let result = |seed| {
                    let options = ApplyOptions { reverse, fuzz, anchored: fuzz != 3, seed: millwright_core::hash::Seed(seed) };
                    patch.files[0].apply(old.as_bytes(), &options, &mut Budget::default())
                };
                prop_assert_eq!(result(1), result(2));
            }
        }
    }
}
