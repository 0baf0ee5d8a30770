use super::assertion::is_literal;
use super::source::Source;
use crate::hash::{Seed, hash};
use crate::lex::TokenKind;
use core::ops::Range;

/// Only so much of a piece of code is looked at: pieces are nested, and all of each would be quadratic.
const MAX_TOKENS: usize = 4096;

/// How many hashes stand for a piece of code.
const SIZE: usize = 192;

/// The smallest hashes of the words and literals of some code, in order.
pub(super) struct Sketch(Vec<u64>);

impl Sketch {
    pub(super) fn of(source: &Source<'_>, range: &Range<usize>) -> Self {
        let range = range.start..range.end.min(range.start + MAX_TOKENS).min(source.len());
        let words =
            range.filter(|at| source.kind(*at) != Some(TokenKind::Punct)).map(|at| hash(source.bare(at), source.seed));
        let mut hashes = sorted(words.collect());
        hashes.truncate(SIZE);
        Self(hashes)
    }

    /// The words of a name.
    pub(super) fn of_name(name: &[u8], seed: Seed) -> Self {
        let words = name.split(|byte| !byte.is_ascii_alphanumeric() && *byte < 0x80).filter(|word| !word.is_empty());
        let mut hashes = sorted(words.map(|word| hash(word, seed)).collect());
        hashes.truncate(SIZE);
        Self(hashes)
    }

    /// The share of what is in both among what is in either, in thousandths.
    pub(super) fn likeness(&self, other: &Self) -> u32 {
        let both = common(&self.0, &other.0);
        let all = self.0.len() + other.0.len() - both;
        (both * 1000).checked_div(all).unwrap_or(0) as u32
    }
}

/// The hashes of the literals in some code, in order.
pub(super) fn literals(source: &Source<'_>, range: &Range<usize>) -> Vec<u64> {
    let range = range.start..range.end.min(range.start + MAX_TOKENS).min(source.len());
    sorted(range.filter(|at| is_literal(source, *at)).map(|at| hash(source.bare(at), source.seed)).collect())
}

/// How many hashes are in both of two ordered lists.
pub(super) fn common(a: &[u64], b: &[u64]) -> usize {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        both += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    both
}

fn sorted(mut hashes: Vec<u64>) -> Vec<u64> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}
