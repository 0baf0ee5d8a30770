//! What is gone from one test and still there in another.

use super::compare::{assertions_of, merge_counts, take_one};
use super::pairing::{Pairing, Place};
use super::scope::ScopeKind;
use super::sketch::{common, literals};
use super::source::Source;
use crate::Budget;
use crate::lex::Language;
use crate::sort;

/// Assertions that are new where they are, by their shape, and what helpers assert.
pub(super) struct Pool {
    /// Shapes in order, each with how many there are.
    shapes: Vec<(u64, u32)>,
    /// Names of helpers in order, each with the matchers it uses.
    helpers: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

impl Pool {
    pub(super) fn new(sources: &[Source<'_>], added: &[(usize, usize)], unpaired: &[Place]) -> Self {
        let mut shapes = Vec::new();
        let mut add = |source: usize, at: usize| {
            if let Some(source) = sources.get(source)
                && let Some(assertion) = source.assertions.get(at)
            {
                shapes.push((source.shape(&assertion.whole), 1));
            }
        };
        for (source, at) in added {
            add(*source, *at);
        }
        let named = mentioned(sources, unpaired);
        for place in unpaired {
            // A function that is no test may never be called.
            if let Some(source) = sources.get(place.source)
                && let Some(scope) = source.scopes.get(place.scope)
                && (scope.kind != ScopeKind::Helper || named.binary_search(&scope.name.as_slice()).is_ok())
            {
                for at in assertions_of(source, place.scope) {
                    add(place.source, *at);
                }
            }
        }
        merge_counts(&mut shapes);
        let mut helpers: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for source in sources {
            for (at, scope) in source.scopes.iter().enumerate().filter(|(_, scope)| scope.kind == ScopeKind::Helper) {
                let matchers = assertions_of(source, at).iter().map(|at| source.assertions[*at].matcher.clone());
                helpers.push((super::assertion::normal(&scope.name), matchers.collect()));
            }
        }
        sort::unstable(&mut helpers);
        Self { shapes, helpers }
    }

    /// Takes an assertion of this shape, if there is one left.
    pub(super) fn take(&mut self, shape: u64) -> bool {
        take_one(&mut self.shapes, shape)
    }

    /// The matchers that a helper uses; `None` when it is not in the batch.
    pub(super) fn helper(&self, name: &[u8]) -> Option<&[Vec<u8>]> {
        let at = self.helpers.binary_search_by(|(other, _)| other.as_slice().cmp(name)).ok()?;
        Some(&self.helpers[at].1)
    }
}

/// The names of helpers that are used somewhere else than where they are defined, in order.
fn mentioned<'s>(sources: &'s [Source<'_>], unpaired: &[Place]) -> Vec<&'s [u8]> {
    let scopes = unpaired.iter().filter_map(|place| sources.get(place.source)?.scopes.get(place.scope));
    let mut names: Vec<&[u8]> =
        scopes.filter(|scope| scope.kind == ScopeKind::Helper).map(|scope| scope.name.as_slice()).collect();
    sort::unstable(&mut names);
    names.dedup();
    let mut found = vec![false; names.len()];
    for source in sources.iter().filter(|_| !names.is_empty()) {
        let mut defined: Vec<usize> = source.scopes.iter().map(|scope| scope.at).collect();
        sort::unstable(&mut defined);
        for at in (0..source.len()).filter(|at| source.is_word(*at)) {
            if let Ok(name) = names.binary_search(&source.text(at))
                && defined.binary_search(&at).is_err()
            {
                found[name] = true;
            }
        }
    }
    names.into_iter().zip(found).filter(|(_, found)| *found).map(|(name, _)| name).collect()
}

/// Tests that run their assertions for several values, and so may stand for several of before.
pub(super) struct Repeated {
    tests: Vec<RepeatedTest>,
}

struct RepeatedTest {
    language: Language,
    /// The literals in it, and those close before and behind it.
    own: Vec<u64>,
    before: Vec<u64>,
    behind: Vec<u64>,
    /// The literals that it had already; `None` for a new test.
    known: Option<Vec<u64>>,
    matchers: Vec<Vec<u8>>,
}

/// Of the assertions of a repeated test so many are looked at.
const MAX_ASSERTIONS: usize = 256;

impl Repeated {
    /// Finds them among the new tests. Those for which the budget does not suffice stand for none.
    pub(super) fn new(old: &[Source<'_>], new: &[Source<'_>], pairing: &Pairing, budget: &mut Budget) -> Self {
        let flags: Vec<Vec<bool>> = new.iter().map(repeated_scopes).collect();
        let unpaired = pairing.new.iter().map(|place| (None, *place));
        let all = unpaired.chain(pairing.pairs.iter().map(|(before, place)| (Some(*before), *place)));
        let mut tests = Vec::new();
        for (before, place) in all {
            if !flags.get(place.source).and_then(|flags| flags.get(place.scope)).is_some_and(|flag| *flag) {
                continue;
            }
            let (Some(source), Some(scope)) =
                (new.get(place.source), new.get(place.source).and_then(|it| it.scopes.get(place.scope)))
            else {
                continue;
            };
            if budget.spend(scope.whole.len().min(4096) as u64 * 4).is_err() {
                break;
            }
            let from = source.assertions.partition_point(|it| it.whole.start < scope.whole.start);
            let within =
                source.assertions[from..].iter().take(MAX_ASSERTIONS).take_while(|it| it.whole.start < scope.whole.end);
            let known = before.and_then(|before| {
                let source = old.get(before.source)?;
                Some(literals(source, &source.scopes.get(before.scope)?.whole))
            });
            tests.push(RepeatedTest {
                language: source.language,
                own: literals(source, &scope.whole),
                before: literals(source, &(scope.whole.start.saturating_sub(400)..scope.whole.start)),
                behind: literals(source, &(scope.whole.end..scope.whole.end + 400)),
                known,
                matchers: within.map(|it| it.matcher.clone()).collect(),
            });
        }
        Self { tests }
    }

    /// Whether most of the values of a test that is gone are in one of them, which makes the same kind of assertion.
    fn have(&self, language: Language, wanted: &[u64], matchers: &[&[u8]], budget: &mut Budget) -> bool {
        self.tests.iter().any(|test| {
            test.language == language
                && budget.spend((test.own.len() + wanted.len() + 1) as u64).is_ok()
                && (matchers.is_empty() || test.matchers.iter().any(|it| matchers.contains(&it.as_slice())))
                && test.covers(wanted)
        })
    }
}

impl RepeatedTest {
    /// Whether most of the values are in the test or close to it. Those that were in it already are its own.
    fn covers(&self, wanted: &[u64]) -> bool {
        let found = if let Some(known) = &self.known {
            common(&self.own, wanted).saturating_sub(common(known, wanted))
        } else {
            // A table of values stands close to the test.
            common(&self.own, wanted) + common(&self.before, wanted).max(common(&self.behind, wanted))
        };
        found > 0 && found * 10 >= wanted.len() * 7
    }
}

/// For each scope of a source, whether it is a test that runs its assertions for several values.
fn repeated_scopes(source: &Source<'_>) -> Vec<bool> {
    let mut flags: Vec<bool> = source.scopes.iter().map(|scope| scope.parametrised).collect();
    for assertion in source.assertions.iter().filter(|assertion| assertion.looped) {
        if let Some(flag) = flags.get_mut(assertion.scope) {
            *flag = true;
        }
    }
    for scope in source.scopes.iter().filter(|scope| scope.parametrised) {
        if let Some(flag) = scope.parent.and_then(|parent| flags.get_mut(parent)) {
            *flag = true;
        }
    }
    for (flag, scope) in flags.iter_mut().zip(&source.scopes) {
        *flag &= scope.kind == ScopeKind::Test;
    }
    flags
}

/// Whether a test that is gone lives on: its assertions are all in others, or its values are among the parameters of another.
pub(super) fn lives_on(
    source: &Source<'_>,
    place: Place,
    repeated: &Repeated,
    pool: &mut Pool,
    budget: &mut Budget,
) -> bool {
    let Some(scope) = source.scopes.get(place.scope) else { return true };
    let assertions = assertions_of(source, place.scope);
    if !assertions.is_empty() && assertions.iter().all(|at| pool.take(source.shape(&source.assertions[*at].whole))) {
        return true;
    }
    if repeated.tests.is_empty() || budget.spend(scope.body.len().min(4096) as u64).is_err() {
        return false;
    }
    let wanted = literals(source, &scope.body);
    let matchers: Vec<&[u8]> =
        assertions.iter().take(MAX_ASSERTIONS).map(|at| source.assertions[*at].matcher.as_slice()).collect();
    repeated.have(source.language, &wanted, &matchers, budget)
}
