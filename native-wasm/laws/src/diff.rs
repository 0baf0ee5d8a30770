use crate::Input;
use millwright_core::Budget;
use millwright_core::diff::{Change, Context, Diff, Options, Whitespace};
use millwright_core::patch::{ApplyOptions, ParseOptions, Patch};

/// Two texts: what is between changes is equal, hunks hold all changes and part where they should, the patch makes the second text of the first and
/// the first of the second, words that differ explain the change; all that with any budget.
///
/// Input: lines of context, lines between hunks, white space, seed, budget; the texts.
pub fn diff(input: &[u8]) {
    let mut input = Input::new(input);
    let context = Context { lines: input.knob(5), between_hunks: input.knob(5) };
    let whitespace = input.choice(&[Whitespace::Counts, Whitespace::IgnoredAtLineEnd, Whitespace::Ignored]);
    let options = Options { whitespace, seed: input.seed() };
    let tight = input.tight_budget();
    let (before, after) = (input.text(), input.text());

    let whole = of(before, after, &options, Input::ample_budget());
    assert!(!whole.is_degraded());
    let unseeded = of(before, after, &Options { whitespace, ..Options::default() }, Input::ample_budget());
    assert_eq!(whole.changes(), unseeded.changes(), "the seed matters");
    assert!(of(before, before, &options, Budget::new(0)).changes().is_empty());

    for diff in [whole, of(before, after, &options, tight.clone())] {
        changes(&diff, whitespace);
        hunks(&diff, context);
        words(&diff, &options, tight.clone());
        if whitespace == Whitespace::Counts {
            patch(&diff, context);
        }
    }
}

fn of<'a>(before: &'a [u8], after: &'a [u8], options: &Options, mut budget: Budget) -> Diff<'a> {
    Diff::of(before, after, options, &mut budget).expect("a text that fits")
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A line as it is compared.
fn compared(line: &[u8], whitespace: Whitespace) -> Vec<u8> {
    match whitespace {
        Whitespace::Counts => line.to_vec(),
        Whitespace::IgnoredAtLineEnd => {
            line[..line.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1)].to_vec()
        }
        _ => line.iter().copied().filter(|byte| !is_space(*byte)).collect(),
    }
}

/// What is between two changes is equal, and not nothing.
fn changes(diff: &Diff, whitespace: Whitespace) {
    let (before, after) = (diff.before(), diff.after());
    let (old_len, new_len) = (before.len() as u32, after.len() as u32);
    let (mut old, mut new) = (0, 0);
    let end = Change { before: old_len..old_len, after: new_len..new_len };
    for (at, change) in diff.changes().iter().chain([&end]).enumerate() {
        let equal = change.before.start.checked_sub(old).expect("ascending");
        assert_eq!(change.after.start.checked_sub(new), Some(equal));
        assert!(at == 0 || equal > 0 || at == diff.changes().len(), "two changes touch");
        for line in 0..equal {
            let [one, other] = [before.get((old + line) as usize), after.get((new + line) as usize)];
            assert_eq!(compared(one, whitespace), compared(other, whitespace), "an unchanged line");
        }
        (old, new) = (change.before.end, change.after.end);
    }
    assert!(diff.changes().iter().all(|change| !change.before.is_empty() || !change.after.is_empty()));
    let stats = diff.stats();
    assert_eq!(i64::from(stats.added) - i64::from(stats.removed), i64::from(new_len) - i64::from(old_len));
}

/// The hunks have each change once and as much context as was asked for, and those that are near are one.
fn hunks(diff: &Diff, context: Context) {
    let hunks: Vec<_> = diff.hunks(context).collect();
    let all: Vec<usize> = hunks.iter().flat_map(|hunk| hunk.changes.clone()).collect();
    assert_eq!(all, (0..diff.changes().len()).collect::<Vec<_>>());
    for hunk in &hunks {
        let first = &diff.changes()[hunk.changes.start];
        assert_eq!(
            hunk.before.start,
            first.before.start - context.lines.min(first.before.start.min(first.after.start))
        );
        assert_eq!(first.before.start - hunk.before.start, first.after.start - hunk.after.start);
        assert!(hunk.before.end as usize <= diff.before().len() && hunk.after.end as usize <= diff.after().len());
        assert!(hunk.section.len() <= 80 && !hunk.section.contains(&b'\n'));
    }
    for pair in hunks.windows(2) {
        let gap = pair[1].before.start.checked_sub(pair[0].before.end).expect("hunks overlap");
        assert!(gap > context.between_hunks);
        assert_eq!(Some(gap), pair[1].after.start.checked_sub(pair[0].after.end));
    }
}

/// Without the words that differ, both sides of a change are equal but for space, which may go with the words around it.
fn words(diff: &Diff, options: &Options, tight: Budget) {
    let mut budgets = [Input::ample_budget(), tight];
    for change in diff.changes() {
        for budget in &mut budgets {
            let Some(words) = diff.words(change, options, budget).expect("memory") else { continue };
            let kept =
                |lines: &millwright_core::Lines, change: &std::ops::Range<u32>, words: &[std::ops::Range<u32>]| {
                    let start = lines.range(change.start as usize).start;
                    let end = lines.range(change.end as usize - 1).end;
                    let mut kept = Vec::new();
                    let mut at = start;
                    for (nth, word) in words.iter().enumerate() {
                        let (from, to) = (word.start as usize, word.end as usize);
                        assert!(
                            from < to && to <= end && from >= at && (nth == 0 || from > at),
                            "{words:?} in {start}..{end}"
                        );
                        kept.extend_from_slice(&lines.bytes()[at..from]);
                        at = to;
                    }
                    kept.extend_from_slice(&lines.bytes()[at..end]);
                    kept.retain(|byte| !matches!(byte, b' ' | b'\t'));
                    kept
                };
            let old = kept(diff.before(), &change.before, &words.before);
            assert_eq!(old, kept(diff.after(), &change.after, &words.after), "words that stay");
            if let (Ok(before), Ok(after)) =
                (str::from_utf8(diff.before().bytes()), str::from_utf8(diff.after().bytes()))
            {
                let is_whole = |text: &str, words: &[std::ops::Range<u32>]| {
                    words.iter().all(|word| text.get(word.start as usize..word.end as usize).is_some())
                };
                assert!(is_whole(before, &words.before) && is_whole(after, &words.after), "a split character");
            }
        }
    }
}

/// The patch can be read and makes one text of the other, both ways.
fn patch(diff: &Diff, context: Context) {
    let mut text = b"--- a/x\n+++ b/x\n".to_vec();
    let head = text.len();
    diff.write_hunks(context, &mut text).expect("memory");
    if diff.changes().is_empty() {
        assert_eq!(text.len(), head);
        return;
    }
    let patch = Patch::parse(&text, &ParseOptions::default()).expect("a patch that was made");
    assert_eq!(patch.files.len(), 1);
    for (reverse, old, new) in [(false, diff.before(), diff.after()), (true, diff.after(), diff.before())] {
        // Without all context, a hunk does not say that it begins or ends the file.
        let options = ApplyOptions { reverse, anchored: context.lines > 0, ..ApplyOptions::default() };
        let applied =
            patch.files[0].apply(old.bytes(), &options, &mut Input::ample_budget()).expect("a patch that fits");
        assert!(applied.bytes == new.bytes(), "reverse: {reverse}");
        assert!(applied.hunks.iter().all(|hunk| hunk.offset == 0 && hunk.fuzz == (0, 0)));
    }
}
