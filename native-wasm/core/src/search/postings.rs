//! Lists of block numbers, one a bucket, each growing at its end.

use super::trigrams::BUCKETS;
use crate::Limit;

/// Bytes of a chunk: one or two lists share a cache line.
const CHUNK: usize = 32;
/// Behind the numbers, a chunk holds the place of the next.
const PAYLOAD: usize = CHUNK - 4;
/// Chunks are numbered so that a place in them fits 32 bits.
const MAX_CHUNKS: usize = (u32::MAX as usize) / CHUNK;

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
}

impl Postings {
    /// Empty lists.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for their heads.
    pub fn new() -> Result<Self, Limit> {
        let bytes = (BUCKETS * size_of::<List>()) as u64;
        let mut lists = Limit::reserve(BUCKETS)?;
        lists.resize(BUCKETS, List::default());
        let lists = lists.into_boxed_slice().try_into().map_err(|_| Limit::Memory { bytes })?;
        Ok(Self { lists, chunks: Vec::new() })
    }

    /// Makes room for a block with so many buckets, so that [`Self::push`] cannot fail half-way.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room.
    pub fn reserve(&mut self, buckets: usize) -> Result<(), Limit> {
        let bytes = (buckets * CHUNK) as u64;
        if self.chunks.len() + buckets > MAX_CHUNKS {
            return Err(Limit::Size { actual: u64::from(u32::MAX) + bytes, max: u64::from(u32::MAX) });
        }
        self.chunks.try_reserve(buckets).map_err(|_| Limit::Memory { bytes })
    }

    /// Appends a block to a list. Blocks come in ascending order, each once.
    pub fn push(&mut self, bucket: u32, block: u32) {
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
        self.lists[bucket as usize & (BUCKETS - 1)].len
    }

    /// The blocks of a list, ascending.
    pub fn iter(&self, bucket: u32) -> Blocks<'_> {
        let list = self.lists[bucket as usize & (BUCKETS - 1)];
        Blocks { chunks: &self.chunks, at: list.first as usize * CHUNK, left: list.len, last: 0 }
    }

    /// The lists with other numbers for their blocks; those for which `number` has none are left out. Order must be kept.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for both.
    pub fn renumbered(&self, number: impl Fn(u32) -> Option<u32>) -> Result<Self, Limit> {
        let mut postings = Self::new()?;
        for (bucket, _) in (0..).zip(self.lists.iter()).filter(|(_, list)| list.len > 0) {
            for block in self.iter(bucket) {
                if let Some(block) = number(block) {
                    postings.reserve(1)?;
                    postings.push(bucket, block);
                }
            }
        }
        Ok(postings)
    }

    /// What they take in memory.
    pub fn bytes(&self) -> u64 {
        (BUCKETS * size_of::<List>()) as u64 + (self.chunks.len() * CHUNK) as u64
    }
}

/// The blocks of a list, ascending.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    chunks: &'a [[u8; CHUNK]],
    at: usize,
    left: u32,
    last: u32,
}

impl Iterator for Blocks<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
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

    proptest! {
        #[test]
        fn come_back_as_pushed(blocks in proptest::collection::btree_set(prop_oneof![0_u32..300, any::<u32>().prop_map(|n| n >> 1)], 0..120), buckets in proptest::collection::btree_set(0..BUCKETS as u32, 1..5)) {
            let mut postings = Postings::new().unwrap();
            let mut expected: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for block in &blocks {
                postings.reserve(buckets.len()).unwrap();
                for bucket in buckets.iter().filter(|bucket| (**bucket ^ block) % 3 != 0) {
                    postings.push(*bucket, *block);
                    expected.entry(*bucket).or_default().push(*block);
                }
            }
            for (bucket, blocks) in &expected {
                prop_assert_eq!(postings.len(*bucket) as usize, blocks.len());
                prop_assert_eq!(&postings.iter(*bucket).collect::<Vec<_>>(), blocks);
            }
            let kept: BTreeSet<u32> = blocks.iter().copied().filter(|block| block % 2 == 0).collect();
            let rank = |block: u32| kept.contains(&block).then(|| kept.range(..block).count() as u32);
            let fewer = postings.renumbered(rank).unwrap();
            for (bucket, blocks) in &expected {
                let blocks: Vec<u32> = blocks.iter().filter_map(|block| rank(*block)).collect();
                prop_assert_eq!(fewer.iter(*bucket).collect::<Vec<_>>(), blocks);
            }
        }
    }
}
