//! The fence around the paths of a repository: what no path may be on any system, where symlinks lead, and what a policy allows.
//!
//! - [`check`] says what is wrong with one path by its bytes.
//! - [`canonical()`] is the form that two paths share when some file system may take one for the other.
//! - [`judge`] compares two trees and says, for each path that changed, what is wrong with it and of which [`Class`] it is.
//!
//! Whatever git refuses with `core.protectNTFS` and `core.protectHFS` is refused here, and more.

mod canonical;
mod class;
mod class_table;
mod classifier;
mod disguise;
mod entry;
mod judge;
mod links;
mod lookalike;
mod name;
mod policy;
mod quoted;
mod report;
mod tree;
mod violation;
mod violations;

pub use canonical::canonical;
pub use class::{Class, Classes};
pub use entry::{Entry, ListingError, ListingErrorKind, Mode, parse_listing};
pub use judge::judge;
pub use name::{Fault, check};
pub use policy::{Policy, PolicyError, PolicyRules, Verdict};
pub use report::{Change, Finding, Place, Report, Touched};
pub use violation::Violation;
pub use violations::Violations;

/// The longest component, in bytes: what file systems take.
pub const MAX_COMPONENT_BYTES: usize = 255;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 4096;

/// The most components of a path.
pub const MAX_DEPTH: usize = 256;

/// How many symlinks are followed, one from another.
pub const MAX_LINKS: usize = 40;
