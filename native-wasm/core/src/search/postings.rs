//! Lists of block numbers, one a bucket, each growing at its end. The last blocks are kept as bits until they go to the lists together: a list
//! is touched once for all of them, which is what fills it fast.

use super::trigrams::{self, BUCKETS};
use crate::Limit;

/// Bytes of a chunk: one or two lists share a cache line.
const CHUNK: usize = 32;
/// Behind the numbers, a chunk holds the place of the next.
const PAYLOAD: usize = CHUNK - 4;
/// Chunks are numbered so that a place in them fits 32 bits.
const MAX_CHUNKS: usize = (u32::MAX as usize) / CHUNK;

/// So many blocks go to the lists together: as many as a mask has bits.
const BATCH: u32 = u64::BITS;
/// A batch adds fewer chunks to a list: its first number takes five bytes at most, each other one byte.
const BATCH_CHUNKS: usize = (BATCH as usize + 4) / PAYLOAD + 2;

/// A list: differences of ascending numbers as varints, in a chain of chunks.
#[derive(Clone, Copy, Debug, Default)]
struct List {
    first: u32,
    /// Where the next byte goes: chunk times [`CHUNK`] plus offset.
    end: u32,
    /// The last number plus one, so that 0 is before all.
    last: u32,
    len: u32,
}

/// The lists of all buckets.
#[derive(Clone, Debug)]
pub struct Postings {
    lists: Box<[List; BUCKETS]>,
    chunks: Vec<[u8; CHUNK]>,
    /// For each bucket, which of the recent blocks hold it: bit n stands for the block `first_recent` + n.
    recent: Box<[u64; BUCKETS]>,
    /// The first block that is not in the lists yet.
    first_recent: u32,
    /// How many of them there are.
    recent_len: u32,
}

impl Postings {
    /// Empty lists.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for their heads.
    pub fn new() -> Result<Self, Limit> {
        let (lists, recent) = (one_a_bucket()?, one_a_bucket()?);
        Ok(Self { lists, chunks: Vec::new(), recent, first_recent: 0, recent_len: 0 })
    }

    /// Takes a block in by its text. Blocks are numbered from 0 on in the order in which they come.
    ///
    /// # Errors
    /// [`Limit::Memory`], [`Limit::Size`] when there is no room; then there is no such block.
    pub fn add(&mut self, text: &[u8]) -> Result<(), Limit> {
        if self.recent_len == BATCH {
            self.flush()?;
        }
        let bit = 1 << (self.recent_len % BATCH);
        for bucket in trigrams::of_text(text) {
            self.recent[bucket as usize & (BUCKETS - 1)] |= bit;
        }
        self.recent_len += 1;
        Ok(())
    }

    /// Moves the recent blocks to the lists. After an error it can be done again: a bucket has been moved or has not.
    fn flush(&mut self) -> Result<(), Limit> {
        for bucket in 0..BUCKETS as u32 {
            let mut mask = self.recent[bucket as usize & (BUCKETS - 1)];
            if mask == 0 {
                continue;
            }
            self.reserve(BATCH_CHUNKS)?;
            while mask != 0 {
                self.push(bucket, self.first_recent + mask.trailing_zeros());
                mask &= mask - 1;
            }
            self.recent[bucket as usize & (BUCKETS - 1)] = 0;
        }
        self.first_recent += self.recent_len;
        self.recent_len = 0;
        Ok(())
    }

    /// Makes room for so many chunks, so that [`Self::push`] cannot fail half-way.
    fn reserve(&mut self, chunks: usize) -> Result<(), Limit> {
        let bytes = (chunks * CHUNK) as u64;
        if self.chunks.len() + chunks > MAX_CHUNKS {
            return Err(Limit::Size { actual: u64::from(u32::MAX) + bytes, max: u64::from(u32::MAX) });
        }
        self.chunks.try_reserve(chunks).map_err(|_| Limit::Memory { bytes })
    }

    /// Appends a block to a list. Blocks come in ascending order, each once.
    fn push(&mut self, bucket: u32, block: u32) {
        let list = &mut self.lists[bucket as usize & (BUCKETS - 1)];
        let mut delta = block + 1 - list.last;
        list.last = block + 1;
        if list.len == 0 {
            list.first = self.chunks.len() as u32;
            list.end = list.first * CHUNK as u32;
            self.chunks.push([0; CHUNK]);
        }
        list.len += 1;
        loop {
            if list.end as usize % CHUNK == PAYLOAD {
                let next = self.chunks.len() as u32;
                if let Some(chunk) = self.chunks.get_mut(list.end as usize / CHUNK) {
                    chunk[PAYLOAD..].copy_from_slice(&next.to_le_bytes());
                }
                list.end = next * CHUNK as u32;
                self.chunks.push([0; CHUNK]);
            }
            let more = delta >= 0x80;
            if let Some(chunk) = self.chunks.get_mut(list.end as usize / CHUNK) {
                chunk[list.end as usize % CHUNK] = (delta as u8 & 0x7f) | u8::from(more) << 7;
            }
            list.end += 1;
            delta >>= 7;
            if !more {
                return;
            }
        }
    }

