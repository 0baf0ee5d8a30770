//! Finds assertions in the tokens of each language.

use crate::sort;
mod calls;
mod go;
mod java;
mod python;
mod rust;
mod script;

use super::assertion::{Assertion, normal, sounds_like_assertion};
use super::matchers;
use super::rank::{self, Rank};
use super::scope::{Owners, ScopeKind, holder};
use super::source::{NONE, Source};
use crate::lex::Language;
use crate::{Budget, Limit};
use core::ops::Range;

/// So much of an assertion is looked at for blocks in it.
const MAX_LOOKED_AT: usize = 4096;

/// What a call or statement asserts, before it is known where it is.
pub(super) struct Found {
    pub(super) whole: Range<usize>,
    pub(super) subject: Range<usize>,
    pub(super) expected: Range<usize>,
    pub(super) matcher: Vec<u8>,
    pub(super) rank: Option<Rank>,
}

/// Finds all assertions of a source whose scopes are known. `helpers` are the names of functions that assert, in order.
///
/// # Errors
/// When the budget does not suffice: assertions are within others, and a deep nest costs much.
pub(super) fn find(source: &mut Source<'_>, helpers: &[Vec<u8>], budget: &mut Budget) -> Result<(), Limit> {
    let mut assertions = Vec::new();
    let mut owners = Owners::new(&source.scopes);
    let mut at = 0;
    while at < source.len() {
        let owner = owners.of(at);
        let scope = holder(&source.scopes, owner);
        let found = if source.is_word(at) { read(source, scope, at, helpers) } else { None };
        let Some(found) = found else {
            at += 1;
            continue;
        };
        budget.spend(found.whole.len().min(MAX_LOOKED_AT) as u64 + 1)?;
        // An assertion within a lambda of another, as in `assertAll(() -> …)`, counts on its own.
        let next = if has_block(source, &found.whole) || found.whole.end <= at {
            at + 1
        } else {
            found.whole.end.min(source.len())
        };
        let looped = is_looped(source, scope, found.whole.start);
        assertions.push(Assertion {
            scope,
            whole: found.whole,
            subject: found.subject,
            expected: found.expected,
            matcher: found.matcher,
            rank: found.rank,
            looped,
        });
        at = next;
    }
    source.by_scope = (0..assertions.len()).collect();
    sort::by_key(&mut source.by_scope, |at| assertions[*at].scope);
    source.assertions = assertions;
    Ok(())
}

fn read(source: &Source<'_>, scope: usize, at: usize, helpers: &[Vec<u8>]) -> Option<Found> {
    let found = match source.language {
        Language::Python => python::read(source, at),
        Language::Go => go::read(source, at),
        Language::Rust => rust::read(source, at),
        Language::Java => java::read(source, at),
        Language::JavaScript | Language::TypeScript | Language::Tsx => script::read(source, at),
    };
    found.or_else(|| helper(source, scope, at, helpers))
}

/// A call of a function that asserts, or whose name says so.
fn helper(source: &Source<'_>, scope: usize, at: usize, helpers: &[Vec<u8>]) -> Option<Found> {
    let open = at + 1;
    if !source.is(open, b"(") || matches!(source.before(at), b"function" | b"fn" | b"def" | b"func" | b"new" | b"@") {
        return None;
    }
    let name = source.text(at);
    if source.scopes.get(scope).is_some_and(|scope| scope.kind == ScopeKind::Helper && scope.name == name) {
        return None;
    }
    let known = helpers.binary_search_by(|helper| helper.as_slice().cmp(name)).is_ok();
    if !known
        && (source.before(at) == b"."
            && !matches!(at.checked_sub(2).map(|at| source.text(at)), Some(b"self" | b"this" | b"s"))
            || !sounds_like_assertion(name))
    {
        return None;
    }
    let close = source.mate(open);
    Some(Found {
        whole: at..(close + 1).min(source.len()),
        subject: open + 1..close,
        expected: 0..0,
        matcher: normal(name),
        rank: None,
    })
}

