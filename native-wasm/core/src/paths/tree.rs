//! A whole tree in canonical form: what is the same as, or below, something else.

use super::canonical::canonical_into;
use super::{Entry, Mode, Violation};
use crate::{Budget, Limit, sort};
use core::cmp::Ordering;
use core::ops::Range;

/// Between the components of a key: less than all other bytes, so that what is below a path follows it. Keys hold it nowhere else.
pub(super) const SEPARATOR: u8 = 0;

/// The entries of a tree by their canonical forms.
pub(super) struct Tree<'e, 'a> {
    pub(super) entries: &'e [Entry<'a>],
    keys: Vec<u8>,
    ends: Vec<u32>,
    /// The entries by key; of equal keys, the most dangerous mode last.
    order: Vec<u32>,
}

impl<'e, 'a> Tree<'e, 'a> {
    pub(super) fn new(entries: &'e [Entry<'a>]) -> Result<Self, Limit> {
        let mut keys: Vec<u8> = Limit::reserve(entries.iter().map(|entry| entry.path.len()).sum())?;
        let mut ends = Limit::reserve(entries.len())?;
        for entry in entries {
            // Folding makes of one byte three at most.
            let room = entry.path.len().saturating_mul(3);
            keys.try_reserve(room).map_err(|_| Limit::Memory { bytes: room as u64 })?;
            canonical_into(entry.path, SEPARATOR, &mut keys);
            ends.push(keys.len() as u32);
        }
        let mut order = Limit::reserve(entries.len())?;
        order.extend(0..entries.len() as u32);
        let mut tree = Self { entries, keys, ends, order: Vec::new() };
        // In place, and fast on what is sorted, as listings nearly are.
        sort::numbers(&mut order, &mut |one, other| tree.compare(one, other));
        tree.order = order;
        Ok(tree)
    }

    fn compare(&self, one: u32, other: u32) -> Ordering {
        let rest = |entry: u32| self.entry(entry).map(|entry| (entry.mode, entry.path));
        self.key(one).cmp(self.key(other)).then_with(|| rest(one).cmp(&rest(other))).then(one.cmp(&other))
    }

    pub(super) fn entry(&self, number: u32) -> Option<&'e Entry<'a>> {
        self.entries.get(number as usize)
    }

    /// The canonical form of an entry's path.
    pub(super) fn key(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(number).map_or(start, |end| *end as usize);
        self.keys.get(start..end).unwrap_or_default()
    }

    /// The entry of a key; of several, the most dangerous.
    pub(super) fn find(&self, key: &[u8]) -> Option<&'e Entry<'a>> {
        let behind = self.order.partition_point(|entry| self.key(*entry) <= key);
        let last = *self.order.get(behind.checked_sub(1)?)?;
        if self.key(last) == key { self.entry(last) } else { None }
    }

    /// Whether there is an entry of a key or below it.
    fn has(&self, key: &[u8]) -> bool {
        let first = self.order.partition_point(|entry| self.key(*entry) < key);
        self.order.get(first).is_some_and(|entry| is_at_or_below(self.key(*entry), key))
    }

    /// The folder nearest to the root on the way to an entry, by its place in the path, that is a repository to git because of what the entry is: with a
    /// `HEAD`, and `objects` and `refs` in it or elsewhere. A unit of the budget is some bytes that are compared.
    pub(super) fn bare_repository(&self, number: u32, budget: &mut Budget) -> Result<Option<Range<usize>>, Limit> {
        let key = self.key(number);
        let lookup = u64::from(self.entries.len().max(1).ilog2()) + 1;
        for (depth, end) in (1..).zip(memchr::memchr_iter(SEPARATOR, key)) {
            let (folder, rest) = key.split_at(end + 1);
            let name = rest.split(|byte| *byte == SEPARATOR).next().unwrap_or_default();
            if ![&b"head"[..], b"objects", b"refs", b"commondir", b"config", b"hooks"].contains(&name) {
                continue;
            }
            budget.spend(lookup * (4 + folder.len() as u64 / 16))?;
            let has = |name: &[u8]| self.has(&[folder, name].concat());
            if has(b"head") && (has(b"commondir") || has(b"objects") && has(b"refs")) {
                return Ok(Some(first_components(self.entry(number).map_or(&[], |entry| entry.path), depth)));
            }
        }
        Ok(None)
    }

    /// Tells what is the same as another entry or below one: for each, the entry and the place in its path. One pass in the order of the keys, in which
    /// what is below an entry follows it.
    pub(super) fn conflicts(&self, mut tell: impl FnMut(u32, Violation, Range<usize>)) {
        // Entries that the current one may be below, each below the one before it.
        let mut above: Vec<u32> = Vec::new();
        for &number in &self.order {
            let key = self.key(number);
            if key.is_empty() {
                continue;
            }
            while above.last().is_some_and(|top| !is_at_or_below(key, self.key(*top))) {
                above.pop();
            }
            let whole = |number| 0..self.entry(number).map_or(0, |entry| entry.path.len());
            if let Some(same) = above.pop_if(|top| self.key(*top) == key) {
                tell(same, Violation::Duplicate, whole(same));
                tell(number, Violation::Duplicate, whole(number));
            }
            if let Some(top) = above.last().copied() {
                let violation = match self.entry(top).map(|entry| entry.mode) {
                    Some(Mode::Symlink) => Violation::BelowLink,
                    Some(Mode::Submodule) => Violation::BelowSubmodule,
                    _ => Violation::FileAndFolder,
                };
                let depth = memchr::memchr_iter(SEPARATOR, self.key(top)).count() + 1;
                tell(number, violation, first_components(self.entry(number).map_or(&[], |entry| entry.path), depth));
                tell(top, Violation::FileAndFolder, whole(top));
            }
            above.push(number);
        }
    }
}

