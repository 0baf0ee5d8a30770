use crate::weakening::Confidence::{High, Medium};
use crate::weakening::scope::{MarkKind, Scope, ScopeKind};
use crate::weakening::source::Source;

/// Takes the attributes above an item into its scope, and reads them.
pub(super) fn decorate(source: &Source<'_>, scope: &mut Scope) {
    let mut first = scope.whole.start;
    for _ in 0..32 {
        let Some(before) = first.checked_sub(1) else { break };
        match source.text(before) {
            b"pub" | b"async" | b"unsafe" | b"const" | b"extern" => first = before,
            b")" => match source.opener(before) {
                Some(open) if source.before(open) == b"pub" => first = open,
                _ => break,
            },
            b"]" => match source.opener(before) {
                Some(open) if source.before(open) == b"#" => {
                    first = open - 1;
                    attribute(source, open, before, scope);
                }
                _ => break,
            },
            text if text.starts_with(b"\"") && source.before(before) == b"extern" => first = before,
            _ => break,
        }
    }
    scope.whole.start = first;
}

fn attribute(source: &Source<'_>, open: usize, close: usize, scope: &mut Scope) {
    let whole = open - 1..close + 1;
    match source.text(open + 1) {
        b"ignore" => scope.mark(MarkKind::Skip, whole, High, "a test is ignored"),
        b"cfg" | b"cfg_attr" => {
            let words: Vec<&[u8]> = (open + 2..close).take(40).map(|at| source.text(at)).collect();
            let is = |word: &[u8]| words.contains(&word);
            if source.is(open + 1, b"cfg_attr") && is(b"ignore") {
                scope.mark(MarkKind::Condition, whole, Medium, "a test is ignored under a condition");
            } else if source.is(open + 1, b"cfg") && words.starts_with(&[b"(", b"any", b"(", b")"]) {
                scope.mark(MarkKind::Skip, whole, High, "a test is never compiled");
            } else if source.is(open + 1, b"cfg") && !is(b"test") {
                scope.mark(MarkKind::Condition, whole, Medium, "a test is compiled under a condition only");
            }
        }
        b"case" | b"test_case" | b"rstest" | b"values" => scope.parametrised = true,
        b"should_panic" if !source.is(open + 2, b"(") => {
            scope.mark(MarkKind::Swallow, whole, Medium, "any panic is accepted");
        }
        _ => {}
    }
}

/// Takes out the functions of the product: what they assert is no test. In a folder of tests there are none.
pub(super) fn drop_product(scopes: &mut [Scope], all_are_tests: bool) {
    if all_are_tests {
        return;
    }
    let mut is_test = vec![false; scopes.len()];
    for at in 0..scopes.len() {
        let scope = &scopes[at];
        let inherited = scope.parent.is_some_and(|parent| is_test[parent]);
        // A module of tests is one that is called so or that holds tests: its attribute may be a feature.
        let named = scope.kind == ScopeKind::Suite
            && (scope.name == b"test" || scope.name == b"tests" || scope.name.ends_with(b"_tests"));
        is_test[at] = inherited || scope.kind == ScopeKind::Test || named;
    }
    for (scope, is_test) in scopes.iter_mut().zip(is_test) {
        if !is_test && scope.kind == ScopeKind::Helper {
            scope.kind = ScopeKind::Suite;
            scope.name.clear();
        }
    }
}
