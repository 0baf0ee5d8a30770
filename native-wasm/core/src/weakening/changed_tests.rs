//! Compares the tests of a batch that belong together, and reports those that are gone.

use super::assertion::sounds_like_assertion;
use super::compare::{Outcome, assertions_of, compare};
use super::delta::{Pool, Repeated, lives_on};
use super::pairing::{Pairing, Place};
use super::paths::is_rust_test_folder;
use super::report::Report;
use super::scope::{Mark, MarkKind, ScopeKind};
use super::source::Source;
use super::{Confidence, Kind, Side};
use crate::Budget;
use crate::lex::Language;

/// The tests of a batch before and after.
pub(super) struct Tests<'s, 'a> {
    pub(super) old: &'s [Source<'a>],
    pub(super) new: &'s [Source<'a>],
    pub(super) pairing: &'s Pairing,
}

impl Tests<'_, '_> {
    /// Reports all findings but those of configuration and snapshots.
    pub(super) fn report(&self, report: &mut Report<'_>, budget: &mut Budget) {
        let mut outcomes: Vec<(Place, Place, Outcome)> = Vec::new();
        let mut added: Vec<(usize, usize)> = Vec::new();
        for (old, new) in &self.pairing.pairs {
            if self.skipped(report, *old, *new) {
                continue;
            }
            let outcome = compare((&self.old[old.source], *old), (&self.new[new.source], *new), budget);
            added.extend(outcome.added.iter().map(|at| (new.source, *at)));
            outcomes.push((*old, *new, outcome));
        }
        let mut pool = Pool::new(self.new, &added, &self.pairing.new);
        for (old, new, outcome) in outcomes {
            self.changed(report, old, new, outcome, &mut pool);
        }
        self.focused(report);
        self.deleted(report, &mut pool, budget);
    }

    /// Reports new marks of a pair; whether the new test is skipped while the old one was not.
    fn skipped(&self, report: &mut Report<'_>, old: Place, new: Place) -> bool {
        let (source, before) = (&self.new[new.source], &self.old[old.source]);
        let mut is_skipped = false;
        for kind in [MarkKind::Skip, MarkKind::Condition, MarkKind::Swallow] {
            let (was, is) = (marks_of(before, old.scope, kind), marks_of(source, new.scope, kind));
            if is.len() <= was.len() || source.scopes[new.scope].kind == ScopeKind::Root && kind != MarkKind::Swallow {
                continue;
            }
            if kind == MarkKind::Condition
                && marks_of(before, old.scope, MarkKind::Skip).len() > marks_of(source, new.scope, MarkKind::Skip).len()
            {
                continue;
            }
            is_skipped |= kind == MarkKind::Skip;
            let known: Vec<u64> = was.iter().map(|mark| before.shape(&mark.at)).collect();
            let fresh = is.iter().filter(|mark| !known.contains(&source.shape(&mark.at)));
            for mark in fresh.take(is.len() - was.len()) {
                let what = if kind == MarkKind::Swallow { Kind::ExpectationLoosened } else { Kind::TestSkipped };
                let name = before.span(&(before.scopes[old.scope].at..before.scopes[old.scope].at + 1));
                let range = source.span(&mark.at);
                report.add(
                    source.change,
                    Side::New,
                    range,
                    Some((before.change, name)),
                    (what, mark.confidence, mark.message),
                );
            }
        }
        is_skipped
    }

    fn changed(&self, report: &mut Report<'_>, old: Place, new: Place, outcome: Outcome, pool: &mut Pool) {
        let (before, after) = (&self.old[old.source], &self.new[new.source]);
        if is_product(before, old.scope) {
            return;
        }
        let unsure = before.language == Language::Rust
            && before.partial
            && !is_rust_test_folder(before.path)
            && before.scopes[old.scope].kind != ScopeKind::Test;
        let adapt = |confidence: Confidence| if unsure { Confidence::Low } else { confidence };
        for (from, to, confidence, message) in &outcome.loosened {
            let range = after.span(&after.assertions[*to].whole);
            let was = before.span(&before.assertions[*from].whole);
            report.add(
                after.change,
                Side::New,
                range,
                Some((before.change, was)),
                (Kind::ExpectationLoosened, adapt(*confidence), message),
            );
        }
        // What new calls of helpers assert makes up for what is gone.
        let mut helped: Vec<Vec<u8>> = Vec::new();
        let mut unknown = 0;
        for at in &outcome.added {
            let assertion = &after.assertions[*at];
            if assertion.is_helper() {
                match pool.helper(&assertion.matcher) {
                    Some(matchers) => helped.extend(matchers.iter().cloned()),
                    None => unknown += 8,
                }
            }
        }
        for at in outcome.gone {
            let assertion = &before.assertions[at];
            if let Some(found) = helped.iter().position(|matcher| *matcher == assertion.matcher) {
                helped.swap_remove(found);
                continue;
            }
            if pool.take(before.shape(&assertion.whole)) {
                continue;
            }
            if unknown > 0 {
                unknown -= 1;
                continue;
            }
            let sure = if sounds_like_assertion(before.text(assertion.whole.start)) {
                Confidence::Medium
            } else {
                Confidence::Low
            };
            let confidence = if assertion.is_helper() { sure } else { Confidence::High };
            let range = before.span(&assertion.whole);
            let was = Some((before.change, range.clone()));
            report.add(
                before.change,
                Side::Old,
                range,
                was,
                (Kind::AssertionRemoved, adapt(confidence), "an assertion is gone"),
            );
        }
    }

