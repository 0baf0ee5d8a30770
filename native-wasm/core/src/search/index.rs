use super::blocks;
use super::document::{self, Document};
use super::ordinary::is_ordinary;
use super::postings::Postings;
use super::rules::{Rules, Skip};
use crate::{Limit, block};
use core::ops::Range;
use std::collections::BTreeMap;

/// The files of a repository with their contents, and where their trigrams are.
///
/// A file is known by its path, a sequence of bytes. The numbers of documents hold until the index changes.
#[derive(Clone, Debug)]
pub struct Index {
    rules: Rules,
    block_bytes: usize,
    files: BTreeMap<Box<[u8]>, File>,
    documents: Vec<Option<Document>>,
    pub(super) blocks: Vec<Block>,
    pub(super) postings: Postings,
    /// Blocks of documents that are no more.
    dead: u32,
    /// Definitions in all documents.
    definitions: u64,
}

#[derive(Clone, Copy, Debug)]
enum File {
    Indexed(u32),
    Skipped(Skip),
}

/// Some lines of a document. They end where the next block of the document begins.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub doc: u32,
    pub start: u32,
    /// The number of its first line, from 1.
    pub line: u32,
}

/// What is in an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Files that are searched.
    pub documents: u32,
    /// Their contents, in bytes.
    pub bytes: u64,
    /// Definitions in them.
    pub definitions: u64,
    /// Files skipped as binary.
    pub binary: u32,
    /// Files skipped as too large.
    pub too_large: u32,
    /// Files skipped as minified.
    pub minified: u32,
    /// Files skipped because whoever filled the index said so.
    pub ignored: u32,
    /// What the lists of trigrams take, in bytes.
    pub list_bytes: u64,
}

/// Fewer dead blocks are no burden.
const MIN_DEAD: u32 = 64;

impl Index {
    /// An empty index. It takes 6 MiB.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for it.
    pub fn new(rules: Rules) -> Result<Self, Limit> {
        Self::with_blocks(rules, blocks::BLOCK_BYTES)
    }

    /// Blocks of another size, which nobody can tell by the answers.
    pub(super) fn with_blocks(rules: Rules, block_bytes: usize) -> Result<Self, Limit> {
        Ok(Self {
            rules,
            block_bytes,
            files: BTreeMap::new(),
            documents: Vec::new(),
            blocks: Vec::new(),
            postings: Postings::new()?,
            dead: 0,
            definitions: 0,
        })
    }

    /// Takes a file in, in place of what was known by its path. Says why it is skipped, if it is. What it defines is known from then on, if its
    /// language is (see [`Language::of_path`](crate::lex::Language::of_path)).
    ///
    /// Whether the file is one that `.gitignore` names is not asked here: whoever lists files asks [`Ignore`](crate::ignore::Ignore), before
    /// their contents are read.
    ///
    /// # Errors
    /// [`Limit::Size`] when path or contents are larger than any operation takes, [`Limit::Memory`] when there is no room; then what was
    /// known by the path stays.
    pub fn put(&mut self, path: &[u8], contents: &[u8]) -> Result<Option<Skip>, Limit> {
        Limit::check_size(path)?;
        Limit::check_size(contents)?;
        if let Some(reason) = self.rules.skip(contents) {
            self.skip(path, reason)?;
            return Ok(Some(reason));
        }
        let key = copy(path)?;
        let path = copy(path)?;
        let contents = copy(contents)?;
        let definitions = document::definitions(&path, &contents)?;
        let doc = self.documents.len() as u32;
        self.documents.try_reserve(1).map_err(|_| Limit::Memory { bytes: size_of::<Document>() as u64 })?;
        let first_block = self.blocks.len() as u32;
        let added = self.add_blocks(doc, &contents);
        let end_block = self.blocks.len() as u32;
        if let Err(limit) = added {
            self.documents.push(None);
            self.dead += end_block - first_block;
            return Err(limit);
        }
        let ordinary = is_ordinary(&path, &contents);
        self.definitions += definitions.len() as u64;
        let document = Document { path, contents, definitions, ordinary, first_block, end_block };
        self.documents.push(Some(document));
        let before = self.files.insert(key, File::Indexed(doc));
        self.bury(before);
        Ok(None)
    }

    /// Takes note of a file that is not to be searched, in place of what was known by its path.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for the path.
    pub fn skip(&mut self, path: &[u8], reason: Skip) -> Result<(), Limit> {
        let before = self.files.insert(copy(path)?, File::Skipped(reason));
        self.bury(before);
        Ok(())
    }

    /// Forgets a file, and says whether it was known.
    pub fn remove(&mut self, path: &[u8]) -> bool {
        let before = self.files.remove(path);
        self.bury(before);
        before.is_some()
    }

    /// The number of the document with a path, if it is in the index.
    pub fn find(&self, path: &[u8]) -> Option<u32> {
        match self.files.get(path)? {
            File::Indexed(doc) => Some(*doc),
            File::Skipped(_) => None,
        }
    }

