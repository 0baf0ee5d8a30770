use super::changes::{Changes, Entry};
use super::{ApplyError, ApplyOptions, Body, Change, FilePatch, Hunk, Patch};
use crate::{Budget, Limit};
use std::borrow::Cow;

/// A file that a patch may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeFile<'a> {
    /// Its path, with `/` between folders.
    pub path: &'a [u8],
    /// Its mode, such as `0o100644`.
    pub mode: u32,
    /// Its contents; of a symbolic link, what it points to.
    pub bytes: &'a [u8],
}

/// What a patch does to a set of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeChanges {
    /// For each file of the patch, in its order, whether it was applied. Those that were not change nothing.
    pub files: Vec<Result<(), ApplyError>>,
    /// The files that are new or changed, by path.
    pub written: Vec<Written>,
    /// The paths of files that go away, sorted.
    pub deleted: Vec<Vec<u8>>,
}

/// A new or changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its path.
    pub path: Vec<u8>,
    /// Its mode.
    pub mode: u32,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Bits of a mode that say what kind of file it is.
const KIND: u32 = 0o170_000;

const REGULAR: u32 = 0o100_644;

impl Patch<'_> {
    /// Applies the patch to a set of files: all of each file or nothing of it, whatever becomes of the others.
    ///
    /// As for git, the files of one message do not depend on their order, so that two files can change names; a file that occurs twice is
    /// changed twice. Each message of a mailbox builds on the one before.
    ///
    /// ```
    /// use millwright_core::Budget;
    /// use millwright_core::patch::{ApplyOptions, ParseOptions, Patch, TreeFile};
    /// let patch = Patch::parse(b"diff --git a/x b/y\nrename from x\nrename to y\n", &ParseOptions::default())?;
    /// let files = [TreeFile { path: b"x", mode: 0o100644, bytes: b"one\n" }];
    /// let changes = patch.apply(&files, &ApplyOptions::default(), &mut Budget::default())?;
    /// assert_eq!((&changes.deleted[0][..], &changes.written[0].path[..]), (&b"x"[..], &b"y"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Limit`] when a bound is met. What does not apply is an error of its file in the answer.
    pub fn apply(
        &self,
        files: &[TreeFile<'_>],
        options: &ApplyOptions,
        budget: &mut Budget,
    ) -> Result<TreeChanges, Limit> {
        let mut changes = Changes::new(files);
        let mut results: Vec<Result<(), ApplyError>> = Limit::reserve(self.files.len())?;
        let mut steps: Vec<Step<'_>> = Limit::reserve(self.files.len())?;
        steps.extend(self.files.iter().map(|file| Step::of(file, options)));
        // Backwards, a file that occurs twice goes through its states in the other order.
        if options.reverse {
            steps.reverse();
        }
        for message in steps.chunk_by(|one, other| one.file.message == other.file.message) {
            results.append(&mut apply_message(&mut changes, message, options, budget)?);
        }
        if options.reverse {
            results.reverse();
        }
        let (written, deleted) = changes.finish()?;
        Ok(TreeChanges { files: results, written, deleted })
    }
}

