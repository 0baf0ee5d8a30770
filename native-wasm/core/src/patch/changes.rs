use super::{TreeFile, Written};
use crate::Limit;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The contents and the mode of a file.
#[derive(Clone)]
pub(super) struct Entry<'a> {
    pub mode: u32,
    pub bytes: Cow<'a, [u8]>,
}

/// A set of files, and what a patch has made of it so far.
pub(super) struct Changes<'a> {
    given: BTreeMap<&'a [u8], Entry<'a>>,
    /// What messages before have written; `None` for what they deleted.
    done: BTreeMap<Vec<u8>, Option<Entry<'a>>>,
    /// The same for the current message.
    current: BTreeMap<Vec<u8>, Option<Entry<'a>>>,
    /// The paths that the current message will leave.
    leaving: BTreeSet<Vec<u8>>,
}

impl<'a> Changes<'a> {
    pub fn new(files: &[TreeFile<'a>]) -> Self {
        let entry = |file: &TreeFile<'a>| (file.path, Entry { mode: file.mode, bytes: Cow::Borrowed(file.bytes) });
        Self {
            given: files.iter().map(entry).collect(),
            done: BTreeMap::new(),
            current: BTreeMap::new(),
            leaving: BTreeSet::new(),
        }
    }

    /// Begins the message, also anew. Some paths will be free in the end, possibly only after others have moved there.
    pub fn begin<'s>(&mut self, leaving: impl Iterator<Item = &'s [u8]>) {
        self.current.clear();
        self.leaving = leaving.map(<[u8]>::to_vec).collect();
    }

    /// The message is complete.
    pub fn end(&mut self) {
        self.done.append(&mut self.current);
        self.leaving.clear();
    }

    /// A file as it was before the message.
    pub fn before(&self, path: &[u8]) -> Option<&Entry<'a>> {
        match self.done.get(path) {
            Some(entry) => entry.as_ref(),
            None => self.given.get(path),
        }
    }

    /// A file as it is now.
    pub fn now(&self, path: &[u8]) -> Option<&Entry<'a>> {
        match self.current.get(path) {
            Some(entry) => entry.as_ref(),
            None => self.before(path),
        }
    }

    /// Whether there is no file, or will be none.
    pub fn is_free(&self, path: &[u8]) -> bool {
        match self.current.get(path) {
            Some(entry) => entry.is_none(),
            None => self.leaving.contains(path) || self.before(path).is_none(),
        }
    }

    pub fn write(&mut self, path: &[u8], entry: Entry<'a>) {
        self.current.insert(path.to_vec(), Some(entry));
    }

    /// Whether the message has written where a file is that was to leave.
    pub fn is_lost(&self, path: &[u8]) -> bool {
        self.leaving.contains(path) && matches!(self.current.get(path), Some(Some(_)))
    }

    pub fn delete(&mut self, path: &[u8]) {
        self.current.insert(path.to_vec(), None);
    }

    /// A file has moved away, but what has come to its place since stays.
    pub fn leave(&mut self, path: &[u8]) {
        self.current.entry(path.to_vec()).or_insert(None);
    }

    /// A file has not moved away after all.
    pub fn stay(&mut self, path: &[u8]) {
        if let Some(None) = self.current.get(path) {
            self.current.remove(path);
        }
    }

    /// What is to be written and deleted.
    pub fn finish(self) -> Result<(Vec<Written>, Vec<Vec<u8>>), Limit> {
        let (mut written, mut deleted) = (Vec::new(), Vec::new());
        for (path, entry) in self.done {
            let given = self.given.get(&path[..]);
            match entry {
                Some(Entry { mode, bytes }) if given.is_none_or(|given| given.mode != mode || given.bytes != bytes) => {
                    super::push(&mut written, Written { path, mode, bytes: bytes.into_owned() })?;
                }
                None if given.is_some() => super::push(&mut deleted, path)?,
                _ => {}
            }
        }
        Ok((written, deleted))
    }
}
