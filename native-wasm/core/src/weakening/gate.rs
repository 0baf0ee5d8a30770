//! Compares what the configuration of tests says before and after.

use super::gate_commands::weaker;
use super::gate_facts::{Fact, FactKind, read};
use super::paths::{file_name, has_folder, is_test_file};
use super::report::Change;
use super::{Confidence, Kind, Side};
use crate::lex::Language;
use crate::sort;
use crate::{Budget, Limit};
use core::ops::Range;

/// A finding of which only the place in its contents is known.
pub(super) struct Raw {
    pub(super) side: Side,
    pub(super) range: Range<u32>,
    pub(super) old: Option<Range<u32>>,
    pub(super) kind: Kind,
    pub(super) confidence: Confidence,
    pub(super) message: &'static str,
}

/// Whether a file configures or starts tests.
pub(super) fn is_config(path: &[u8]) -> bool {
    let name = file_name(path);
    let stem = name.split(|byte| *byte == b'.').find(|part| !part.is_empty()).unwrap_or_default();
    matches!(
        name,
        b"package.json"
            | b"pytest.ini"
            | b"setup.cfg"
            | b"tox.ini"
            | b"pyproject.toml"
            | b".coveragerc"
            | b"noxfile.py"
            | b"conftest.py"
            | b"Jenkinsfile"
            | b"pom.xml"
            | b"build.gradle"
            | b"build.gradle.kts"
            | b"nextest.toml"
            | b".gitlab-ci.yml"
            | b".travis.yml"
            | b"azure-pipelines.yml"
            | b"bitbucket-pipelines.yml"
            | b"Makefile"
            | b"makefile"
            | b"GNUmakefile"
            | b"justfile"
            | b"Taskfile.yml"
            | b"tarpaulin.toml"
            | b"gradle.properties"
    ) || matches!(
        stem,
        b"jest"
            | b"vitest"
            | b"vite"
            | b"playwright"
            | b"karma"
            | b"cypress"
            | b"mocharc"
            | b"nycrc"
            | b"c8rc"
            | b"codecov"
            | b"testcoverage"
    ) || (has_folder(path, &[b"workflows", b".circleci", b".buildkite"])
        && (name.ends_with(b".yml") || name.ends_with(b".yaml")))
        || (name.ends_with(b".sh")
            && [&b"test"[..], b"check", b"ci"].iter().any(|it| memchr::memmem::find(name, it).is_some()))
        || name.ends_with(b".mk")
}

/// Whether a file may lower a gate: tests can ask for retries.
pub(super) fn is_gate(path: &[u8]) -> bool {
    is_config(path)
        || Language::of_path(path).is_some_and(|language| language.is_script() && is_test_file(path, language))
}

/// Finds lowered gates in changes.
pub(super) fn compare(changes: &[Change<'_>], budget: &mut Budget) -> Result<Vec<(usize, Raw)>, Limit> {
    let mut files = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if change.old != change.new && is_gate(change.path) {
            files.push((at, without_equal(&facts(change.path, change.old), &facts(change.path, change.new))));
        }
    }
    // What moved to another file is known by its whole line.
    let texts = |side: for<'f, 'a> fn(&'f (Facts<'a>, Facts<'a>)) -> &'f Facts<'a>| {
        let mut all: Vec<Vec<u8>> =
            files.iter().flat_map(|(_, both)| side(both).iter().map(|fact| fact.text.to_vec())).collect();
        sort::unstable(&mut all);
        all
    };
    let (before, after) = (texts(|both| &both.0), texts(|both| &both.1));
    let is_in =
        |texts: &[Vec<u8>], fact: &Fact<'_>| texts.binary_search_by(|text| text.as_slice().cmp(fact.text)).is_ok();
    let mut found = Vec::new();
    for (at, (mut old, mut new)) in files {
        old.retain(|fact| !is_in(&after, fact));
        new.retain(|fact| !is_in(&before, fact));
        // Each is looked for among all others.
        budget.spend(((old.len() + new.len()) as u64).saturating_pow(2))?;
        let mut compared = Compared { found: Vec::new() };
        compared.numbers(&old, &new);
        compared.switches(&old, &new);
        compared.commands(&old, &new);
        found.extend(compared.found.into_iter().map(|raw| (at, raw)));
    }
    Ok(found)
}

type Facts<'a> = Vec<Fact<'a>>;

fn facts<'a>(path: &[u8], bytes: Option<&'a [u8]>) -> Facts<'a> {
    bytes.map_or(Vec::new(), |bytes| read(path, bytes, is_config(path)))
}

