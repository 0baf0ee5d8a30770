use super::quoted::Quoted;
use super::{Class, Classes, Mode, Violation, Violations};
use core::fmt;
use core::ops::Range;

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// Its contents or its mode are others.
    Modified,
    /// It is gone.
    Deleted,
    /// It is as it was, but leads elsewhere now: a symlink.
    Affected,
}

/// A path that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched<'a> {
    /// The path.
    pub path: &'a [u8],
    /// What happened to it.
    pub change: Change,
    /// What it was before, unless it is new.
    pub before: Option<Mode>,
    /// What it is now, unless it is gone.
    pub after: Option<Mode>,
    /// The classes that the policy does not simply allow.
    pub classes: Classes,
    /// What is wrong.
    pub violations: Violations,
    pub(super) findings: Range<u32>,
    pub(super) canonical: Range<u32>,
}

/// Of what a finding tells the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Of the path.
    Path,
    /// Of the target of the symlink.
    Target,
}

/// A violation by a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which path of the report.
    pub path: u32,
    /// What is wrong.
    pub violation: Violation,
    /// Of what `at` is a part.
    pub place: Place,
    /// The component that is wrong, or what is wrong within it.
    pub at: Range<u32>,
    /// For [`Violation::DeniedGlob`] and [`Violation::NotAllowed`], the place of the glob that decided in its list.
    pub rule: Option<u32>,
    /// For [`Violation::DeniedClass`], the classes.
    pub classes: Classes,
}

/// What a change of a tree does, by path.
#[derive(Clone, Debug, Default)]
pub struct Report<'a> {
    pub(super) paths: Vec<Touched<'a>>,
    pub(super) findings: Vec<Finding>,
    pub(super) canonical: Vec<u8>,
}

impl<'a> Report<'a> {
    /// All paths that changed, in the order of their bytes.
    pub fn paths(&self) -> &[Touched<'a>] {
        &self.paths
    }

    /// All that is wrong, in the order of the paths.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What is wrong with a path.
    pub fn findings_of(&self, path: &Touched<'a>) -> &[Finding] {
        self.findings.get(path.findings.start as usize..path.findings.end as usize).unwrap_or_default()
    }

    /// The canonical form of a path, as [`canonical`](super::canonical()) makes it.
    pub fn canonical(&self, path: &Touched<'a>) -> &[u8] {
        self.canonical.get(path.canonical.start as usize..path.canonical.end as usize).unwrap_or_default()
    }

    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// A finding as a sentence: which path, what is wrong, what to change.
    pub fn message(&self, finding: &Finding) -> impl fmt::Display {
        Message {
            path: self.paths.get(finding.path as usize).map(|touched| touched.path).unwrap_or_default(),
            finding: finding.clone(),
        }
    }
}

struct Message<'a> {
    path: &'a [u8],
    finding: Finding,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { violation, place, at, rule, classes, .. } = &self.finding;
        write!(f, "{} {}", Quoted(self.path), violation.says())?;
        let part = self.path.get(at.start as usize..at.end as usize).unwrap_or_default();
        if *place == Place::Path && !part.is_empty() && part != self.path {
            write!(f, ", at byte {}: {}", at.start, Quoted(part))?;
        }
        if let Some(rule) = rule {
            write!(f, " by glob {rule}")?;
        }
        if !classes.is_empty() {
            let names: Vec<_> = classes.iter().map(Class::name).collect();
            write!(f, ": {}", names.join(", "))?;
        }
        write!(f, "; {}", violation.remedy())?;
        if Violations::TOLERABLE.contains(*violation) { f.write_str(", or let the policy tolerate it") } else { Ok(()) }
    }
}
