//! Files that decide how a repository is built, checked, guarded or worked on, by class.

use core::fmt;

/// What kind of file a path is, beside source code. A path may be of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Class {
    /// Definitions of pipelines, and bots that act on the forge.
    Ci,
    /// Who has to approve what.
    Ownership,
    /// What runs by itself on the machine of who works on it: git hooks, tasks of editors, environments that load when a folder is entered.
    Hooks,
    /// What agents are told, and which tools they are given.
    AgentInstructions,
    /// What changes how git reads the repository.
    GitSettings,
    /// Which versions of dependencies are taken.
    Lockfile,
    /// Which dependencies are asked for, and where they come from.
    Manifest,
    /// Changes of a database and its schema.
    Migration,
    /// Tests, what they are given, and how they are run.
    Test,
    /// How it is built, packed and rolled out, and with which tools.
    Build,
    /// A submodule that is new, gone or elsewhere, or `.gitmodules`.
    Submodule,
    /// A symlink that is new or leads elsewhere.
    Link,
    /// A file that can be executed and could not before.
    Executable,
}

impl Class {
    /// How many there are.
    pub const COUNT: usize = 13;

    /// All of them, by their bits.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Ci,
        Self::Ownership,
        Self::Hooks,
        Self::AgentInstructions,
        Self::GitSettings,
        Self::Lockfile,
        Self::Manifest,
        Self::Migration,
        Self::Test,
        Self::Build,
        Self::Submodule,
        Self::Link,
        Self::Executable,
    ];

    /// Its name in lower case with hyphens, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Ownership => "ownership",
            Self::Hooks => "hooks",
            Self::AgentInstructions => "agent-instructions",
            Self::GitSettings => "git-settings",
            Self::Lockfile => "lockfile",
            Self::Manifest => "manifest",
            Self::Migration => "migration",
            Self::Test => "test",
            Self::Build => "build",
            Self::Submodule => "submodule",
            Self::Link => "link",
            Self::Executable => "executable",
        }
    }
}

/// A set of classes, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Classes(u16);

impl Classes {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one is among them.
    pub const fn contains(self, class: Class) -> bool {
        self.0 >> class as u8 & 1 == 1
    }

    /// Adds one.
    pub const fn insert(&mut self, class: Class) {
        self.0 |= 1 << class as u8;
    }

    /// Adds those of another set.
    pub const fn insert_all(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Those that are in another set too.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// The bits: that of a class is 1 shifted by its number.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |class| self.contains(*class))
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_names_and_bits() {
        for (at, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, at);
            assert_eq!(Class::ALL.iter().filter(|other| other.name() == class.name()).count(), 1);
        }
    }
}
