//! The parts of documents that are to be searched.

use super::document::{Definition, Document};
use super::index::Index;
use super::paths::PathFilter;
use super::query::Scan;
use crate::{Budget, Limit, sort};
use core::ops::Range;

/// A document in which there may be hits.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    index: &'a Index,
    pub doc: u32,
    pub document: &'a Document,
    /// The blocks in which they may be, ascending; none named: in all.
    blocks: Option<&'a [u32]>,
}

/// A run of whole lines.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Where it begins, in bytes.
    pub start: usize,
    /// The number of its first line, from 1.
    pub line: u32,
}

/// What a hit costs, in units of work, so that a budget bounds the memory for hits too.
const HIT_UNITS: u64 = 8;

/// Definitions that fit one unit of work when only their hashes are looked at.
const DEFINITIONS_PER_UNIT: u64 = 8;

/// Of so many documents, one is enough to go through all.
const MANY: usize = 16;

impl Index {
    /// The documents of candidate blocks, or all, that a filter lets through, by ascending path.
    pub(super) fn tasks<'a>(
        &'a self,
        candidates: Option<&'a [u32]>,
        paths: &dyn PathFilter,
        budget: &mut Budget,
    ) -> Result<Vec<Task<'a>>, Limit> {
        let mut tasks = Vec::new();
        let mut add = |task: Task<'a>| {
            budget.spend(paths.work(task.document.path.len()))?;
            if paths.accepts(&task.document.path) {
                tasks.try_reserve(1).map_err(|_| Limit::Memory { bytes: size_of::<Task>() as u64 })?;
                tasks.push(task);
            }
            Ok(())
        };
        let Some(candidates) = candidates else {
            for doc in self.by_path() {
                let Some(document) = self.document(doc) else { continue };
                add(Task { index: self, doc, document, blocks: None })?;
            }
            return Ok(tasks);
        };
        let doc_of = |block: &u32| self.blocks.get(*block as usize).map(|block| block.doc);
        for blocks in candidates.chunk_by(|a, b| doc_of(a) == doc_of(b)) {
            let Some(doc) = blocks.first().and_then(doc_of) else { continue };
            let Some(document) = self.document(doc) else { continue };
            add(Task { index: self, doc, document, blocks: Some(blocks) })?;
        }
        self.sort_by_path(tasks)
    }

    /// Sorts tasks by path. When they are many, their paths are not compared, since that is slower than to search them.
    fn sort_by_path<'a>(&self, mut tasks: Vec<Task<'a>>) -> Result<Vec<Task<'a>>, Limit> {
        if tasks.len() < self.numbers() / MANY {
            sort::by(&mut tasks, |a, b| a.document.path.cmp(&b.document.path));
            return Ok(tasks);
        }
        // By number of the document: its task, plus one.
        let mut task_of: Vec<usize> = Limit::reserve(self.numbers())?;
        task_of.resize(self.numbers(), 0);
        for (nth, task) in (1..).zip(&tasks) {
            if let Some(slot) = task_of.get_mut(task.doc as usize) {
                *slot = nth;
            }
        }
        let task_of = |doc: u32| tasks.get(task_of.get(doc as usize)?.checked_sub(1)?).copied();
        let mut sorted = Limit::reserve(tasks.len())?;
        sorted.extend(self.by_path().filter_map(task_of));
        Ok(sorted)
    }
}

impl Task<'_> {
    /// The runs of blocks that are to be searched.
    fn parts(&self) -> impl Iterator<Item = (Range<usize>, u32)> {
        let whole = self.blocks.is_none().then_some((0..self.document.contents.len(), 1));
        let runs = self.blocks.unwrap_or_default().chunk_by(|a, b| a + 1 == *b).filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            let start = self.index.block_range(*first, self.document).start;
            let end = self.index.block_range(*last, self.document).end;
            Some((start..end, self.index.blocks.get(*first as usize)?.line))
        });
        whole.into_iter().chain(runs)
    }

    /// Calls `found` for each hit, with the part that it is in, until it says false.
    pub fn each(
        &self,
        scan: &mut Scan,
        budget: &mut Budget,
        mut found: impl FnMut(Range<usize>, Part) -> Result<bool, Limit>,
    ) -> Result<(), Limit> {
        for (range, line) in self.parts() {
            let part = Part { start: range.start, line };
            let mut goes_on = true;
            scan.each(&self.document.contents, range, budget, |hit, budget| {
                budget.spend(HIT_UNITS)?;
                goes_on = found(hit, part)?;
                Ok(goes_on)
            })?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Calls `found` for each hit that is the name of a definition, until it says false. Looks at the lines of definitions only.
    pub fn each_definition(
        &self,
        scan: &mut Scan,
        budget: &mut Budget,
        mut found: impl FnMut(&Definition) -> Result<bool, Limit>,
    ) -> Result<(), Limit> {
        let text = &*self.document.contents;
        for (range, _) in self.parts() {
            let definitions = self.document.definitions_in(&range);
            budget.spend(definitions.len() as u64 / DEFINITIONS_PER_UNIT)?;
            let mut searched_to = 0;
            for definition in definitions {
                let Range { start, end } = definition.name();
                if start < searched_to || !scan.may_name(definition, text) {
                    continue;
                }
                let line = self.document.line_start(start)..self.document.line_end(end);
                searched_to = line.end;
                let mut goes_on = true;
                scan.each(text, line, budget, |hit, budget| {
                    if let Some(definition) = self.document.definition_of(&hit) {
                        budget.spend(HIT_UNITS)?;
                        goes_on = found(definition)?;
                    }
                    Ok(goes_on)
                })?;
                if !goes_on {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
