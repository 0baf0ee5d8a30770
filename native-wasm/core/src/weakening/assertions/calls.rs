//! Assertions that are calls with the subject and the expectation as arguments.

use super::Found;
use crate::lex::TokenKind;
use crate::weakening::assertion::normal;
use crate::weakening::matchers;
use crate::weakening::rank::{self, Rank};
use crate::weakening::source::Source;
use core::ops::Range;

/// Where the subject of a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    SubjectFirst,
    ExpectedFirst,
}

/// Reads a call `name(a, b, …)` whose tokens begin at `start` and whose arguments are in the brackets at `open`, without the first `skipped`.
pub(super) fn read(source: &Source<'_>, start: usize, name: &[u8], open: usize, skipped: usize, order: Order) -> Found {
    let close = source.mate(open);
    let mut arguments = source.arguments(open);
    arguments.drain(..skipped.min(arguments.len()));
    // JUnit 4 has its message first.
    if order == Order::ExpectedFirst
        && arguments.len() >= 3
        && source.kind(arguments[0].start) == Some(TokenKind::String)
        && arguments[0].len() == 1
        && source.kind(arguments[2].start) != Some(TokenKind::Number)
        && source.kind(arguments[2].start) != Some(TokenKind::String)
        && skipped == 0
    {
        arguments.remove(0);
    }
    let matcher = normal(name);
    let known = matchers::rank(&matcher);
    let first = arguments.first().cloned().unwrap_or(open + 1..open + 1);
    let takes_one = known == Some(Rank::Smoke) || arguments.len() < 2 || is_null(&matcher);
    let throws = matcher.ends_with(b"raises") || matcher.ends_with(b"throws") || matcher.ends_with(b"raisesregex");
    let (subject, expected) = if throws {
        (open..open + 1, open + 1..close)
    } else if takes_one {
        (first.clone(), 0..0)
    } else {
        let second = arguments.get(1).cloned().unwrap_or(0..0);
        match order {
            Order::SubjectFirst => (first.clone(), second.start..close),
            Order::ExpectedFirst => (second, first.start..first.end),
        }
    };
    let rank = condition_rank(source, &matcher, &first)
        .or_else(|| super::ranked(source, &matcher, &subject, &expected, false));
    Found { whole: start..(close + 1).min(source.len()), subject, expected, matcher, rank }
}

fn is_null(matcher: &[u8]) -> bool {
    matches!(
        matcher,
        b"assertnull" | b"assertisnone" | b"isnull" | b"null" | b"nil" | b"empty" | b"assertempty" | b"zero"
    )
}

/// The rank of `assertTrue(condition)` and the like.
fn condition_rank(source: &Source<'_>, matcher: &[u8], condition: &Range<usize>) -> Option<Rank> {
    match matcher {
        b"asserttrue" | b"true" | b"assert" | b"ok" | b"assertthat" | b"assertok" | b"istrue" | b"truef" => {
            Some(rank::of_condition(source, condition))
        }
        b"assertfalse" | b"false" | b"isfalse" => {
            let inner = rank::of_condition(source, condition);
            let trivial = condition.len() == 1 && matches!(source.text(condition.start), b"false" | b"False");
            Some(if trivial { Rank::Trivial } else { inner.min(Rank::Partial) })
        }
        _ => None,
    }
}
