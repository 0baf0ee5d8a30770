use super::binary_apply::BinaryError;
use crate::Limit;
use crate::edits::Difference;
use core::fmt;

/// Why a patch of a file does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyError {
    /// Hunks have no place in the file.
    Rejected(Vec<Reject>),
    /// There is no such file.
    Missing,
    /// There is a file already, or contents where none are expected.
    Exists,
    /// The file is of another kind, such as a symbolic link.
    TypeDiffers {
        /// The mode that the patch states.
        expected: u32,
        /// The mode of the file.
        found: u32,
    },
    /// The patch deletes the file, but not all of its contents.
    NotEmpty,
    /// A copy was changed, or what it was made from, so that it cannot be taken back.
    CopyDiffers,
    /// The patch only says that binary files differ.
    NoBinaryData,
    /// The binary data do not fit.
    Binary(BinaryError),
    /// A bound was met.
    Limit(Limit),
}

impl From<Limit> for ApplyError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

/// A hunk that has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Number of the hunk in its file, from 0.
    pub hunk: usize,
    /// Byte offset of its header in the patch.
    pub offset: usize,
    /// The line of the file, from 1, where its header says that it begins; `None` for a bare `@@`.
    pub expected: Option<u64>,
    /// What is wrong.
    pub kind: RejectKind,
    /// Where most of its lines are, best first, three at most.
    pub nearest: Vec<Near>,
}

/// Why a hunk has no place. All lines count from 1 in the file as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectKind {
    /// Few or none of its lines are in the file.
    NotFound,
    /// Some of its lines are in the file, but not all, or not together: see `nearest`.
    ContextDiffers,
    /// The file is at this line as the hunk would make it.
    AlreadyApplied {
        /// The line.
        line: usize,
    },
    /// Its place has lines of an earlier hunk.
    Overlap {
        /// Number of the other hunk, from 0.
        hunk: usize,
    },
    /// Its place is before that of an earlier hunk.
    OutOfOrder {
        /// The line.
        line: usize,
    },
    /// It does not say where it belongs, and its lines are at several places.
    Ambiguous {
        /// The first of them.
        lines: Vec<usize>,
    },
    /// Its lines are at this line, but without context it is applied at the line in its header only.
    Elsewhere {
        /// The line.
        line: usize,
    },
    /// Its lines are at this line, but its header says that they begin the file.
    NotAtStart {
        /// The line.
        line: usize,
    },
    /// Its lines are at this line, but with no context behind them, or no newline, they have to end the file.
    NotAtEnd {
        /// The line.
        line: usize,
    },
    /// It only adds lines and does not say where.
    NoPosition,
    /// It adds lines behind the last, which has no newline to part them.
    JoinsLines {
        /// The last line.
        line: usize,
    },
}

/// A place where some of the lines of a hunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Where the hunk would begin, as a line of the file from 1.
    pub line: usize,
    /// How many of its lines are there.
    pub same: usize,
    /// The first line of the file that differs.
    pub differs_at: usize,
    /// Byte offset in the patch of the line that differs from it.
    pub offset: usize,
    /// How the two differ.
    pub difference: Difference,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejects) => {
                for (index, reject) in rejects.iter().enumerate() {
                    write!(f, "{}{reject}", if index == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Self::Missing => f.write_str("there is no such file: correct the path, or create the file from /dev/null"),
            Self::Exists => {
                f.write_str("the file exists already: change it instead of creating it, or take another path")
            }
            Self::TypeDiffers { expected, found } => {
                write!(f, "the file has mode {found:o}, not {expected:o}: make the patch against the file as it is")
            }
            Self::NotEmpty => f.write_str("the patch deletes the file but leaves contents: remove all of its lines"),
            Self::CopyDiffers => {
                f.write_str("the copy is not that of the file any more: delete it by a patch of its own")
            }
            Self::NoBinaryData => {
                f.write_str("the patch has no data for the binary file: make it again with `git diff --binary`")
            }
            Self::Binary(error) => error.fmt(f),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl core::error::Error for ApplyError {}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hunk {}", self.hunk + 1)?;
        if let Some(line) = self.expected {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {}", self.kind)?;
        for near in &self.nearest {
            write!(f, "; {near}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, same, differs_at, difference, .. } = self;
        write!(f, "{same} of its lines are at line {line}, and first differ at line {differs_at}: {difference}")
    }
}

impl fmt::Display for RejectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("its lines are not in the file: read the file again and make the hunk anew"),
            Self::ContextDiffers => {
                f.write_str("its lines differ from those of the file: copy its context and removed lines from the file")
            }
            Self::AlreadyApplied { line } => write!(f, "it is applied already at line {line}: leave it out"),
            Self::Overlap { hunk } => {
                write!(f, "its place has lines of hunk {}: make one hunk of the two", hunk + 1)
            }
            Self::OutOfOrder { line } => {
                write!(f, "its place at line {line} is before that of an earlier hunk: sort the hunks by line")
            }
            Self::Ambiguous { lines } => {
                f.write_str("its lines are at several places (lines")?;
                for line in lines {
                    write!(f, " {line}")?;
                }
                f.write_str("): add context, or its line in the header")
            }
            Self::Elsewhere { line } => write!(
                f,
                "its lines are at line {line}, but it has no context: add the lines around it, or correct its header"
            ),
            Self::NotAtStart { line } => write!(
                f,
                "its header puts it at the beginning of the file, but its lines are at line {line}: correct the header"
            ),
            Self::NotAtEnd { line } => write!(
                f,
                "it has no context behind it and so has to end the file, but its lines are at line {line}: \
                 add the lines that follow"
            ),
            Self::NoPosition => {
                f.write_str("it only adds lines and does not say where: add context, or a line in the header")
            }
            Self::JoinsLines { line } => {
                write!(f, "line {line}, the last, has no newline: replace it together with what is added behind it")
            }
        }
    }
}