fn apply_message(
    changes: &mut Changes<'_>,
    steps: &[Step<'_>],
    options: &ApplyOptions,
    budget: &mut Budget,
) -> Result<Vec<Result<(), ApplyError>>, Limit> {
    let mut stays: Vec<bool> = Limit::reserve(steps.len())?;
    stays.resize(steps.len(), false);
    loop {
        budget.spend(steps.len() as u64)?;
        changes.begin(steps.iter().zip(&stays).filter(|(_, stays)| !**stays).filter_map(|(step, _)| step.leaves));
        let (mut results, mut gone) = (Limit::reserve(steps.len())?, Vec::new());
        for step in steps {
            results.push(match step.apply(changes, options, budget) {
                Err(ApplyError::Limit(limit)) => return Err(limit),
                Ok(Some(copied)) => {
                    super::push(&mut gone, (results.len(), step, copied))?;
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            });
        }
        // Only now the files that were copied are as they were then. What is no copy of them stays.
        for (number, step, copied) in gone {
            let error = match step.to.and_then(|path| changes.now(path)) {
                Some(source) if source.bytes == copied => continue,
                Some(_) => ApplyError::CopyDiffers,
                None => ApplyError::Missing,
            };
            if let (Some(result), Some(path)) = (results.get_mut(number), step.from) {
                changes.stay(path);
                *result = Err(error);
            }
        }
        // Others may have gone where a file was to leave that does not: then it is as if it had never said so.
        let mut again = false;
        for ((step, result), stays) in steps.iter().zip(&results).zip(&mut stays) {
            let lost = result.is_err() && step.leaves.is_some_and(|path| changes.is_lost(path));
            again |= lost && !*stays;
            *stays |= lost;
        }
        if !again {
            changes.end();
            return Ok(results);
        }
    }
}

/// A file of a patch in the direction in which it is applied.
struct Step<'s> {
    file: &'s FilePatch<'s>,
    /// Where the contents come from; nothing for a file that is created.
    from: Option<&'s [u8]>,
    /// Where they go; nothing for a file that is deleted.
    to: Option<&'s [u8]>,
    /// The path that is free afterwards.
    leaves: Option<&'s [u8]>,
    old_mode: Option<u32>,
    new_mode: Option<u32>,
}

impl<'s> Step<'s> {
    fn of(file: &'s FilePatch<'_>, options: &ApplyOptions) -> Self {
        let (old, new) = (file.old_path.as_deref(), file.new_path.as_deref());
        let (from, to, old_mode, new_mode) = if options.reverse {
            (new, old, file.new_mode, file.old_mode)
        } else {
            (old, new, file.old_mode, file.new_mode)
        };
        let leaves = match (file.change, to) {
            (Change::Rename, _) | (_, None) => from,
            (Change::Copy, _) if options.reverse => from,
            _ => None,
        };
        Self { file, from, to, leaves, old_mode, new_mode }
    }

    /// Whether it moves a file, which then is the one before the message.
    const fn moves(&self) -> bool {
        matches!(self.file.change, Change::Rename | Change::Copy)
    }

    /// Backwards, a copy goes away; then the answer is what the file that it was copied from has to be.
    fn apply(
        &self,
        changes: &mut Changes<'_>,
        options: &ApplyOptions,
        budget: &mut Budget,
    ) -> Result<Option<Vec<u8>>, ApplyError> {
        let old = match self.from {
            Some(path) if self.moves() => changes.before(path),
            Some(path) => changes.now(path),
            None => None,
        };
        if old.is_none() && self.from.is_some() && !self.makes_file(options.reverse) {
            return Err(ApplyError::Missing);
        }
        let mode = old.map(|entry| entry.mode);
        if let (Some(expected), Some(found)) = (self.old_mode, mode)
            && expected & KIND != found & KIND
        {
            return Err(ApplyError::TypeDiffers { expected, found });
        }
        let bytes = self.file.apply(old.map_or(&[][..], |entry| &entry.bytes), options, budget)?.bytes;
        let mut copied = None;
        match self.to {
            Some(_) if options.reverse && self.file.change == Change::Copy => copied = Some(bytes),
            Some(path) if (self.moves() || self.from.is_none()) && !changes.is_free(path) => {
                return Err(ApplyError::Exists);
            }
            Some(path) => {
                let mode = self.new_mode.or(mode).unwrap_or(REGULAR);
                changes.write(path, Entry { mode, bytes: Cow::Owned(bytes) });
            }
            None => {}
        }
        match self.leaves {
            Some(path) if self.moves() => changes.leave(path),
            Some(path) => changes.delete(path),
            None => {}
        }
        Ok(copied)
    }

    /// Whether its lines come from nothing. Without the headers of git, such a file need not be there.
    fn makes_file(&self, reverse: bool) -> bool {
        let Body::Hunks(hunks) = &self.file.body else { return false };
        let from_nothing = |hunk: &Hunk<'_>| (if reverse { hunk.new_lines } else { hunk.old_lines }) == 0;
        !hunks.is_empty() && self.file.ids.is_none() && hunks.iter().all(from_nothing)
    }
}
