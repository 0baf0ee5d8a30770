//! Globs over the paths of a repository, as bytes.
//!
//! A glob matches a whole path from the root on: `*.md` is a file at the root, `**/*.md` one anywhere.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any bytes but `/` |
//! | `?` | one byte that is not `/` |
//! | `[a-z_]`, `[!a-z]`, `[[:digit:]]` | one byte of a set, or outside it; never `/` |
//! | `**/` | any number of folders, none too |
//! | `/**` at the end | everything inside the folder |
//! | `{a,b*}` | one of the alternatives, which may hold slashes and braces |
//! | `\` | the next character as it is |
//!
//! `**` beside other characters is `*`. Time to match is at most the length of the pattern times that of the path.

mod brace;
mod error;
mod list;
mod segment;
mod sequence;
mod set;

pub use error::{GlobError, GlobErrorKind};
pub use list::{GlobMatch, Globs};
pub(crate) use segment::Segment;
pub(crate) use sequence::Sequence;
pub(crate) use set::Strictness;

/// The longest pattern, in bytes.
pub const MAX_GLOB_BYTES: usize = 4096;

/// The most patterns in a list.
pub const MAX_GLOBS: usize = 1024;

/// The most patterns without braces that one with braces may stand for.
pub const MAX_ALTERNATIVES: usize = 256;

/// The most bytes that those may have together.
const MAX_EXPANDED_BYTES: usize = 64 << 10;

/// Whether the case of ASCII letters matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// `a` and `A` differ.
    #[default]
    Sensitive,
    /// `a` and `A` are the same.
    Insensitive,
}

/// A compiled glob.
///
/// ```
/// use millwright_core::glob::{Case, Glob};
/// let glob = Glob::compile(b"src/**/*.{ts,tsx}", Case::Sensitive)?;
/// assert!(glob.is_match(b"src/main.ts"));
/// assert!(glob.is_match(b"src/a/b/view.tsx"));
/// assert!(!glob.is_match(b"src/a/b/view.TSX"));
///
/// let error = Glob::compile(b"src/{a,b", Case::Sensitive).unwrap_err();
/// assert_eq!(error.to_string(), "glob 0, byte 4: this `{` is never closed: add `}`, or write `\\{` for the character");
/// # Ok::<(), millwright_core::glob::GlobError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Glob {
    alternatives: Vec<Sequence>,
    expanded_bytes: usize,
}

impl Glob {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`GlobError`], with the offset of what is wrong. What no path can match is wrong too.
    pub fn compile(pattern: &[u8], case: Case) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::new(GlobErrorKind::Empty, 0));
        }
        if pattern.len() > MAX_GLOB_BYTES {
            return Err(GlobError::new(GlobErrorKind::TooLong, MAX_GLOB_BYTES));
        }
        let fold = case == Case::Insensitive;
        let expanded = brace::expand(pattern)?;
        let expanded_bytes = expanded.iter().map(|text| text.bytes.len()).sum();
        let compile = |text: brace::Expanded| {
            Sequence::parse(&text.bytes, Strictness::Strict, fold).map_err(|error| text.locate(error, pattern.len()))
        };
        Ok(Self { alternatives: expanded.into_iter().map(compile).collect::<Result<_, _>>()?, expanded_bytes })
    }

    /// Whether the whole of a path matches.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.alternatives.iter().any(|sequence| sequence.matches(path))
    }

    /// How many patterns without braces it stands for, which is what a match costs.
    pub const fn alternatives(&self) -> usize {
        self.alternatives.len()
    }

    /// The bytes of those patterns: times those of a path, the most that a match can cost.
    pub const fn expanded_bytes(&self) -> usize {
        self.expanded_bytes
    }
}

/// The patterns without braces that a pattern stands for.
pub(crate) fn expand(pattern: &[u8]) -> Result<Vec<Vec<u8>>, GlobError> {
    Ok(brace::expand(pattern)?.into_iter().map(|text| text.bytes).collect())
}

#[cfg(test)]
mod tests;
