//! Compares the assertions of a test before and after.

use super::Confidence;
use super::assertion::{Assertion, is_literal};
use super::loosened::{At, judge};
use super::pairing::{Place, scope_of};
use super::rank::Rank;
use super::source::Source;
use crate::Budget;

/// What became of the assertions of a test.
#[derive(Default)]
pub(super) struct Outcome {
    /// Pairs of which the new one demands less: places in the lists of assertions of both sources.
    pub(super) loosened: Vec<(usize, usize, Confidence, &'static str)>,
    /// Old ones for which there is no new one in the test.
    pub(super) gone: Vec<usize>,
    /// New ones for which there was no old one in the test.
    pub(super) added: Vec<usize>,
}

/// More changed assertions than this in a test are not matched with each other.
const MAX_MATCHED: usize = 200;

/// The assertions of a scope, in order.
pub(super) fn assertions_of<'s>(source: &'s Source<'_>, scope: usize) -> &'s [usize] {
    let from = source.by_scope.partition_point(|at| source.assertions[*at].scope < scope);
    let to = source.by_scope.partition_point(|at| source.assertions[*at].scope <= scope);
    &source.by_scope[from..to]
}

/// An assertion with what it is matched by.
struct Key<'s> {
    at: usize,
    assertion: &'s Assertion,
    whole: u64,
    subject: u64,
    expected: u64,
}

fn keys<'s>(source: &'s Source<'_>, scope: usize) -> Vec<Key<'s>> {
    let key = |at: usize| {
        let assertion = &source.assertions[at];
        let expected = if assertion.expected.is_empty() { 0 } else { source.shape(&assertion.expected) };
        Key {
            at,
            assertion,
            whole: source.shape(&assertion.whole),
            subject: source.shape(&assertion.subject),
            expected,
        }
    };
    assertions_of(source, scope).iter().copied().map(key).collect()
}

