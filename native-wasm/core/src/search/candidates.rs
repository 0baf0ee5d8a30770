//! The blocks where a query can have hits.

use super::formula::{Clause, Formula};
use super::index::Index;
use super::trigrams;
use crate::{Budget, Limit, sort};

/// To search a block takes as long as to read so many numbers of a list: a longer list would cost more than it saves.
const LIST_PER_BLOCK: u64 = 256;

impl Index {
    /// The blocks that satisfy a formula, ascending; dead ones among them. None when the formula says nothing: then all do.
    pub(super) fn candidates(&self, formula: &Formula, budget: &mut Budget) -> Result<Option<Vec<u32>>, Limit> {
        let mut clauses: Vec<(u64, &Clause)> =
            formula.clauses.iter().map(|clause| (self.estimate(clause), clause)).collect();
        sort::by_key(&mut clauses, |(estimate, _)| *estimate);
        let mut found: Option<Vec<u32>> = None;
        for (estimate, clause) in clauses {
            match &mut found {
                None => found = Some(self.of_clause(clause, budget)?),
                Some(found) => {
                    if estimate > found.len() as u64 * LIST_PER_BLOCK {
                        break;
                    }
                    retain_common(found, self.of_clause(clause, budget)?.into_iter());
                }
            }
        }
        Ok(found)
    }

    /// How many blocks hold a clause, at most.
    fn estimate(&self, clause: &Clause) -> u64 {
        let rarest = |string: &Vec<u8>| trigrams::buckets(string).map(|bucket| self.postings.len(bucket)).min();
        clause.strings.iter().map(|string| u64::from(rarest(string).unwrap_or(u32::MAX))).sum()
    }

    fn of_clause(&self, clause: &Clause, budget: &mut Budget) -> Result<Vec<u32>, Limit> {
        let mut found = Vec::new();
        for string in &clause.strings {
            self.of_string(string, &mut found, budget)?;
        }
        if clause.strings.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        Ok(found)
    }

    /// Adds the blocks that hold all trigrams of a string.
    fn of_string(&self, string: &[u8], found: &mut Vec<u32>, budget: &mut Budget) -> Result<(), Limit> {
        let mut lists: Vec<(u32, u32)> =
            trigrams::buckets(string).map(|bucket| (self.postings.len(bucket), bucket)).collect();
        sort::unstable(&mut lists);
        lists.dedup();
        budget.spend(string.len() as u64)?;
        let Some(((len, rarest), others)) = lists.split_first() else { return Ok(()) };
        budget.spend(u64::from(*len))?;
        let mut blocks: Vec<u32> = Limit::reserve(*len as usize)?;
        blocks.extend(self.postings.iter(*rarest));
        for (len, bucket) in others {
            if u64::from(*len) > blocks.len() as u64 * LIST_PER_BLOCK {
                break;
            }
            budget.spend(u64::from(*len))?;
            retain_common(&mut blocks, self.postings.iter(*bucket));
        }
        found.append(&mut blocks);
        Ok(())
    }
}

/// Keeps what is in both ascending lists.
fn retain_common(blocks: &mut Vec<u32>, mut other: impl Iterator<Item = u32>) {
    let mut next = other.next();
    blocks.retain(|block| {
        while next.is_some_and(|other| other < *block) {
            next = other.next();
        }
        next == Some(*block)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn what_is_common_is_kept(left: BTreeSet<u8>, right: BTreeSet<u8>) {
            let mut blocks: Vec<u32> = left.iter().map(|n| u32::from(*n)).collect();
            retain_common(&mut blocks, right.iter().map(|n| u32::from(*n)));
            prop_assert_eq!(blocks, left.intersection(&right).map(|n| u32::from(*n)).collect::<Vec<_>>());
        }
    }
}
