//! Definitions by their names.

use super::document::{Definition, name_hash};
use super::formula::Formula;
use super::index::Index;
use super::paths::PathFilter;
use super::rank;
use super::task::Task;
use crate::outline::DefinitionKind;
use crate::{Budget, Limit, sort};

/// Which definitions are asked for. Case matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name<'a> {
    /// The name.
    pub name: &'a [u8],
    /// Longer names that begin with it count too.
    pub prefix: bool,
    /// What they may be; with none, anything.
    pub kinds: &'a [DefinitionKind],
}

/// A definition in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defined {
    /// The number of the document, see [`Index::document`].
    pub doc: u32,
    /// What it is.
    pub kind: DefinitionKind,
    /// The line of its name, from 1.
    pub line: u32,
    /// The line of the end of its body.
    pub last_line: u32,
    /// Where its name begins in the document, in bytes.
    pub start: u32,
    /// Where its name ends.
    pub end: u32,
}

/// The first definitions with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definitions {
    /// In their order.
    pub found: Vec<Defined>,
    /// Whether there are more than these.
    pub more: bool,
}

/// How a definition is told from others.
#[derive(Clone, Copy)]
enum Wanted {
    /// By its name.
    Equal { hash: u32 },
    /// By the beginning of a longer name.
    Longer,
}

impl Index {
    /// The first `limit` definitions with a name, in the files that a filter lets through.
    ///
    /// They come in this order: those with just this name, those with a longer one; among those, in files that are neither test nor vendored nor
    /// generated, with shorter paths, with smaller paths; in a file in the order of the text.
    ///
    /// ```
    /// use millwright_core::Budget;
    /// use millwright_core::search::{Index, Name, Rules, everywhere};
    /// let mut index = Index::new(Rules::default())?;
    /// index.put(b"greet.go", b"func GreetAll() {\n\tGreet()\n}\n\nfunc Greet() {}\n")?;
    /// let name = Name { name: b"Greet", prefix: true, kinds: &[] };
    /// let definitions = index.definitions(&name, &everywhere, 10, &mut Budget::default())?;
    /// let lines: Vec<_> = definitions.found.iter().map(|found| (found.line, found.last_line)).collect();
    /// assert_eq!((lines, definitions.more), (vec![(5, 5), (1, 3)], false));
    /// # Ok::<(), millwright_core::Limit>(())
    /// ```
    ///
    /// # Errors
    /// [`Limit::Budget`], of which a unit is a definition that is looked at or some bytes of a path or list; [`Limit::Memory`].
    pub fn definitions(
        &self,
        name: &Name,
        paths: &dyn PathFilter,
        limit: u32,
        budget: &mut Budget,
    ) -> Result<Definitions, Limit> {
        let candidates = self.candidates(&Formula::literal(name.name), budget)?;
        let mut tasks = self.tasks(candidates.as_deref(), paths, budget)?;
        // Stable, so those with equal keys stay sorted by path.
        sort::by_key(&mut tasks, |task| rank::key(task.document, false));
        let mut definitions = Definitions { found: Vec::new(), more: false };
        let equal = Wanted::Equal { hash: name_hash(name.name) };
        for wanted in [Some(equal), name.prefix.then_some(Wanted::Longer)].into_iter().flatten() {
            for task in &tasks {
                if definitions.more {
                    return Ok(definitions);
                }
                definitions.add(task, name, wanted, limit as usize, budget)?;
            }
        }
        Ok(definitions)
    }
}

impl Definitions {
    /// Adds what is wanted of a document.
    fn add(
        &mut self,
        task: &Task,
        name: &Name,
        wanted: Wanted,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<(), Limit> {
        let text = &*task.document.contents;
        let is_wanted = |definition: &Definition| {
            let is_kind = name.kinds.is_empty() || name.kinds.contains(&definition.kind);
            let is_name = || text.get(definition.name()).is_some_and(|found| found.starts_with(name.name));
            is_kind
                && match wanted {
                    Wanted::Equal { hash } => definition.may_have(hash, name.name.len()) && is_name(),
                    Wanted::Longer => definition.name().len() > name.name.len() && is_name(),
                }
        };
        budget.spend(task.document.definitions.len() as u64)?;
        for definition in task.document.definitions.iter().filter(|definition| is_wanted(definition)) {
            if self.found.len() >= limit {
                self.more = true;
                return Ok(());
            }
            self.found.try_reserve(1).map_err(|_| Limit::Memory { bytes: size_of::<Defined>() as u64 })?;
            self.found.push(Defined {
                doc: task.doc,
                kind: definition.kind,
                line: definition.line,
                last_line: definition.last_line,
                start: definition.start,
                end: definition.name().end as u32,
            });
        }
        Ok(())
    }
}
