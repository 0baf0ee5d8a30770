use super::canonical::canonical_into;
use super::links::{self, Lead};
use super::name::Fault;
use super::tree::{SEPARATOR, Tree};
use super::{
    Change, Class, Classes, Entry, Finding, Mode, Place, Policy, Report, Touched, Verdict, Violation, Violations, check,
};
use crate::sort;
use crate::{Budget, Limit, MAX_INPUT_BYTES};
use core::ops::Range;

/// Judges the change from one tree to another, each given as all its entries in any order.
///
/// What was there before is no fault of the change: names are judged where a path is new or became something else, clashes where one of both did,
/// symlinks where one is new or leads elsewhere, be it because of another. Globs and classes are about all paths that changed, those that are gone too.
/// Time grows with the size of the listings; a unit of the budget is some bytes that are compared.
///
/// ```
/// use millwright_core::{Budget, paths::{judge, Entry, Mode, Policy, PolicyRules}};
/// let entry = |mode, path, target| Entry { mode, id: b"1", path, target };
/// let before = [entry(Mode::File, b"src/main.rs", None)];
/// let after = [before[0], entry(Mode::Symlink, b"src/keys", Some(&b"../../.ssh"[..])), entry(Mode::File, b".github/workflows/x.yml", None)];
/// let policy = Policy::new(&PolicyRules::default())?;
///
/// let report = judge(&before, &after, &policy, &mut Budget::default())?;
/// let messages: Vec<_> = report.findings().iter().map(|finding| report.message(finding).to_string()).collect();
/// assert_eq!(messages, [
///     "\".github/workflows/x.yml\" is of a kind that the policy denies: ci; leave it as it was, or have the policy allow the kind",
///     "\"src/keys\" is a symlink that leads out of the repository; make its target a path in the repository",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Limit::Size`] when the paths of a listing, or of those that changed, are too long together, [`Limit::Memory`] and [`Limit::Budget`]: then nothing is known of the change.
pub fn judge<'a>(
    before: &[Entry<'a>],
    after: &[Entry<'a>],
    policy: &Policy,
    budget: &mut Budget,
) -> Result<Report<'a>, Limit> {
    let (old, new) = (by_path(before, budget)?, by_path(after, budget)?);
    let tree = Tree::new(after)?;
    let mut judge = Judge {
        policy,
        report: Report::default(),
        clashes: clashes(&tree)?,
        aliases: aliases(&tree, budget)?,
        tree,
        before,
        before_tree: None,
    };
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let path_of = |entries: &[Entry<'a>], number: Option<&u32>| {
            number.and_then(|number| entries.get(*number as usize)).map(|entry| entry.path)
        };
        let (was, is) = (path_of(before, old.peek()), path_of(after, new.peek()));
        let (takes_old, takes_new) = match (was, is) {
            (None, None) => return Ok(judge.report),
            (Some(was), Some(is)) => (was <= is, is <= was),
            (was, is) => (was.is_some(), is.is_some()),
        };
        let was = if takes_old { old.next() } else { None };
        let is = if takes_new { new.next() } else { None };
        judge.entry(was.and_then(|number| before.get(number as usize)), is, budget)?;
    }
}

/// The entries of a listing in the order of their paths. A path that comes twice stays twice.
fn by_path(entries: &[Entry<'_>], budget: &mut Budget) -> Result<Vec<u32>, Limit> {
    let mut bytes = 0_u64;
    for entry in entries {
        bytes = bytes.saturating_add(entry.path.len() as u64 + 1);
    }
    if bytes > MAX_INPUT_BYTES as u64 {
        return Err(Limit::Size { actual: bytes, max: MAX_INPUT_BYTES as u64 });
    }
    budget.spend(bytes / 16)?;
    let mut order = Limit::reserve(entries.len())?;
    order.extend(0..entries.len() as u32);
    let path = |number: u32| entries.get(number as usize).map(|entry| entry.path);
    sort::numbers(&mut order, &mut |one, other| path(one).cmp(&path(other)).then(one.cmp(&other)));
    Ok(order)
}

/// What is the same as, or below, something else in a tree, by entry.
fn clashes(tree: &Tree<'_, '_>) -> Result<Vec<(u32, Violation, Range<usize>)>, Limit> {
    let mut clashes = Vec::new();
    let mut full = None;
    tree.conflicts(|entry, violation, at| {
        if full.is_none() && clashes.try_reserve(1).is_err() {
            full = Some(Limit::Memory { bytes: 2 * size_of_val(clashes.as_slice()) as u64 });
        }
        if full.is_none() {
            clashes.push((entry, violation, at));
        }
    });
    sort::unstable_by_key(&mut clashes, |(entry, violation, at)| (*entry, *violation, at.start));
    full.map_or(Ok(clashes), Err)
}

/// Another name of a path and of what is below it: a symlink that leads there.
struct Alias {
    key: Vec<u8>,
    link: u32,
}

/// The symlinks of a tree by where they lead.
fn aliases(tree: &Tree<'_, '_>, budget: &mut Budget) -> Result<Vec<Alias>, Limit> {
    let mut aliases = Vec::new();
    for (link, entry) in (0..).zip(tree.entries).filter(|(_, entry)| entry.mode == Mode::Symlink) {
        if let Ok(key) = links::follow(tree, entry, budget)? {
            aliases.try_reserve(1).map_err(|_| Limit::Memory { bytes: key.len() as u64 })?;
            aliases.push(Alias { key, link });
        }
    }
    sort::unstable_by(&mut aliases, |one, other| (&one.key, one.link).cmp(&(&other.key, other.link)));
    Ok(aliases)
}

struct Judge<'e, 'a, 'p> {
    policy: &'p Policy,
    report: Report<'a>,
    tree: Tree<'e, 'a>,
    /// By entry.
    clashes: Vec<(u32, Violation, Range<usize>)>,
    aliases: Vec<Alias>,
    before: &'e [Entry<'a>],
    /// Made when a symlink that did not change leads somewhere wrong.
    before_tree: Option<Tree<'e, 'a>>,
}

