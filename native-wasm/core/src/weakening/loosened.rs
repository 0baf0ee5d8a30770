//! Whether one assertion demands less than another.

use super::Confidence::{self, High, Low, Medium};
use super::assertion::{Assertion, is_all_literal};
use super::rank::{Rank, is_same, matches_all};
use super::source::Source;
use crate::lex::{Language, TokenKind};
use core::ops::Range;

/// An assertion and where it is.
#[derive(Clone, Copy)]
pub(super) struct At<'s, 'a> {
    pub(super) source: &'s Source<'a>,
    pub(super) assertion: &'s Assertion,
}

impl At<'_, '_> {
    fn text(&self, at: usize) -> &[u8] {
        self.source.text(at)
    }

    /// What is expected, or where that is not told apart, what is asserted.
    fn demand(&self) -> Range<usize> {
        if self.assertion.expected.is_empty() {
            self.assertion.subject.clone()
        } else {
            self.assertion.expected.clone()
        }
    }

    fn expects_truth(&self) -> bool {
        let expected = &self.assertion.expected;
        expected.len() == 1 && matches!(self.text(expected.start), b"true" | b"True" | b"false" | b"False")
    }
}

/// Says how the new assertion demands less, if it does.
pub(super) fn judge(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    let (before, after) = (old.assertion.rank?, new.assertion.rank?);
    if after == Rank::Trivial && before > Rank::Trivial {
        return Some((High, "an assertion cannot fail any more"));
    }
    if old.expects_truth() && after >= Rank::Smoke {
        let truthy = new.assertion.matcher.ends_with(b"truthy") || new.assertion.matcher.ends_with(b"falsy");
        return truthy.then_some((Low, "anything that counts as true is accepted"));
    }
    if after < before {
        let same = old.source.shape(&old.assertion.subject) == new.source.shape(&new.assertion.subject);
        let message = match after {
            Rank::Smoke => "an expected value is no longer checked",
            Rank::Near => "a tolerance is accepted",
            _ => "only a part or a bound of a value is checked",
        };
        let sure = same && after != Rank::Near;
        return Some((if sure { High } else { Medium }, message));
    }
    if after > before {
        return None;
    }
    wildcards(old, new)
        .or_else(|| tolerance(old, new))
        .or_else(|| throws(old, new))
        .or_else(|| bound(old, new))
        .or_else(|| choices(old, new))
        .or_else(|| pattern(old, new))
        .or_else(|| recorded(old, new))
        .or_else(|| computed(old, new))
}

/// `expect.any(…)`, `mock.ANY` in place of a value.
fn wildcards(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    let count = |it: At<'_, '_>| {
        let range = it.assertion.expected.clone().take(1024);
        range
            .filter(|at| {
                matches!(
                    it.text(*at),
                    b"any"
                        | b"anything"
                        | b"ANY"
                        | b"Any"
                        | b"objectContaining"
                        | b"stringContaining"
                        | b"stringMatching"
                        | b"arrayContaining"
                        | b"Anything"
                        | b"AnythingOfType"
                        | b"anyString"
                        | b"anyInt"
                        | b"anyLong"
                        | b"IsAnything"
                )
            })
            .count()
    };
    (count(new) > count(old)).then_some((Medium, "any value is accepted in a place"))
}

fn tolerance(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    if old.assertion.rank != Some(Rank::Near) {
        return None;
    }
    let (before, after) = (read_tolerance(old), read_tolerance(new));
    (after > before * 1.000_001).then_some((High, "a tolerance is wider"))
}

/// The tolerance of a comparison of numbers: what the framework takes when none is given.
fn read_tolerance(it: At<'_, '_>) -> f64 {
    let whole = it.assertion.whole.clone();
    for at in whole.clone().take(1024) {
        let value = number(it.source, at + 2);
        match (it.text(at), value) {
            (b"places" | b"decimal", Some(digits)) => return 10_f64.powf(-digits),
            (
                b"delta" | b"abs" | b"rel" | b"rtol" | b"atol" | b"rel_tol" | b"abs_tol" | b"epsilon" | b"within"
                | b"offset" | b"tolerance" | b"withPercentage",
                Some(value),
            ) => return value,
            _ => {}
        }
    }
    let digits = it.assertion.matcher == b"tobecloseto" || it.assertion.matcher.ends_with(b"almostequal");
    let last = whole.end.checked_sub(2).filter(|last| it.text(last.wrapping_sub(1)) == b",");
    match (last.and_then(|at| number(it.source, at)), digits) {
        (Some(value), true) => 10_f64.powf(-value),
        (Some(value), false) => value,
        (None, true) if it.source.language.is_script() => 0.01,
        (None, true) => 1e-7,
        (None, false) => 1e-6,
    }
}

/// The number that a token is, without its sign.
fn number(source: &Source<'_>, at: usize) -> Option<f64> {
    if source.kind(at) != Some(TokenKind::Number) {
        return None;
    }
    let text: Vec<u8> = source.text(at).iter().copied().filter(|byte| *byte != b'_').collect();
    let text = core::str::from_utf8(&text).ok()?;
    let cut = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    // A suffix may hold digits, as `f64` does.
    let cut = cut.strip_suffix("f64").or_else(|| cut.strip_suffix("f32")).unwrap_or(cut);
    let cut = text.split(['u', 'i', 'f']).next().filter(|_| cut.parse::<f64>().is_err()).unwrap_or(cut);
    cut.parse().ok()
}