    /// A document by its number.
    pub fn document(&self, doc: u32) -> Option<&Document> {
        self.documents.get(doc as usize)?.as_ref()
    }

    /// All files by ascending path: the number of the document, or why there is none.
    pub fn files(&self) -> impl Iterator<Item = (&[u8], Result<u32, Skip>)> {
        self.files.iter().map(|(path, file)| match file {
            File::Indexed(doc) => (&**path, Ok(*doc)),
            File::Skipped(reason) => (&**path, Err(*reason)),
        })
    }

    /// Counts what is in it.
    pub fn statistics(&self) -> Statistics {
        let mut statistics =
            Statistics { definitions: self.definitions, list_bytes: self.postings.bytes(), ..Statistics::default() };
        for document in self.documents.iter().flatten() {
            statistics.documents += 1;
            statistics.bytes += document.contents.len() as u64;
        }
        for file in self.files.values() {
            match file {
                File::Indexed(_) => {}
                File::Skipped(Skip::Binary) => statistics.binary += 1,
                File::Skipped(Skip::TooLarge) => statistics.too_large += 1,
                File::Skipped(Skip::Minified) => statistics.minified += 1,
                File::Skipped(Skip::Ignored) => statistics.ignored += 1,
            }
        }
        statistics
    }

    /// The lines of a block as a range of its document's contents.
    pub(super) fn block_range(&self, block: u32, document: &Document) -> Range<usize> {
        let start = self.blocks.get(block as usize).map_or(0, |block| block.start as usize);
        let next = if block + 1 < document.end_block { self.blocks.get(block as usize + 1) } else { None };
        start..next.map_or(document.contents.len(), |next| next.start as usize)
    }

    /// The numbers of documents are below this.
    pub(super) const fn numbers(&self) -> usize {
        self.documents.len()
    }

    /// All documents by ascending path, by their numbers.
    pub(super) fn by_path(&self) -> impl Iterator<Item = u32> {
        self.files.values().filter_map(|file| match file {
            File::Indexed(doc) => Some(*doc),
            File::Skipped(_) => None,
        })
    }

    fn add_blocks(&mut self, doc: u32, contents: &[u8]) -> Result<(), Limit> {
        let mut line = 1;
        for range in blocks::cut(contents, self.block_bytes) {
            let start = range.start as u32;
            let lines = contents.get(range).unwrap_or_default();
            self.blocks.try_reserve(1).map_err(|_| Limit::Memory { bytes: size_of::<Block>() as u64 })?;
            self.postings.add(lines)?;
            self.blocks.push(Block { doc, start, line });
            line += block::count(lines, b'\n') as u32;
        }
        Ok(())
    }

    /// Drops the contents of what a path meant before. Its blocks stay until they are too many.
    fn bury(&mut self, file: Option<File>) {
        let Some(File::Indexed(doc)) = file else { return };
        let Some(document) = self.documents.get_mut(doc as usize).and_then(Option::take) else { return };
        self.definitions -= document.definitions.len() as u64;
        self.dead += document.end_block - document.first_block;
        let dead_documents = self.documents.len() - self.files.len().min(self.documents.len());
        if self.dead >= MIN_DEAD && self.dead as usize > self.blocks.len() / 4
            || dead_documents > self.files.len() + 1024
        {
            // Without the memory for it, the index goes on as it is.
            _ = self.compact();
        }
    }

    /// Renumbers documents and blocks without the dead ones.
    fn compact(&mut self) -> Result<(), Limit> {
        let mut blocks: Vec<Block> = Limit::reserve(self.blocks.len())?;
        let mut numbers: Vec<Option<u32>> = Limit::reserve(self.blocks.len())?;
        let mut docs: Vec<u32> = Limit::reserve(self.documents.len())?;
        let mut alive = 0;
        for document in &self.documents {
            docs.push(alive);
            alive += u32::from(document.is_some());
        }
        for block in &self.blocks {
            let lives = self.documents.get(block.doc as usize).is_some_and(Option::is_some);
            numbers.push(lives.then_some(blocks.len() as u32));
            if lives {
                blocks.push(Block { doc: docs.get(block.doc as usize).copied().unwrap_or_default(), ..*block });
            }
        }
        self.postings =
            self.postings.renumbered(blocks.len() as u32, |block| numbers.get(block as usize).copied().flatten())?;
        self.documents.retain(Option::is_some);
        for document in self.documents.iter_mut().flatten() {
            let len = document.end_block - document.first_block;
            document.first_block = numbers.get(document.first_block as usize).copied().flatten().unwrap_or_default();
            document.end_block = document.first_block + len;
        }
        for file in self.files.values_mut() {
            if let File::Indexed(doc) = file {
                *doc = docs.get(*doc as usize).copied().unwrap_or_default();
            }
        }
        self.blocks = blocks;
        self.dead = 0;
        Ok(())
    }
}

fn copy(bytes: &[u8]) -> Result<Box<[u8]>, Limit> {
    let mut copy = Limit::reserve(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy.into_boxed_slice())
}
