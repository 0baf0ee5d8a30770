//! What the body of a test does so that it does not fail: it skips itself, returns early, is never reached, or catches failures.

use super::Confidence::{High, Medium};
use super::scope::{Mark, MarkKind, Owners, ScopeKind, holder};
use super::source::{NONE, Source};
use crate::lex::Language;
use core::ops::Range;

/// Finds the marks in the bodies of the scopes of a source whose assertions are known.
pub(super) fn find(source: &mut Source<'_>) {
    let mut found: Vec<(usize, Mark)> = Vec::new();
    let mut owners = Owners::new(&source.scopes);
    for at in 0..source.len() {
        let owner = owners.of(at);
        if !source.is_word(at) && !source.is(at, b".") {
            continue;
        }
        let scope = holder(&source.scopes, owner);
        if source.scopes.get(scope).is_none_or(|scope| scope.kind == ScopeKind::Root && !source.partial) {
            continue;
        }
        if let Some(mark) = read(source, scope, at) {
            found.push((scope, mark));
        }
    }
    for (scope, mark) in found {
        if let Some(scope) = source.scopes.get_mut(scope) {
            scope.marks.push(mark);
        }
    }
}

fn read(source: &Source<'_>, scope: usize, at: usize) -> Option<Mark> {
    let mark = |kind, at, confidence, message| Some(Mark { kind, at, confidence, message });
    match source.text(at) {
        b"return" => early_return(source, scope, at),
        b"if" | b"while" => never(source, at),
        b"catch" if source.before(at) == b"}" && swallows(source, scope, at) => {
            mark(MarkKind::Swallow, at..block_end(source, at), High, "a failure is caught and passed over")
        }
        b"catch" if source.before(at) == b"." && catches_nothing(source, at) => {
            mark(MarkKind::Swallow, at..source.mate(at + 1) + 1, Medium, "a rejection is caught and passed over")
        }
        b"except" if source.language == Language::Python && except_passes(source, scope, at) => mark(
            MarkKind::Swallow,
            at..source.dedent(at + 1, source.column(at).unwrap_or(0)),
            High,
            "a failure is caught and passed over",
        ),
        b"suppress" if source.is(at + 1, b"(") && source.language == Language::Python => {
            mark(MarkKind::Swallow, at..source.mate(at + 1) + 1, High, "a failure is suppressed")
        }
        b"recover" if source.is(at + 1, b"(") && source.language == Language::Go => {
            mark(MarkKind::Swallow, at..at + 3, Medium, "a panic is recovered from")
        }
        b"_" if source.language == Language::Rust && source.before(at) == b"let" && source.is(at + 1, b"=") => {
            mark(MarkKind::Swallow, at - 1..at + 2, Medium, "a result is ignored")
        }
        _ => skip_call(source, scope, at),
    }
}

/// `t.Skip(…)`, `this.skip()`, `test.fixme(…)`, `pytest.skip(…)`, `assumeTrue(…)`.
fn skip_call(source: &Source<'_>, scope: usize, at: usize) -> Option<Mark> {
    if !source.is(at + 1, b"(") {
        return None;
    }
    let receiver =
        if source.before(at) == b"." { at.checked_sub(2).map_or(&[][..], |at| source.text(at)) } else { b"" };
    let skips = match (source.language, source.text(at), receiver) {
        // Of Ginkgo it is a function.
        (Language::Go, b"Skip" | b"Skipf" | b"SkipNow", _)
        | (Language::Python, b"skip" | b"xfail" | b"importorskip", b"pytest")
        | (Language::Python, b"skipTest", b"self")
        | (Language::Java, b"assumeTrue" | b"assumeFalse" | b"assumeThat" | b"abort", _) => true,
        (Language::Python, b"SkipTest", _) => source.text(at - usize::from(at > 0)) == b"raise" || !receiver.is_empty(),
        (language, b"skip", b"this" | b"t" | b"ctx" | b"context" | b"test" | b"task") if language.is_script() => source
            .scopes
            .get(scope)
            .is_some_and(|scope| scope.whole.start < at.saturating_sub(2) && scope.kind == ScopeKind::Test),
        (language, b"fixme" | b"fail", b"test") if language.is_script() => source
            .scopes
            .get(scope)
            .is_some_and(|scope| scope.whole.start < at.saturating_sub(2) && scope.kind == ScopeKind::Test),
        _ => false,
    };
    if !skips {
        return None;
    }
    let end = (source.mate(at + 1) + 1).min(source.len());
    let always = matches!(source.text(at + 2), b"false" | b"true");
    let conditional = !is_direct(source, scope, at)
        || (matches!(source.text(at), b"assumeTrue" | b"assumeFalse" | b"assumeThat") && !always);
    Some(if conditional {
        Mark {
            kind: MarkKind::Condition,
            at: at..end,
            confidence: Medium,
            message: "a test skips itself under a condition",
        }
    } else {
        Mark { kind: MarkKind::Skip, at: at..end, confidence: High, message: "a test skips itself" }
    })
}

/// Whether a statement is in the body itself, in no block of it.
fn is_direct(source: &Source<'_>, scope: usize, at: usize) -> bool {
    let Some(scope) = source.scopes.get(scope) else { return false };
    if source.language == Language::Python {
        let line = (scope.body.start..=at).rev().take(512).find_map(|at| source.column(at));
        let first = (scope.body.start..scope.body.end).take(512).find_map(|at| source.column(at));
        return line == first || first.is_none();
    }
    let outer = source.outer(at);
    outer == NONE as usize || outer < scope.body.start
}

