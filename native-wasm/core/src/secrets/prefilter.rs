//! Finding many keywords at once. A table of the first three bytes of all keywords says no for nearly all places, with loads that do not wait for
//! each other as those of an automaton do.

use core::cmp::Ordering;

/// A keyword and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Keyword {
    pub(super) text: Box<[u8]>,
    pub(super) target: u32,
}

/// The shortest keyword.
pub(super) const MIN_KEYWORD: usize = 3;
/// The longest keyword.
pub(super) const MAX_KEYWORD: usize = 48;

pub(super) struct Prefilter {
    /// A bit for each hash of a beginning.
    bits: Box<[u64; 1024]>,
    /// In order of their text.
    keywords: Vec<Keyword>,
    longest: usize,
}

impl Prefilter {
    pub(super) fn new(mut keywords: Vec<Keyword>) -> Self {
        keywords.sort_unstable();
        let mut bits = Box::new([0u64; 1024]);
        for keyword in &keywords {
            if let Some(first) = keyword.text.first_chunk() {
                let hash = hash(*first);
                bits[usize::from(hash >> 6)] |= 1 << (hash & 63);
            }
        }
        let longest = keywords.iter().map(|keyword| keyword.text.len()).max().unwrap_or(0);
        Self { bits, keywords, longest }
    }

    /// The length of the longest keyword.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    /// The next place from `from` on at which a keyword may begin.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let found = rest.array_windows::<MIN_KEYWORD>().position(|first| {
            let hash = hash(*first);
            self.bits[usize::from(hash >> 6)] >> (hash & 63) & 1 == 1
        });
        found.map(|at| from + at)
    }

    /// The keywords at the start of `bytes`.
    pub(super) fn at<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = &'a Keyword> {
        let first = bytes.get(..MIN_KEYWORD).unwrap_or(bytes);
        self.beginning_with(first).iter().filter(|keyword| bytes.starts_with(&keyword.text))
    }

    /// The keywords that begin with `start`.
    pub(super) fn beginning_with(&self, start: &[u8]) -> &[Keyword] {
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
