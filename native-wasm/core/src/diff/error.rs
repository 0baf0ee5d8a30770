use crate::Limit;
use core::fmt;

/// One of the two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Before,
    /// The second.
    After,
}

/// Why two trees cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeError {
    /// A bound was met.
    Limit(Limit),
    /// A path is empty or has a NUL, which no tree of git can have.
    Path {
        /// The tree that has it.
        side: Side,
        /// The index of the entry in its list.
        entry: usize,
    },
    /// A path comes twice.
    Duplicate {
        /// The tree that has it.
        side: Side,
        /// The index of the later entry in its list.
        entry: usize,
    },
    /// A gitlink has no object id: nothing else says which commit it is.
    GitlinkId {
        /// The tree that has it.
        side: Side,
        /// The index of the entry in its list.
        entry: usize,
    },
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (side, entry, what) = match self {
            Self::Limit(limit) => return limit.fmt(f),
            Self::Path { side, entry } => (side, entry, "has an empty path or one with a NUL: name a file"),
            Self::Duplicate { side, entry } => (side, entry, "has the path of an earlier one: give each path once"),
            Self::GitlinkId { side, entry } => {
                (side, entry, "is a gitlink without object id: give the id of its commit")
            }
        };
        let side = match side {
            Side::Before => "first",
            Side::After => "second",
        };
        write!(f, "entry {entry} of the {side} tree {what}")
    }
}

impl core::error::Error for TreeError {}

impl From<Limit> for TreeError {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}
