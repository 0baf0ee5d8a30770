use super::run::Hit;

/// A file in the index.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) path: Box<[u8]>,
    pub(super) contents: Box<[u8]>,
    /// By ascending start.
    pub(super) definitions: Vec<Definition>,
    /// Neither test, nor vendored, nor generated.
    pub(super) ordinary: bool,
    /// Its first block.
    pub(super) first_block: u32,
    /// The one behind its last.
    pub(super) end_block: u32,
}

/// Something that a file defines: a function, a type, a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Line of the name, from 1.
    pub line: u32,
    /// What it is, numbered by whoever finds definitions.
    pub kind: u8,
    /// Where the name begins, in bytes.
    pub start: u32,
    /// Where the name ends.
    pub end: u32,
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

    /// What it defines, in the order of the text.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
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
        let line_start = |at: usize| {
            let head = self.contents.get(..at).unwrap_or(&self.contents);
            memchr::memrchr(b'\n', head).map_or(0, |end| end + 1)
        };
        let line_end = |at: usize| {
            let tail = self.contents.get(at..).unwrap_or_default();
            memchr::memchr(b'\n', tail).map_or(self.contents.len(), |end| at + end + 1)
        };
        let mut line = hit.line;
        let mut start = line_start(hit.start as usize);
        for _ in 0..before {
            // The byte before the start is the line end of the line before.
            let Some(end) = start.checked_sub(1) else { break };
            start = line_start(end);
            line = line.saturating_sub(1);
        }
        let mut end = line_end(hit.end as usize);
        for _ in 0..behind {
            if end >= self.contents.len() {
                break;
            }
            end = line_end(end);
        }
        Context { line, start: start as u32, end: end as u32 }
    }

    /// Whether a range is the name of something defined here.
    pub(super) fn defines(&self, start: u32, end: u32) -> bool {
        let at = self.definitions.partition_point(|definition| (definition.start, definition.end) < (start, end));
        self.definitions.get(at).is_some_and(|definition| (definition.start, definition.end) == (start, end))
    }
}
