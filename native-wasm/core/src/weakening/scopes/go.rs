use crate::lex::TokenKind;
use crate::weakening::Confidence::High;
use crate::weakening::scope::{MarkKind, Scope, ScopeKind, normal_name};
use crate::weakening::source::Source;

/// Adds subtests, `t.Run("name", func(…) {…})`, and the nodes of Ginkgo.
pub(super) fn add_calls(source: &Source<'_>, scopes: &mut Vec<Scope>) {
    for at in 0..source.len() {
        if !source.is_word(at) || !source.is(at + 1, b"(") {
            continue;
        }
        let dotted = source.before(at) == b".";
        let (kind, mark) = match source.text(at) {
            b"Run" if dotted && matches!(source.text(at.saturating_sub(2)), b"t" | b"s" | b"suite" | b"tt") => {
                (ScopeKind::Test, None)
            }
            b"It" | b"Specify" | b"Entry" if !dotted => (ScopeKind::Test, None),
            b"Describe" | b"Context" | b"When" if !dotted => (ScopeKind::Suite, None),
            b"FIt" | b"FSpecify" => (ScopeKind::Test, Some(MarkKind::Focus)),
            b"FDescribe" | b"FContext" => (ScopeKind::Suite, Some(MarkKind::Focus)),
            b"PIt" | b"XIt" => (ScopeKind::Test, Some(MarkKind::Skip)),
            b"PDescribe" | b"XDescribe" | b"PContext" | b"XContext" => (ScopeKind::Suite, Some(MarkKind::Skip)),
            _ => continue,
        };
        let close = source.mate(at + 1);
        let name = at + 2;
        let block = (name..close.min(name + 64)).find(|at| source.is(*at, b"{") && matches!(source.before(*at), b")"));
        let Some(block) = block else { continue };
        let whole = at..(close + 1).min(source.len());
        let mut scope =
            Scope::new(kind, normal_name(source, name), whole, block + 1..source.mate(block).min(close), name);
        scope.parametrised = source.kind(name) != Some(TokenKind::String);
        match mark {
            Some(MarkKind::Focus) => {
                scope.mark(MarkKind::Focus, at..at + 1, High, "a test runs alone, so that the others do not run");
            }
            Some(mark) => scope.mark(mark, at..at + 1, High, "a test is skipped"),
            None => {}
        }
        scopes.push(scope);
    }
}
