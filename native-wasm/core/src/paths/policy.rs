use super::classifier::Classifier;
use super::{Class, Classes, Violation, Violations};
use crate::glob::{Case, GlobError, Globs};
use core::fmt;

/// What a policy does about a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not mentioned.
    Allow,
    /// It is reported.
    Report,
    /// It is reported as a violation.
    Deny,
}

/// What a policy is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyRules<'a> {
    /// Globs of the paths that may change, of which the last that matches decides; with none, all may.
    pub allow: &'a [&'a [u8]],
    /// Globs of the paths that may not, whatever is allowed. Case does not matter, and they are compared with canonical paths too.
    pub deny: &'a [&'a [u8]],
    /// What to do about classes, where it is not [`Policy::default_verdict`].
    pub classes: &'a [(Class, Verdict)],
    /// Violations that are no matter here, of [`Violations::TOLERABLE`].
    pub tolerated: Violations,
}

/// Stands for anything below a folder. No class has files of this name.
const BELOW: &[u8] = b"/-";

/// What a change of a tree may do. Made once, for many changes.
#[derive(Clone, Debug)]
pub struct Policy {
    allow: Globs,
    deny: Globs,
    verdicts: [Verdict; Class::COUNT],
    pub(super) tolerated: Violations,
    classifier: Classifier,
}

/// A policy that cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// A glob of `allow` is wrong.
    Allow(GlobError),
    /// A glob of `deny` is wrong.
    Deny(GlobError),
    /// A violation cannot be tolerated.
    Intolerable(Violation),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow(error) => write!(f, "allow, {error}"),
            Self::Deny(error) => write!(f, "deny, {error}"),
            Self::Intolerable(violation) => {
                write!(
                    f,
                    "tolerated: `{}` harms everywhere, so no policy can tolerate it: take it out",
                    violation.name()
                )
            }
        }
    }
}

impl core::error::Error for PolicyError {}

impl Policy {
    /// Makes a policy.
    ///
    /// # Errors
    /// [`PolicyError`]: a glob that is wrong, or a violation that nobody should tolerate.
    pub fn new(rules: &PolicyRules<'_>) -> Result<Self, PolicyError> {
        if let Some(violation) = rules.tolerated.iter().find(|violation| !Violations::TOLERABLE.contains(*violation)) {
            return Err(PolicyError::Intolerable(violation));
        }
        let mut verdicts = Class::ALL.map(Self::default_verdict);
        for (class, verdict) in rules.classes {
            if let Some(to) = verdicts.get_mut(*class as usize) {
                *to = *verdict;
            }
        }
        Ok(Self {
            allow: Globs::compile(rules.allow, Case::Sensitive).map_err(PolicyError::Allow)?,
            deny: Globs::compile(rules.deny, Case::Insensitive).map_err(PolicyError::Deny)?,
            verdicts,
            tolerated: rules.tolerated,
            classifier: Classifier::new().map_err(PolicyError::Deny)?,
        })
    }

    /// What is done about a class when the rules do not say: what guards the repository or speaks to people and agents who work on it is denied, the
    /// rest is reported.
    pub const fn default_verdict(class: Class) -> Verdict {
        match class {
            Class::Ci | Class::Ownership | Class::Hooks | Class::AgentInstructions | Class::Submodule => Verdict::Deny,
            _ => Verdict::Report,
        }
    }

    /// Those of some classes that have a verdict.
    pub(super) fn with_verdict(&self, classes: Classes, verdict: Verdict) -> Classes {
        let mut chosen = Classes::NONE;
        for class in classes.iter().filter(|class| self.verdicts.get(*class as usize) == Some(&verdict)) {
            chosen.insert(class);
        }
        chosen
    }

    /// The classes that the name of a path tells.
    pub(super) fn classes(&self, canonical: &[u8]) -> Classes {
        self.classifier.classes(canonical)
    }

    /// The classes of what is below a path.
    pub(super) fn classes_below(&self, canonical: &[u8]) -> Classes {
        self.classes(&[canonical, BELOW].concat())
    }

    /// Which violation of the globs a path is, with the number of the glob that decided.
    pub(super) fn denies(&self, path: &[u8], canonical: &[u8]) -> Option<(Violation, u32)> {
        let denied = self.denied(path, canonical);
        if denied.is_some() {
            return denied;
        }
        if self.allow.is_empty() {
            return None;
        }
        match self.allow.matched(path) {
            None => Some((Violation::NotAllowed, u32::MAX)),
            Some(matched) => matched.negated.then_some((Violation::NotAllowed, matched.rule)),
        }
    }

    /// Whether a path, or its canonical form, is one that `deny` names.
    pub(super) fn denied(&self, path: &[u8], canonical: &[u8]) -> Option<(Violation, u32)> {
        let matched = [path, canonical].into_iter().find_map(|path| self.deny.matched(path).filter(|it| !it.negated));
        matched.map(|matched| (Violation::DeniedGlob, matched.rule))
    }

    /// Whether what is below a path is denied, unless a glob says of the path itself that it is not.
    pub(super) fn denies_below(&self, path: &[u8], canonical: &[u8]) -> Option<(Violation, u32)> {
        if [path, canonical].iter().any(|path| self.deny.matched(path).is_some()) {
            return None;
        }
        let [path, canonical] = [path, canonical].map(|path| [path, BELOW].concat());
        self.denied(&path, &canonical)
    }

    /// Units of a budget that judging a path by its globs takes.
    pub(super) fn cost(&self, path: &[u8]) -> u64 {
        // Paths are compared with `deny` in both forms.
        let globs = self.deny.alternatives() * 2 + self.allow.alternatives();
        16 + globs as u64 * (1 + path.len() as u64 / 64)
    }
}
