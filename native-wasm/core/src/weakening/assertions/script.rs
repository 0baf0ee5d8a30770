use super::Found;
use super::calls::{self, Order};
use crate::weakening::assertion::normal;
use crate::weakening::rank::{self, Rank};
use crate::weakening::source::Source;

/// Jest, Vitest, Playwright and Chai (`expect`, `should`), and `node:assert`.
pub(super) fn read(source: &Source<'_>, at: usize) -> Option<Found> {
    match source.text(at) {
        b"expect" if source.before(at) != b"." => expect(source, at),
        b"assert" if source.before(at) != b"." || source.before(at - 1) == b"t" => assert(source, at),
        b"should" if source.before(at) == b"." => {
            let chain = chain(source, at + 1)?;
            Some(finish(source, at.saturating_sub(2), at.saturating_sub(2)..at - 1, &chain))
        }
        b"fail" if source.is(at + 1, b"(") && source.before(at) != b"." => {
            Some(calls::read(source, at, b"fail", at + 1, 0, Order::SubjectFirst))
        }
        _ => None,
    }
}

fn expect(source: &Source<'_>, at: usize) -> Option<Found> {
    let mut open = at + 1;
    // expect.soft(…), expect.poll(…); expect.any(…) and the like are no assertions.
    if source.is(open, b".") && matches!(source.text(at + 2), b"soft" | b"poll") {
        open = at + 3;
    }
    if !source.is(open, b"(") {
        return None;
    }
    let close = source.mate(open);
    let subject = open + 1..close;
    let chain = chain(source, close + 1)?;
    let mut found = finish(source, at, subject, &chain);
    // A test ends well before a promise fails that nothing waits for: so to wait belongs to the assertion.
    if chain.promised {
        match source.before(at) {
            b"await" | b"return" => found.whole.start -= 1,
            b";" | b"{" | b"}" | b")" | b"" => found.rank = Some(Rank::Trivial),
            _ => {}
        }
    }
    Some(found)
}

struct Chain {
    negated: bool,
    /// It is about what a promise comes to.
    promised: bool,
    matcher: usize,
    /// The bracket of the matcher's arguments.
    open: Option<usize>,
    end: usize,
}

/// `.not.resolves.toBe(…)`: the last call, or the last word.
fn chain(source: &Source<'_>, mut at: usize) -> Option<Chain> {
    let mut found: Option<Chain> = None;
    let (mut negated, mut promised) = (false, false);
    while source.is(at, b".") && source.is_word(at + 1) {
        let word = at + 1;
        negated |= source.is(word, b"not");
        promised |= matches!(source.text(word), b"resolves" | b"rejects");
        let open = source.is(word + 1, b"(").then_some(word + 1);
        let end = open.map_or(word + 1, |open| (source.mate(open) + 1).min(source.len()));
        if open.is_some() || found.as_ref().is_none_or(|found| found.open.is_none()) {
            found = Some(Chain { negated, promised, matcher: word, open, end });
        }
        at = end;
    }
    found.map(|chain| Chain { negated, promised, end: at, ..chain })
}

fn finish(source: &Source<'_>, start: usize, subject: core::ops::Range<usize>, chain: &Chain) -> Found {
    let matcher = normal(source.text(chain.matcher));
    let expected = chain.open.map_or(0..0, |open| open + 1..source.mate(open));
    let mut rank = super::ranked(source, &matcher, &subject, &expected, chain.negated);
    let demands_truth = matches!(matcher.as_slice(), b"tobetruthy" | b"true" | b"ok")
        || (expected.len() == 1 && source.is(expected.start, b"true") && matcher.starts_with(b"tobe"));
    if demands_truth && !chain.negated && rank.is_some_and(|rank| rank > Rank::Trivial) {
        let inner = rank::of_condition(source, &subject);
        rank = Some(if inner == Rank::Smoke { rank.unwrap_or(inner) } else { inner });
        if subject.len() == 1 && source.is(subject.start, b"true") {
            rank = Some(Rank::Trivial);
        }
    }
    Found { whole: start..chain.end.min(source.len()), subject, expected, matcher, rank }
}

fn assert(source: &Source<'_>, at: usize) -> Option<Found> {
    let mut name = at;
    let mut open = at + 1;
    while source.is(open, b".") && source.is_word(open + 1) {
        name = open + 1;
        open += 2;
    }
    if !source.is(open, b"(") {
        return None;
    }
    Some(calls::read(source, at, source.text(name), open, 0, Order::SubjectFirst))
}
