use crate::weakening::Confidence::{High, Medium};
use crate::weakening::scope::{MarkKind, Scope, ScopeKind};
use crate::weakening::source::Source;

/// Takes what is before the name of a class or method into its scope, and reads its annotations.
pub(super) fn decorate(source: &Source<'_>, scope: &mut Scope) {
    let mut first = scope.whole.start;
    for _ in 0..256 {
        let Some(before) = first.checked_sub(1) else { break };
        match source.text(before) {
            b";" | b"{" | b"}" | b"(" => break,
            b")" | b"]" => match source.opener(before) {
                Some(open) => first = open,
                None => break,
            },
            _ => first = before,
        }
    }
    scope.whole.start = first;
    if scope.kind == ScopeKind::Helper {
        return;
    }
    for at in first..scope.at {
        if source.before(at) != b"@" {
            continue;
        }
        let end = if source.is(at + 1, b"(") { source.mate(at + 1) + 1 } else { at + 1 };
        let whole = at - 1..end.min(source.len());
        match source.text(at) {
            b"Disabled" | b"Ignore" => scope.mark(MarkKind::Skip, whole, High, "a test is disabled"),
            b"ParameterizedTest" | b"RepeatedTest" | b"TestFactory" | b"Theory" => scope.parametrised = true,
            b"Test" if whole.clone().any(|at| source.is(at, b"enabled") && source.is(at + 2, b"false")) => {
                scope.mark(MarkKind::Skip, whole, High, "a test is disabled");
            }
            b"RetryingTest" | b"Flaky" => {
                scope.mark(MarkKind::Condition, whole, Medium, "a test is retried until it passes");
            }
            text if text.starts_with(b"Disabled")
                || text.starts_with(b"EnabledIf")
                || text.starts_with(b"EnabledOn") =>
            {
                scope.mark(MarkKind::Condition, whole, Medium, "a test runs under a condition only");
            }
            _ => {}
        }
    }
}
