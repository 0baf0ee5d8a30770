use crate::lex::TokenKind;
use crate::weakening::Confidence::{High, Medium};
use crate::weakening::scope::{MarkKind, Scope, ScopeKind, normal_name};
use crate::weakening::source::Source;
use core::ops::Range;

/// Adds the tests and groups that calls make: `it('name', () => {…})` in all its forms.
pub(super) fn add_calls(source: &Source<'_>, scopes: &mut Vec<Scope>) {
    for at in 0..source.len() {
        if source.is_word(at)
            && let Some((kind, opener)) = opener(source.text(at))
            && is_free(source, at)
            && let Some(scope) = call(source, at, kind, opener)
        {
            scopes.push(scope);
        }
    }
}

fn opener(word: &[u8]) -> Option<(ScopeKind, Option<MarkKind>)> {
    Some(match word {
        b"it" | b"test" | b"specify" => (ScopeKind::Test, None),
        b"describe" | b"suite" | b"context" => (ScopeKind::Suite, None),
        b"xit" | b"xtest" | b"xspecify" => (ScopeKind::Test, Some(MarkKind::Skip)),
        b"xdescribe" | b"xcontext" => (ScopeKind::Suite, Some(MarkKind::Skip)),
        b"fit" | b"ftest" => (ScopeKind::Test, Some(MarkKind::Focus)),
        b"fdescribe" | b"fcontext" => (ScopeKind::Suite, Some(MarkKind::Focus)),
        _ => return None,
    })
}

/// Whether the word is called by itself or on the context of a test, as `t.test(…)`.
fn is_free(source: &Source<'_>, at: usize) -> bool {
    match source.before(at) {
        b"." => at >= 2 && matches!(source.text(at - 2), b"t" | b"ctx" | b"Deno"),
        b"function" => false,
        _ => true,
    }
}

fn call(source: &Source<'_>, at: usize, mut kind: ScopeKind, mark: Option<MarkKind>) -> Option<Scope> {
    let mut marks: Vec<(MarkKind, usize)> = mark.map(|mark| (mark, at)).into_iter().collect();
    let mut parametrised = false;
    let mut next = at + 1;
    while source.is(next, b".") && source.is_word(next + 1) {
        let word = next + 1;
        next += 2;
        match source.text(word) {
            b"skip" | b"todo" | b"fixme" | b"fails" | b"failing" | b"fail" => marks.push((MarkKind::Skip, word)),
            b"only" => marks.push((MarkKind::Focus, word)),
            b"describe" => kind = ScopeKind::Suite,
            b"skipIf" | b"runIf" => {
                marks.push((MarkKind::Condition, word));
                next = skip_arguments(source, next);
            }
            b"each" | b"for" => {
                parametrised = true;
                next = skip_arguments(source, next);
            }
            b"concurrent" | b"sequential" | b"serial" | b"parallel" | b"extend" | b"shuffle" => {}
            _ => return None,
        }
    }
    if !source.is(next, b"(") {
        return None;
    }
    let close = source.mate(next);
    let callback = callback(source, next, close);
    let name = next + 1;
    let named = source.kind(name) == Some(TokenKind::String) || (source.is_word(name) && callback.is_some());
    if !named || source.is(name, b"async") || source.is(name, b"function") {
        return None;
    }
    if callback.is_none() && source.is(name + 1, b",") && !source.is_word(name + 2) {
        // A call with other values is something else of that name.
        return None;
    }
    // What is named without a body is still to be written; in a fragment the body may be cut off.
    if callback.is_none() && !source.is(name + 1, b",") && close < source.len() && marks.is_empty() {
        marks.push((MarkKind::Skip, at));
    }
    let whole = at..(close + 1).min(source.len());
    let mut scope = Scope::new(kind, normal_name(source, name), whole, callback.unwrap_or(name..close), name);
    scope.parametrised = parametrised;
    for (mark, word) in marks {
        add_mark(&mut scope, mark, word..word + 1);
    }
    options(source, next, close, &mut scope);
    Some(scope)
}

fn add_mark(scope: &mut Scope, kind: MarkKind, at: Range<usize>) {
    match kind {
        MarkKind::Focus => scope.mark(kind, at, High, "a test runs alone, so that the others do not run"),
        MarkKind::Condition => scope.mark(kind, at, Medium, "a test runs under a condition only"),
        _ => scope.mark(kind, at, High, "a test is skipped"),
    }
}

/// Behind the arguments of `each(…)` or of its template.
fn skip_arguments(source: &Source<'_>, at: usize) -> usize {
    if source.is(at, b"(") {
        return source.mate(at) + 1;
    }
    let mut at = at;
    while source.kind(at) == Some(TokenKind::String) && !source.text(at).ends_with(b"`") {
        let rest = at + 1..source.len().min(at + 4096);
        at = rest
            .clone()
            .find(|at| source.kind(*at) == Some(TokenKind::String) && source.text(*at).starts_with(b"}"))
            .unwrap_or(rest.end);
    }
    at + usize::from(source.kind(at) == Some(TokenKind::String))
}

/// The body of the function among the arguments.
fn callback(source: &Source<'_>, open: usize, close: usize) -> Option<Range<usize>> {
    let mut at = open + 1;
    let mut arrow = None;
    while at < close {
        if source.is(at, b"{") && matches!(source.before(at), b">" | b")") {
            return Some(at + 1..source.mate(at).min(close));
        }
        if source.is_pair(at, b'=', b'>') {
            arrow = arrow.or(Some(at + 2..close));
        }
        at = if matches!(source.text(at), b"(" | b"[" | b"{") { source.mate(at) + 1 } else { at + 1 };
    }
    arrow
}

/// `{ skip: true, todo: 'later', only: true }` of `node:test` and Vitest.
fn options(source: &Source<'_>, open: usize, close: usize, scope: &mut Scope) {
    let Some(object) = (open + 2..close.min(open + 6)).find(|at| source.is(*at, b"{") && source.is(at - 1, b","))
    else {
        return;
    };
    for at in object + 1..source.mate(object).min(object + 200) {
        if source.outer(at) != object
            || !source.is(at + 1, b":")
            || matches!(source.text(at + 2), b"false" | b"undefined")
        {
            continue;
        }
        match source.text(at) {
            b"skip" | b"todo" | b"fails" => add_mark(scope, MarkKind::Skip, at..at + 3),
            b"only" => add_mark(scope, MarkKind::Focus, at..at + 3),
            _ => {}
        }
    }
}