/// A `return` with assertions behind it.
fn early_return(source: &Source<'_>, scope: usize, at: usize) -> Option<Mark> {
    let body = source.scopes.get(scope).filter(|scope| scope.kind == ScopeKind::Test)?.body.clone();
    if !has_assertion(source, &(at..body.end), scope) {
        return None;
    }
    // What is returned may be the assertion itself.
    let statement_end = (at + 1..body.end.min(at + 256))
        .find(|at| source.is(*at, b";") || source.column(*at).is_some())
        .unwrap_or(body.end);
    if has_assertion(source, &(at..statement_end), scope) {
        return None;
    }
    let whole = at..statement_end;
    if is_direct(source, scope, at) && !is_branch(source, at) {
        return Some(Mark {
            kind: MarkKind::Skip,
            at: whole,
            confidence: High,
            message: "a test returns before its assertions",
        });
    }
    is_bare_branch(source, scope, &body, at).then_some(Mark {
        kind: MarkKind::Condition,
        at: whole,
        confidence: Medium,
        message: "a test returns before its assertions under a condition",
    })
}

/// Whether the token is the statement of an `if` without braces.
fn is_branch(source: &Source<'_>, at: usize) -> bool {
    match source.before(at) {
        b")" => at.checked_sub(1).and_then(|at| source.opener(at)).is_some_and(|open| source.before(open) == b"if"),
        b"else" => true,
        b":" => source.column(at).is_none(),
        _ => false,
    }
}

/// Whether the token is in an `if` of the body that asserts nothing.
fn is_bare_branch(source: &Source<'_>, scope: usize, body: &Range<usize>, at: usize) -> bool {
    if is_branch(source, at) {
        return is_direct(source, scope, at);
    }
    if source.language == Language::Python {
        let column = source.column(at).unwrap_or(0);
        let head = (body.start..at).rev().take(512).find(|at| source.column(*at).is_some_and(|other| other < column));
        return head.is_some_and(|head| {
            source.is(head, b"if") && is_direct(source, scope, head) && !has_assertion(source, &(head..at), scope)
        });
    }
    let open = source.outer(at);
    if open == NONE as usize || open < body.start || !is_direct(source, scope, open) {
        return false;
    }
    let head = (open.saturating_sub(60).max(body.start)..open)
        .rev()
        .find(|at| matches!(source.text(*at), b"if" | b"func" | b";" | b"{" | b"}" | b"=>"));
    let is_if = head.is_some_and(|head| source.is(head, b"if"));
    is_if && !has_assertion(source, &(open..source.mate(open)), scope)
}

fn has_assertion(source: &Source<'_>, range: &Range<usize>, scope: usize) -> bool {
    let from = source.assertions.partition_point(|assertion| assertion.whole.end <= range.start);
    source.assertions[from..].iter().take(64).any(|assertion| {
        assertion.whole.end > range.start && assertion.whole.start < range.end && assertion.scope == scope
    })
}

/// `if (false) {…}` around what would fail.
fn never(source: &Source<'_>, at: usize) -> Option<Mark> {
    let value = at + 1 + usize::from(source.is(at + 1, b"("));
    if !matches!(source.text(value), b"false" | b"False" | b"0")
        || !matches!(source.text(value + 1), b")" | b"{" | b":" | b"&")
    {
        return None;
    }
    Some(Mark { kind: MarkKind::Skip, at: at..value + 1, confidence: High, message: "what follows is never reached" })
}

fn block_end(source: &Source<'_>, at: usize) -> usize {
    (at..source.len().min(at + 16))
        .find(|at| source.is(*at, b"{"))
        .map_or(at + 1, |open| (source.mate(open) + 1).min(source.len()))
}

/// Whether `} catch (…) {…}` passes over what failed in the block before, which asserts.
fn swallows(source: &Source<'_>, scope: usize, at: usize) -> bool {
    let end = block_end(source, at);
    let asserted = source.opener(at - 1).is_some_and(|open| has_assertion(source, &(open..at), scope));
    let reacts = (at..end.min(at + 400)).any(|at| {
        matches!(source.text(at), b"throw" | b"fail" | b"reject" | b"done" | b"next")
            || source.text(at).starts_with(b"assert")
            || source.is(at, b"expect")
    });
    asserted && !reacts
}

/// `.catch(() => {})`, `.catch(noop)`.
fn catches_nothing(source: &Source<'_>, at: usize) -> bool {
    let open = at + 1;
    source.is(open, b"(")
        && source.language.is_script()
        && (source.mate(open).saturating_sub(open) <= 9)
        && (open..source.mate(open))
            .any(|at| source.is(at, b"noop") || source.is_pair(at, b'{', b'}') || source.is(at, b"undefined"))
}

fn except_passes(source: &Source<'_>, scope: usize, at: usize) -> bool {
    let Some(column) = source.column(at) else { return false };
    let before = at.saturating_sub(2048)..at;
    let Some(tried) = before.rev().find(|at| source.is(*at, b"try") && source.column(*at) == Some(column)) else {
        return false;
    };
    if !has_assertion(source, &(tried..at), scope) {
        return false;
    }
    let end = source.dedent(at + 1, column);
    !(at..end.min(at + 400))
        .any(|at| matches!(source.text(at), b"raise" | b"assert" | b"fail") || source.text(at).starts_with(b"assert"))
}