    /// How many blocks are in a list.
    pub fn len(&self, bucket: u32) -> u32 {
        let at = bucket as usize & (BUCKETS - 1);
        self.lists[at].len + self.recent[at].count_ones()
    }

    /// The blocks of a list, ascending.
    pub fn iter(&self, bucket: u32) -> Blocks<'_> {
        let at = bucket as usize & (BUCKETS - 1);
        let list = self.lists[at];
        Blocks {
            chunks: &self.chunks,
            at: list.first as usize * CHUNK,
            left: list.len,
            last: 0,
            recent: self.recent[at],
            first_recent: self.first_recent,
        }
    }

    /// The lists with other numbers for their blocks, which are `blocks` now; those for which `number` has none are left out. Order must be
    /// kept.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for both.
    pub fn renumbered(&self, blocks: u32, number: impl Fn(u32) -> Option<u32>) -> Result<Self, Limit> {
        let mut postings = Self { first_recent: blocks, ..Self::new()? };
        for (bucket, _) in (0..)
            .zip(self.lists.iter().zip(self.recent.iter()))
            .filter(|(_, (list, recent))| list.len > 0 || **recent != 0)
        {
            for block in self.iter(bucket) {
                if let Some(block) = number(block) {
                    postings.reserve(2)?;
                    postings.push(bucket, block);
                }
            }
        }
        Ok(postings)
    }

    /// What they take in memory.
    pub fn bytes(&self) -> u64 {
        (BUCKETS * (size_of::<List>() + size_of::<u64>())) as u64 + (self.chunks.len() * CHUNK) as u64
    }
}

fn one_a_bucket<T: Clone + Default>() -> Result<Box<[T; BUCKETS]>, Limit> {
    let mut items = Limit::reserve(BUCKETS)?;
    items.resize(BUCKETS, T::default());
    items.into_boxed_slice().try_into().map_err(|_| Limit::Memory { bytes: (BUCKETS * size_of::<T>()) as u64 })
}

/// The blocks of a list, ascending.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    chunks: &'a [[u8; CHUNK]],
    at: usize,
    left: u32,
    last: u32,
    recent: u64,
    first_recent: u32,
}

impl Iterator for Blocks<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let Some(left) = self.left.checked_sub(1) else {
            let bit = self.recent.checked_sub(1).map(|_| self.recent.trailing_zeros())?;
            self.recent &= self.recent - 1;
            return Some(self.first_recent + bit);
        };
        self.left = left;
        let mut delta = 0_u32;
        let mut shift = 0_u32;
        loop {
            let mut chunk = self.chunks.get(self.at / CHUNK)?;
            if self.at % CHUNK == PAYLOAD {
                let next = chunk.last_chunk().copied().map_or(0, u32::from_le_bytes);
                self.at = next as usize * CHUNK;
                chunk = self.chunks.get(next as usize)?;
            }
            let byte = chunk[self.at % CHUNK];
            self.at += 1;
            delta |= u32::from(byte & 0x7f) << (shift & 31);
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        self.last = self.last.wrapping_add(delta);
        Some(self.last.wrapping_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    type Buckets = BTreeMap<u32, Vec<u32>>;

    fn assert_holds(postings: &Postings, expected: &Buckets) -> Result<(), TestCaseError> {
        for (bucket, blocks) in expected {
            prop_assert_eq!(postings.len(*bucket) as usize, blocks.len());
            prop_assert_eq!(&postings.iter(*bucket).collect::<Vec<_>>(), blocks);
        }
        Ok(())
    }

    proptest! {
        // Each case goes through all buckets some times.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn come_back_as_added(texts in proptest::collection::vec("[ab]{0,5}", 0..300), kept in 1_u32..4) {
            let mut postings = Postings::new().unwrap();
            let mut expected = Buckets::new();
            for (block, text) in (0..).zip(&texts) {
                postings.add(text.as_bytes()).unwrap();
                for bucket in trigrams::of_text(text.as_bytes()).collect::<BTreeSet<_>>() {
                    expected.entry(bucket).or_default().push(block);
                }
            }
            assert_holds(&postings, &expected)?;
            // Every second block or so is kept, and others follow.
            let len = texts.len() as u32;
            let rank = |block: u32| block.is_multiple_of(kept).then_some(block / kept);
            let mut fewer = postings.renumbered(len.div_ceil(kept), rank).unwrap();
            for blocks in expected.values_mut() {
                *blocks = blocks.iter().filter_map(|block| rank(*block)).collect();
            }
            assert_holds(&fewer, &expected)?;
            fewer.add(b"aaa").unwrap();
            expected.entry(trigrams::of_text(b"aaa").next().unwrap()).or_default().push(len.div_ceil(kept));
            assert_holds(&fewer, &expected)?;
        }

        #[test]
        fn lists_hold_any_numbers(blocks in proptest::collection::btree_set(prop_oneof![0_u32..300, any::<u32>().prop_map(|n| n >> 1)], 0..120)) {
            let mut postings = Postings::new().unwrap();
            for block in &blocks {
                postings.reserve(2).unwrap();
                postings.push(7, *block);
            }
            assert_holds(&postings, &Buckets::from([(7, blocks.into_iter().collect())]))?;
        }
    }
}
