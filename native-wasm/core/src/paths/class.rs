//! Files that decide how a repository is built, checked, guarded or worked on, by class.

use super::class_table::TABLE;
use crate::glob::{Case, Glob, GlobError};
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

/// Finds the classes that the name of a path tells. Most globs of the table name a file, a folder or an ending at any depth, so they are looked up
/// instead of matched one by one.
#[derive(Clone, Debug)]
pub(super) struct Classifier {
    /// `**/name`.
    files: Vec<(&'static [u8], Classes)>,
    /// `**/name/**`.
    folders: Vec<(&'static [u8], Classes)>,
    /// `**/*ending`.
    endings: Vec<(&'static [u8], Class)>,
    /// `folder/**`.
    roots: Vec<(&'static [u8], Classes)>,
    globs: Vec<(Glob, Class)>,
}

impl Classifier {
    pub(super) fn new() -> Result<Self, GlobError> {
        let mut this =
            Self { files: Vec::new(), folders: Vec::new(), endings: Vec::new(), roots: Vec::new(), globs: Vec::new() };
        let rows =
            TABLE.iter().flat_map(|(class, globs)| globs.split_ascii_whitespace().map(move |glob| (class, glob)));
        for (class, pattern) in rows {
            let plain = |text: &&str| !text.contains(['*', '?', '[', '{', '/', '\\']);
            let anywhere = pattern.strip_prefix("**/");
            let mut classes = Classes::NONE;
            classes.insert(*class);
            if let Some(name) = anywhere.filter(plain) {
                this.files.push((name.as_bytes(), classes));
            } else if let Some(name) = anywhere.and_then(|rest| rest.strip_suffix("/**")).filter(plain) {
                this.folders.push((name.as_bytes(), classes));
            } else if let Some(ending) = anywhere.and_then(|rest| rest.strip_prefix('*')).filter(plain) {
                this.endings.push((ending.as_bytes(), *class));
            } else if let Some(name) = pattern.strip_suffix("/**").filter(plain) {
                this.roots.push((name.as_bytes(), classes));
            } else {
                this.globs.push((Glob::compile(pattern.as_bytes(), Case::Sensitive)?, *class));
            }
        }
        for names in [&mut this.files, &mut this.folders, &mut this.roots] {
            names.sort_unstable_by_key(|(name, _)| *name);
            names.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    kept.1.insert_all(later.1);
                }
                same
            });
        }
        Ok(this)
    }

    /// The classes of a path in canonical form.
    pub(super) fn classes(&self, canonical: &[u8]) -> Classes {
        let mut classes = Classes::NONE;
        let mut rest = canonical;
        let mut table = &self.roots;
        while let Some(end) = memchr::memchr(b'/', rest) {
            let (folder, behind) = rest.split_at(end);
            classes.insert_all(look_up(table, folder));
            classes.insert_all(look_up(&self.folders, folder));
            // Only the first folder is at the root.
            table = &self.folders;
            rest = behind.get(1..).unwrap_or_default();
        }
        classes.insert_all(look_up(&self.files, rest));
        let endings = self.endings.iter().filter(|(ending, _)| rest.ends_with(ending));
        endings.for_each(|(_, class)| classes.insert(*class));
        for (glob, class) in &self.globs {
            if !classes.contains(*class) && glob.is_match(canonical) {
                classes.insert(*class);
            }
        }
        classes
    }
}

fn look_up(names: &[(&'static [u8], Classes)], name: &[u8]) -> Classes {
    let found = names.binary_search_by(|(other, _)| (*other).cmp(name)).ok();
    found.and_then(|at| names.get(at)).map_or(Classes::NONE, |(_, classes)| *classes)
}

#[cfg(test)]
#[path = "class_tests.rs"]
mod tests;
