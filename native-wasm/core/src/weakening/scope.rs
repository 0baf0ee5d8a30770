use super::Confidence;
use super::source::Source;
use crate::sort;
use core::ops::Range;

/// What a piece of a file of tests is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// The whole file or fragment.
    Root,
    /// A group of tests.
    Suite,
    /// A test.
    Test,
    /// A function that is no test.
    Helper,
}

/// What keeps a test from running or from failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// It never runs.
    Skip,
    /// It runs under a condition only, or stops early.
    Condition,
    /// It runs alone.
    Focus,
    /// Its failure is caught.
    Swallow,
}

/// A mark of a test.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) kind: MarkKind,
    /// Its tokens.
    pub(super) at: Range<usize>,
    pub(super) confidence: Confidence,
    pub(super) message: &'static str,
}

/// A test, a group of tests or a helper.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) kind: ScopeKind,
    /// Its name, as it is compared.
    pub(super) name: Vec<u8>,
    pub(super) parent: Option<usize>,
    /// All its tokens, decorators included.
    pub(super) whole: Range<usize>,
    /// The tokens of its body.
    pub(super) body: Range<usize>,
    /// The token with its name.
    pub(super) at: usize,
    pub(super) marks: Vec<Mark>,
    /// Whether it runs for each of several parameters.
    pub(super) parametrised: bool,
}

impl Scope {
    pub(super) fn new(kind: ScopeKind, name: Vec<u8>, whole: Range<usize>, body: Range<usize>, at: usize) -> Self {
        Self { kind, name, parent: None, whole, body, at, marks: Vec::new(), parametrised: false }
    }

    pub(super) fn mark(&mut self, kind: MarkKind, at: Range<usize>, confidence: Confidence, message: &'static str) {
        self.marks.push(Mark { kind, at, confidence, message });
    }
}

/// Sorts scopes from the outside in, and links each with the one around it.
pub(super) fn nest(scopes: &mut Vec<Scope>, tokens: usize) {
    scopes.push(Scope::new(ScopeKind::Root, Vec::new(), 0..tokens, 0..tokens, 0));
    sort::by_key(scopes, |scope| {
        (scope.whole.start, core::cmp::Reverse(scope.whole.end), scope.kind != ScopeKind::Root)
    });
    let mut open: Vec<usize> = Vec::new();
    for at in 0..scopes.len() {
        let start = scopes[at].whole.start;
        while open.last().is_some_and(|outer| scopes[*outer].whole.end <= start) && open.len() > 1 {
            open.pop();
        }
        scopes[at].parent = open.last().copied();
        open.push(at);
    }
}

/// For each token of a source, the innermost scope that holds it.
pub(super) struct Owners<'s> {
    scopes: &'s [Scope],
    open: Vec<usize>,
    next: usize,
}

impl<'s> Owners<'s> {
    pub(super) const fn new(scopes: &'s [Scope]) -> Self {
        Self { scopes, open: Vec::new(), next: 0 }
    }

    /// The scope of a token; tokens have to be asked for in order.
    pub(super) fn of(&mut self, token: usize) -> usize {
        while self.scopes.get(self.next).is_some_and(|scope| scope.whole.start <= token) {
            self.open.push(self.next);
            self.next += 1;
        }
        while self.open.len() > 1 && self.open.last().is_some_and(|scope| self.scopes[*scope].whole.end <= token) {
            self.open.pop();
        }
        self.open.last().copied().unwrap_or(0)
    }
}

/// The nearest scope from `at` outwards that can hold assertions.
pub(super) fn holder(scopes: &[Scope], mut at: usize) -> usize {
    while let Some(scope) = scopes.get(at)
        && scope.kind == ScopeKind::Suite
        && let Some(parent) = scope.parent
    {
        at = parent;
    }
    at
}

/// A name as it is compared: white space is one blank.
pub(super) fn normal_name(source: &Source<'_>, at: usize) -> Vec<u8> {
    let mut name: Vec<u8> = Vec::new();
    for part in source.bare(at).split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()) {
        if !name.is_empty() {
            name.push(b' ');
        }
        name.extend_from_slice(part);
    }
    name
}
