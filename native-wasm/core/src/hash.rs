//! Hashing and interning of byte strings under a seed, since who writes the input must not be able to choose what collides.

use crate::{Limit, block};

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

/// A 64-bit hash: folded multiplication over pairs of words of eight bytes. Both factors have the key in them, so that nobody can make one of them zero.
pub fn hash(bytes: &[u8], seed: Seed) -> u64 {
    let (key, mut state) = (seed.0 ^ K1, seed.0 ^ K0);
    // Whole words only: bytes that are gathered one by one take longer than the rest. So the last ones reach back into what was read.
    let (first, second) = if let Some(last) = bytes.last_chunk::<{ block::LEN }>() {
        for pair in bytes[..bytes.len() - 1].as_chunks::<{ block::LEN }>().0 {
            let (first, second) = block::words(pair);
            state = fold(state ^ first, key ^ second);
        }
        block::words(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
    } else {
        (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
    };
    fold(fold(state ^ first, key ^ second) ^ bytes.len() as u64, K0)
}

/// The two middle parts of a product: WebAssembly has no multiplication with a result of 128 bits, and takes three times as long for a whole one.
const fn fold(a: u64, b: u64) -> u64 {
    let low_high = (a & 0xffff_ffff).wrapping_mul(b >> 32);
    let high_low = (a >> 32).wrapping_mul(b & 0xffff_ffff);
    low_high ^ high_low.rotate_right(32)
}

/// Whether two byte strings are the same, in words: in WebAssembly the comparison of slices goes byte by byte.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    a.len() == b.len() && words.iter().zip(other_words).all(|(a, b)| a == b) && {
        // The last word reaches back into what was compared already.
        match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
            (Some(a), Some(b)) => a == b,
            _ => rest.iter().zip(other_rest).all(|(a, b)| a == b),
        }
    }
}

/// Numbers byte strings, equal ones with the same number, from 0 on in the order in which they come.
#[derive(Debug)]
pub struct Interner<'a> {
    seed: Seed,
    items: Vec<&'a [u8]>,
    /// A power of two, at most half full.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Index into the items, plus one; 0 is empty.
    next: u32,
    /// Half of the hash, so that others that share the slot are told apart without a look at them.
    hash: u32,
}

/// What a search in the slots ends with.
enum Place {
    Known(u32),
    /// The slot where it goes.
    New(usize),
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
        let hash = hash(bytes, self.seed) as u32;
        let at = match self.place_of(bytes, hash) {
            Place::Known(number) => return Ok(number),
            Place::New(at) => at,
        };
        let number = self.items.len() as u32;
        self.items.push(bytes);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot { next: number + 1, hash };
        }
        if self.items.len() * 2 > self.slots.len() {
            self.grow()?;
        }
        Ok(number)
    }

    /// The number of a byte string that has one.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        match self.place_of(bytes, hash(bytes, self.seed) as u32) {
            Place::Known(number) => Some(number),
            Place::New(_) => None,
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

    fn place_of(&self, bytes: &[u8], hash: u32) -> Place {
        let mut at = self.slot_of(hash);
        loop {
            let slot = self.slots.get(at).copied().unwrap_or_default();
            let Some(number) = slot.next.checked_sub(1) else { return Place::New(at) };
            if slot.hash == hash && self.items.get(number as usize).is_some_and(|item| same(item, bytes)) {
                return Place::Known(number);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    const fn slot_of(&self, hash: u32) -> usize {
        (hash as usize) & (self.slots.len() - 1)
    }

    fn grow(&mut self) -> Result<(), Limit> {
        let old = core::mem::replace(&mut self.slots, empty_slots(self.items.len() * 2)?);
        for slot in old.into_iter().filter(|slot| slot.next != 0) {
            let mut at = self.slot_of(slot.hash);
            while self.slots.get(at).is_some_and(|taken| taken.next != 0) {
                at = (at + 1) & (self.slots.len() - 1);
            }
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
        Ok(())
    }
}

fn empty_slots(items: usize) -> Result<Vec<Slot>, Limit> {
    let len = items.max(4).saturating_mul(2).next_power_of_two();
    let mut slots = Limit::reserve(len)?;
    slots.resize(len, Slot::default());
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

    proptest! {
        #[test]
        fn the_same_is_what_is_equal(a in proptest::collection::vec(0u8..2, 0..40), at in 0usize..40, cut: bool) {
            let mut b = a.clone();
            prop_assert!(same(&a, &b));
            if cut {
                b.pop();
            } else if let Some(byte) = b.get_mut(at) {
                *byte ^= 1;
            }
            prop_assert_eq!(same(&a, &b), a == b);
        }

        #[test]
        fn one_bit_changes_the_lower_half_of_a_hash(bytes in proptest::collection::vec(any::<u8>(), 1..70), at: prop::sample::Index, bit in 0u8..8, seed: u64) {
            let mut other = bytes.clone();
            other[at.index(bytes.len())] ^= 1 << bit;
            prop_assert_ne!(hash(&bytes, Seed(seed)) as u32, hash(&other, Seed(seed)) as u32);
        }
    }

    #[test]
    fn lines_that_differ_little_are_spread_over_the_slots() {
        for seed in 0..8 {
            let slots: std::collections::HashSet<u64> =
                (0..4096).map(|n| hash(format!("    line {n};\n").as_bytes(), Seed(seed)) & 4095).collect();
            // Of random ones 1 - 1/e, which is 2589.
            assert!((2400..2800).contains(&slots.len()), "{} of 4096 with {seed}", slots.len());
        }
    }

    #[test]
    fn lengths_and_seeds_matter() {
        assert_ne!(hash(b"\0", Seed(0)), hash(b"\0\0", Seed(0)));
        assert_ne!(hash(b"\0\0\0\0\0\0\0\0", Seed(0)), hash(b"", Seed(0)));
        assert_ne!(hash(b"a line", Seed(0)), hash(b"a line", Seed(1)));
    }
}