pub(super) fn compare(
    (old_source, old): (&Source<'_>, Place),
    (new_source, new): (&Source<'_>, Place),
    budget: &mut Budget,
) -> Outcome {
    let (old_keys, new_keys) = without_equal(keys(old_source, old.scope), keys(new_source, new.scope));
    let mut pairs = Pairs {
        old_source,
        new_source,
        old: old_keys,
        new: new_keys,
        changed: Vec::new(),
        outcome: Outcome::default(),
    };
    let rounds: [fn(&Key<'_>, &Key<'_>) -> bool; 5] = [
        |o, n| {
            o.assertion.matcher == n.assertion.matcher
                && (o.subject == n.subject || (o.expected != 0 && o.expected == n.expected))
        },
        |o, n| o.assertion.is_helper() == n.assertion.is_helper() && o.subject == n.subject,
        |o, n| o.assertion.matcher == n.assertion.matcher && o.assertion.is_helper() == n.assertion.is_helper(),
        |o, n| !o.assertion.is_helper() && !n.assertion.is_helper() && o.assertion.rank <= n.assertion.rank,
        |o, n| !o.assertion.is_helper() && !n.assertion.is_helper(),
    ];
    for fits in rounds {
        pairs.take(fits, budget);
    }
    let is_parametrised = |source: &Source<'_>, place| scope_of(source, place).is_some_and(|scope| scope.parametrised);
    pairs.finish(is_parametrised(new_source, new) && !is_parametrised(old_source, old), budget)
}

/// Takes out those that did not change, in whatever order they are now.
fn without_equal<'o, 'n>(mut old: Vec<Key<'o>>, mut new: Vec<Key<'n>>) -> (Vec<Key<'o>>, Vec<Key<'n>>) {
    let (a, b) = (counted(&old), counted(&new));
    let (mut i, mut j) = (0, 0);
    let mut equal: Vec<(u64, u32)> = Vec::new();
    while let (Some((x, n)), Some((y, m))) = (a.get(i), b.get(j)) {
        if x == y {
            equal.push((*x, *n.min(m)));
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    remove(&mut old, equal.clone());
    remove(&mut new, equal);
    (old, new)
}

/// The hashes of some keys in order, each with how often it occurs.
fn counted(keys: &[Key<'_>]) -> Vec<(u64, u32)> {
    let mut hashes: Vec<(u64, u32)> = keys.iter().map(|key| (key.whole, 1)).collect();
    merge_counts(&mut hashes);
    hashes
}

/// Sorts hashes and adds up the numbers of equal ones.
pub(super) fn merge_counts(hashes: &mut Vec<(u64, u32)>) {
    hashes.sort_unstable();
    hashes.dedup_by(|next, kept| {
        let is_equal = next.0 == kept.0;
        if is_equal {
            kept.1 += next.1;
        }
        is_equal
    });
}

/// Removes as many keys of each hash as the ordered list says, the first ones.
fn remove(keys: &mut Vec<Key<'_>>, mut hashes: Vec<(u64, u32)>) {
    keys.retain(|key| !take_one(&mut hashes, key.whole));
}

/// Takes one of a hash from an ordered list, if there is one left.
pub(super) fn take_one(hashes: &mut [(u64, u32)], hash: u64) -> bool {
    let Ok(at) = hashes.binary_search_by_key(&hash, |(other, _)| *other) else { return false };
    let left = hashes[at].1;
    hashes[at].1 = left.saturating_sub(1);
    left > 0
}

struct Pairs<'s, 'a> {
    old_source: &'s Source<'a>,
    new_source: &'s Source<'a>,
    old: Vec<Key<'s>>,
    new: Vec<Key<'s>>,
    /// New ones that are paired with an old one they differ from.
    changed: Vec<Key<'s>>,
    outcome: Outcome,
}

impl Pairs<'_, '_> {
    /// Pairs each old one with the first new one that fits.
    fn take(&mut self, fits: fn(&Key<'_>, &Key<'_>) -> bool, budget: &mut Budget) {
        let work = (self.old.len() as u64).saturating_mul(self.new.len() as u64);
        if self.old.len() > MAX_MATCHED || self.new.len() > MAX_MATCHED || budget.spend(work).is_err() {
            return;
        }
        for old in core::mem::take(&mut self.old) {
            let Some(found) = self.new.iter().position(|new| fits(&old, new)) else {
                self.old.push(old);
                continue;
            };
            let new = self.new.remove(found);
            let before = At { source: self.old_source, assertion: old.assertion };
            let after = At { source: self.new_source, assertion: new.assertion };
            if let Some((confidence, message)) = judge(before, after) {
                self.outcome.loosened.push((old.at, new.at, confidence, message));
            }
            self.changed.push(new);
        }
    }

    fn finish(mut self, is_new_loop: bool, budget: &mut Budget) -> Outcome {
        for old in core::mem::take(&mut self.old) {
            if !self.is_absorbed(&old, is_new_loop, budget) {
                self.outcome.gone.push(old.at);
            }
        }
        self.outcome.added = self.new.iter().map(|key| key.at).collect();
        self.outcome
    }

    /// Whether the test still makes the check in another way: in a loop, for each of its parameters, or as a part of a larger one.
    fn is_absorbed(&self, old: &Key<'_>, is_new_loop: bool, budget: &mut Budget) -> bool {
        let it = old.assertion;
        if it.is_helper() && !self.new.is_empty() {
            return true;
        }
        self.changed.iter().chain(&self.new).any(|new| {
            let other = new.assertion;
            let repeated = ((other.looped && !it.looped) || is_new_loop) && other.matcher == it.matcher;
            repeated || (other.rank >= it.rank && it.rank >= Some(Rank::Smoke) && self.contains(other, it, budget))
        })
    }

    /// Whether all that the old one compares is in the new one, which compares more.
    fn contains(&self, new: &Assertion, old: &Assertion, budget: &mut Budget) -> bool {
        let literals = old.expected.clone().take(64).filter(|at| is_literal(self.old_source, *at));
        let mut wanted: Vec<&[u8]> = literals.map(|at| self.old_source.bare(at)).collect();
        if wanted.is_empty() || new.whole.len() <= old.whole.len() || budget.spend(new.whole.len() as u64).is_err() {
            return false;
        }
        let last_word = old.subject.clone().rev().find(|at| self.old_source.is_word(*at));
        wanted.extend(last_word.map(|at| self.old_source.text(at)));
        let range = new.whole.clone().take(512);
        let has: Vec<&[u8]> = range.map(|at| self.new_source.bare(at)).collect();
        wanted.iter().all(|word| has.contains(word))
    }
}
