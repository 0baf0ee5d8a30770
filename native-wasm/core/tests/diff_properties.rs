//! What holds for every pair of texts, however long the budget lasts.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use millwright_core::diff::{Change, Context, Diff, Options, Whitespace};
use millwright_core::hash::Seed;
use millwright_core::{Budget, Lines};
use proptest::collection::vec;
use proptest::prelude::*;

/// Texts of few different lines, so that much is equal and much can slide.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line =
        prop_oneof![Just("a\n"), Just("b\n"), Just("\n"), Just("  c\n"), Just("}\n"), Just("\t}\r\n"), Just("d \n")];
    (vec(line, 0..40), any::<bool>()).prop_map(|(lines, cut)| {
        let mut text = lines.concat().into_bytes();
        if cut {
            text.pop();
        }
        text
    })
}

fn diff<'a>(before: &'a [u8], after: &'a [u8], budget: u64) -> Diff<'a> {
    Diff::of(before, after, &Options::default(), &mut Budget::new(budget)).unwrap()
}

/// The second text, made of the first and the changes; lines in between must be equal.
fn check(diff: &Diff, whitespace: Whitespace) {
    let key = |line: &[u8]| -> Vec<u8> {
        let text = String::from_utf8_lossy(line);
        match whitespace {
            Whitespace::Counts => line.to_vec(),
            Whitespace::IgnoredAtLineEnd => text.trim_end().into(),
            _ => text.split_ascii_whitespace().collect::<String>().into_bytes(),
        }
    };
    let (before, after) = (diff.before(), diff.after());
    let (mut old, mut new) = (0, 0);
    let ends =
        Change { before: before.len() as u32..before.len() as u32, after: after.len() as u32..after.len() as u32 };
    for (at, change) in diff.changes().iter().chain([&ends]).enumerate() {
        let equal = change.before.start as usize - old;
        assert_eq!(change.after.start as usize - new, equal);
        assert!(at == 0 || equal > 0 || at == diff.changes().len(), "two changes touch each other");
        assert!((0..equal).all(|line| key(before.get(old + line)) == key(after.get(new + line))));
        (old, new) = (change.before.end as usize, change.after.end as usize);
    }
    assert!(diff.changes().iter().all(|change| !change.before.is_empty() || !change.after.is_empty()));
}

fn changed_lines(diff: &Diff) -> u32 {
    diff.stats().added + diff.stats().removed
}

proptest! {
    #[test]
    fn lines_between_changes_are_equal(before in text(), after in text(), budget in 0u64..400) {
        check(&diff(&before, &after, budget), Whitespace::Counts);
        check(&diff(&before, &after, u64::MAX), Whitespace::Counts);
        prop_assert!(diff(&before, &before, 0).changes().is_empty());
    }

    #[test]
    fn white_space_that_does_not_count_is_no_change(before in text(), after in text()) {
        for whitespace in [Whitespace::IgnoredAtLineEnd, Whitespace::Ignored] {
            let options = Options { whitespace, ..Options::default() };
            check(&Diff::of(&before, &after, &options, &mut Budget::default()).unwrap(), whitespace);
        }
    }

    #[test]
    fn the_seed_does_not_matter(before in text(), after in text(), seed: u64) {
        let options = Options { seed: Seed(seed), ..Options::default() };
        let other = Diff::of(&before, &after, &options, &mut Budget::default()).unwrap();
        let unseeded = diff(&before, &after, u64::MAX);
        prop_assert_eq!(unseeded.changes(), other.changes());
    }

    #[test]
    fn hunks_hold_all_changes_and_do_not_touch(before in text(), after in text(), lines in 0u32..5, between_hunks in 0u32..5) {
        let diff = diff(&before, &after, u64::MAX);
        let hunks: Vec<_> = diff.hunks(Context { lines, between_hunks }).collect();
        let all: Vec<usize> = hunks.iter().flat_map(|hunk| hunk.changes.clone()).collect();
        prop_assert_eq!(all, (0..diff.changes().len()).collect::<Vec<_>>());
        for pair in hunks.windows(2) {
            let gap = pair[1].before.start - pair[0].before.end;
            prop_assert!(gap > between_hunks, "{gap}");
            prop_assert_eq!(gap, pair[1].after.start - pair[0].after.end);
        }
    }

    #[test]
    fn changes_are_about_as_few_as_those_of_another_implementation(before in text(), after in text()) {
        let ours = changed_lines(&diff(&before, &after, u64::MAX));
        let input = imara_diff::InternedInput::new(&before[..], &after[..]);
        let theirs = imara_diff::Diff::compute(imara_diff::Algorithm::Histogram, &input);
        let theirs = theirs.count_additions() + theirs.count_removals();
        // Neither finds the fewest: what is rare comes first.
        prop_assert!(ours <= theirs + 20, "{ours} instead of {theirs}");
    }
}

