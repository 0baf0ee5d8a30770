use super::Difference;
use crate::Limit;
use core::fmt;
use core::ops::Range;

/// Why edits were not made. None of them was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditsError {
    /// What is wrong, for each edit that cannot be made.
    Rejected(Vec<EditError>),
    /// A bound was met.
    Limit(Limit),
}

impl From<Limit> for EditsError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

/// Why one edit cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError {
    /// Number of the edit, from 0.
    pub edit: usize,
    /// What is wrong.
    pub kind: EditErrorKind,
}

/// What is wrong with an edit. All lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditErrorKind {
    /// The text to search for is not in the file.
    NotFound {
        /// What is most like it, best first, three at most.
        near: Vec<NearMiss>,
        /// Another edit whose replacement has the text: edits see the file as it was before all of them.
        made_by: Option<usize>,
    },
    /// The text to search for is at several places.
    NotUnique {
        /// The lines where the first of them begin, 20 at most.
        lines: Vec<usize>,
        /// Whether there are more.
        more: bool,
    },
    /// Another edit changes some of the same text.
    Overlap {
        /// Number of the other edit.
        with: usize,
        /// The line where the text of this edit begins.
        line: usize,
    },
    /// The search is empty, which makes a new file, but there are contents already.
    Exists,
    /// There is no such file.
    Missing,
    /// The replacement is the text that is searched for.
    NoChange,
}

/// A place that is like a text that was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The lines of the file, from 1.
    pub lines: Range<usize>,
    /// The bytes of these lines.
    pub bytes: Range<usize>,
    /// How many lines of the search are there, but for white space and characters that look alike.
    pub same: usize,
    /// The first line of the file that differs.
    pub differs_at: usize,
    /// The line of the search, from 1, that differs from it.
    pub search_line: usize,
    /// What would have to change for all lines to be equal.
    pub difference: Difference,
}

impl fmt::Display for EditsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(errors) => {
                for (index, error) in errors.iter().enumerate() {
                    write!(f, "{}{error}", if index == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl core::error::Error for EditsError {}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "edit {}: {}", self.edit + 1, self.kind)
    }
}

impl fmt::Display for EditErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { near, made_by } => {
                f.write_str("the text to search for is not in the file: copy it from the file as it is")?;
                if let Some(edit) = made_by {
                    write!(f, "; it is in the replacement of edit {}, so make one edit of the two", edit + 1)?;
                }
                near.iter().try_for_each(|near| write!(f, "; {near}"))
            }
            Self::NotUnique { lines, more } => {
                f.write_str("the text to search for is at several places (lines")?;
                lines.iter().try_for_each(|line| write!(f, " {line}"))?;
                let more = if *more { " and more" } else { "" };
                write!(f, "{more}): add lines around it until it is unique, or replace all")
            }
            Self::Overlap { with, line } => {
                write!(f, "its text at line {line} is also changed by edit {}: make one edit of the two", with + 1)
            }
            Self::Exists => {
                f.write_str("an empty search makes a new file, but this file has contents: say what to replace")
            }
            Self::Missing => {
                f.write_str("there is no such file: correct the path, or make the file by an empty search")
            }
            Self::NoChange => f.write_str("the replacement is what is searched for: leave the edit out"),
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, differs_at, search_line, difference, .. } = self;
        match lines.end.saturating_sub(1) {
            last if last <= lines.start => write!(f, "line {} is like it", lines.start)?,
            last => write!(f, "lines {} to {last} are like it", lines.start)?,
        }
        write!(f, "; its line {search_line} first differs from line {differs_at}: {difference}")
    }
}
