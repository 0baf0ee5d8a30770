use crate::weakening::Confidence::{High, Medium};
use crate::weakening::scope::{MarkKind, Scope, ScopeKind};
use crate::weakening::source::Source;
use core::ops::Range;

/// Takes the decorators above a definition into its scope, and reads them.
pub(super) fn decorate(source: &Source<'_>, scope: &mut Scope) {
    let Some(column) = source.column(scope.whole.start) else { return };
    let mut first = scope.whole.start;
    while let Some(line) = (first.saturating_sub(400)..first).rev().find(|at| source.column(*at).is_some())
        && source.is(line, b"@")
        && source.column(line) == Some(column)
    {
        read(source, line..first, scope);
        first = line;
    }
    scope.whole.start = first;
}

fn read(source: &Source<'_>, line: Range<usize>, scope: &mut Scope) {
    if scope.kind == ScopeKind::Helper {
        return;
    }
    // Only the name of the decorator counts, not its arguments.
    let name_end = line.clone().find(|at| source.is(*at, b"(")).unwrap_or(line.end);
    for at in line.start + 1..name_end {
        match source.text(at) {
            b"skip" | b"xfail" | b"expectedFailure" => {
                let conditional = source.is(at, b"xfail")
                    && source.is(at + 1, b"(")
                    && !source.is(at + 2, b"reason")
                    && !source.is(at + 2, b")");
                let kind = if conditional { MarkKind::Condition } else { MarkKind::Skip };
                scope.mark(
                    kind,
                    line.clone(),
                    if conditional { Medium } else { High },
                    "a test is skipped, or may fail",
                );
            }
            b"skipif" | b"skipIf" | b"skipUnless" => {
                let always = matches!(source.text(at + 2), b"True" | b"1") && !source.is(at, b"skipUnless");
                let kind = if always { MarkKind::Skip } else { MarkKind::Condition };
                scope.mark(
                    kind,
                    line.clone(),
                    if always { High } else { Medium },
                    "a test runs under a condition only",
                );
            }
            b"parametrize" | b"expand" | b"given" | b"data" => scope.parametrised = true,
            b"flaky" => scope.mark(MarkKind::Condition, line.clone(), Medium, "a test is retried until it passes"),
            b"fixture" => scope.kind = ScopeKind::Helper,
            _ => {}
        }
    }
}

/// More are not looked at: one suffices.
const MAX_FILE_MARKS: u32 = 64;

/// `pytestmark = pytest.mark.skip`, and `__test__ = False`.
pub(super) fn mark_file(source: &Source<'_>, scopes: &mut [Scope]) {
    let mut found = 0;
    for at in 0..source.len() {
        let Some(column) = source.column(at) else { continue };
        let line = at..source.line_end(at);
        let skips = match source.text(at) {
            b"pytestmark" => line.clone().any(|at| matches!(source.text(at), b"skip" | b"xfail" | b"skipif")),
            b"__test__" => source.is(at + 2, b"False"),
            b"pytest" | b"raise" if column == 0 => line
                .clone()
                .take(6)
                .any(|at| matches!(source.text(at), b"skip" | b"SkipTest") && source.is(at + 1, b"(")),
            _ => false,
        };
        if !skips || found == MAX_FILE_MARKS {
            continue;
        }
        found += 1;
        let inner = scopes
            .iter()
            .rposition(|scope| matches!(scope.kind, ScopeKind::Root | ScopeKind::Suite) && scope.whole.contains(&at));
        if let Some(scope) = inner.and_then(|at| scopes.get_mut(at)) {
            scope.mark(MarkKind::Skip, line, High, "all tests here are skipped");
        }
    }
}
