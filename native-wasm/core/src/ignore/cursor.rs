use super::{Ignore, Match, RuleFile};
use crate::{Budget, Limit};

/// Looks paths up, and remembers what holds for the folders of the last one.
#[derive(Debug)]
pub struct Cursor<'r> {
    ignore: &'r Ignore,
    /// The folder that the levels are of.
    folder: Vec<u8>,
    /// The root and each folder down to it.
    levels: Vec<Level<'r>>,
    /// Those of them that have rules.
    ruled: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Level<'r> {
    /// The length of its path.
    end: usize,
    /// The rule that ignores the folder, and so all that is inside.
    ignored: Option<Match>,
    files: &'r [RuleFile],
}

impl<'r> Cursor<'r> {
    pub(super) const fn new(ignore: &'r Ignore) -> Self {
        Self { ignore, folder: Vec::new(), levels: Vec::new(), ruled: Vec::new() }
    }

    /// Whether a path is ignored. See [`Cursor::matched`].
    ///
    /// # Errors
    /// As of [`Cursor::matched`].
    pub fn is_ignored(&mut self, path: &[u8], is_folder: bool, budget: &mut Budget) -> Result<bool, Limit> {
        Ok(self.matched(path, is_folder, budget)?.is_some_and(|matched| !matched.negated))
    }

    /// The rule that decides on a path, which begins at the root and has no slash at either end. A unit of the budget is a rule that was tried, or
    /// some bytes that were compared.
    ///
    /// # Errors
    /// [`Limit::Budget`]; the cursor is good for other paths after that.
    pub fn matched(&mut self, path: &[u8], is_folder: bool, budget: &mut Budget) -> Result<Option<Match>, Limit> {
        // Nothing is in a folder without a name.
        if path.starts_with(b"/") {
            return Ok(None);
        }
        let folder_end = memchr::memrchr(b'/', path).unwrap_or(0);
        budget.spend(1 + path.len() as u64 / 16)?;
        self.leave(path, folder_end);
        self.enter(path, folder_end, budget)?;
        self.decide(path, is_folder, budget)
    }

    /// Forgets the folders that a path is not in.
    fn leave(&mut self, path: &[u8], folder_end: usize) {
        let shared = self.folder.iter().zip(path).take_while(|(one, other)| one == other).count().min(folder_end);
        // A level counts when the path goes on with a slash behind it.
        let holds = |level: &Level| level.end == 0 || (level.end <= shared && path.get(level.end) == Some(&b'/'));
        let kept = self.levels.iter().take_while(|level| holds(level)).count();
        self.levels.truncate(kept);
        self.ruled.truncate(self.ruled.partition_point(|level| *level < kept));
        self.folder.truncate(self.levels.last().map_or(0, |level| level.end));
    }

    /// Goes down to the folder of a path.
    fn enter(&mut self, path: &[u8], folder_end: usize, budget: &mut Budget) -> Result<(), Limit> {
        if self.levels.is_empty() {
            let files = self.ignore.files(b"", budget)?;
            self.push(Level { end: 0, ignored: None, files });
        }
        while self.folder.len() < folder_end {
            let start = if self.folder.is_empty() { 0 } else { self.folder.len() + 1 };
            let behind = path.get(start..folder_end).unwrap_or_default();
            let end = start + memchr::memchr(b'/', behind).unwrap_or(behind.len());
            let folder = path.get(..end).unwrap_or(path);
            let ignored = self.decide(folder, true, budget)?.filter(|matched| !matched.negated);
            // Git does not read the rule files of folders that it ignores.
            let files = if ignored.is_none() { self.ignore.files(folder, budget)? } else { &[] };
            self.folder.extend_from_slice(path.get(self.folder.len()..end).unwrap_or_default());
            self.push(Level { end, ignored, files });
        }
        Ok(())
    }

    fn push(&mut self, level: Level<'r>) {
        if level.files.iter().any(|file| !file.rules.is_empty()) {
            self.ruled.push(self.levels.len());
        }
        self.levels.push(level);
    }

    /// What the levels say about something directly below them.
    fn decide(&self, path: &[u8], is_folder: bool, budget: &mut Budget) -> Result<Option<Match>, Limit> {
        if let Some(ignored) = self.levels.last().and_then(|level| level.ignored) {
            return Ok(Some(ignored));
        }
        for level in self.ruled.iter().rev().filter_map(|level| self.levels.get(*level)) {
            let below = path.get(if level.end == 0 { 0 } else { level.end + 1 }..).unwrap_or_default();
            for (file, rule) in
                level.files.iter().rev().flat_map(|file| file.rules.iter().rev().map(move |rule| (file, rule)))
            {
                budget.spend(1)?;
                if rule.matches(below, is_folder, budget)? {
                    return Ok(Some(Match { file: file.number, line: rule.line, negated: rule.negated }));
                }
            }
        }
        Ok(None)
    }
}
