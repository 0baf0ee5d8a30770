use super::error::SearchError;
use super::index::Index;
use super::paths::PathFilter;
use super::query::Query;
use super::rank::{self, Best, Class};
use crate::{Budget, block, sort};
use core::ops::Range;

/// A match in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Hit {
    /// The number of the document, see [`Index::document`].
    pub doc: u32,
    /// Its line, from 1.
    pub line: u32,
    /// Where it begins in the document, in bytes.
    pub start: u32,
    /// Where it ends. It is never empty, and ends in the line in which it begins.
    pub end: u32,
}

/// The best hits of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    /// The best first.
    pub hits: Vec<Hit>,
    /// Whether there are more than these.
    pub more: bool,
}

/// How much a query finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All hits.
    pub hits: u64,
    /// Documents that have any.
    pub documents: u32,
}

impl Index {
    /// The best `limit` hits of a query in the files that a filter lets through.
    ///
    /// They come in this order: hits on the name of a definition (other than of an `impl`), hits that are no part of a longer word, others; among
    /// those, hits in files whose path has a hit too, in files that are neither test nor vendored nor generated, with shorter paths, with
    /// smaller paths; in a file in the order of the text.
    ///
    /// A unit of the budget is about a byte that goes through an automaton, or sixteen that a literal is looked for in.
    ///
    /// # Errors
    /// [`SearchError::Limit`] when the budget is spent before all places have been looked at, or when there is no room for the hits.
    pub fn search(
        &self,
        query: &Query,
        paths: &dyn PathFilter,
        limit: u32,
        budget: &mut Budget,
    ) -> Result<Hits, SearchError> {
        let candidates = self.candidates(&query.formula, budget)?;
        let mut scan = query.scan();
        let mut tasks = Vec::new();
        for task in self.tasks(candidates.as_deref(), paths, budget)? {
            tasks.push((rank::key(task.document, scan.is_in(&task.document.path, budget)?), false, task));
        }
        // Stable, so those with equal keys stay sorted by path.
        sort::by_key(&mut tasks, |(key, ..)| *key);
        let mut best = Best::new(limit as usize);
        for (_, defines, task) in &mut tasks {
            task.each_definition(&mut scan, budget, |definition| {
                *defines = true;
                let Range { start, end } = definition.name();
                best.add(Class::Definition, || Hit {
                    doc: task.doc,
                    line: definition.line,
                    start: start as u32,
                    end: end as u32,
                })
            })?;
            if best.is_done() {
                return Ok(best.into_hits());
            }
        }
        best.end_definitions();
        for (_, defines, task) in &tasks {
            let mut counted = 0;
            let mut line = 1;
            let text = &*task.document.contents;
            task.each(&mut scan, budget, |range, part| {
                if part.start > counted {
                    (counted, line) = (part.start, part.line);
                }
                if *defines && task.document.definition_of(&range).is_some() {
                    return Ok(true);
                }
                best.add(Class::of(text, &range), || {
                    let between = text.get(counted..range.start).unwrap_or_default();
                    line += block::count(between, b'\n') as u32;
                    counted = range.start;
                    Hit { doc: task.doc, line, start: range.start as u32, end: range.end as u32 }
                })
            })?;
            if best.is_done() {
                break;
            }
        }
        Ok(best.into_hits())
    }

    /// Counts all hits of a query in the files that a filter lets through.
    ///
    /// # Errors
    /// [`SearchError::Limit`] when the budget is spent before all places have been looked at.
    pub fn count(&self, query: &Query, paths: &dyn PathFilter, budget: &mut Budget) -> Result<Count, SearchError> {
        let candidates = self.candidates(&query.formula, budget)?;
        let mut scan = query.scan();
        let mut count = Count::default();
        for task in self.tasks(candidates.as_deref(), paths, budget)? {
            let before = count.hits;
            task.each(&mut scan, budget, |_, _| {
                count.hits += 1;
                Ok(true)
            })?;
            count.documents += u32::from(count.hits > before);
        }
        Ok(count)
    }
}