fn throws(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    let is_throw = |matcher: &[u8]| {
        [&b"throw"[..], b"throws", b"throwerror", b"raises", b"raisesregex", b"rejects", b"warns"]
            .iter()
            .any(|it| matcher.ends_with(it))
    };
    if !is_throw(&old.assertion.matcher) || !is_throw(&new.assertion.matcher) {
        return None;
    }
    let general = |it: At<'_, '_>| {
        let range = it.assertion.expected.clone();
        range.take(3).any(|at| {
            matches!(it.text(at), b"Exception" | b"BaseException" | b"Throwable" | b"RuntimeException" | b"Error")
        })
    };
    if general(new) && !general(old) {
        return Some((High, "any error is accepted"));
    }
    let details = |it: At<'_, '_>| {
        let open = it.assertion.expected.start.wrapping_sub(1);
        if it.assertion.expected.is_empty() {
            return 0;
        }
        // Inside of the call may be what is expected to fail: a function is no detail.
        let is_detail = |range: &Range<usize>| {
            !range.clone().any(|at| it.source.is_pair(at, b'=', b'>') || it.source.is_pair(at, b'-', b'>'))
        };
        it.source.arguments(open).iter().filter(|range| is_detail(range)).count()
    };
    (details(new) < details(old)).then_some((High, "less is demanded of an error"))
}

/// A bound that moved so that more is inside.
fn bound(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    let direction = |matcher: &[u8]| {
        let below = matcher == b"<"
            || [&b"less"[..], b"below", b"most"].iter().any(|it| memchr::memmem::find(matcher, it).is_some());
        let above = matcher == b">"
            || [&b"greater"[..], b"above", b"least"].iter().any(|it| memchr::memmem::find(matcher, it).is_some());
        i8::from(above) - i8::from(below)
    };
    let side = direction(&old.assertion.matcher);
    if side == 0 || side != direction(&new.assertion.matcher) {
        return None;
    }
    let value = |it: At<'_, '_>| {
        let range = it.assertion.expected.clone();
        let at = range.clone().find(|at| it.source.kind(*at) == Some(TokenKind::Number))?;
        let value = number(it.source, at)?;
        Some(if at > range.start && it.text(at - 1) == b"-" { -value } else { value })
    };
    let (before, after) = (value(old)?, value(new)?);
    let wider = if side > 0 { after < before } else { after > before };
    wider.then_some((Medium, "a bound is wider"))
}

/// A list of accepted values that became longer.
fn choices(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    if !(memchr::memmem::find(&old.assertion.matcher, b"in").is_some() || old.assertion.matcher.ends_with(b"oneof")) {
        return None;
    }
    let count = |it: At<'_, '_>| {
        let lists = [it.assertion.expected.clone(), it.assertion.subject.clone()];
        lists
            .into_iter()
            .find(|range| matches!(it.text(range.start), b"[" | b"(" | b"{"))
            .map_or(0, |list| it.source.arguments(list.start).len())
    };
    let (before, after) = (count(old), count(new));
    (before > 0 && after > before).then_some((Medium, "more values are accepted"))
}

fn pattern(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    let all = |it: At<'_, '_>| {
        (memchr::memmem::find(&it.assertion.matcher, b"match").is_some()
            || memchr::memmem::find(&it.assertion.matcher, b"reg").is_some()
            || it.assertion.matcher.ends_with(b"raises")
            || memchr::memmem::find(&it.assertion.matcher, b"contain").is_some())
            && matches_all(it.source, &it.assertion.expected)
    };
    (all(new) && !all(old)).then_some((High, "a pattern matches everything"))
}

fn recorded(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    let both = old.assertion.matcher == new.assertion.matcher && new.assertion.matcher.ends_with(b"inlinesnapshot");
    let differs = old.source.shape(&old.assertion.expected) != new.source.shape(&new.assertion.expected);
    (both && differs && !old.assertion.expected.is_empty()).then_some((Low, "a recorded expectation is rewritten"))
}

/// A value that was written down and is computed now.
fn computed(old: At<'_, '_>, new: At<'_, '_>) -> Option<(Confidence, &'static str)> {
    if old.assertion.rank < Some(Rank::Near) {
        return None;
    }
    let (before, after) = (old.demand(), new.demand());
    if !is_all_literal(old.source, &before) || old.assertion.expected.is_empty() {
        return None;
    }
    let calls = |range: &Range<usize>| -> Vec<usize> {
        range
            .clone()
            .take(256)
            .filter(|at| new.source.is_word(*at) && new.source.is(at + 1, b"(") && new.source.before(*at) != b"new")
            .collect()
    };
    let computing = calls(&after);
    if computing.is_empty() || is_same(new.source, &after, &before) {
        return None;
    }
    let subject: Vec<&[u8]> = calls(&new.assertion.subject).into_iter().map(|at| new.source.text(at)).collect();
    if computing.iter().any(|at| subject.contains(&new.source.text(*at))) {
        return Some((High, "an expected value is computed by what is tested"));
    }
    // A literal that is still somewhere was given a name, or is made by a constructor.
    let literals: Vec<&[u8]> = before
        .clone()
        .take(64)
        .filter(|at| matches!(old.source.kind(*at), Some(TokenKind::String | TokenKind::Number)))
        .map(|at| old.source.bare(at))
        .collect();
    let kept = literals
        .iter()
        .all(|literal| new.source.bytes.len() < (1 << 20) && memchr::memmem::find(new.source.bytes, literal).is_some());
    let constructs = new.source.language != Language::Python
        && computing.iter().all(|at| new.source.text(*at)[0].is_ascii_uppercase());
    (!kept && !constructs).then_some((Medium, "an expected value is computed instead of written down"))
}
