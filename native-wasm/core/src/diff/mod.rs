//! Differences between texts, printed as git prints them.
//!
//! [`Diff`] finds the changed lines of two texts. `git apply` takes the patch, and where git would find the same changes the bytes are those of
//! `git diff --histogram`.
//!
//! Time is bounded by a [`Budget`](crate::Budget). When it is spent, what has not been compared yet counts as replaced: the changes are right,
//! but not the fewest, and [`Diff::is_degraded`] says so.

mod find;
mod histogram;
mod hunks;
mod indent;
mod marks;
mod myers;
mod patience;
mod region;
mod script;
mod slide;
mod trim;
mod unified;
mod whitespace;

pub use find::{Diff, Options, Stats};
pub use hunks::{Context, Hunk};
pub use script::Change;
pub use whitespace::Whitespace;