/// Whether a key is another or below it.
fn is_at_or_below(key: &[u8], above: &[u8]) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == SEPARATOR))
}

fn first_components(path: &[u8], count: usize) -> Range<usize> {
    0..memchr::memchr_iter(b'/', path).nth(count - 1).unwrap_or(path.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn entries(paths: &[String]) -> Vec<Entry<'_>> {
        paths.iter().map(|path| Entry { mode: Mode::File, id: b"", path: path.as_bytes(), target: None }).collect()
    }

    fn is_below(key: &[u8], above: &[u8]) -> bool {
        key.starts_with(&[above, &[SEPARATOR]].concat())
    }

    proptest! {
        /// One pass finds what comparing all pairs finds.
        #[test]
        fn conflicts_are_those_of_all_pairs(paths in proptest::collection::vec("([abA.]{1,2}/){0,2}[abA]{1,2}", 0..25)) {
            let entries = entries(&paths);
            let tree = Tree::new(&entries).unwrap();
            let mut found = BTreeSet::new();
            tree.conflicts(|entry, violation, _| {
                found.insert((entry, violation));
            });
            let mut expected = BTreeSet::new();
            for one in 0..entries.len() as u32 {
                for other in (0..entries.len() as u32).filter(|other| *other != one) {
                    if tree.key(one).is_empty() || tree.key(other).is_empty() {
                        continue;
                    }
                    if tree.key(one) == tree.key(other) {
                        expected.insert((one, Violation::Duplicate));
                    } else if is_below(tree.key(one), tree.key(other)) {
                        expected.insert((one, Violation::FileAndFolder));
                    }
                }
            }
            // Of those above, the nearest one is told of; of several that are the same, one.
            let below: BTreeSet<_> = expected.iter().copied().collect();
            prop_assert!(below.is_subset(&found), "{:?} {:?}", below, found);
            for (entry, violation) in found.difference(&below) {
                prop_assert_eq!(*violation, Violation::FileAndFolder);
                let key = tree.key(*entry);
                prop_assert!((0..entries.len() as u32).any(|other| is_below(tree.key(other), key)));
            }
        }

        #[test]
        fn each_key_is_found(paths in proptest::collection::vec("[abA/]{1,5}", 0..25)) {
            let entries = entries(&paths);
            let tree = Tree::new(&entries).unwrap();
            for number in 0..entries.len() as u32 {
                prop_assert!(tree.find(tree.key(number)).is_some());
            }
            prop_assert!(tree.find(b"c").is_none());
        }
    }

    #[test]
    fn of_equal_keys_the_most_dangerous_is_found() {
        let entry = |mode, path: &'static [u8]| Entry { mode, id: b"", path, target: None };
        let entries = [entry(Mode::Symlink, b"A"), entry(Mode::File, b"a"), entry(Mode::File, b"a/x")];
        let tree = Tree::new(&entries).unwrap();
        assert_eq!(tree.find(b"a").unwrap().mode, Mode::Symlink);
        let mut found = Vec::new();
        tree.conflicts(|entry, violation, at| found.push((entry, violation, at)));
        assert!(found.contains(&(2, Violation::BelowLink, 0..1)), "{found:?}");
    }
}
