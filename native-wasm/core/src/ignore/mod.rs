//! The rules of `.gitignore` files, as git takes them.
//!
//! The last rule that matches decides; the files of deeper folders come before those above. What is inside an ignored folder is ignored whatever
//! other rules say. Whoever lists a folder asks about each entry, does not enter the ignored folders, and leaves out `.git`, which no rule
//! names. Differences from git: case always matters (git without `core.ignoreCase`), and which files are tracked is not known here.

use crate::sort;
mod cursor;
mod rule;

pub use cursor::Cursor;

use crate::{Budget, Limit};
use rule::Rule;

/// Bytes that are compared at once.
const BYTES_A_UNIT: u64 = 64;

/// The rule files of a repository.
///
/// ```
/// use millwright_core::{Budget, ignore::Ignore};
/// let ignore = Ignore::new(&[(b"", b"*.log\nbuild/\n"), (b"docs", b"!keep.log\n")])?;
/// let (mut cursor, mut budget) = (ignore.cursor(), Budget::default());
/// assert!(cursor.is_ignored(b"build/out.js", false, &mut budget)?);
/// assert!(cursor.is_ignored(b"docs/a.log", false, &mut budget)?);
/// assert!(!cursor.is_ignored(b"docs/keep.log", false, &mut budget)?);
///
/// let found = cursor.matched(b"docs/keep.log", false, &mut budget)?.unwrap();
/// assert_eq!((found.file, found.line, found.negated), (1, 1, true));
/// # Ok::<(), millwright_core::Limit>(())
/// ```
#[derive(Debug)]
pub struct Ignore {
    /// By folder, so that each is found by binary search.
    files: Vec<RuleFile>,
    /// The length of the longest folder, in bytes.
    longest: usize,
}

#[derive(Debug)]
struct RuleFile {
    folder: Vec<u8>,
    /// Its place among the files as they were given.
    number: u32,
    rules: Vec<Rule>,
}

/// The rule that decides on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Which rule file, in the order in which they were given.
    pub file: u32,
    /// Which line of it, from 1.
    pub line: u32,
    /// Whether the rule begins with `!`, so that the path is not ignored.
    pub negated: bool,
}

impl Ignore {
    /// Reads rule files: each with its folder (empty for the root, no slash at either end) and its contents. Lines that can never match are skipped
    /// as git skips them: a `.gitignore` has no errors. Of several files for a folder the later come first: so `core.excludesFile` and `.git/info/exclude`
    /// are given for the root, before its `.gitignore`.
    ///
    /// # Errors
    /// [`Limit::Size`] when a file is too large, [`Limit::Memory`] when there is no room for the rules.
    pub fn new(files: &[(&[u8], &[u8])]) -> Result<Self, Limit> {
        let mut read: Vec<RuleFile> = Limit::reserve(files.len())?;
        for (number, (folder, contents)) in files.iter().enumerate() {
            read.push(RuleFile { folder: folder.to_vec(), number: number as u32, rules: rule::parse(contents)? });
        }
        sort::by(&mut read, |one, other| one.folder.cmp(&other.folder));
        let longest = read.iter().map(|file| file.folder.len()).max().unwrap_or(0);
        Ok(Self { files: read, longest })
    }

    /// Looks paths up. Cheapest when paths of one folder follow each other, as in a listing by name.
    pub const fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Those of a folder, in the order in which they were given.
    fn files(&self, folder: &[u8], budget: &mut Budget) -> Result<&[RuleFile], Limit> {
        if folder.len() > self.longest {
            return Ok(&[]);
        }
        budget.spend(folder.len() as u64 / BYTES_A_UNIT)?;
        let start = self.files.partition_point(|file| file.folder.as_slice() < folder);
        let rest = self.files.get(start..).unwrap_or_default();
        Ok(rest.get(..rest.partition_point(|file| file.folder == folder)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