fn has_block(source: &Source<'_>, range: &Range<usize>) -> bool {
    range.len() > 6
        && (range.start..range.end.min(range.start + MAX_LOOKED_AT))
            .any(|at| source.is(at, b"{") && (matches!(source.before(at), b">" | b")")))
}

/// Whether there is a loop between the beginning of the scope and the token.
fn is_looped(source: &Source<'_>, scope: usize, at: usize) -> bool {
    let Some(scope) = source.scopes.get(scope) else { return false };
    if source.language == Language::Python {
        return is_looped_in_python(source, scope.body.start, at);
    }
    let mut open = source.outer(at);
    for _ in 0..64 {
        if open == NONE as usize || open < scope.body.start {
            return false;
        }
        if is_loop_bracket(source, open) {
            return true;
        }
        open = source.outer(open);
    }
    false
}

/// Whether the bracket opens the body of a loop, or the arguments of a call that calls its argument repeatedly.
fn is_loop_bracket(source: &Source<'_>, open: usize) -> bool {
    if source.is(open, b"(") {
        return matches!(
            source.before(open),
            b"forEach" | b"map" | b"each" | b"every" | b"for_each" | b"times" | b"allSatisfy"
        );
    }
    if !source.is(open, b"{") {
        return false;
    }
    // The head of a loop is short; in Go and Rust it has no brackets around it.
    let mut at = open;
    for _ in 0..48 {
        let Some(before) = at.checked_sub(1) else { return false };
        at = before;
        match source.text(at) {
            b"for" | b"while" | b"loop" => return true,
            b")" | b"]" | b"}" => {
                if source.language != Language::Go && source.language != Language::Rust && source.is(at, b"}") {
                    return false;
                }
                let Some(opener) = source.opener(at) else { return false };
                at = opener;
            }
            b"{" | b"(" | b"[" => return false,
            b";" if source.language != Language::Go => return false,
            _ => {}
        }
    }
    false
}

fn is_looped_in_python(source: &Source<'_>, from: usize, at: usize) -> bool {
    let mut column = u32::MAX;
    for at in (from..=at).rev().take(2048) {
        let Some(found) = source.column(at).filter(|found| *found < column) else { continue };
        if column != u32::MAX
            && (matches!(source.text(at), b"for" | b"while") || (source.is(at, b"async") && source.is(at + 1, b"for")))
        {
            return true;
        }
        column = found;
    }
    false
}

/// The rank of a matcher with a subject and an expectation: nothing is demanded where both are the same.
fn ranked(
    source: &Source<'_>,
    matcher: &[u8],
    subject: &Range<usize>,
    expected: &Range<usize>,
    negated: bool,
) -> Option<Rank> {
    let rank = matchers::rank(matcher)?;
    if is_trivial(source, matcher, subject, expected) && !negated {
        return Some(Rank::Trivial);
    }
    if negated {
        return Some(if rank == Rank::Partial {
            Rank::Partial
        } else {
            Rank::Smoke.max(if expected.is_empty() { Rank::Smoke } else { Rank::Partial })
        });
    }
    Some(rank)
}

fn is_trivial(source: &Source<'_>, matcher: &[u8], subject: &Range<usize>, expected: &Range<usize>) -> bool {
    let rank = matchers::rank(matcher);
    let one = (subject.len() == 1).then(|| source.text(subject.start));
    let truth = one.is_some_and(|text| matches!(text, b"true" | b"True" | b"1"))
        && (matcher.ends_with(b"true")
            || matcher.ends_with(b"truthy")
            || matcher.ends_with(b"ok")
            || matcher.ends_with(b"defined"));
    let falsity = one.is_some_and(|text| matches!(text, b"false" | b"False"))
        && (matcher.ends_with(b"false") || matcher.ends_with(b"falsy"));
    truth || falsity || (rank >= Some(Rank::Near) && rank::is_same(source, subject, expected))
}
