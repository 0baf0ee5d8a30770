use crate::glob::Globs;

/// Says which files are searched. Closures are filters too, and so is whatever knows more about paths than [`Paths`] does.
pub trait PathFilter {
    /// Whether the file with such a path is searched.
    fn accepts(&self, path: &[u8]) -> bool;

    /// Units of a budget that it takes to say so about a path of so many bytes.
    fn work(&self, path_bytes: usize) -> u64 {
        path_bytes as u64 + 1
    }
}

impl<F: Fn(&[u8]) -> bool> PathFilter for F {
    fn accepts(&self, path: &[u8]) -> bool {
        self(path)
    }
}

/// The filter that lets all files through.
pub const fn everywhere(_path: &[u8]) -> bool {
    true
}

/// Files that a list of globs chooses, if there are any in it, and another does not.
///
/// ```
/// use millwright_core::glob::{Case, Globs};
/// use millwright_core::search::{PathFilter, Paths};
/// let only = Globs::compile(&[b"src/**/*.rs"], Case::Sensitive)?;
/// let not = Globs::compile(&[b"**/*_test.rs"], Case::Sensitive)?;
/// let paths = Paths { only, not };
/// assert!(paths.accepts(b"src/a/b.rs"));
/// assert!(!paths.accepts(b"src/a/b_test.rs"));
/// assert!(!paths.accepts(b"build.rs"));
/// # Ok::<(), millwright_core::glob::GlobError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// What these choose; with none, all files.
    pub only: Globs,
    /// But not what these choose.
    pub not: Globs,
}

/// Steps of a glob that fit one unit of work. Most end long before the product of both lengths.
const STEPS_PER_UNIT: u64 = 32;

impl PathFilter for Paths {
    fn accepts(&self, path: &[u8]) -> bool {
        (self.only.is_empty() || self.only.is_match(path)) && !self.not.is_match(path)
    }

    fn work(&self, path_bytes: usize) -> u64 {
        let globs = self.only.expanded_bytes() + self.not.expanded_bytes();
        path_bytes as u64 + 1 + (globs as u64).saturating_mul(path_bytes as u64) / STEPS_PER_UNIT
    }
}
