use crate::Limit;
use core::fmt;

/// What is wrong with a glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GlobErrorKind {
    /// There is no pattern.
    Empty,
    /// The pattern has more than [`MAX_GLOB_BYTES`](super::MAX_GLOB_BYTES).
    TooLong,
    /// The list has more than [`MAX_GLOBS`](super::MAX_GLOBS).
    TooManyGlobs,
    /// The braces stand for more than [`MAX_ALTERNATIVES`](super::MAX_ALTERNATIVES) patterns, or for too long ones.
    TooManyAlternatives,
    /// A `{` without its `}`.
    UnclosedBrace,
    /// A `}` without its `{`.
    UnopenedBrace,
    /// A `[` without its `]`.
    UnclosedClass,
    /// A `[:name:]` that is none of the twelve of POSIX.
    UnknownClassName,
    /// A range that ends before it begins, as `[z-a]`.
    EmptyRange,
    /// A `/` between brackets, which never match one.
    SlashInClass,
    /// A `\` with nothing behind it.
    TrailingEscape,
    /// A `/` at the start: paths have none.
    LeadingSlash,
    /// A `/` at the end: paths are those of files.
    TrailingSlash,
    /// Nothing between two `/`.
    EmptySegment,
    /// A `.` or `..` between slashes, which no path has.
    DotSegment,
    /// A bound of the operation was met.
    Limit(Limit),
}

/// A glob that cannot be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobError {
    /// What is wrong.
    pub kind: GlobErrorKind,
    /// Where in the pattern, in bytes from its start (with its `!`, in a list).
    pub offset: u32,
    /// Which pattern of a list, from 0.
    pub rule: u32,
}

impl GlobError {
    pub(super) const fn new(kind: GlobErrorKind, offset: usize) -> Self {
        Self { kind, offset: offset as u32, rule: 0 }
    }
}

impl From<Limit> for GlobError {
    fn from(limit: Limit) -> Self {
        Self::new(GlobErrorKind::Limit(limit), 0)
    }
}

impl fmt::Display for GlobErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there is no pattern: write `**` for all paths",
            Self::TooLong => "the pattern is longer than 4096 bytes: split it",
            Self::TooManyGlobs => "the list has more than 1024 patterns: join some with braces or folders",
            Self::TooManyAlternatives => "the braces stand for more than 256 patterns: split it",
            Self::UnclosedBrace => "this `{` is never closed: add `}`, or write `\\{` for the character",
            Self::UnopenedBrace => "this `}` closes nothing: write `\\}` for the character",
            Self::UnclosedClass => "this `[` is never closed: add `]`, or write `\\[` for the character",
            Self::UnknownClassName => "no such class of characters: take one of POSIX, as `[:alpha:]`, `[:digit:]`",
            Self::EmptyRange => "this range ends before it begins: swap its ends",
            Self::SlashInClass => "brackets never match a `/`: take it out",
            Self::TrailingEscape => "nothing follows this `\\`: write `\\\\` for the character",
            Self::LeadingSlash => "paths have no `/` at their start: take it out, patterns begin at the root anyway",
            Self::TrailingSlash => "paths have no `/` at their end: write `/**` for all that is in the folder",
            Self::EmptySegment => "nothing is between these two `/`: take one out",
            Self::DotSegment => "no path has `.` or `..` between its slashes: take it out",
            Self::Limit(limit) => return limit.fmt(f),
        })
    }
}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "glob {}, byte {}: {}", self.rule, self.offset, self.kind)
    }
}

impl core::error::Error for GlobError {}
