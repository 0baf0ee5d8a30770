//! The order of hits. It depends on nothing but contents and paths.

use super::document::Document;
use super::run::{Hit, Hits};
use super::words;
use crate::Limit;
use core::ops::Range;

/// How a hit compares with others: the smaller, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Definition,
    Word,
    Part,
}

impl Class {
    /// The class of a hit that is no definition.
    pub fn of(text: &[u8], hit: &Range<usize>) -> Self {
        if words::is_bounded(text, hit) { Self::Word } else { Self::Part }
    }
}

/// How a document compares with others among hits of one class: the smaller, the earlier. Ties are broken by path.
pub const fn key(document: &Document, is_path_hit: bool) -> u64 {
    ((!is_path_hit as u64) << 63) | ((!document.ordinary as u64) << 62) | document.path.len() as u64
}

/// The best hits, when those of [`Class::Definition`] come first, and then document by document in the order of [`key`] and in the order of the
/// text.
#[derive(Debug)]
pub struct Best {
    limit: usize,
    /// The best class of hits that may still come.
    top: Class,
    by_class: [Vec<Hit>; 3],
    more: bool,
}

impl Best {
    /// Room for so many.
    pub const fn new(limit: usize) -> Self {
        Self { limit, top: Class::Definition, by_class: [Vec::new(), Vec::new(), Vec::new()], more: false }
    }

    /// All definitions have come.
    pub const fn end_definitions(&mut self) {
        self.top = Class::Word;
    }

    /// Takes a hit in, and says whether another could still be among the best. `hit` is asked for only if it is needed.
    pub fn add(&mut self, class: Class, hit: impl FnOnce() -> Hit) -> Result<bool, Limit> {
        let full = self.is_full();
        let Some(hits) = self.by_class.get_mut(class as usize) else { return Ok(false) };
        if full || hits.len() >= self.limit {
            self.more = true;
            return Ok(!full);
        }
        hits.try_reserve(1).map_err(|_| Limit::Memory { bytes: size_of::<Hit>() as u64 })?;
        hits.push(hit());
        Ok(true)
    }

    /// Whether no other hit can be among the best, and there are some more.
    pub fn is_done(&self) -> bool {
        self.more && self.is_full()
    }

    fn is_full(&self) -> bool {
        self.by_class.iter().take(self.top as usize + 1).map(Vec::len).sum::<usize>() >= self.limit
    }

    pub fn into_hits(self) -> Hits {
        let [mut hits, words, parts] = self.by_class;
        hits.extend(words);
        hits.extend(parts);
        let more = self.more || hits.len() > self.limit;
        hits.truncate(self.limit);
        Hits { hits, more }
    }
}
