//! How much an assertion demands.

use super::assertion::{is_constant, normal};
use super::source::Source;
use crate::lex::{Language, TokenKind};
use core::ops::Range;

/// How much an assertion demands of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It cannot fail.
    Trivial,
    /// Something is there, true, or does not fail.
    Smoke,
    /// A part or a bound of the value.
    Partial,
    /// A number with a tolerance.
    Near,
    /// The value.
    Exact,
}

/// The rank of a condition that has to hold.
pub(super) fn of_condition(source: &Source<'_>, range: &Range<usize>) -> Rank {
    let range = range.start..range.end.min(range.start + 512);
    if range.len() == 1 && matches!(source.text(range.start), b"true" | b"True" | b"1") {
        return Rank::Trivial;
    }
    let python = source.language == Language::Python;
    let (mut rank, mut near, mut alternatives) = (Rank::Smoke, false, false);
    let mut at = range.start;
    while at < range.end {
        let found = if source.is_pair(at, b'=', b'=') {
            at += 1 + usize::from(source.is_pair(at + 1, b'=', b'='));
            if is_same(source, &(range.start..at - 1), &(at + 1..range.end)) {
                return Rank::Trivial;
            }
            Rank::Exact
        } else if source.is_pair(at, b'!', b'=') {
            at += 1 + usize::from(source.is_pair(at + 1, b'=', b'='));
            if is_constant(source.text(at + 1)) { Rank::Smoke } else { Rank::Partial }
        } else if source.is_pair(at, b'=', b'>') || source.is_pair(at, b'-', b'>') {
            at += 1;
            Rank::Smoke
        } else if source.is_pair(at, b'|', b'|') && at > range.start || (python && source.is(at, b"or")) {
            at += usize::from(!python);
            alternatives = true;
            if matches!(source.text(at + 1), b"true" | b"True") && at + 2 >= range.end {
                return Rank::Trivial;
            }
            Rank::Smoke
        } else {
            match source.text(at) {
                b"<" | b">" if !source.is_pair(at, b'<', b'<') => Rank::Partial,
                b"is" if python && source.is(at + 1, b"not") => Rank::Smoke,
                b"is" if python => Rank::Exact,
                b"in" if python => Rank::Partial,
                b"approx" | b"isclose" | b"abs" => {
                    near = true;
                    Rank::Smoke
                }
                text if source.is_word(at) && source.is(at + 1, b"(") => of_predicate(text),
                b"matches" | b"instanceof" => Rank::Partial,
                _ => Rank::Smoke,
            }
        };
        rank = rank.max(found);
        at += 1;
    }
    match rank {
        Rank::Exact if near => Rank::Near,
        Rank::Exact | Rank::Near if alternatives => Rank::Partial,
        rank => rank,
    }
}

/// The rank of a condition that must not hold: of Go's `if got != want { t.Error… }`.
pub(super) fn of_failing(source: &Source<'_>, range: &Range<usize>) -> Rank {
    let range = range.start..range.end.min(range.start + 512);
    let mut rank = Rank::Smoke;
    let (mut exact, mut more) = (false, false);
    for at in range.clone() {
        if source.is_pair(at, b'!', b'=') {
            let nothing = matches!(source.text(at + 2), b"nil" | b"true" | b"false");
            exact |= !nothing;
        } else if source.is_pair(at, b'&', b'&') {
            more = true;
        } else if source.is(at, b"false") && range.len() < 6 && (range.len() == 1 || source.is_pair(at + 1, b'&', b'&'))
        {
            return Rank::Trivial;
        } else if source.is_word(at) && source.is(at + 1, b"(") {
            let negated = (range.start..at).rev().take(3).any(|at| source.is(at, b"!"));
            match of_predicate(source.text(at)) {
                Rank::Exact if negated => exact = true,
                Rank::Partial => rank = rank.max(Rank::Partial),
                _ => {}
            }
        } else if matches!(source.text(at), b"<" | b">") {
            rank = rank.max(Rank::Partial);
        }
    }
    if exact && !more {
        Rank::Exact
    } else if exact {
        Rank::Partial
    } else {
        rank
    }
}

/// The rank of a function whose truth is asserted.
fn of_predicate(name: &[u8]) -> Rank {
    match normal(name).as_slice() {
        b"equals" | b"equal" | b"deepequal" | b"iseq" | b"is" | b"diff" | b"arrayequal" | b"deepequals" => Rank::Exact,
        b"contains" | b"includes" | b"startswith" | b"endswith" | b"hasprefix" | b"hassuffix" | b"matches"
        | b"isinstance" | b"matchstring" | b"some" | b"every" | b"any" | b"all" | b"test" | b"match"
        | b"containskey" | b"issubset" | b"haskey" | b"search" | b"compareto" => Rank::Partial,
        _ => Rank::Smoke,
    }
}

/// Whether two ranges hold the same code, so that comparing them says nothing.
pub(super) fn is_same(source: &Source<'_>, a: &Range<usize>, b: &Range<usize>) -> bool {
    !a.is_empty() && a.len() == b.len() && source.shape(a) == source.shape(b)
}

/// Whether a regex or glob matches everything.
pub(super) fn matches_all(source: &Source<'_>, range: &Range<usize>) -> bool {
    range.clone().take(8).any(|at| match source.kind(at) {
        Some(TokenKind::Regex) => {
            matches!(source.text(at), b"/.*/" | b"/.+/" | b"/./" | b"/(?:)/" | b"/[\\s\\S]*/" | b"/.*/s")
        }
        Some(TokenKind::String) => matches!(source.bare(at), b".*" | b".+" | b"" | b"." | b"(?s).*"),
        _ => false,
    })
}
