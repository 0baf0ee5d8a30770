use super::{Case, Glob, GlobError, GlobErrorKind, MAX_GLOBS};
use crate::Limit;

/// A list of globs, of which the last that matches decides. One that begins with `!` takes back what those before it chose; `\!` is the character.
///
/// ```
/// use millwright_core::glob::{Case, Globs};
/// let globs = Globs::compile(&[b"docs/**", b"!docs/generated/**"], Case::Sensitive)?;
/// assert!(globs.is_match(b"docs/guide.md"));
/// assert!(!globs.is_match(b"docs/generated/api.md"));
/// # Ok::<(), millwright_core::glob::GlobError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Globs {
    rules: Vec<(Glob, bool)>,
    expanded_bytes: usize,
}

/// Which glob of a list decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobMatch {
    /// Its place in the list, from 0.
    pub rule: u32,
    /// Whether it begins with `!`.
    pub negated: bool,
}

impl Globs {
    /// Compiles a list.
    ///
    /// # Errors
    /// [`GlobError`], with the place of the first glob that is wrong, and the offset in it.
    pub fn compile(patterns: &[&[u8]], case: Case) -> Result<Self, GlobError> {
        if patterns.len() > MAX_GLOBS {
            return Err(GlobError { kind: GlobErrorKind::TooManyGlobs, offset: 0, rule: MAX_GLOBS as u32 });
        }
        let mut rules: Vec<(Glob, bool)> = Limit::reserve(patterns.len())?;
        for (rule, pattern) in patterns.iter().enumerate() {
            let (glob, negated) = match pattern.strip_prefix(b"!") {
                Some(rest) => (rest, true),
                None => (*pattern, false),
            };
            let located = |error: GlobError| GlobError {
                offset: error.offset + u32::from(negated),
                rule: rule as u32,
                kind: error.kind,
            };
            rules.push((Glob::compile(glob, case).map_err(located)?, negated));
        }
        let expanded_bytes = rules.iter().map(|(glob, _)| glob.expanded_bytes()).sum();
        Ok(Self { rules, expanded_bytes })
    }

    /// The last glob that matches the whole of a path.
    pub fn matched(&self, path: &[u8]) -> Option<GlobMatch> {
        let rule = self.rules.iter().rposition(|(glob, _)| glob.is_match(path))?;
        let negated = self.rules.get(rule).is_some_and(|(_, negated)| *negated);
        Some(GlobMatch { rule: rule as u32, negated })
    }

    /// Whether the last glob that matches is one without `!`.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.matched(path).is_some_and(|matched| !matched.negated)
    }

    /// How many patterns without braces there are, which is what a match costs.
    pub fn alternatives(&self) -> usize {
        self.rules.iter().map(|(glob, _)| glob.alternatives()).sum()
    }

    /// The bytes of those patterns: times those of a path, the most that a match can cost.
    pub const fn expanded_bytes(&self) -> usize {
        self.expanded_bytes
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
