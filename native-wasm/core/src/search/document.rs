use super::run::Hit;
use crate::lex::Language;
use crate::outline::{self, DefinitionKind, outline};
use crate::{Limit, hash, hash::Seed, sort};
use core::ops::Range;

/// A file in the index.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) path: Box<[u8]>,
    pub(super) contents: Box<[u8]>,
    /// By ascending start.
    pub(super) definitions: Box<[Definition]>,
    /// Neither test, nor vendored, nor generated.
    pub(super) ordinary: bool,
    /// Its first block.
    pub(super) first_block: u32,
    /// The one behind its last.
    pub(super) end_block: u32,
}

/// Something that a file defines, with its name as a hash: names are compared in the contents only where the hashes are equal.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    name_hash: u32,
    /// Where the name begins, in bytes.
    pub start: u32,
    pub line: u32,
    pub last_line: u32,
    name_len: u16,
    pub kind: DefinitionKind,
}

impl Definition {
    /// None when the name is too long to be one.
    fn new(found: &outline::Definition, contents: &[u8]) -> Option<Self> {
        let name = contents.get(found.name.start as usize..found.name.end as usize)?;
        Some(Self {
            name_hash: name_hash(name),
            start: found.name.start,
            line: found.line,
            last_line: found.last_line,
            name_len: u16::try_from(name.len()).ok()?,
            kind: found.kind,
        })
    }

    /// Where the name is.
    pub const fn name(&self) -> Range<usize> {
        self.start as usize..self.start as usize + self.name_len as usize
    }

    /// Whether the name can be one with such a hash and length. Nearly always it is then.
    pub fn may_have(&self, hash: u32, len: usize) -> bool {
        self.name_hash == hash && self.name().len() == len
    }
}

/// What a name is looked for by. Who writes the names gains nothing from equal hashes: those that have one are compared.
pub fn name_hash(name: &[u8]) -> u32 {
    hash::hash(name, Seed::default()) as u32
}

/// What a file defines, by ascending place; nothing when its language is not known.
pub fn definitions(path: &[u8], contents: &[u8]) -> Result<Box<[Definition]>, Limit> {
    let found = outline_of(path, contents)?;
    let mut definitions = Limit::reserve(found.len())?;
    definitions.extend(found.iter().filter_map(|found| Definition::new(found, contents)));
    sort::by_key(&mut definitions, |definition: &Definition| definition.start);
    Ok(definitions.into_boxed_slice())
}

fn outline_of(path: &[u8], contents: &[u8]) -> Result<Vec<outline::Definition>, Limit> {
    Language::of_path(path).map_or_else(|| Ok(Vec::new()), |language| outline(language, contents))
}

/// Whole lines around a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The first line, from 1.
    pub line: u32,
    /// Where it begins, in bytes.
    pub start: u32,
    /// Where the last line ends, its line end included.
    pub end: u32,
}

impl Document {
    /// Its path, as it was put.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Its contents, as they were put.
    pub fn contents(&self) -> &[u8] {
        &self.contents
    }

    /// What it defines, in the order of the text; nothing when its language is not known.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for it.
    pub fn outline(&self) -> Result<Vec<outline::Definition>, Limit> {
        outline_of(&self.path, &self.contents)
    }

    /// The line of a hit with up to so many lines before and behind.
    ///
    /// ```
    /// use millwright_core::Budget;
    /// use millwright_core::search::{Index, Matching, Query, Rules, everywhere};
    /// let mut index = Index::new(Rules::default())?;
    /// index.put(b"list", b"one\ntwo\nthree\nfour\n")?;
    /// let query = Query::literal(b"three", Matching::default())?;
    /// let hit = index.search(&query, &everywhere, 1, &mut Budget::default())?.hits[0];
    /// let document = index.document(hit.doc).unwrap();
    /// let context = document.context(&hit, 1, 9);
    /// assert_eq!(context.line, 2);
    /// assert_eq!(&document.contents()[context.start as usize..context.end as usize], b"two\nthree\nfour\n");
    /// # Ok::<(), millwright_core::search::SearchError>(())
    /// ```
    pub fn context(&self, hit: &Hit, before: u32, behind: u32) -> Context {
        let mut line = hit.line;
        let mut start = self.line_start(hit.start as usize);
        for _ in 0..before {
            // The byte before the start is the line end of the line before.
            let Some(end) = start.checked_sub(1) else { break };
            start = self.line_start(end);
            line = line.saturating_sub(1);
        }
        let mut end = self.line_end(hit.end as usize);
        for _ in 0..behind {
            if end >= self.contents.len() {
                break;
            }
            end = self.line_end(end);
        }
        Context { line, start: start as u32, end: end as u32 }
    }

    /// Where the line of an offset begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let head = self.contents.get(..at).unwrap_or(&self.contents);
        memchr::memrchr(b'\n', head).map_or(0, |end| end + 1)
    }

    /// Where the line of an offset ends, its line end included.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let tail = self.contents.get(at..).unwrap_or_default();
        memchr::memchr(b'\n', tail).map_or(self.contents.len(), |end| at + end + 1)
    }

    /// The definitions whose names begin in a range.
    pub(super) fn definitions_in(&self, range: &Range<usize>) -> &[Definition] {
        let before = |at: usize| self.definitions.partition_point(|definition| (definition.start as usize) < at);
        self.definitions.get(before(range.start)..before(range.end)).unwrap_or_default()
    }

    /// The definition whose name is in a range and nothing else is. An implementation defines another thing than its name says.
    pub(super) fn definition_of(&self, name: &Range<usize>) -> Option<&Definition> {
        let found = self.definitions_in(&(name.start..name.start + 1));
        found.iter().find(|found| found.name() == *name && found.kind != DefinitionKind::Implementation)
    }
}
