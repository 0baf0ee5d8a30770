//! Patches: reading them, and applying them to contents as git does.

mod apply;
mod binary;
mod binary_apply;
mod changes;
mod cursor;
mod draft;
mod error;
mod header;
mod hunk;
mod index;
mod lenient;
mod model;
mod name;
mod parse;
mod place;
mod reject;
mod report;
mod sides;
mod target;
mod timestamp;
mod tree;

pub(crate) use parse::push;
pub(crate) use target::signed;

pub use apply::{Applied, ApplyOptions, Placed};
pub use binary_apply::BinaryError;
pub use error::{ParseError, ParseErrorKind};
pub use model::{BinaryData, BinaryPatch, Body, Change, FilePatch, Hunk, HunkLine, HunkLines, LineKind, Patch};
pub use parse::ParseOptions;
pub use reject::{ApplyError, Near, Reject, RejectKind};
pub use tree::{TreeChanges, TreeFile, Written};
