//! Trigrams: what a block of text is indexed by. Three neighbouring bytes, each by its class, of which there are 64: so a trigram is the
//! number of its bucket, without a hash table. What shares a class costs a candidate more at times, never a hit.

use crate::Limit;

/// Number of buckets.
pub const BUCKETS: usize = 1 << 18;
const WORDS: usize = BUCKETS / 64;

/// The class of each byte, below 64. Letters of both cases are one. Each digit and almost each sign has its own; white space and
/// control characters are one, and bytes outside ASCII are spread over all.
const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    /// Signs in one string are one class.
    const SIGNS: [&[u8]; 26] = [
        b"_", b"(", b")", b"{", b"}", b"[", b"]", b"<", b">", b".", b",", b";", b":", b"=", b"+", b"-", b"*", b"/",
        b"\\", b"\"", b"'`", b"&", b"|", b"!?", b"#@", b"$%^~",
    ];
    let mut classes = [0; 256];
    let mut byte = 0x80;
    while byte < 256 {
        classes[byte] = (byte % 63) as u8 + 1;
        byte += 1;
    }
    let mut nth = 0;
    while nth < 26 {
        classes[b'a' as usize + nth] = nth as u8 + 1;
        classes[b'A' as usize + nth] = nth as u8 + 1;
        let mut at = 0;
        while at < SIGNS[nth].len() {
            classes[SIGNS[nth][at] as usize] = nth as u8 + 37;
            at += 1;
        }
        nth += 1;
    }
    nth = 0;
    while nth < 10 {
        classes[b'0' as usize + nth] = nth as u8 + 27;
        nth += 1;
    }
    classes
}

/// The class of a byte.
pub fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}

/// The buckets of all trigrams of a string of classes; none when it is shorter than three.
pub fn buckets(classes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    classes.windows(3).map(|three| three.iter().fold(0, |bucket, class| bucket << 6 | u32::from(class & 63)))
}

/// Finds the different buckets of a text. Kept over texts, since it clears only what the last one set.
#[derive(Clone, Debug)]
pub struct Distinct {
    seen: Box<[u64; WORDS]>,
    found: Vec<u32>,
}

impl Distinct {
    /// With nothing seen.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for the bitmap.
    pub fn new() -> Result<Self, Limit> {
        let mut words = Limit::reserve(WORDS)?;
        words.resize(WORDS, 0);
        let seen = words.into_boxed_slice().try_into().map_err(|_| Limit::Memory { bytes: WORDS as u64 * 8 })?;
        Ok(Self { seen, found: Vec::new() })
    }

    /// The different buckets of the trigrams of a text, in the order of their first place.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for them.
    pub fn of(&mut self, text: &[u8]) -> Result<&[u32], Limit> {
        // One more than there can be, since what is no news is written too and overwritten by the next: a branch on news would be
        // foretold wrongly too often.
        let room = text.len().min(BUCKETS) + 1;
        if self.found.len() < room {
            self.found.try_reserve(room - self.found.len()).map_err(|_| Limit::Memory { bytes: room as u64 * 4 })?;
            self.found.resize(room, 0);
        }
        let [first, second, rest @ ..] = text else { return Ok(&[]) };
        let mut bucket = u32::from(CLASSES[*first as usize]) << 6 | u32::from(CLASSES[*second as usize]);
        let mut count = 0;
        for byte in rest {
            bucket = bucket << 6 | u32::from(CLASSES[*byte as usize]);
            // Masked so that no bound is to be checked.
            let word = &mut self.seen[(bucket >> 6) as usize & (WORDS - 1)];
            let before = *word;
            *word |= 1 << (bucket & 63);
            if let Some(slot) = self.found.get_mut(count) {
                *slot = bucket & (BUCKETS as u32 - 1);
            }
            count += usize::from(before >> (bucket & 63) & 1 == 0);
        }
        let found = self.found.get(..count).unwrap_or_default();
        for bucket in found {
            self.seen[(bucket >> 6) as usize & (WORDS - 1)] = 0;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn of_a_text_are_found_once(texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..4)) {
            let mut distinct = Distinct::new().unwrap();
            for text in &texts {
                let classes: Vec<u8> = text.iter().map(|byte| class(*byte)).collect();
                let found = distinct.of(text).unwrap();
                let set: BTreeSet<u32> = found.iter().copied().collect();
                prop_assert_eq!(set.len(), found.len());
                prop_assert_eq!(set, buckets(&classes).collect());
            }
        }
    }

    #[test]
    fn classes_are_few_and_know_no_case() {
        assert!((0..=255).all(|byte: u8| class(byte) < 64 && class(byte) == class(byte.to_ascii_lowercase())));
        let different: BTreeSet<u8> =
            b"abcdefghijklmnopqrstuvwxyz0123456789_(){}[]<>.,;:=+-*/\\\"&| ".iter().map(|byte| class(*byte)).collect();
        assert_eq!(different.len(), 26 + 10 + 23);
    }
}
