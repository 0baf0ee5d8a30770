//! Hashing and interning of byte strings under a seed, since who writes the input must not be able to choose what collides.

use crate::Limit;

/// The key of all hashes of an operation. Results never depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The key for hashes of another kind, or for what belongs to a hash before.
    pub(crate) const fn within(self, mark: u64) -> Self {
        Self(fold(self.0 ^ mark, K1))
    }
}

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xe703_7ed1_a0b4_28db;

/// A 64-bit hash: folded multiplication over words of eight bytes.
pub fn hash(bytes: &[u8], seed: Seed) -> u64 {
    let mut state = seed.0 ^ K0;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), K1);
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    fold(fold(state ^ u64::from_le_bytes(last), K1) ^ bytes.len() as u64, K0)
}

const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Numbers byte strings, equal ones with the same number, from 0 on in the order in which they come.
#[derive(Debug)]
pub struct Interner<'a> {
    seed: Seed,
    items: Vec<(u64, &'a [u8])>,
    /// Indexes into `items`, plus one; 0 is empty. A power of two, at most half full.
    slots: Vec<u32>,
}

impl<'a> Interner<'a> {
    /// An interner for about `expected` different byte strings.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for them.
    pub fn new(expected: usize, seed: Seed) -> Result<Self, Limit> {
        Ok(Self { seed, items: Limit::reserve(expected)?, slots: empty_slots(expected)? })
    }

    /// The number of a byte string.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for one more.
    pub fn intern(&mut self, bytes: &'a [u8]) -> Result<u32, Limit> {
        let hash = hash(bytes, self.seed);
        let mut at = self.slot_of(hash);
        loop {
            match self.slots.get(at) {
                Some(0) | None => break,
                Some(found) => {
                    let number = found - 1;
                    if self.items.get(number as usize).is_some_and(|(other, item)| *other == hash && *item == bytes) {
                        return Ok(number);
                    }
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        let number = self.items.len() as u32;
        self.items.push((hash, bytes));
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = number + 1;
        }
        if self.items.len() * 2 > self.slots.len() {
            self.grow()?;
        }
        Ok(number)
    }

    /// The number of a byte string that has one.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        let hash = hash(bytes, self.seed);
        let mut at = self.slot_of(hash);
        loop {
            let number = self.slots.get(at)?.checked_sub(1)?;
            if self.items.get(number as usize).is_some_and(|(other, item)| *other == hash && *item == bytes) {
                return Some(number);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// How many different byte strings there are.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    const fn slot_of(&self, hash: u64) -> usize {
        (hash as usize) & (self.slots.len() - 1)
    }

    fn grow(&mut self) -> Result<(), Limit> {
        self.slots = empty_slots(self.items.len() * 2)?;
        for number in 0..self.items.len() {
            let hash = self.items.get(number).map_or(0, |(hash, _)| *hash);
            let mut at = self.slot_of(hash);
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (self.slots.len() - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = number as u32 + 1;
            }
        }
        Ok(())
    }
}

fn empty_slots(items: usize) -> Result<Vec<u32>, Limit> {
    let len = items.max(4).saturating_mul(2).next_power_of_two();
    let mut slots = Limit::reserve(len)?;
    slots.resize(len, 0);
    Ok(slots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn equal_strings_have_one_number(strings in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..12), 0..300), seed: u64) {
            let mut interner = Interner::new(0, Seed(seed)).unwrap();
            let mut known: HashMap<&[u8], u32> = HashMap::new();
            for string in &strings {
                let next = known.len() as u32;
                prop_assert_eq!(interner.find(string), known.get(&string[..]).copied());
                let expected = *known.entry(string).or_insert(next);
                prop_assert_eq!(interner.intern(string).unwrap(), expected);
            }
            prop_assert_eq!(interner.len(), known.len());
        }
    }

    #[test]
    fn lengths_and_seeds_matter() {
        assert_ne!(hash(b"\0", Seed(0)), hash(b"\0\0", Seed(0)));
        assert_ne!(hash(b"\0\0\0\0\0\0\0\0", Seed(0)), hash(b"", Seed(0)));
        assert_ne!(hash(b"a line", Seed(0)), hash(b"a line", Seed(1)));
    }
}
