use crate::{Limit, block};
use core::fmt;

/// Why bytes are no patch that can be read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Byte offset in the patch.
    pub offset: usize,
    /// Line in the patch, from 1.
    pub line: usize,
}

impl ParseError {
    pub(super) fn new(kind: ParseErrorKind, patch: &[u8], offset: usize) -> Self {
        let offset = offset.min(patch.len());
        let before = patch.get(..offset).unwrap_or_default();
        Self { kind, offset, line: block::count(before, b'\n') + 1 }
    }
}

/// What is wrong with a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// There is text, but no patch in it.
    NoPatch,
    /// A diff of a merge against several parents (`@@@`), which cannot be applied.
    CombinedDiff,
    /// A hunk with no file before it.
    HunkWithoutFile,
    /// A line that begins with `@@` and is not `@@ -1,2 +1,2 @@`.
    HunkHeader,
    /// A number that no file can reach: it does not fit 64 bits.
    NumberTooLarge,
    /// The patch ends before the hunk has the lines that its header counts.
    HunkTruncated {
        /// Lines of the old file that are missing.
        old_missing: u64,
        /// Lines of the new file that are missing.
        new_missing: u64,
    },
    /// The hunk has more lines of one side than its header counts.
    HunkTooLong,
    /// A line in a hunk that begins with none of space, `+`, `-` and `\`.
    HunkLine {
        /// Its first byte.
        found: u8,
    },
    /// A hunk that changes nothing.
    HunkWithoutChange,
    /// `\ No newline at end of file` where no line of the file is before it, or where another line of that side follows.
    NewlineMarker,
    /// A quoted file name that is not closed, has an unknown escape or a NUL.
    QuotedName,
    /// A file name that is not quoted has a NUL. No file has such a name, and git would read it up to there.
    NulInName,
    /// No file name is left, or there is none at all.
    NameMissing {
        /// How many leading folders were to be removed.
        strip: u32,
    },
    /// Two headers name different files for one side.
    NamesDisagree,
    /// Headers exclude each other, as `new file mode` and `deleted file mode` do.
    HeadersDisagree,
    /// Headers of a file that change nothing, with no hunk behind them.
    FileWithoutChange,
    /// A new file with old lines, or a deleted one with new lines.
    NotEmptySide,
    /// A file mode that is no octal number of a file mode.
    Mode,
    /// A similarity that is no number from 0 to 100 with `%`.
    Similarity,
    /// Binary data that does not follow the format of `git diff --binary`.
    Binary,
    /// A bound was met.
    Limit(Limit),
}

impl From<Limit> for ParseErrorKind {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPatch => {
                f.write_str("there is no patch in this text: begin each file with `--- a/path` and `+++ b/path`")
            }
            Self::CombinedDiff => {
                f.write_str("a combined diff of a merge cannot be applied: make a diff against one parent")
            }
            Self::HunkWithoutFile => {
                f.write_str("a hunk belongs to no file: write `--- a/path` and `+++ b/path` before it")
            }
            Self::HunkHeader => {
                f.write_str("this is no hunk header: write `@@ -line,count +line,count @@` with both sides")
            }
            Self::NumberTooLarge => f.write_str("the number does not fit 64 bits: write the number of a line"),
            Self::HunkTruncated { old_missing, new_missing } => write!(
                f,
                "the hunk ends too early, {old_missing} old and {new_missing} new lines are missing: \
                 add them or correct the counts in its header"
            ),
            Self::HunkTooLong => {
                f.write_str("the hunk has more lines than its header counts: correct the counts in its header")
            }
            Self::HunkLine { found } => write!(
                f,
                "a line of a hunk begins with '{}': begin it with a space, `+` or `-`",
                core::ascii::escape_default(*found)
            ),
            Self::HunkWithoutChange => f.write_str("the hunk neither adds nor removes a line: leave it out"),
            Self::NewlineMarker => f.write_str(
                "`\\ No newline at end of file` is not behind the last line of a file: remove it or move it there",
            ),
            Self::QuotedName => {
                f.write_str("the quoted file name is not closed or has an unknown escape: quote it as git does")
            }
            Self::NulInName => f.write_str("a file name has a NUL, which no file can have: correct the name"),
            Self::NameMissing { strip } => {
                write!(f, "no file name is left without its first {strip} folders: add the prefix `a/` or strip fewer")
            }
            Self::NamesDisagree => {
                f.write_str("the headers name different files: use one name, or add `rename from` and `rename to`")
            }
            Self::HeadersDisagree => {
                f.write_str("the headers of the file exclude each other: keep one of create, delete, rename and copy")
            }
            Self::FileWithoutChange => {
                f.write_str("nothing changes in the file: add its hunks right behind its headers, or leave it out")
            }
            Self::NotEmptySide => {
                f.write_str("a new file has old lines or a deleted one has new lines: correct the headers of the file")
            }
            Self::Mode => f.write_str("this is no file mode: write an octal number such as 100644"),
            Self::Similarity => f.write_str("this is no similarity: write a number from 0% to 100%"),
            Self::Binary => f.write_str(
                "the binary data is damaged: make the patch again with `git diff --binary`, and do not wrap it",
            ),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the patch (byte {}): {}", self.line, self.offset, self.kind)
    }
}

impl core::error::Error for ParseError {}
