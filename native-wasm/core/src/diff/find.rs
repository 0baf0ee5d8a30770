use super::script::{self, Change, Text};
use super::whitespace::Whitespace;
use crate::hash::Seed;
use crate::{Budget, Limit, Lines};

/// How lines are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The white space that does not count.
    pub whitespace: Whitespace,
    /// The key of the hash table. No result depends on it.
    pub seed: Seed,
}

/// Numbers of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines that the second text has and the first has not.
    pub added: u32,
    /// Lines that the first text has and the second has not.
    pub removed: u32,
}

/// The changed lines between two texts.
///
/// ```
/// use millwright_core::{Budget, diff::{Context, Diff, Options}};
/// let diff = Diff::of(b"one\ntwo\n", b"one\n2\n", &Options::default(), &mut Budget::default())?;
/// let mut patch = Vec::new();
/// diff.write_hunks(Context::default(), &mut patch)?;
/// assert_eq!(patch, b"@@ -1,2 +1,2 @@\n one\n-two\n+2\n");
/// # Ok::<(), millwright_core::Limit>(())
/// ```
#[derive(Clone, Debug)]
pub struct Diff<'a> {
    before: Lines<'a>,
    after: Lines<'a>,
    changes: Vec<Change>,
    degraded: bool,
}

impl<'a> Diff<'a> {
    /// Compares two texts. A unit of the budget is a line that is looked at, some more than once.
    ///
    /// # Errors
    /// [`Limit::Size`] when a text is too large, [`Limit::Memory`] when there is no room for its lines. A spent budget is no error.
    pub fn of(before: &'a [u8], after: &'a [u8], options: &Options, budget: &mut Budget) -> Result<Self, Limit> {
        let (before, after) = (Lines::of(before)?, Lines::of(after)?);
        let (changes, in_time) = if options.whitespace == Whitespace::Counts {
            let old = Text { compared: &before, original: &before };
            let new = Text { compared: &after, original: &after };
            script::find(&old, &new, options.seed, budget)?
        } else {
            let (old, new) = (options.whitespace.strip(&before)?, options.whitespace.strip(&after)?);
            let old = Text { compared: &Lines::of(&old)?, original: &before };
            let new = Text { compared: &Lines::of(&new)?, original: &after };
            script::find(&old, &new, options.seed, budget)?
        };
        Ok(Self { before, after, changes, degraded: !in_time })
    }

    /// The lines of the first text.
    pub const fn before(&self) -> &Lines<'a> {
        &self.before
    }

    /// The lines of the second text.
    pub const fn after(&self) -> &Lines<'a> {
        &self.after
    }

    /// The changes in ascending order, with an unchanged line at least between two of them.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the budget was spent before the best changes were found.
    pub const fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// How many lines are added and removed.
    pub fn stats(&self) -> Stats {
        self.changes.iter().fold(Stats::default(), |sum, change| Stats {
            added: sum.added + change.after.len() as u32,
            removed: sum.removed + change.before.len() as u32,
        })
    }
}
