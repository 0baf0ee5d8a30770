use super::allow;
use super::candidate::{Candidate, Step, Window};
use super::detector::{Detector, KNOWN_SECRET, Rest, Target};
use super::pem;
use super::rules::Severity;
use super::validate::{Validator, Verdict};
use crate::sort;
use crate::{Budget, Limit, block};
use core::ops::Range;

/// How a text is to be scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanOptions<'a> {
    /// The path of the text, with `/` between its parts, or nothing. Findings in what is for tests or documents are less severe, and assignments in lock files are none.
    pub path: &'a [u8],
    /// Whether lines may say in a comment that their secrets are none. Not for texts of those who are to be kept from hiding some.
    pub allow_comments: bool,
}

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<'d> {
    /// The name of the rule that found it, or [`KNOWN_SECRET`].
    pub rule: &'d str,
    /// Where the secret is, in bytes.
    pub range: Range<u32>,
    /// The line of its first byte, from 1 on.
    pub line: u32,
    /// The place of its first byte in the line, in bytes, from 1 on.
    pub column: u32,
    /// How sure and how bad it is.
    pub severity: Severity,
    /// What can be shown of it: the keyword of the rule and `***`, with `…` where the secret begins behind the keyword.
    pub preview: String,
}

/// A finding before it is shown.
struct Raw {
    start: usize,
    end: usize,
    target: u32,
    /// Of those that overlap, the least wins: known secrets, then rules in their order.
    order: u32,
    keyword: Range<usize>,
    severity: Severity,
}

impl Detector {
    /// Finds the secrets of a text, in its order; of such as overlap, that of the first rule.
    ///
    /// A unit of the budget is a byte that was looked at, by the search for keywords or by a rule.
    ///
    /// # Errors
    /// [`Limit::Size`] when the text is too large, [`Limit::Budget`] when it takes too long.
    pub fn scan(&self, text: &[u8], options: &ScanOptions, budget: &mut Budget) -> Result<Vec<Finding<'_>>, Limit> {
        Limit::check_size(text)?;
        let window = Window { bytes: text, base: 0, is_last: true };
        let is_lock_file = allow::is_lock_file(options.path);
        let mut raws = Vec::new();
        let mut from = 0;
        while let Some(at) = self.prefilter().next(text, from) {
            budget.spend((at - from + 1) as u64)?;
            for keyword in self.prefilter().at(text.get(at..).unwrap_or_default()) {
                let severity = match self.target(keyword.target) {
                    Some(Target::Rule(rule)) if is_lock_file && rule.validator == Validator::Assignment => None,
                    Some(Target::Rule(rule)) => rule.severity,
                    Some(Target::Known(_)) => Some(Severity::High),
                    None => None,
                };
                let Some(severity) = severity else { continue };
                let Some(candidate) = self.open(keyword, at as u64, &window) else { continue };
                raws.extend(self.decide(candidate, severity, window, budget)?);
            }
            from = at + 1;
        }
        budget.spend((text.len() - from.min(text.len())) as u64)?;
        let is_fixture = allow::is_fixture(options.path);
        Ok(self.shown(text, without_overlaps(raws), options.allow_comments, is_fixture))
    }

    fn decide(
        &self,
        mut candidate: Candidate,
        severity: Severity,
        window: Window,
        budget: &mut Budget,
    ) -> Result<Option<Raw>, Limit> {
        let step = self.advance(&mut candidate, window);
        budget.spend(candidate.len())?;
        let (start, mut end) = match step {
            Step::Matched { start, end } | Step::Endless { start, end } => (start, end),
            Step::Failed | Step::Waiting => return Ok(None),
        };
        let mut verdict = self.judge(&candidate, start, end, &window);
        if verdict == Verdict::Harmless {
            return Ok(None);
        }
        if let (Step::Endless { .. }, Some(mut rest)) = (step, self.rest(&candidate)) {
            let body = window.from(end);
            let len = rest.take(body);
            budget.spend(len as u64)?;
            end += len as u64;
            if let Rest::Pem(read) = rest {
                if !read.is_key() {
                    return Ok(None);
                }
                if !pem::is_wellformed(body.get(..len).unwrap_or_default()) {
                    verdict = Verdict::Suspect;
                }
            }
        }
        let keyword = candidate.start as usize..candidate.start as usize + candidate.keyword_len as usize;
        let severity = if verdict == Verdict::Suspect { Severity::Suspect } else { severity };
        let target = candidate.target;
        let order = if matches!(self.target(target), Some(Target::Known(_))) { 0 } else { target + 1 };
        Ok(Some(Raw { start: start as usize, end: end as usize, target, order, keyword, severity }))
    }

    fn shown(&self, text: &[u8], raws: Vec<Raw>, allow_comments: bool, is_fixture: bool) -> Vec<Finding<'_>> {
        let (mut line, mut line_start, mut seen) = (1, 0, 0);
        let mut comments = Comments { text, end: 0, is_allowed: false };
        let mut findings = Vec::new();
        for raw in raws {
            let between = text.get(seen..raw.start).unwrap_or_default();
            line += block::count(between, b'\n') as u32;
            line_start = memchr::memrchr(b'\n', between).map_or(line_start, |at| seen + at + 1);
            seen = raw.start;
            // Neither a comment nor a folder makes a secret harmless that is in use.
            let is_known = matches!(self.target(raw.target), Some(Target::Known(_)));
            if allow_comments && !is_known && comments.allow(line_start, raw.start) {
                continue;
            }
            let (rule, preview) = match self.target(raw.target) {
                Some(Target::Rule(rule)) => {
                    let keyword = String::from_utf8_lossy(text.get(raw.keyword.clone()).unwrap_or_default());
                    let gap = if raw.start < raw.keyword.end { "" } else { "…" };
                    (&*rule.id, format!("{keyword}{gap}***"))
                }
                _ => (KNOWN_SECRET, "***".to_owned()),
            };
            findings.push(Finding {
                rule,
                range: raw.start as u32..raw.end as u32,
                line,
                column: (raw.start - line_start) as u32 + 1,
                severity: if is_fixture && !is_known { raw.severity.lowered() } else { raw.severity },
                preview,
            });
        }
        findings
    }
}

/// Of findings that overlap, keeps that of the first rule, but for one within another that is less sure.
fn without_overlaps(mut raws: Vec<Raw>) -> Vec<Raw> {
    sort::by_key(&mut raws, |raw| (raw.start, raw.end));
    let mut kept: Vec<Raw> = Vec::new();
    for raw in raws {
        match kept.last_mut() {
            Some(last) if raw.start < last.end => {
                let is_better = if raw.start == last.start || raw.severity == last.severity {
                    raw.order < last.order
                } else {
                    raw.severity > last.severity
                };
                if is_better {
                    *last = raw;
                }
            }
            _ => kept.push(raw),
        }
    }
    kept
}

/// Whether the lines of findings, in their order, hold a comment that allows them. Each line is looked at once.
struct Comments<'a> {
    text: &'a [u8],
    end: usize,
    is_allowed: bool,
}

impl Comments<'_> {
    fn allow(&mut self, line_start: usize, at: usize) -> bool {
        if at >= self.end {
            let len = self.text.get(at..).and_then(|rest| memchr::memchr(b'\n', rest));
            self.end = len.map_or(self.text.len(), |len| at + len + 1);
            self.is_allowed = self.text.get(line_start..self.end).is_some_and(allow::has_comment);
        }
        self.is_allowed
    }
}
