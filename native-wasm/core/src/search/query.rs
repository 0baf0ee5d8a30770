use super::document::Definition;
use super::error::SearchError;
use super::extract;
use super::formula::Formula;
use super::line_bound::line_bound;
use super::literal::Literal;
use super::regex::{self, Regex};
use crate::{Budget, Limit};
use core::ops::Range;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::HirKind;

/// What to look for, made ready once and used for any number of searches.
#[derive(Debug)]
pub struct Query {
    pub(super) formula: Formula,
    matcher: Matcher,
}

/// How a pattern is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Letters match in both cases: those of ASCII in a literal, all in a regex.
    pub any_case: bool,
    /// A hit is no part of a longer word: no ASCII letter, digit or `_` is right before or behind it.
    pub word: bool,
}

#[derive(Debug)]
enum Matcher {
    Literal(Literal),
    Regex(Box<Regex>),
}

/// What a query keeps from text to text during a search.
pub(super) struct Scan<'q> {
    query: &'q Query,
    cache: Option<regex::Cache>,
}

/// Longer patterns are not taken, in bytes.
const MAX_PATTERN_BYTES: usize = 4096;
/// Regexes with deeper nesting are not taken.
const MAX_NESTING: u32 = 100;

impl Query {
    /// A query for the occurrences of a string of bytes, from left to right without overlaps.
    ///
    /// # Errors
    /// [`SearchError::Empty`], [`SearchError::SpansLines`] when it holds a line end, [`Limit::Size`] when it is longer than 4 KiB.
    pub fn literal(literal: &[u8], matching: Matching) -> Result<Self, SearchError> {
        check_len(literal)?;
        if literal.contains(&b'\n') {
            return Err(SearchError::SpansLines);
        }
        Ok(Self::of_literal(literal, matching))
    }

    /// A query for the matches of a regex, in the syntax of Rust's regex crate without most of Unicode's classes: `\w`, `\d` and `\s` are
    /// there. The leftmost match counts, and of those the first alternative. `^` and `$` stand at the edges of lines, before `\r\n` too;
    /// no class and no `.` holds a line end; `\b` is ASCII's; empty matches are no hits; a `.` matches no byte of invalid UTF-8.
    ///
    /// ```
    /// use millwright_core::search::{Matching, Query, SearchError};
    /// assert!(Query::regex(r"impl\s+Display", Matching::default()).is_ok());
    /// let explosive = Query::regex(r"((a{1,100}){1,100}){1,100}", Matching::default());
    /// assert!(matches!(explosive, Err(SearchError::TooComplex { .. })));
    /// ```
    ///
    /// # Errors
    /// [`SearchError::Syntax`], [`SearchError::SpansLines`] when it asks for a line end, [`SearchError::TooComplex`] when it takes too much
    /// memory, [`SearchError::Empty`], [`Limit::Size`] when it is longer than 4 KiB.
    pub fn regex(pattern: &str, matching: Matching) -> Result<Self, SearchError> {
        check_len(pattern.as_bytes())?;
        let mut parser = ParserBuilder::new()
            .nest_limit(MAX_NESTING)
            .utf8(false)
            .multi_line(true)
            .crlf(true)
            .case_insensitive(matching.any_case)
            .build();
        let hir = line_bound(&parser.parse(pattern).map_err(|error| syntax(&error))?)?;
        if let HirKind::Literal(literal) = hir.kind() {
            return Ok(Self::of_literal(&literal.0, Matching { any_case: false, word: matching.word }));
        }
        let formula = extract::formula(&hir);
        Ok(Self { formula, matcher: Matcher::Regex(Box::new(Regex::new(hir, matching.word)?)) })
    }

    fn of_literal(literal: &[u8], matching: Matching) -> Self {
        let matcher = Matcher::Literal(Literal::new(literal, matching.any_case, matching.word));
        Self { formula: Formula::literal(literal), matcher }
    }

    /// Makes ready for a search.
    pub(super) fn scan(&self) -> Scan<'_> {
        let cache = match &self.matcher {
            Matcher::Literal(_) => None,
            Matcher::Regex(regex) => Some(regex.cache()),
        };
        Scan { query: self, cache }
    }
}

impl Scan<'_> {
    /// Calls `found` for each hit within a range of whole lines, until it says false.
    pub fn each(
        &mut self,
        text: &[u8],
        range: Range<usize>,
        budget: &mut Budget,
        found: impl FnMut(Range<usize>, &mut Budget) -> Result<bool, Limit>,
    ) -> Result<(), Limit> {
        match (&self.query.matcher, &mut self.cache) {
            (Matcher::Literal(literal), _) => literal.each(text, range, budget, found),
            (Matcher::Regex(regex), cache) => {
                regex.each(cache.get_or_insert_with(|| regex.cache()), text, range, budget, found)
            }
        }
    }

    /// Whether a hit can be the name of a definition in a text.
    pub fn may_name(&self, definition: &Definition, text: &[u8]) -> bool {
        match &self.query.matcher {
            Matcher::Literal(literal) => literal.may_name(definition, text),
            Matcher::Regex(_) => true,
        }
    }

    /// Whether there is a hit in a text.
    pub fn is_in(&mut self, text: &[u8], budget: &mut Budget) -> Result<bool, Limit> {
        let mut any = false;
        self.each(text, 0..text.len(), budget, |_, _| {
            any = true;
            Ok(false)
        })?;
        Ok(any)
    }
}

fn check_len(pattern: &[u8]) -> Result<(), SearchError> {
    if pattern.is_empty() {
        return Err(SearchError::Empty);
    }
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Limit::Size { actual: pattern.len() as u64, max: MAX_PATTERN_BYTES as u64 }.into());
    }
    Ok(())
}

fn syntax(error: &regex_syntax::Error) -> SearchError {
    let (offset, problem) = match error {
        regex_syntax::Error::Parse(error) => (error.span().start.offset, error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (error.span().start.offset, error.kind().to_string()),
        _ => (0, error.to_string()),
    };
    SearchError::Syntax { offset: offset as u32, problem }
}
