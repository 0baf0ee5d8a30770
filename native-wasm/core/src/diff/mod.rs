//! Differences between texts and between trees of files, printed as git prints them.
//!
//! [`Diff`] finds the changed lines of two texts, [`pairs()`] what has changed between two trees, [`write_patch`] prints it. `git apply` takes
//! each patch, and where git would find the same changes the bytes are those of `git diff --histogram`.
//!
//! Time is bounded by a [`Budget`](crate::Budget). When it is spent, what has not been compared yet counts as replaced: the changes are right,
//! but not the fewest, and [`Diff::is_degraded`] says so.

mod entry;
mod error;
mod find;
mod histogram;
mod hunks;
mod indent;
mod marks;
mod myers;
mod patch;
mod patience;
mod quote;
mod region;
mod renames;
mod script;
mod similarity;
mod slide;
mod tree;
mod trim;
mod unified;
mod whitespace;
mod words;

pub use entry::{Entry, Mode, Pair};
pub use error::{Side, TreeError};
pub use find::{Diff, Options, Stats};
pub use hunks::{Context, Hunk};
pub use patch::{Content, FileStats, Format, write_patch};
pub use renames::Renames;
pub use script::Change;
pub use tree::{Pairs, pairs};
pub use whitespace::Whitespace;
pub use words::Words;
