//! The classes that the name of a path tells.

use super::class_table::TABLE;
use super::{Class, Classes};
use crate::glob::{self, Case, Glob, GlobError, Segment, Strictness};
use crate::sort;

/// The table of classes, ready to be asked. Most of its globs name a file, a folder or an ending, so they are looked up instead of matched one by one.
#[derive(Clone, Debug)]
pub(super) struct Classifier {
    /// `name`: files at the root.
    root_files: Names,
    /// `name/**`: folders at the root.
    root_folders: Names,
    /// `**/name`: files anywhere.
    files: Names,
    /// `**/name/**`: folders anywhere.
    folders: Names,
    /// `**/*ending`.
    endings: Vec<(Box<[u8]>, Class)>,
    /// `**/na*me`.
    segments: Vec<(Segment, Class)>,
    /// All others.
    globs: Vec<(Glob, Class)>,
}

impl Classifier {
    pub(super) fn new() -> Result<Self, GlobError> {
        let mut this = Self {
            root_files: Names::default(),
            root_folders: Names::default(),
            files: Names::default(),
            folders: Names::default(),
            endings: Vec::new(),
            segments: Vec::new(),
            globs: Vec::new(),
        };
        for (class, globs) in TABLE {
            for glob in globs.split_ascii_whitespace() {
                for pattern in glob::expand(glob.as_bytes())? {
                    this.insert(&pattern, *class)?;
                }
            }
        }
        [&mut this.root_files, &mut this.root_folders, &mut this.files, &mut this.folders]
            .into_iter()
            .for_each(Names::sort);
        Ok(this)
    }

    fn insert(&mut self, pattern: &[u8], class: Class) -> Result<(), GlobError> {
        let is_plain = |text: &&[u8]| !text.iter().any(|byte| b"*?[\\/".contains(byte));
        let anywhere = pattern.strip_prefix(b"**/");
        if is_plain(&pattern) {
            self.root_files.insert(pattern, class);
        } else if let Some(name) = pattern.strip_suffix(b"/**").filter(is_plain) {
            self.root_folders.insert(name, class);
        } else if let Some(name) = anywhere.filter(is_plain) {
            self.files.insert(name, class);
        } else if let Some(name) = anywhere.and_then(|rest| rest.strip_suffix(b"/**")).filter(is_plain) {
            self.folders.insert(name, class);
        } else if let Some(ending) = anywhere.and_then(|rest| rest.strip_prefix(b"*")).filter(is_plain) {
            self.endings.push((ending.into(), class));
        } else if let Some(name) = anywhere.filter(|rest| !rest.contains(&b'/')) {
            self.segments.push((Segment::parse(name, 0, Strictness::Strict, false)?.0, class));
        } else {
            self.globs.push((Glob::compile(pattern, Case::Sensitive)?, class));
        }
        Ok(())
    }

    /// The classes of a path in canonical form.
    pub(super) fn classes(&self, canonical: &[u8]) -> Classes {
        let mut classes = Classes::NONE;
        let mut name = canonical;
        if let Some(end) = memchr::memchr(b'/', canonical) {
            classes.insert_all(self.root_folders.look_up(canonical.get(..end).unwrap_or_default()));
        } else {
            classes.insert_all(self.root_files.look_up(canonical));
        }
        while let Some(end) = memchr::memchr(b'/', name) {
            let (folder, behind) = name.split_at(end);
            classes.insert_all(self.folders.look_up(folder));
            name = behind.get(1..).unwrap_or_default();
        }
        classes.insert_all(self.files.look_up(name));
        for (ending, class) in &self.endings {
            // Comparing a byte first is cheaper than comparing all.
            if ending.last() == name.last() && name.ends_with(ending) {
                classes.insert(*class);
            }
        }
        for (segment, class) in &self.segments {
            if !classes.contains(*class) && segment.matches(name) {
                classes.insert(*class);
            }
        }
        for (glob, class) in &self.globs {
            if !classes.contains(*class) && glob.is_match(canonical) {
                classes.insert(*class);
            }
        }
        classes
    }
}

/// Names with their classes, sorted, each once.
#[derive(Clone, Debug, Default)]
struct Names(Vec<(Box<[u8]>, Classes)>);

impl Names {
    fn insert(&mut self, name: &[u8], class: Class) {
        let mut classes = Classes::NONE;
        classes.insert(class);
        self.0.push((name.into(), classes));
    }

    fn sort(&mut self) {
        sort::unstable_by(&mut self.0, |one, other| one.0.cmp(&other.0));
        self.0.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1.insert_all(later.1);
            }
            same
        });
    }

    fn look_up(&self, name: &[u8]) -> Classes {
        let found = self.0.binary_search_by(|(other, _)| (**other).cmp(name)).ok();
        found.and_then(|at| self.0.get(at)).map_or(Classes::NONE, |(_, classes)| *classes)
    }
}

#[cfg(test)]
#[path = "classifier_tests.rs"]
mod tests;
