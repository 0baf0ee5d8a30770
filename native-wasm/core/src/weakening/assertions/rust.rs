use super::Found;
use super::calls::{self, Order};
use crate::weakening::assertion::normal;
use crate::weakening::matchers;
use crate::weakening::rank::{self, Rank};
use crate::weakening::source::Source;

/// The macros whose names begin with `assert`, those of proptest, and `panic!`.
pub(super) fn read(source: &Source<'_>, at: usize) -> Option<Found> {
    let open = at + 2;
    if !source.is(at + 1, b"!") || !matches!(source.text(open), b"(" | b"[" | b"{") {
        return None;
    }
    let word = source.text(at);
    let name = word.strip_prefix(b"debug_").or_else(|| word.strip_prefix(b"prop_")).unwrap_or(word);
    match name {
        b"assert" => Some(condition(source, at, open)),
        b"assert_eq" | b"assert_ne" => {
            let found = calls::read(source, at, &name[b"assert_".len()..], open, 0, Order::SubjectFirst);
            Some(without_message(source, open, found))
        }
        b"panic" | b"unreachable" => {
            let close = source.mate(open);
            let whole = at..(close + 1).min(source.len());
            Some(Found {
                whole,
                subject: open + 1..close,
                expected: 0..0,
                matcher: b"panic".to_vec(),
                rank: Some(Rank::Smoke),
            })
        }
        b"assert_matches" => Some(calls::read(source, at, b"matches", open, 0, Order::SubjectFirst)),
        _ if name.starts_with(b"assert_") => {
            let close = source.mate(open);
            let whole = at..(close + 1).min(source.len());
            let matcher = normal(&name[b"assert_".len()..]);
            let rank = if matcher.ends_with(b"snapshot") { Some(Rank::Partial) } else { matchers::rank(&matcher) };
            Some(Found { whole, subject: open + 1..close, expected: 0..0, matcher, rank })
        }
        _ => None,
    }
}

/// An `assert_eq!` whose expectation ends before the message.
fn without_message(source: &Source<'_>, open: usize, mut found: Found) -> Found {
    if let Some(second) = source.arguments(open).get(1) {
        found.expected = second.clone();
    }
    if rank::is_same(source, &found.subject, &found.expected) {
        found.rank = Some(Rank::Trivial);
    }
    found
}

fn condition(source: &Source<'_>, at: usize, open: usize) -> Found {
    let close = source.mate(open);
    let condition = source.arguments(open).first().cloned().unwrap_or(open + 1..open + 1);
    let mut rank = rank::of_condition(source, &condition);
    if condition.clone().take(64).any(|at| source.is(at, b"matches") && source.is(at + 1, b"!")) {
        rank = rank.max(Rank::Partial);
    }
    // Behind `<` there may be types: a comparison has blanks around it.
    let operator = condition
        .clone()
        .take(512)
        .find(|at| source.is_pair(*at, b'=', b'=') || (matches!(source.text(*at), b"<" | b">") && spaced(source, *at)));
    let (subject, expected, matcher) = match operator {
        Some(operator) => {
            let length = 1 + usize::from(source.is(operator + 1, b"="));
            let matcher = if source.is(operator, b"=") { &b"eq"[..] } else { source.text(operator) };
            (condition.start..operator, operator + length..condition.end, matcher)
        }
        None => (condition.clone(), 0..0, &b"assert"[..]),
    };
    if operator.is_none()
        && rank == Rank::Partial
        && !condition.clone().any(|at| source.is(at, b"!") || source.is(at, b"."))
    {
        rank = Rank::Smoke;
    }
    Found { whole: at..(close + 1).min(source.len()), subject, expected, matcher: matcher.to_vec(), rank: Some(rank) }
}

fn spaced(source: &Source<'_>, at: usize) -> bool {
    source.tokens.get(at).is_some_and(|token| token.start > 0 && source.bytes[token.start as usize - 1] == b' ')
}