/// Takes out what is said by equal lines on both sides.
fn without_equal<'a>(old: &[Fact<'a>], new: &[Fact<'a>]) -> (Facts<'a>, Facts<'a>) {
    let ordered = |facts: &[Fact<'a>]| {
        let mut places: Vec<usize> = (0..facts.len()).collect();
        sort::by_key(&mut places, |at| key(&facts[*at]));
        places
    };
    let (a, b) = (ordered(old), ordered(new));
    let (mut keep_old, mut keep_new) = (vec![true; old.len()], vec![true; new.len()]);
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let order = key(&old[*x]).cmp(&key(&new[*y]));
        if order.is_eq() {
            keep_old[*x] = false;
            keep_new[*y] = false;
        }
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    let kept = |facts: &[Fact<'a>], keep: Vec<bool>| -> Facts<'a> {
        facts.iter().zip(keep).filter(|(_, keep)| *keep).map(|(fact, _)| fact.clone()).collect()
    };
    (kept(old, keep_old), kept(new, keep_new))
}

fn key<'a>(fact: &Fact<'a>) -> (FactKind, &'a [u8], &'a [u8]) {
    (fact.kind, fact.key, fact.text)
}

struct Compared {
    found: Vec<Raw>,
}

impl Compared {
    fn add(
        &mut self,
        side: Side,
        fact: &Fact<'_>,
        old: Option<&Fact<'_>>,
        confidence: Confidence,
        message: &'static str,
    ) {
        let old = old.map(|old| old.range.clone());
        self.found.push(Raw { side, range: fact.range.clone(), old, kind: Kind::GateLowered, confidence, message });
    }

    /// Numbers are paired by their names, in order.
    fn numbers(&mut self, old: &[Fact<'_>], new: &[Fact<'_>]) {
        for kind in [FactKind::Least, FactKind::Most] {
            let mut used = vec![false; new.len()];
            for before in old.iter().filter(|fact| fact.kind == kind) {
                let after =
                    new.iter().enumerate().find(|(at, fact)| !used[*at] && fact.kind == kind && fact.key == before.key);
                let Some((at, after)) = after else {
                    if kind == FactKind::Least && before.value > 0.0 {
                        self.add(Side::Old, before, Some(before), Confidence::Medium, "a threshold is gone");
                    }
                    continue;
                };
                used[at] = true;
                if kind == FactKind::Least && after.value < before.value {
                    self.add(Side::New, after, Some(before), Confidence::High, "a threshold is lower");
                } else if kind == FactKind::Most && after.value > before.value {
                    self.add(
                        Side::New,
                        after,
                        Some(before),
                        Confidence::High,
                        "more retries or a larger drop are allowed",
                    );
                }
            }
            for (after, _) in new.iter().zip(&used).filter(|(fact, used)| fact.kind == kind && !**used) {
                if kind == FactKind::Most && after.value > 0.0 {
                    self.add(Side::New, after, None, Confidence::Medium, "failing tests are tried again");
                }
            }
        }
    }

    fn switches(&mut self, old: &[Fact<'_>], new: &[Fact<'_>]) {
        let of = |facts: &[Fact<'_>], kind, key: &[u8]| {
            facts.iter().filter(|fact| fact.kind == kind && fact.key == key).count()
        };
        let mut seen: Vec<&[u8]> = Vec::new();
        for fact in new.iter().filter(|fact| fact.kind == FactKind::Slack) {
            let before = of(old, FactKind::Slack, fact.key);
            let so_far = seen.iter().filter(|key| **key == fact.key).count();
            seen.push(fact.key);
            if so_far >= before {
                let sure =
                    matches!(fact.key, b"|| true" | b"passWithNoTests" | b"<testFailureIgnore>true" | b"-DskipTests");
                let confidence = if sure { Confidence::High } else { Confidence::Medium };
                self.add(Side::New, fact, None, confidence, "failures pass, or tests are left out");
            }
        }
        for fact in old.iter().filter(|fact| fact.kind == FactKind::Strict) {
            if of(new, FactKind::Strict, fact.key) < of(old, FactKind::Strict, fact.key) {
                self.add(Side::Old, fact, Some(fact), Confidence::Medium, "a stricter setting is gone");
            }
        }
    }

    /// Commands are paired by the name of their script, or by their tool.
    fn commands(&mut self, old: &[Fact<'_>], new: &[Fact<'_>]) {
        let is_command = |fact: &&Fact<'_>| fact.kind == FactKind::Command;
        let mut used = vec![false; new.len()];
        for before in old.iter().filter(is_command) {
            let after =
                new.iter().enumerate().find(|(at, fact)| !used[*at] && is_command(fact) && fact.key == before.key);
            let Some((at, after)) = after else {
                let other = new.iter().any(|fact| is_command(&fact));
                let confidence = if other { Confidence::Low } else { Confidence::Medium };
                self.add(Side::Old, before, Some(before), confidence, "a command that runs tests is gone");
                continue;
            };
            used[at] = true;
            // What lets failures pass is reported as such.
            if self.found.iter().any(|raw| raw.side == Side::New && raw.range == after.range) {
                continue;
            }
            if let Some((confidence, message)) = weaker(before.text, after.text) {
                self.add(Side::New, after, Some(before), confidence, message);
            }
        }
    }
}
