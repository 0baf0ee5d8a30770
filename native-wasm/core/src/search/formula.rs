//! What a block must hold to have a match: a formula over strings of trigrams, in conjunctive form, so that nothing about it is recursive.

use super::trigrams;
use crate::sort;

/// Clauses, of which a block must satisfy all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formula {
    pub clauses: Vec<Clause>,
}

/// Strings of byte classes, of which a block must hold one. With none, nothing can match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    pub strings: Vec<Vec<u8>>,
}

/// More strings in a clause say too little for what they cost.
const MAX_STRINGS: usize = 256;
/// More clauses are dropped.
const MAX_CLAUSES: usize = 32;
/// Two alternatives with no more pairs of clauses are combined in full.
const MAX_PAIRS: usize = 8;

impl Formula {
    /// That a block must hold a literal.
    pub fn literal(literal: &[u8]) -> Self {
        let mut formula = Self::default();
        formula.require(&[literal.iter().map(|byte| trigrams::class(*byte)).collect()]);
        formula
    }

    /// Adds that a block must hold one of these strings of classes. A string without a trigram is in any block, so it says nothing.
    pub fn require(&mut self, strings: &[Vec<u8>]) {
        if strings.len() > MAX_STRINGS
            || self.clauses.len() == MAX_CLAUSES
            || strings.iter().any(|string| string.len() < 3)
        {
            return;
        }
        let clause = Clause { strings: strings.to_vec() };
        if !self.clauses.contains(&clause) {
            self.clauses.push(clause);
        }
    }

    /// Adds all that another formula requires.
    pub fn and(&mut self, other: &Self) {
        for clause in &other.clauses {
            self.require(&clause.strings);
        }
    }

    /// That a block must satisfy one of two formulas: each clause of one or each of the other; when those are many, one of each side.
    pub fn or(&self, other: &Self) -> Self {
        let mut formula = Self::default();
        let all = self.clauses.len() * other.clauses.len() <= MAX_PAIRS;
        let best = |formula: &Self| formula.clauses.iter().max_by_key(|clause| clause.weight()).cloned();
        let one = |formula: &Self| Vec::from_iter(best(formula));
        let (left, right) = if all { (self.clauses.clone(), other.clauses.clone()) } else { (one(self), one(other)) };
        for left in &left {
            for right in &right {
                let mut strings = [&left.strings[..], &right.strings].concat();
                sort::unstable(&mut strings);
                strings.dedup();
                formula.require(&strings);
            }
        }
        formula
    }
}

impl Clause {
    /// How much it says: long strings say more, and few of them.
    fn weight(&self) -> (usize, core::cmp::Reverse<usize>) {
        let shortest = self.strings.iter().map(Vec::len).min().unwrap_or(usize::MAX);
        (shortest, core::cmp::Reverse(self.strings.len()))
    }
}
