use super::candidate::{Candidate, Step, Window, key_around};
use super::class::Class;
use super::encode;
use super::pem::Body;
use super::prefilter::{Keyword, Prefilter};
use super::rules::{Rule, Rules};
use super::shape::Element;
use super::validate::{Found, Validator, Verdict};
use crate::sort;
use core::fmt;

/// The name by which findings give a secret that was known, not found by a rule.
pub const KNOWN_SECRET: &str = "known-secret";

/// Rules and known secrets, compiled. It is never changed, so that many scans and redactors can use one.
pub struct Detector {
    rules: Rules,
    /// Targets behind those of the rules.
    known: Vec<Box<[u8]>>,
    prefilter: Prefilter,
}

/// Whose a candidate is.
pub(super) enum Target<'a> {
    Rule(&'a Rule),
    Known(&'a [u8]),
}

/// What goes on behind a match without end.
pub(super) enum Rest {
    Run(&'static Class),
    Pem(Body),
}

impl Rest {
    /// What it goes on with: bytes of a class, or the body of a key.
    pub(super) const fn kind(&self) -> Option<&'static Class> {
        match self {
            Self::Run(class) => Some(class),
            Self::Pem(_) => None,
        }
    }

    /// Takes more and returns how much of it belongs to the secret; less than all when it has ended.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Run(class) => class.run(bytes, bytes.len()),
            Self::Pem(body) => body.take(bytes),
        }
    }
}

impl Detector {
    /// Compiles rules and known secrets.
    ///
    /// A known secret is found as it is, in base64 at any place of a longer text, percent-encoded, and inside JSON strings. White space at its end is not part of
    /// it; one of fewer than eight bytes is ignored, since masking it would destroy the output.
    pub fn new(rules: Rules, known: &[&[u8]]) -> Self {
        let mut forms: Vec<Vec<u8>> = known.iter().flat_map(|secret| encode::forms(secret)).collect();
        sort::unstable(&mut forms);
        forms.dedup();
        let known: Vec<Box<[u8]>> = forms.into_iter().map(Vec::into_boxed_slice).collect();
        let mut keywords = rules.keywords();
        let first_known = rules.rules.len() as u32;
        keywords.extend(known.iter().zip(first_known..).map(|(form, target)| {
            let start = form.get(..encode::MIN_SECRET).unwrap_or(form);
            Keyword { text: start.into(), target }
        }));
        let prefilter = Prefilter::new(keywords);
        Self { rules, known, prefilter }
    }

    /// The rules it has.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) const fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    pub(super) fn target(&self, target: u32) -> Option<Target<'_>> {
        let target = target as usize;
        match self.rules.rules.get(target) {
            Some(rule) => Some(Target::Rule(rule)),
            None => self.known.get(target - self.rules.rules.len()).map(|form| Target::Known(form)),
        }
    }

    /// Whether a keyword with this before it may be part of a secret itself.
    pub(super) fn may_begin(&self, keyword: &Keyword, before: &[u8]) -> bool {
        match self.target(keyword.target) {
            Some(Target::Rule(rule)) => rule.shape.with_keyword && rule.shape.fits_after(before),
            Some(Target::Known(_)) => true,
            None => false,
        }
    }

    /// A candidate at a keyword, when what is before it fits.
    pub(super) fn open(&self, keyword: &Keyword, start: u64, window: &Window) -> Option<Candidate> {
        let with_keyword = match self.target(keyword.target)? {
            Target::Rule(rule) => {
                if !rule.shape.fits_after(window.until(start)) {
                    return None;
                }
                rule.shape.with_keyword
            }
            Target::Known(_) => true,
        };
        Some(Candidate::new(keyword.target, start, keyword.text.len(), with_keyword))
    }

    pub(super) fn advance(&self, candidate: &mut Candidate, window: Window) -> Step {
        match self.target(candidate.target) {
            Some(Target::Rule(rule)) => candidate.advance(&rule.shape, window),
            Some(Target::Known(form)) => candidate.advance_literal(form, window),
            None => Step::Failed,
        }
    }

    /// What a rule thinks of a match of its shape.
    pub(super) fn judge(&self, candidate: &Candidate, start: u64, end: u64, window: &Window) -> Verdict {
        let Some(Target::Rule(rule)) = self.target(candidate.target) else { return Verdict::Proven };
        let key = match rule.validator {
            Validator::Assignment | Validator::Keyed => key_around(window, candidate.start, start),
            _ => &[],
        };
        let found = Found {
            secret: window.slice(start, end),
            keyword_len: if start == candidate.start { candidate.keyword_len as usize } else { 0 },
            key,
            keyword_at: key.len().saturating_sub(start.saturating_sub(candidate.start) as usize),
            behind: window.from(end),
            min_centibits: rule.min_centibits,
        };
        rule.validator.judge(&found)
    }

    /// What goes on behind a match without end.
    pub(super) fn rest(&self, candidate: &Candidate) -> Option<Rest> {
        let Some(Target::Rule(rule)) = self.target(candidate.target) else { return None };
        rule.shape.after.iter().find_map(|one| match one {
            Element::Endless { class, .. } => Some(Rest::Run(class)),
            Element::Pem => Some(Rest::Pem(Body::default())),
            _ => None,
        })
    }
}

impl fmt::Debug for Detector {
    /// Never shows the known secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("rules", &self.rules.rules.len())
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}
