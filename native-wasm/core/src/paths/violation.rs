/// What is wrong with a path, or with what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Violation {
    /// Nothing, or nothing but spaces, is between two slashes.
    Empty,
    /// A component is `.`, or is read so.
    Here,
    /// A component is `..`, or is read so.
    Parent,
    /// The path begins with a slash.
    Absolute,
    /// The path begins with a drive, as `C:`.
    Drive,
    /// The path begins with two slashes or backslashes: the name of a server.
    Server,
    /// There is a backslash, which separates components on Windows.
    Backslash,
    /// A component is `.git`, or is read so by some file system or by a person.
    DotGit,
    /// A symlink where git reads a file of settings: `.gitmodules`, `.gitattributes`, `.gitignore`.
    LinkedSettings,
    /// There is a control character.
    Control,
    /// There is a character that turns the direction of the text around it.
    Bidirectional,
    /// The path is no UTF-8.
    InvalidUtf8,
    /// A component is the name of a device on Windows.
    Device,
    /// There is a colon, behind which NTFS has the name of a stream.
    Stream,
    /// A component has more than [`MAX_COMPONENT_BYTES`](super::MAX_COMPONENT_BYTES).
    LongComponent,
    /// The path has more than [`MAX_PATH_BYTES`](super::MAX_PATH_BYTES).
    LongPath,
    /// The path has more than [`MAX_DEPTH`](super::MAX_DEPTH) components.
    Deep,
    /// Another path has the same canonical form.
    Duplicate,
    /// What is a file here is a folder for another path.
    FileAndFolder,
    /// A folder on the way is a symlink.
    BelowLink,
    /// A folder on the way is a submodule.
    BelowSubmodule,
    /// A folder on the way has what git takes for a repository without a work tree, whose settings run programs.
    BareRepository,
    /// The target of a symlink on the way is not known.
    UnknownTarget,
    /// The target of the symlink is empty, longer than a path, or has a zero byte or a backslash.
    MalformedTarget,
    /// The symlink, or one it goes through, is absolute.
    AbsoluteTarget,
    /// The symlink leads out of the repository.
    Escape,
    /// The symlink leads into `.git`.
    LinkIntoGit,
    /// The symlink leads into a submodule.
    LinkIntoSubmodule,
    /// The symlink goes round in a circle, or takes more than [`MAX_LINKS`](super::MAX_LINKS) steps.
    Cycle,
    /// No glob of the policy allows the path.
    NotAllowed,
    /// A glob of the policy denies the path.
    DeniedGlob,
    /// The policy denies a class that the path is of.
    DeniedClass,
}

/// Each with its name, what it says, and what to change.
const TABLE: [(Violation, &str, &str, &str); Violation::COUNT] = [
    (Violation::Empty, "empty", "has an empty component", "take the extra slash out or name the component"),
    (Violation::Here, "here", "has a component that is read as `.`", "take it out"),
    (
        Violation::Parent,
        "parent",
        "has a component that is read as `..`",
        "name the path from the root of the repository on",
    ),
    (Violation::Absolute, "absolute", "is absolute", "name the path from the root of the repository on"),
    (Violation::Drive, "drive", "begins with a drive", "name the path from the root of the repository on"),
    (
        Violation::Server,
        "server",
        "begins with the name of a server",
        "name the path from the root of the repository on",
    ),
    (Violation::Backslash, "backslash", "has a backslash, which separates folders on Windows", "rename it"),
    (Violation::DotGit, "dot-git", "has a component that is, or can be read as, `.git`", "rename it"),
    (
        Violation::LinkedSettings,
        "linked-settings",
        "is a symlink where git reads its settings",
        "make it a regular file",
    ),
    (Violation::Control, "control", "has a control character", "rename it"),
    (Violation::Bidirectional, "bidirectional", "has a character that changes the direction of text", "rename it"),
    (Violation::InvalidUtf8, "invalid-utf8", "is no UTF-8", "rename it"),
    (Violation::Device, "device", "is the name of a device on Windows", "rename it"),
    (Violation::Stream, "stream", "has a colon, which begins the name of a stream on NTFS", "rename it"),
    (Violation::LongComponent, "long-component", "has a component of more than 255 bytes", "shorten it"),
    (Violation::LongPath, "long-path", "has more than 4096 bytes", "shorten it"),
    (Violation::Deep, "deep", "has more than 256 components", "move it up"),
    (
        Violation::Duplicate,
        "duplicate",
        "is the same as another path where case and ignorable characters do not count",
        "rename or remove one of them",
    ),
    (Violation::FileAndFolder, "file-and-folder", "is a file and a folder at once", "rename or remove one of them"),
    (Violation::BelowLink, "below-link", "is below a symlink", "move it, or make the symlink a folder"),
    (
        Violation::BelowSubmodule,
        "below-submodule",
        "is below a submodule",
        "move it, or change it in the submodule's repository",
    ),
    (
        Violation::BareRepository,
        "bare-repository",
        "makes a folder one that git takes for a repository",
        "pack it into an archive",
    ),
    (
        Violation::UnknownTarget,
        "unknown-target",
        "is a symlink whose target, or one on the way, was not given",
        "give the contents of all symlinks",
    ),
    (
        Violation::MalformedTarget,
        "malformed-target",
        "is a symlink to what can be no path",
        "make its target a short relative path with `/`",
    ),
    (
        Violation::AbsoluteTarget,
        "absolute-target",
        "is a symlink that leads to an absolute path",
        "make its target relative",
    ),
    (
        Violation::Escape,
        "escape",
        "is a symlink that leads out of the repository",
        "make its target a path in the repository",
    ),
    (
        Violation::LinkIntoGit,
        "link-into-git",
        "is a symlink that leads into `.git`",
        "make its target a path of the tree",
    ),
    (
        Violation::LinkIntoSubmodule,
        "link-into-submodule",
        "is a symlink that leads into a submodule",
        "copy what is needed instead",
    ),
    (
        Violation::Cycle,
        "cycle",
        "is a symlink that goes round in a circle or through more than 40 others",
        "let it lead to its end at once",
    ),
    (
        Violation::NotAllowed,
        "not-allowed",
        "is not among the paths that the policy allows",
        "leave it as it was, or have the policy allow it",
    ),
    (
        Violation::DeniedGlob,
        "denied-glob",
        "is among the paths that the policy denies",
        "leave it as it was, or have the policy changed",
    ),
    (
        Violation::DeniedClass,
        "denied-class",
        "is of a kind that the policy denies",
        "leave it as it was, or have the policy allow the kind",
    ),
];

impl Violation {
    /// How many there are.
    pub const COUNT: usize = 32;

    /// All of them, by their bits.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(violation, ..)| *violation)
    }

    /// Its name in lower case with hyphens, which never changes.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// What it says of a path, as the end of a sentence.
    pub const fn says(self) -> &'static str {
        self.row().2
    }

    /// What to change. What is [tolerable](super::Violations::TOLERABLE) can also be left to the policy.
    pub const fn remedy(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        // The table has a row for each, in the order of their numbers, which a test checks.
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_names_differ() {
        for (at, (violation, name, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*violation as usize, at);
            assert_eq!(TABLE.iter().filter(|row| row.1 == *name).count(), 1, "{name}");
        }
    }
}
