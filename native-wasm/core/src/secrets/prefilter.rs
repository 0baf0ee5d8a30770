//! Finding many keywords at once. A table of the first three bytes of all keywords says no for nearly all places, with loads that do not wait for
//! each other as those of an automaton do.

use crate::sort;
use core::cmp::Ordering;

/// A keyword and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Keyword {
    pub(super) text: Box<[u8]>,
    pub(super) target: u32,
}

impl Keyword {
    fn beginning(&self) -> Option<[u8; MIN_KEYWORD]> {
        self.text.first_chunk().copied()
    }
}

/// The shortest keyword.
pub(super) const MIN_KEYWORD: usize = 3;
/// The longest keyword.
pub(super) const MAX_KEYWORD: usize = 48;

pub(super) struct Prefilter {
    /// A bit for each hash of a beginning.
    bits: Box<[u64; 1024]>,
    /// Where in `keywords` those of a beginning are, plus one, at its hash or the next free place behind it; 0 is free. A power of two, mostly free.
    slots: Vec<u32>,
    /// In order of their text.
    keywords: Vec<Keyword>,
    longest: usize,
}

impl Prefilter {
    pub(super) fn new(mut keywords: Vec<Keyword>) -> Self {
        sort::unstable(&mut keywords);
        let beginnings = || keywords.chunk_by(|a, b| a.beginning() == b.beginning());
        let mut bits = Box::new([0u64; 1024]);
        let mut slots = vec![0; (beginnings().count() * 8).next_power_of_two()];
        let mut number = 1;
        for group in beginnings() {
            if let Some(first) = group.first().and_then(Keyword::beginning) {
                let hash = hash(first);
                bits[usize::from(hash >> 6)] |= 1 << (hash & 63);
                let mask = slots.len() - 1;
                let mut at = usize::from(hash);
                while slots.get(at & mask).is_some_and(|slot| *slot != 0) {
                    at += 1;
                }
                if let Some(slot) = slots.get_mut(at & mask) {
                    *slot = number;
                }
            }
            number += group.len() as u32;
        }
        let longest = keywords.iter().map(|keyword| keyword.text.len()).max().unwrap_or(0);
        Self { bits, slots, keywords, longest }
    }

    /// The length of the longest keyword.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    /// The next place from `from` on at which a keyword may begin.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let found = rest.array_windows::<MIN_KEYWORD>().position(|first| self.has(*first));
        found.map(|at| from + at)
    }

    /// Whether keywords may have this beginning.
    fn has(&self, first: [u8; MIN_KEYWORD]) -> bool {
        let hash = hash(first);
        self.bits[usize::from(hash >> 6)] >> (hash & 63) & 1 == 1
    }

    /// The keywords at the start of `bytes`.
    pub(super) fn at<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'a Keyword> {
        let group = bytes.first_chunk().and_then(|first| self.group(*first)).unwrap_or_default();
        let same = group.iter().take_while(|keyword| keyword.text.first_chunk::<MIN_KEYWORD>() == bytes.first_chunk());
        same.filter(|keyword| bytes.starts_with(&keyword.text))
    }

    /// The keywords from the first with this beginning on.
    fn group(&self, first: [u8; MIN_KEYWORD]) -> Option<&[Keyword]> {
        let mut at = usize::from(hash(first));
        loop {
            let number = *self.slots.get(at & (self.slots.len() - 1))? as usize;
            let group = self.keywords.get(number.checked_sub(1)?..)?;
            if group.first().and_then(Keyword::beginning) == Some(first) {
                return Some(group);
            }
            at += 1;
        }
    }

    /// The keywords that begin with `start`.
    pub(super) fn beginning_with(&self, start: &[u8]) -> &[Keyword] {
        if start.first_chunk().is_some_and(|first| !self.has(*first)) {
            return &[];
        }
        let order = |keyword: &Keyword| keyword.text.get(..start.len()).unwrap_or(&keyword.text).cmp(start);
        let first = self.keywords.partition_point(|keyword| order(keyword) == Ordering::Less);
        let rest = self.keywords.get(first..).unwrap_or_default();
        let len = rest.partition_point(|keyword| order(keyword) == Ordering::Equal);
        rest.get(..len).unwrap_or_default()
    }
}

const fn hash([a, b, c]: [u8; MIN_KEYWORD]) -> u16 {
    let bytes = u32::from_le_bytes([a, b, c, 0]);
    (bytes.wrapping_mul(0x9e37_79b1) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(texts in proptest::collection::vec("[abc]{3,6}", 1..12), text in "[abcd]{0,60}") {
            let keywords = texts.iter().zip(0..).map(|(text, target)| Keyword { text: text.as_bytes().into(), target }).collect();
            let prefilter = Prefilter::new(keywords);
            let mut found = Vec::new();
            let mut from = 0;
            while let Some(at) = prefilter.next(text.as_bytes(), from) {
                found.extend(prefilter.at(&text.as_bytes()[at..]).map(|keyword| (at, keyword.target)));
                from = at + 1;
            }
            found.sort_unstable();
            let mut expected = Vec::new();
            for at in 0..text.len() {
                for (keyword, target) in texts.iter().zip(0u32..) {
                    if text[at..].starts_with(keyword) {
                        expected.push((at, target));
                    }
                }
            }
            prop_assert_eq!(found, expected);
            for keyword in &texts {
                prop_assert!(!prefilter.beginning_with(&keyword.as_bytes()[..2]).is_empty());
            }
            prop_assert!(prefilter.beginning_with(b"d").is_empty());
        }
    }
}