impl<'a> Judge<'_, 'a, '_> {
    /// Judges a path by what it was and the number of what it is.
    fn entry(&mut self, was: Option<&Entry<'a>>, number: Option<u32>, budget: &mut Budget) -> Result<(), Limit> {
        let is = number.and_then(|number| self.tree.entry(number)).copied();
        let change = match (was, &is) {
            (Some(was), Some(is)) if was.mode == is.mode && was.id == is.id => Change::Affected,
            (Some(_), Some(_)) => Change::Modified,
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Deleted,
            (None, None) => return Ok(()),
        };
        let lead = match &is {
            Some(is) if is.mode == Mode::Symlink => self.lead(was, is, change, budget)?,
            _ => None,
        };
        if change == Change::Affected && lead.is_none() {
            return Ok(());
        }
        let path = is.as_ref().or(was).map(|entry| entry.path).unwrap_or_default();
        budget.spend(self.policy.cost(path))?;
        let start = self.report.findings.len() as u32;
        let canonical = self.canonical(path)?;
        let paths = self.report.paths.try_reserve(1);
        // No path has more findings than there are violations.
        paths
            .and(self.report.findings.try_reserve(Violation::COUNT))
            .map_err(|_| Limit::Memory { bytes: path.len() as u64 })?;
        let (before, after) = (was.map(|entry| entry.mode), is.map(|entry| entry.mode));
        let mut touched = Touched {
            path,
            change,
            before,
            after,
            classes: Classes::NONE,
            violations: Violations::NONE,
            findings: start..start,
            canonical,
        };
        if let (Some(number), Some(is)) = (number, is)
            && before.map(kind) != Some(kind(is.mode))
        {
            self.names(&mut touched, number, is.mode, budget)?;
        }
        if let Some(lead) = lead {
            self.add(&mut touched, lead.violation, Place::Target, lead.at);
        }
        if change != Change::Affected {
            self.rules(&mut touched, budget)?;
        }
        touched.findings.end = self.report.findings.len() as u32;
        self.report.paths.push(touched);
        Ok(())
    }

    fn canonical(&mut self, path: &[u8]) -> Result<Range<u32>, Limit> {
        let start = self.report.canonical.len() as u32;
        // Folding makes of one byte three at most.
        let room = path.len().saturating_mul(3);
        let end = self.report.canonical.len().saturating_add(room) as u64;
        if end > u64::from(u32::MAX) {
            return Err(Limit::Size { actual: end, max: u64::from(u32::MAX) });
        }
        self.report.canonical.try_reserve(room).map_err(|_| Limit::Memory { bytes: room as u64 })?;
        canonical_into(path, b'/', &mut self.report.canonical);
        Ok(start..self.report.canonical.len() as u32)
    }

    /// What is wrong with the name of a path that is new or became something else.
    fn names(&mut self, touched: &mut Touched<'a>, number: u32, mode: Mode, budget: &mut Budget) -> Result<(), Limit> {
        for Fault { violation, at } in check(touched.path, mode) {
            self.add(touched, violation, Place::Path, at);
        }
        let first = self.clashes.partition_point(|(entry, ..)| *entry < number);
        let mut seen = None;
        for at in first..self.clashes.len() {
            let Some((entry, violation, at)) = self.clashes.get(at).cloned() else { break };
            if entry != number {
                break;
            }
            if seen.replace(violation) != Some(violation) {
                self.add(touched, violation, Place::Path, at);
            }
        }
        if let Some(at) = self.tree.bare_repository(number, budget)? {
            self.add(touched, Violation::BareRepository, Place::Path, at);
        }
        Ok(())
    }

