//! Runs a regex within bounds: a lazy DFA, and for what that gives up, an NFA line by line, which is slow but whose work is known before.

use super::error::SearchError;
use crate::{Budget, Limit};
use core::ops::Range;
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::prefilter::Prefilter;
use regex_automata::{Input, MatchKind, hybrid};
use regex_syntax::hir::{Hir, Look};

/// What the NFA of a regex may take, in bytes.
const MAX_NFA_BYTES: usize = 2 << 20;
/// What the states of a lazy DFA may take, in bytes; there are two, forwards and backwards.
const CACHE_BYTES: usize = 2 << 20;
/// A lazy DFA gives up when its states have been thrown away so often ...
const MAX_CACHE_CLEARS: usize = 2;
/// ... and each was of use for fewer bytes than this: what it takes to make one grows with the states of the NFA.
fn min_bytes_per_state(nfa: &NFA) -> usize {
    10 + nfa.states().len() / 2
}
/// What is spent on a DFA that gives up, in units of work.
const GIVEN_UP_UNITS: u64 = 2_000_000;

/// A compiled regex whose matches lie within lines.
#[derive(Debug)]
pub struct Regex {
    dfa: hybrid::regex::Regex,
    nfa: PikeVM,
    states: u64,
}

/// What a search with a regex keeps from text to text.
#[derive(Debug)]
pub struct Cache {
    dfa: hybrid::regex::Cache,
    /// There once the DFA has given up, which it would do again.
    nfa: Option<pikevm::Cache>,
}

impl Regex {
    /// Compiles a regex that has been made line-bound.
    ///
    /// # Errors
    /// [`SearchError::TooComplex`] when it takes too much memory.
    pub fn new(hir: Hir, word: bool) -> Result<Self, SearchError> {
        let hir = if word {
            Hir::concat(vec![Hir::look(Look::WordStartHalfAscii), hir, Hir::look(Look::WordEndHalfAscii)])
        } else {
            hir
        };
        let too_complex = SearchError::TooComplex { max: MAX_NFA_BYTES as u32 };
        let compile = |config: thompson::Config| {
            let config = config.utf8(false).nfa_size_limit(Some(MAX_NFA_BYTES));
            NFA::compiler().configure(config).build_from_hir(&hir).map_err(|_| too_complex.clone())
        };
        let forward = compile(NFA::config().which_captures(WhichCaptures::Implicit))?;
        let reverse = compile(NFA::config().which_captures(WhichCaptures::None).reverse(true))?;
        let prefilter = Prefilter::from_hir_prefix(MatchKind::LeftmostFirst, &hir).filter(Prefilter::is_fast);
        let lazy = |nfa: &NFA, config: hybrid::dfa::Config| {
            let config = config
                .cache_capacity(CACHE_BYTES)
                .minimum_cache_clear_count(Some(MAX_CACHE_CLEARS))
                .minimum_bytes_per_state(Some(min_bytes_per_state(nfa)));
            hybrid::dfa::Builder::new().configure(config).build_from_nfa(nfa.clone()).map_err(|_| too_complex.clone())
        };
        let dfa = hybrid::regex::Builder::new().build_from_dfas(
            lazy(&forward, hybrid::dfa::Config::new().prefilter(prefilter))?,
            lazy(&reverse, hybrid::dfa::Config::new().match_kind(MatchKind::All))?,
        );
        let states = forward.states().len() as u64;
        let nfa = PikeVM::new_from_nfa(forward).map_err(|_| too_complex.clone())?;
        Ok(Self { dfa, nfa, states })
    }

    /// What one search needs.
    pub fn cache(&self) -> Cache {
        Cache { dfa: self.dfa.create_cache(), nfa: None }
    }

    /// Calls `found` for each match within a range of whole lines that is not empty, until it says false; matches do not overlap.
    pub fn each(
        &self,
        cache: &mut Cache,
        text: &[u8],
        range: Range<usize>,
        budget: &mut Budget,
        mut found: impl FnMut(Range<usize>, &mut Budget) -> Result<bool, Limit>,
    ) -> Result<(), Limit> {
        budget.spend(range.len() as u64 + 1)?;
        let mut at = range.start;
        let mut line_end = range.start;
        while at < range.end && cache.nfa.is_none() {
            match self.dfa.try_search(&mut cache.dfa, &Input::new(text).range(at..range.end)) {
                Ok(None) => return Ok(()),
                Ok(Some(hit)) => {
                    at = hit.end() + usize::from(hit.is_empty());
                    // To know that a match is the right one, the DFA may have read on to the end of the line.
                    line_end = if at > line_end { end_of_line(text, at, range.end) } else { line_end };
                    budget.spend(1 + line_end.saturating_sub(at) as u64)?;
                    if !hit.is_empty() && !found(hit.range(), budget)? {
                        return Ok(());
                    }
                }
                Err(_) => {
                    budget.spend(GIVEN_UP_UNITS)?;
                    cache.nfa = Some(self.nfa.create_cache());
                }
            }
        }
        let Some(nfa) = &mut cache.nfa else { return Ok(()) };
        while at < range.end {
            let end = end_of_line(text, at, range.end);
            budget.spend((end - at) as u64 * self.states + 1)?;
            match self.nfa.find(nfa, Input::new(text).range(at..end)) {
                None => at = end + 1,
                Some(hit) => {
                    at = hit.end() + usize::from(hit.is_empty());
                    if !hit.is_empty() && !found(hit.range(), budget)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Where the line ends that holds the byte at `at`, or `end` when that is before.
fn end_of_line(text: &[u8], at: usize, end: usize) -> usize {
    text.get(at..end).and_then(|rest| memchr::memchr(b'\n', rest)).map_or(end, |len| at + len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hits(regex: &Regex, cache: &mut Cache, text: &[u8]) -> Vec<Range<usize>> {
        let mut hits = Vec::new();
        let found = regex.each(cache, text, 0..text.len(), &mut Budget::default(), |hit, _| {
            hits.push(hit);
            Ok(true)
        });
        assert_eq!(found, Ok(()));
        hits
    }

    proptest! {
        #[test]
        fn nfa_and_dfa_find_the_same(text in "[ab \n]{0,60}", pattern in "[ab.^$]{1,3}([ab][*+?]){0,2}(\\|[ab]{1,2})?") {
            let hir = super::super::line_bound::line_bound(&regex_syntax::ParserBuilder::new().multi_line(true).build().parse(&pattern).unwrap()).unwrap();
            let regex = Regex::new(hir, false).unwrap();
            let given_up = &mut Cache { dfa: regex.dfa.create_cache(), nfa: Some(regex.nfa.create_cache()) };
            prop_assert_eq!(hits(&regex, &mut regex.cache(), text.as_bytes()), hits(&regex, given_up, text.as_bytes()));
        }
    }
}
