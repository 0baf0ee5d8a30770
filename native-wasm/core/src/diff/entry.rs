/// What a path of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// A file: 100644.
    File,
    /// A file that can be run: 100755.
    Executable,
    /// A symbolic link; its bytes are its target: 120000.
    Symlink,
    /// A commit of another repository, a submodule: 160000.
    Gitlink,
}

impl Mode {
    /// The mode with these bits, as git reads them; `None` for folders and what git does not know.
    ///
    /// ```
    /// use millwright_core::diff::Mode;
    /// assert_eq!(Mode::from_bits(0o100_664), Some(Mode::File));
    /// assert_eq!(Mode::from_bits(0o040_000), None);
    /// ```
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match bits & 0o170_000 {
            0o100_000 if bits & 0o100 != 0 => Some(Self::Executable),
            0o100_000 => Some(Self::File),
            0o120_000 => Some(Self::Symlink),
            0o160_000 => Some(Self::Gitlink),
            _ => None,
        }
    }

    /// The bits, such as `0o100644`.
    pub const fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Symlink => 0o120_000,
            Self::Gitlink => 0o160_000,
        }
    }

    /// The bits in octal, as patches have them.
    pub const fn octal(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Gitlink => "160000",
        }
    }

    /// Whether it is a file, executable or not.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    /// Whether a change from one to the other is a change of the mode, not of the type.
    pub(super) fn has_type_of(self, other: Self) -> bool {
        self == other || self.is_file() && other.is_file()
    }
}

/// A path of a tree with its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The path from the root of the tree, without a slash at its begin.
    pub path: &'a [u8],
    /// What it is.
    pub mode: Mode,
    /// The object id, raw bytes, when it is known. A gitlink must have one.
    pub id: Option<&'a [u8]>,
    /// The content; nothing for a gitlink.
    pub bytes: &'a [u8],
}

impl Entry<'_> {
    /// Whether the contents are equal, which ids tell when both are known.
    pub(super) fn has_content_of(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(id), Some(other)) if id == other => true,
            _ if self.mode == Mode::Gitlink => self.id == other.id,
            _ => self.bytes == other.bytes,
        }
    }

    /// The path behind its last slash.
    pub(super) fn base_name(&self) -> &[u8] {
        memchr::memrchr(b'/', self.path).map_or(self.path, |at| &self.path[at + 1..])
    }
}

/// What has changed at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair<'a> {
    /// The path is new.
    Added(Entry<'a>),
    /// The path is gone.
    Deleted(Entry<'a>),
    /// The content or the mode is another; the type is the same.
    Modified {
        /// As it was.
        before: Entry<'a>,
        /// As it is.
        after: Entry<'a>,
    },
    /// The path is another, and maybe content and mode as well.
    Renamed {
        /// As it was.
        before: Entry<'a>,
        /// As it is.
        after: Entry<'a>,
        /// How much of the content is the same, in percent.
        similarity: u8,
    },
}

impl<'a> Pair<'a> {
    /// As it was.
    pub const fn before(&self) -> Option<&Entry<'a>> {
        match self {
            Self::Added(_) => None,
            Self::Deleted(before) | Self::Modified { before, .. } | Self::Renamed { before, .. } => Some(before),
        }
    }

    /// As it is.
    pub const fn after(&self) -> Option<&Entry<'a>> {
        match self {
            Self::Deleted(_) => None,
            Self::Added(after) | Self::Modified { after, .. } | Self::Renamed { after, .. } => Some(after),
        }
    }

    /// The entry that names it: as it is, or as it was when it is gone.
    pub const fn entry(&self) -> &Entry<'a> {
        match self {
            Self::Deleted(entry) | Self::Added(entry) => entry,
            Self::Modified { after, .. } | Self::Renamed { after, .. } => after,
        }
    }
}