    /// Reports tests that run alone in files where fewer did.
    fn focused(&self, report: &mut Report<'_>) {
        for source in self.new {
            let was = self.old.iter().find(|old| old.change == source.change).map_or(0, |old| focus(old).len());
            for mark in focus(source).into_iter().skip(was) {
                report.add(
                    source.change,
                    Side::New,
                    source.span(&mark.at),
                    None,
                    (Kind::TestFocused, mark.confidence, mark.message),
                );
            }
        }
    }

    fn deleted(&self, report: &mut Report<'_>, pool: &mut Pool, budget: &mut Budget) {
        let repeated = Repeated::new(self.old, self.new, self.pairing, budget);
        for (at, source) in self.old.iter().enumerate() {
            let is_test =
                |place: &&Place| source.scopes.get(place.scope).is_some_and(|scope| scope.kind == ScopeKind::Test);
            let from = self.pairing.old.partition_point(|place| place.source < at);
            let to = self.pairing.old.partition_point(|place| place.source <= at);
            let mut gone: Vec<&Place> = Vec::new();
            for place in self.pairing.old[from..to].iter().filter(is_test) {
                if !lives_on(source, *place, &repeated, pool, budget) {
                    gone.push(place);
                }
            }
            let all = source.scopes.iter().filter(|scope| scope.kind == ScopeKind::Test).count();
            gone.sort_unstable();
            keep_holders(source, &mut gone);
            if gone.is_empty() {
                continue;
            }
            let is_file = !self.new.iter().any(|new| new.change == source.change);
            if is_file && gone.len() == all {
                let whole = 0..source.bytes.len() as u32;
                let was = Some((source.change, whole.clone()));
                report.add(
                    source.change,
                    Side::Old,
                    whole,
                    was,
                    (Kind::TestFileDeleted, Confidence::High, "a file with tests is deleted"),
                );
                continue;
            }
            for place in &gone {
                let scope = &source.scopes[place.scope];
                // What is gone with the test around it is not told again.
                if scope.parent.is_some_and(|parent| gone.binary_search(&&Place { source: at, scope: parent }).is_ok())
                {
                    continue;
                }
                let skipped = !marks_of(source, place.scope, MarkKind::Skip).is_empty();
                let confidence = if skipped { Confidence::Low } else { Confidence::High };
                let range = source.span(&scope.whole);
                let was = Some((source.change, range.clone()));
                // The line is that of the name: decorators may stand above it.
                let name = source.span(&(scope.at..scope.at + 1)).start.max(range.start);
                report.add(
                    source.change,
                    Side::Old,
                    name..range.end,
                    was,
                    (Kind::TestDeleted, confidence, "a test is gone"),
                );
            }
        }
    }
}

/// Takes out tests that only hold others of which some are still there.
fn keep_holders(source: &Source<'_>, gone: &mut Vec<&Place>) {
    let mut holds_more = vec![false; source.scopes.len()];
    for (at, scope) in source.scopes.iter().enumerate().filter(|(_, scope)| scope.kind == ScopeKind::Test) {
        let is_kept = gone.binary_search_by(|place| place.scope.cmp(&at)).is_err();
        if let Some(holds) = scope.parent.and_then(|parent| holds_more.get_mut(parent)) {
            *holds |= is_kept;
        }
    }
    gone.retain(|place| !assertions_of(source, place.scope).is_empty() || !holds_more[place.scope]);
}

/// The marks of a kind on a scope and on what is around it.
fn marks_of<'s>(source: &'s Source<'_>, scope: usize, kind: MarkKind) -> Vec<&'s Mark> {
    let mut marks = Vec::new();
    let mut at = Some(scope);
    for _ in 0..64 {
        let Some(scope) = at.and_then(|at| source.scopes.get(at)) else { break };
        marks.extend(scope.marks.iter().filter(|mark| mark.kind == kind));
        at = scope.parent;
    }
    marks
}

fn focus<'s>(source: &'s Source<'_>) -> Vec<&'s Mark> {
    source.scopes.iter().flat_map(|scope| &scope.marks).filter(|mark| mark.kind == MarkKind::Focus).collect()
}

/// Whether a scope is the code of the product around tests: what it asserts is no test.
fn is_product(source: &Source<'_>, scope: usize) -> bool {
    source.language == Language::Rust
        && !source.partial
        && source.scopes[scope].kind == ScopeKind::Root
        && !is_rust_test_folder(source.path)
        || assertions_of(source, scope).is_empty()
}
