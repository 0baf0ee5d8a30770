//! Whether a change weakens the tests: deleted, skipped and focused tests, removed assertions, loosened expectations, lowered gates.
//!
//! Both contents of each changed file are scanned, never parsed. Tests have an identity, the names on the way to them; what was moved, renamed,
//! merged or turned into parameters is matched over the whole batch first and is no finding. A finding is a reason to look, not a proof.

mod assertion;
mod assertions;
mod changed_tests;
mod compare;
mod delta;
mod gate;
mod gate_commands;
mod gate_facts;
mod loosened;
mod marks;
mod matchers;
mod pairing;
mod patch;
mod paths;
mod rank;
mod report;
mod scope;
mod scopes;
mod shapes;
mod sketch;
mod snapshot;
mod source;

use crate::hash::Seed;
use crate::{Budget, Limit};
use core::fmt;
use core::ops::Range;

pub use patch::{PatchFinding, check_patch};

/// A changed file with its whole contents. A moved one is two of these: one without `new`, one without `old`.
#[derive(Clone, Copy, Debug, Default)]
pub struct File<'a> {
    /// Its path, with `/`.
    pub path: &'a [u8],
    /// What it held before; `None` where it was not there.
    pub old: Option<&'a [u8]>,
    /// What it holds now; `None` where it was deleted.
    pub new: Option<&'a [u8]>,
}

/// A changed part of a file, as a hunk of a patch has it: see [`check_patch`] for a whole patch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fragment<'a> {
    /// The path of the file, with `/`.
    pub path: &'a [u8],
    /// The old lines, context included.
    pub old: &'a [u8],
    /// The number of the first old line, from 1 on.
    pub old_line: u32,
    /// The new lines, context included.
    pub new: &'a [u8],
    /// The number of the first new line, from 1 on.
    pub new_line: u32,
}

/// How a change weakens the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A file with tests is gone, and its tests are in no other.
    TestFileDeleted,
    /// A test is gone, or no longer one that runs.
    TestDeleted,
    /// A test is skipped, returns early or never reaches its assertions.
    TestSkipped,
    /// A test is marked to run alone, so that others do not.
    TestFocused,
    /// A test has fewer assertions.
    AssertionRemoved,
    /// An assertion accepts more than before, or a failure is caught.
    ExpectationLoosened,
    /// The tests' command, coverage thresholds or retries let more pass.
    GateLowered,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// It may well be a proper change: show it to whoever reviews.
    Low,
    /// It usually weakens.
    Medium,
    /// It weakens.
    High,
}

/// Which contents a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Those before the change.
    Old,
    /// Those after it.
    New,
}

/// A place where a change weakens the tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which file or fragment of the input it is in.
    pub file: usize,
    /// In which contents `line` and `range` are.
    pub side: Side,
    /// The line, from 1 on; for a fragment, of the file.
    pub line: u32,
    /// The bytes in those contents.
    pub range: Range<u32>,
    /// What stood there before, as bytes of the old contents of `old_file`; `None` for what is new.
    pub old: Option<Range<u32>>,
    /// The file of `old`: another than `file` where a test was moved.
    pub old_file: usize,
    /// How it weakens.
    pub kind: Kind,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether only a fragment was known, so that the rest of the file may explain it.
    pub partial: bool,
    /// What is weaker, in a few words.
    pub message: &'static str,
}

/// Why a batch was not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakeningError {
    /// Contents of a file of tests or of a gate are larger than [`MAX_FILE_BYTES`].
    FileTooLarge {
        /// Which file of the input.
        file: usize,
        /// Its size in bytes.
        actual: u64,
    },
    /// A bound was met.
    Limit(Limit),
}

/// The largest contents that are checked: tests are written by hand.
pub const MAX_FILE_BYTES: usize = 8 << 20;

impl fmt::Display for WeakeningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileTooLarge { file, actual } => write!(
                f,
                "file {file} has {actual} bytes, while {MAX_FILE_BYTES} is the most for tests: move the data out of it"
            ),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl core::error::Error for WeakeningError {}

impl From<Limit> for WeakeningError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

/// Checks a batch of changed files, which should be all that a change touches: a test that moves is found again only within the batch.
///
/// Files that are neither tests nor configuration of tests are not read. The findings come by file, side and place. A unit of the budget is
/// a token looked at, and a byte of contents costs eight of them; when it is spent while tests are compared for likeness, what is left counts as not alike.
/// Of the seed nothing depends but which tokens of a long test are compared for likeness.
///
/// # Errors
/// [`WeakeningError::FileTooLarge`], and a [`Limit`] when the budget does not suffice to read the files or there is no memory.
///
/// ```
/// use millwright_core::{Budget, hash::Seed, weakening::{File, Kind, check}};
/// let file = File {
///     path: b"src/a.test.ts",
///     old: Some(b"it('adds', () => { expect(add(1, 2)).toBe(3); });"),
///     new: Some(b"it('adds', () => { expect(add(1, 2)).toBeTruthy(); });"),
/// };
/// let findings = check(&[file], Seed(1), &mut Budget::default())?;
/// assert_eq!(findings[0].kind, Kind::ExpectationLoosened);
/// assert_eq!(findings[0].line, 1);
/// # Ok::<(), millwright_core::weakening::WeakeningError>(())
/// ```
pub fn check(files: &[File<'_>], seed: Seed, budget: &mut Budget) -> Result<Vec<Finding>, WeakeningError> {
    let changes: Vec<report::Change<'_>> = files
        .iter()
        .map(|file| report::Change {
            path: file.path,
            old: file.old,
            new: file.new,
            old_line: 1,
            new_line: 1,
            partial: false,
        })
        .collect();
    report::check(&changes, seed, budget)
}

/// Checks a batch of fragments, for when the whole contents are not at hand. What a test is called may lie outside of a fragment: such findings
/// are [`Finding::partial`] and [`Confidence::Medium`] at most.
///
/// # Errors
/// As [`check`].
///
/// ```
/// use millwright_core::{Budget, hash::Seed, weakening::{Fragment, Kind, check_fragments}};
/// let fragment = Fragment {
///     path: b"pkg/a_test.py",
///     old: b"    x = f()\n    assert x == 1\n",
///     old_line: 10,
///     new: b"    x = f()\n",
///     new_line: 10,
/// };
/// let findings = check_fragments(&[fragment], Seed(1), &mut Budget::default())?;
/// assert_eq!((findings[0].kind, findings[0].line, findings[0].partial), (Kind::AssertionRemoved, 11, true));
/// # Ok::<(), millwright_core::weakening::WeakeningError>(())
/// ```
pub fn check_fragments(
    fragments: &[Fragment<'_>],
    seed: Seed,
    budget: &mut Budget,
) -> Result<Vec<Finding>, WeakeningError> {
    let changes: Vec<report::Change<'_>> = fragments
        .iter()
        .map(|fragment| report::Change {
            path: fragment.path,
            old: Some(fragment.old),
            new: Some(fragment.new),
            old_line: fragment.old_line,
            new_line: fragment.new_line,
            partial: true,
        })
        .collect();
    report::check(&changes, seed, budget)
}

#[cfg(test)]
mod tests;
