use super::assertion::sounds_like_setup;
use super::changed_tests::Tests;
use super::pairing::pair;
use super::paths::{is_snapshot, is_test_file};
use super::rank::Rank;
use super::scope::ScopeKind;
use super::source::Source;
use super::{
    Confidence, Finding, Kind, MAX_FILE_BYTES, Side, WeakeningError, assertions, gate, marks, scopes, snapshot,
};
use crate::hash::Seed;
use crate::lex::Language;
use crate::sort;
use crate::{Budget, Limit, block};
use core::ops::Range;

/// A changed file or fragment.
pub(super) struct Change<'a> {
    pub(super) path: &'a [u8],
    pub(super) old: Option<&'a [u8]>,
    pub(super) new: Option<&'a [u8]>,
    pub(super) old_line: u32,
    pub(super) new_line: u32,
    pub(super) partial: bool,
}

pub(super) fn check(changes: &[Change<'_>], seed: Seed, budget: &mut Budget) -> Result<Vec<Finding>, WeakeningError> {
    let mut report = Report { changes, findings: Vec::new() };
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (at, change) in changes.iter().enumerate() {
        if change.old == change.new {
            continue;
        }
        if is_snapshot(change.path) {
            read_size(at, change, budget)?;
            for raw in snapshot::compare(change.old, change.new) {
                report.raw(at, raw);
            }
            continue;
        }
        let Some(language) = Language::of_path(change.path).filter(|language| is_test_file(change.path, *language))
        else {
            continue;
        };
        read_size(at, change, budget)?;
        for (bytes, sources) in [(change.old, &mut old), (change.new, &mut new)] {
            if let Some(bytes) = bytes {
                sources.push(Source::new(at, change.path, bytes, language, change.partial, seed)?);
            }
        }
    }
    report.gates(budget)?;
    read(&mut old, budget)?;
    read(&mut new, budget)?;
    let pairing = pair(&old, &new, budget);
    Tests { old: &old, new: &new, pairing: &pairing }.report(&mut report, budget);
    sort::by_key(&mut report.findings, |finding| {
        (finding.file, finding.side, finding.range.start, finding.range.end, finding.kind)
    });
    report.findings.dedup_by(|a, b| (a.file, a.side, a.kind, &a.range) == (b.file, b.side, b.kind, &b.range));
    Ok(report.findings)
}

/// What a byte of contents costs: it may be a token, of which much is remembered, so that the budget bounds the memory as well.
const UNITS_A_BYTE: u64 = 8;

/// Checks the sizes of a change, and takes the work of reading it off the budget.
fn read_size(at: usize, change: &Change<'_>, budget: &mut Budget) -> Result<(), WeakeningError> {
    for bytes in [change.old, change.new].into_iter().flatten() {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(WeakeningError::FileTooLarge { file: at, actual: bytes.len() as u64 });
        }
        budget.spend(bytes.len() as u64 * UNITS_A_BYTE)?;
    }
    Ok(())
}

/// Finds scopes, assertions and marks of the sources of a side.
fn read(sources: &mut [Source<'_>], budget: &mut Budget) -> Result<(), Limit> {
    let mut helpers: Vec<Vec<u8>> = Vec::new();
    for source in sources.iter_mut() {
        source.scopes = scopes::find(source)?;
        assertions::find(source, &[], budget)?;
        for assertion in source.assertions.iter().filter(|assertion| assertion.rank >= Some(Rank::Partial)) {
            let Some(scope) = source.scopes.get(assertion.scope) else { continue };
            if scope.kind == ScopeKind::Helper && !sounds_like_setup(&scope.name) {
                helpers.push(scope.name.clone());
            }
        }
    }
    sort::unstable(&mut helpers);
    helpers.dedup();
    for source in sources {
        if !helpers.is_empty() {
            assertions::find(source, &helpers, budget)?;
        }
        marks::find(source);
    }
    Ok(())
}

/// Collects findings.
pub(super) struct Report<'c> {
    changes: &'c [Change<'c>],
    findings: Vec<Finding>,
}

impl Report<'_> {
    fn raw(&mut self, at: usize, raw: gate::Raw) {
        self.add(at, raw.side, raw.range, raw.old.map(|old| (at, old)), (raw.kind, raw.confidence, raw.message));
    }

    fn gates(&mut self, budget: &mut Budget) -> Result<(), WeakeningError> {
        for (at, change) in self.changes.iter().enumerate() {
            if change.old != change.new && gate::is_gate(change.path) {
                read_size(at, change, budget)?;
            }
        }
        for (at, raw) in gate::compare(self.changes, budget)? {
            self.raw(at, raw);
        }
        Ok(())
    }

    /// Adds a finding at some bytes of a side of a change.
    pub(super) fn add(
        &mut self,
        file: usize,
        side: Side,
        range: Range<u32>,
        old: Option<(usize, Range<u32>)>,
        (kind, confidence, message): (Kind, Confidence, &'static str),
    ) {
        let Some(change) = self.changes.get(file) else { return };
        let (bytes, first) = match side {
            Side::Old => (change.old, change.old_line),
            Side::New => (change.new, change.new_line),
        };
        let before = bytes.unwrap_or_default().get(..range.start as usize).unwrap_or_default();
        let line = first.saturating_add(block::count(before, b'\n') as u32);
        let confidence = if change.partial { confidence.min(Confidence::Medium) } else { confidence };
        let old_file = old.as_ref().map_or(file, |(file, _)| *file);
        let old = old.map(|(_, range)| range);
        self.findings.push(Finding {
            file,
            side,
            line,
            range,
            old,
            old_file,
            kind,
            confidence,
            partial: change.partial,
            message,
        });
    }
}
