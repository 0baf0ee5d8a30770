use crate::Limit;
use core::ops::Range;

/// A Mersenne prime: hashes are numbers below it.
const PRIME: u64 = (1 << 61) - 1;

const BASE: u64 = 0x1b87_3593_5c2e_9f01 % PRIME;

/// Hashes of all ranges of a list, from those of its beginnings.
pub(super) struct Shapes {
    /// For each beginning its hash as a polynomial, and how many items count in it.
    sums: Vec<(u64, u32)>,
}

impl Shapes {
    pub(super) fn new(items: usize) -> Result<Self, Limit> {
        let mut sums = Limit::reserve(items + 1)?;
        sums.push((0, 0));
        Ok(Self { sums })
    }

    /// Adds an item by its hash, or one that does not count.
    pub(super) fn push(&mut self, hash: Option<u64>) {
        let (sum, count) = self.sums.last().copied().unwrap_or_default();
        self.sums.push(match hash {
            Some(hash) => (add(multiply(sum, BASE), hash % PRIME), count + 1),
            None => (sum, count),
        });
    }

    /// The hash of a range. Ranges with equal items that count have equal ones.
    pub(super) fn of(&self, range: Range<usize>) -> u64 {
        let at = |at: usize| self.sums.get(at).copied().unwrap_or_default();
        let ((before, from), (all, to)) = (at(range.start), at(range.end));
        let count = to.saturating_sub(from);
        let value = add(all, PRIME - multiply(before, power(count)));
        value ^ (u64::from(count) << 61)
    }
}

const fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

const fn multiply(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    add((product as u64) & PRIME, (product >> 61) as u64)
}

const fn power(mut exponent: u32) -> u64 {
    let (mut result, mut square) = (1, BASE);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_ranges_have_equal_hashes(items in proptest::collection::vec(proptest::option::of(0u64..3), 0..24)) {
            let mut shapes = Shapes::new(items.len()).unwrap();
            for item in &items {
                shapes.push(*item);
            }
            let counted = |range: Range<usize>| items[range].iter().flatten().copied().collect::<Vec<u64>>();
            for i in 0..=items.len() {
                for j in i..=items.len() {
                    for k in 0..=items.len() - (j - i) {
                        let (a, b) = (i..j, k..k + (j - i));
                        prop_assert_eq!(shapes.of(a.clone()) == shapes.of(b.clone()), counted(a) == counted(b));
                    }
                }
            }
        }
    }
}
