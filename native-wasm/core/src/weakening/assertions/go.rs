use super::Found;
use super::calls::{self, Order};
use crate::weakening::assertion::normal;
use crate::weakening::matchers;
use crate::weakening::rank::{self, Rank};
use crate::weakening::source::{NONE, Source};
use core::ops::Range;

/// The package `testing`, testify and Gomega.
pub(super) fn read(source: &Source<'_>, at: usize) -> Option<Found> {
    let word = source.text(at);
    let receiver = (at >= 2 && source.before(at) == b".").then(|| source.text(at - 2));
    if !source.is(at + 1, b"(") {
        return None;
    }
    match (word, receiver) {
        (
            b"Error" | b"Errorf" | b"Fatal" | b"Fatalf" | b"Fail" | b"FailNow",
            Some(b"t" | b"b" | b"f" | b"tb" | b"tt" | b"T"),
        ) => Some(failure(source, at)),
        (b"Expect" | b"Eventually" | b"Consistently", None | Some(b"g")) => gomega(source, at),
        (_, Some(b"assert" | b"require")) if !matches!(word, b"New") => {
            let skipped = usize::from(matches!(source.text(at + 2), b"t" | b"tt" | b"tb" | b"s" | b"c" | b"b"));
            Some(testify(source, at - 2, word, at + 1, skipped))
        }
        (_, Some(b"s" | b"suite" | b"ts"))
            if matchers::rank(&normal(word)).is_some() && word[0].is_ascii_uppercase() =>
        {
            Some(testify(source, at - 2, word, at + 1, 0))
        }
        (_, Some(b")")) if at >= 5 && matches!(source.text(at - 4), b"Require" | b"Assert") => {
            Some(testify(source, at - 4, word, at + 1, 0))
        }
        // A function that takes the test asserts something.
        (_, _)
            if source.is(at + 2, b"t")
                && matches!(source.text(at + 3), b"," | b")")
                && source.before(at) != b"func" =>
        {
            (!matches!(word, b"New" | b"NewController" | b"Run" | b"Helper" | b"Cleanup")
                && super::sounds_like_assertion(word))
            .then(|| {
                let close = source.mate(at + 1);
                let whole = at..(close + 1).min(source.len());
                Found { whole, subject: at + 2..close, expected: 0..0, matcher: normal(word), rank: None }
            })
        }
        _ => None,
    }
}

fn testify(source: &Source<'_>, start: usize, word: &[u8], open: usize, skipped: usize) -> Found {
    let name = word.strip_suffix(b"f").filter(|_| word.len() > 4).unwrap_or(word);
    let subject_first = matches!(
        name,
        b"Contains"
            | b"NotContains"
            | b"Len"
            | b"Greater"
            | b"GreaterOrEqual"
            | b"Less"
            | b"LessOrEqual"
            | b"ErrorContains"
            | b"ErrorIs"
            | b"ErrorAs"
            | b"EqualError"
            | b"Subset"
    );
    calls::read(
        source,
        start,
        name,
        open,
        skipped,
        if subject_first { Order::SubjectFirst } else { Order::ExpectedFirst },
    )
}

/// `if got != want { t.Errorf(…) }`: the condition is what is asserted.
fn failure(source: &Source<'_>, at: usize) -> Found {
    let close = source.mate(at + 1);
    let whole = at - 2..(close + 1).min(source.len());
    let condition = condition(source, source.outer(at));
    let rank = if condition.is_empty() { Rank::Smoke } else { rank::of_failing(source, &condition) };
    let (subject, expected) =
        match condition.clone().find(|at| source.is_pair(*at, b'!', b'=') || source.is_pair(*at, b'=', b'=')) {
            Some(operator) => (condition.start..operator, operator + 2..condition.end.max(operator + 2)),
            None => match condition.clone().find(|at| matches!(source.text(*at), b"<" | b">")) {
                Some(operator) => (
                    condition.start..operator,
                    operator + 1 + usize::from(source.is(operator + 1, b"="))..condition.end,
                ),
                None => (condition.clone(), 0..0),
            },
        };
    let matcher = condition.clone().find(|at| matches!(source.text(*at), b"<" | b">")).map_or(&b"if"[..], |at| {
        // What fails above a bound has to be below it.
        if source.is(at, b">") { b"<" } else { b">" }
    });
    let start = if condition.is_empty() { whole.start } else { condition.start };
    Found { whole: start..whole.end.max(start), subject, expected, matcher: matcher.to_vec(), rank: Some(rank) }
}

/// The condition of the `if` whose block is at `open`: what is behind the last `;` of its head.
fn condition(source: &Source<'_>, open: usize) -> Range<usize> {
    if open == NONE as usize || !source.is(open, b"{") {
        return 0..0;
    }
    let mut at = open;
    let mut start = None;
    for _ in 0..200 {
        let Some(before) = at.checked_sub(1) else { break };
        at = before;
        match source.text(at) {
            b"if" => return start.unwrap_or(at + 1)..open,
            b"for" | b"func" | b"else" | b"switch" | b"select" | b"{" | b"}" => break,
            b";" => start = start.or(Some(at + 1)),
            b")" | b"]" => {
                let Some(opener) = source.opener(at) else { break };
                at = opener;
            }
            _ => {}
        }
    }
    0..0
}

/// `Expect(x).To(Equal(y))`.
fn gomega(source: &Source<'_>, at: usize) -> Option<Found> {
    let close = source.mate(at + 1);
    let mut next = close + 1;
    while source.is(next, b".") && source.is_word(next + 1) && source.is(next + 2, b"(") {
        let verb = source.text(next + 1);
        let open = next + 2;
        let end = source.mate(open);
        if matches!(verb, b"To" | b"Should" | b"NotTo" | b"ToNot" | b"ShouldNot") {
            let matcher = normal(source.text(open + 1));
            let expected = if source.is(open + 2, b"(") { open + 3..source.mate(open + 2) } else { 0..0 };
            let subject = at + 2..close;
            let negated = !matches!(verb, b"To" | b"Should");
            let rank = super::ranked(source, &matcher, &subject, &expected, negated);
            return Some(Found { whole: at..(end + 1).min(source.len()), subject, expected, matcher, rank });
        }
        next = end + 1;
    }
    None
}