    /// What is wrong with where a symlink leads. One that did not change is judged when it leads somewhere else than before.
    fn lead(
        &mut self,
        was: Option<&Entry<'a>>,
        is: &Entry<'a>,
        change: Change,
        budget: &mut Budget,
    ) -> Result<Option<Lead>, Limit> {
        let Err(lead) = links::follow(&self.tree, is, budget)? else { return Ok(None) };
        let Some(was) = was.filter(|_| change == Change::Affected) else { return Ok(Some(lead)) };
        let tree = match self.before_tree.take() {
            Some(tree) => tree,
            None => Tree::new(self.before)?,
        };
        let tree = self.before_tree.insert(tree);
        let before = links::follow(tree, was, budget)?.err();
        Ok(Some(lead).filter(|lead| before.is_none_or(|before| before.violation != lead.violation)))
    }

    /// What the policy says about a path that changed.
    fn rules(&mut self, touched: &mut Touched<'a>, budget: &mut Budget) -> Result<(), Limit> {
        let canonical = self.report.canonical(touched);
        let mut classes = self.policy.classes(canonical);
        let mut denied = self.policy.denies(touched.path, canonical);
        if [touched.before, touched.after].iter().any(|mode| matches!(mode, Some(Mode::Symlink | Mode::Submodule))) {
            // What it is, and what is below it, is wherever it leads.
            classes.insert_all(self.policy.classes_below(canonical));
            denied = denied.or_else(|| self.policy.denies_below(touched.path, canonical));
        }
        for name in self.other_names(canonical, budget)? {
            classes.insert_all(self.policy.classes(&name));
            denied = denied.or_else(|| self.policy.denied(&name, &name));
        }
        if [touched.before, touched.after].contains(&Some(Mode::Submodule)) {
            classes.insert(Class::Submodule);
        }
        if touched.after == Some(Mode::Symlink) {
            classes.insert(Class::Link);
        }
        if touched.after == Some(Mode::Executable) && touched.before != Some(Mode::Executable) {
            classes.insert(Class::Executable);
        }
        let denied_classes = self.policy.with_verdict(classes, Verdict::Deny);
        touched.classes = self.policy.with_verdict(classes, Verdict::Report);
        touched.classes.insert_all(denied_classes);
        if let Some((violation, rule)) = denied {
            self.add(touched, violation, Place::Path, 0..touched.path.len());
            if let Some(finding) = self.report.findings.last_mut() {
                finding.rule = Some(rule).filter(|rule| *rule != u32::MAX);
            }
        }
        if !denied_classes.is_empty() {
            self.add(touched, Violation::DeniedClass, Place::Path, 0..touched.path.len());
            if let Some(finding) = self.report.findings.last_mut() {
                finding.classes = denied_classes;
            }
        }
        Ok(())
    }

    /// What a path is called through symlinks that lead to it or to a folder that it is in, in canonical form.
    fn other_names(&self, canonical: &[u8], budget: &mut Budget) -> Result<Vec<Vec<u8>>, Limit> {
        let mut names = Vec::new();
        if self.aliases.is_empty() {
            return Ok(names);
        }
        let as_key = |byte: &u8| if *byte == b'/' { SEPARATOR } else { *byte };
        let key: Vec<u8> = canonical.iter().map(as_key).collect();
        let lookup = u64::from(self.aliases.len().ilog2()) + 1;
        for end in memchr::memchr_iter(SEPARATOR, &key).chain([key.len()]) {
            budget.spend(lookup * (1 + end as u64 / 64))?;
            let (folder, rest) = (&key[..end], &canonical[end..]);
            let first = self.aliases.partition_point(|alias| &*alias.key < folder);
            for alias in self.aliases[first..].iter().take_while(|alias| alias.key == folder) {
                let link = self.tree.key(alias.link).iter().map(|byte| if *byte == SEPARATOR { b'/' } else { *byte });
                let name: Vec<u8> = link.chain(rest.iter().copied()).collect();
                budget.spend(self.policy.cost(&name))?;
                names.push(name);
            }
        }
        Ok(names)
    }

    fn add(&mut self, touched: &mut Touched<'a>, violation: Violation, place: Place, at: Range<usize>) {
        if self.policy.tolerated.contains(violation) {
            return;
        }
        touched.violations.insert(violation);
        let at = at.start as u32..at.end as u32;
        let path = self.report.paths.len() as u32;
        self.report.findings.push(Finding { path, violation, place, at, rule: None, classes: Classes::NONE });
    }
}

/// What a name has to be fit for: a file is a file, whether it can be executed or not.
const fn kind(mode: Mode) -> Mode {
    match mode {
        Mode::Executable => Mode::File,
        mode => mode,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