/// Some lines, made of their numbers.
fn lines(numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    numbers.flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

/// The numbers below `len` in an order without system.
fn shuffled(len: u64) -> Vec<u8> {
    let mut numbers: Vec<u64> = (0..len).collect();
    numbers.sort_by_key(|number| millwright_core::hash::hash(&number.to_le_bytes(), Seed(7)));
    lines(numbers.into_iter())
}

/// Compares with the budget that is the default, and says what it took.
fn work(before: &[u8], after: &[u8]) -> (u64, bool, u32) {
    let mut budget = Budget::default();
    let diff = Diff::of(before, after, &Options::default(), &mut budget).unwrap();
    check(&diff, Whitespace::Counts);
    (Budget::DEFAULT_UNITS - budget.left(), diff.is_degraded(), changed_lines(&diff))
}

#[test]
fn pairs_made_to_take_long_do_not() {
    const N: u64 = 5_000;
    let alternating = |other: u64| lines((0..2 * N).map(|at| if at % 2 == 0 { at } else { at + other }));
    let few = |seed: u64| lines((0..N).map(|at| at.wrapping_mul(seed) >> 7 & 3));
    let pairs = [
        ("one side has one line only", lines((0..N).map(|_| 1)), lines(0..N), 2 * N as u32 - 2),
        ("both sides have", lines((0..N).map(|_| 1)), lines((0..2 * N).map(|_| 1)), N as u32),
        ("reversed", lines(0..N), lines((0..N).rev()), 2 * N as u32 - 2),
        ("every second line is another", alternating(3 * N), alternating(6 * N), 2 * N as u32),
        ("a permutation", lines(0..N), shuffled(N), 2 * N as u32),
        ("a few lines in disorder", few(0x9e37_79b9), few(0x85eb_ca6b), 2 * N as u32),
        ("nothing in common", lines(0..N), lines(N..2 * N), 2 * N as u32),
        ("blocks", lines((0..N).map(|at| at / 100)), lines((0..N).map(|at| at % 100)), 2 * N as u32),
    ];
    for (name, before, after, most) in pairs {
        for (before, after) in [(&before, &after), (&after, &before)] {
            let (units, degraded, changed) = work(before, after);
            assert!(units <= 600 * N, "{name}: {units} units");
            assert!(!degraded, "{name}");
            assert!(changed <= most, "{name}: {changed} lines have changed");
        }
    }
}

#[test]
fn a_spent_budget_gives_one_replacement() {
    let (before, after) = (b"a\nx\nb\ny\nc\n", b"a\nx2\nb\ny2\nc\n");
    let diff = diff(before, after, 0);
    assert!(diff.is_degraded());
    assert_eq!(diff.changes(), [Change { before: 1..4, after: 1..4 }]);
}

#[test]
fn a_group_moves_to_where_it_reads_best() {
    let before = "fn a() {\n    one();\n}\n";
    let after = "fn a() {\n    one();\n}\n\nfn b() {\n    one();\n}\n";
    assert_eq!(diff(before.as_bytes(), after.as_bytes(), u64::MAX).changes(), [Change { before: 3..3, after: 3..7 }]);
    let whole = format!("{before}\nfn c() {{\n    one();\n}}\n");
    let wider = format!("{after}\nfn c() {{\n    one();\n}}\n");
    // Equal before and behind: the blank line goes with the function before it.
    assert_eq!(diff(whole.as_bytes(), wider.as_bytes(), u64::MAX).changes(), [Change { before: 4..4, after: 4..8 }]);
}

#[test]
fn a_line_as_large_as_a_text_may_be_is_a_line() {
    let (before, after) = (vec![b'a'; 1 << 22], vec![b'a'; (1 << 22) - 1]);
    let diff = diff(&before, &after, u64::MAX);
    assert_eq!(diff.changes(), [Change { before: 0..1, after: 0..1 }]);
    assert_eq!(Lines::of(&before).unwrap().len(), 1);
}
