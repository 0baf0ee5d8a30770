use super::place::place;
use super::sides::Sides;
use super::target::{Target, signed};
use super::{ApplyError, Body, Change, FilePatch, Hunk, LineKind, binary_apply};
use crate::hash::Seed;
use crate::{Budget, Limit, Lines};

/// How patches are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Apply it backwards: from the new file to the old one.
    pub reverse: bool,
    /// How many lines of context a hunk may lose at each end if it has no place otherwise; the last stays. With 3 lines of context, 1 is
    /// `git apply -C2`.
    pub fuzz: u32,
    /// Whether a hunk that begins with line 1 has to begin the file, and one without context behind it has to end the file, as for git.
    pub anchored: bool,
    /// The key of the hashes; the result does not depend on it.
    pub seed: Seed,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { reverse: false, fuzz: 0, anchored: true, seed: Seed::default() }
    }
}

/// The contents that a patch makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The new contents.
    pub bytes: Vec<u8>,
    /// Where the hunks went, in their order; nothing for a binary patch.
    pub hunks: Vec<Placed>,
}

/// Where a hunk went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its first line in the old contents, from 1.
    pub line: usize,
    /// By how many lines that is behind (or, negative, before) the line of its header.
    pub offset: i64,
    /// Lines of context that were not looked at, at its beginning and at its end.
    pub fuzz: (usize, usize),
}

impl FilePatch<'_> {
    /// Applies the patch to the contents of its file, all of it or nothing. A file that is created has empty contents before.
    ///
    /// Hunks go where git puts them: to the line in their header, counting what earlier hunks added, else to the nearest place that has all
    /// their lines. Two things are refused that git does: a place before that of an earlier hunk, and, for a hunk without any context,
    /// another place than that of its header.
    ///
    /// Units of the budget: a line that is compared or looked up, or 32 bytes of binary data.
    ///
    /// ```
    /// use millwright_core::Budget;
    /// use millwright_core::patch::{ApplyOptions, ParseOptions, Patch};
    /// let patch = Patch::parse(b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n", &ParseOptions::default())?;
    /// let applied = patch.files[0].apply(b"one\ntwo\n", &ApplyOptions::default(), &mut Budget::default())?;
    /// assert_eq!(applied.bytes, b"one\n2\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ApplyError::Rejected`] with each hunk that has no place and where it nearly had one; others where the patch does not fit as a whole.
    pub fn apply(&self, old: &[u8], options: &ApplyOptions, budget: &mut Budget) -> Result<Applied, ApplyError> {
        Limit::check_size(old)?;
        let (creates, deletes) = match (self.change, options.reverse) {
            (Change::Create, false) | (Change::Delete, true) => (true, false),
            (Change::Delete, false) | (Change::Create, true) => (false, true),
            _ => (false, false),
        };
        if creates && !old.is_empty() {
            return Err(ApplyError::Exists);
        }
        let applied = match &self.body {
            Body::Hunks(hunks) => by_lines(hunks, old, options, budget)?,
            Body::Binary(binary) => {
                Applied { bytes: binary_apply::apply(binary, old, options.reverse, budget)?, hunks: Vec::new() }
            }
            Body::BinaryDiffers => return Err(ApplyError::NoBinaryData),
        };
        if deletes && !applied.bytes.is_empty() {
            return Err(ApplyError::NotEmpty);
        }
        Ok(applied)
    }
}

fn by_lines(
    hunks: &[Hunk<'_>],
    old: &[u8],
    options: &ApplyOptions,
    budget: &mut Budget,
) -> Result<Applied, ApplyError> {
    let mut target = Target::new(old, hunks, options.seed)?;
    let mut output = Output::new(old, hunks)?;
    let (mut sides, mut rejects) = (Sides::default(), Vec::new());
    let mut placed = Limit::reserve(hunks.len())?;
    for (number, hunk) in hunks.iter().enumerate() {
        sides.fill(hunk, options.reverse)?;
        if let Err(reject) = place(&mut target, number, hunk, &sides, options, budget)? {
            rejects.push(reject);
        } else if let Some(region) = target.regions().last() {
            output.add(&target.lines, region.start, region.cut.0, &sides);
            let line = region.start + usize::from(!sides.old.is_empty());
            let line = line.saturating_sub(region.cut.0);
            let said = if hunk.placed { i64::try_from(sides.old_start).unwrap_or(i64::MAX) } else { signed(line) };
            placed.push(Placed { line, offset: signed(line) - said, fuzz: region.cut });
        }
    }
    if !rejects.is_empty() {
        return Err(ApplyError::Rejected(rejects));
    }
    Ok(Applied { bytes: output.finish(&target.lines), hunks: placed })
}

/// The new contents, as far as hunks have a place.
struct Output {
    bytes: Vec<u8>,
    /// Lines of the old file that are copied or left out.
    passed: usize,
}

impl Output {
    fn new(old: &[u8], hunks: &[Hunk<'_>]) -> Result<Self, Limit> {
        let room = hunks.iter().fold(old.len(), |room, hunk| room.saturating_add(hunk.body.len()));
        Ok(Self { bytes: Limit::reserve(room)?, passed: 0 })
    }

    /// Makes the changes of a hunk whose old lines, without those that are cut off at its beginning, are in the file from `start` on. Context is
    /// copied from the file, together with what is around the hunk.
    fn add(&mut self, lines: &Lines<'_>, start: usize, cut: usize, sides: &Sides<'_>) {
        let mut added = sides.added.iter().peekable();
        for at in cut..=sides.old.len() {
            let line = start + at - cut;
            while let Some((_, new)) = added.next_if(|(before, _)| *before == at) {
                self.copy(lines, line);
                self.bytes.extend_from_slice(new.text);
                if new.newline {
                    self.bytes.push(b'\n');
                }
            }
            if sides.old.get(at).is_some_and(|old| old.kind == LineKind::Removed) {
                self.copy(lines, line);
                self.passed = line + 1;
            }
        }
    }

    /// Copies the lines up to this one.
    fn copy(&mut self, lines: &Lines<'_>, end: usize) {
        if self.passed < end {
            self.bytes.extend_from_slice(lines.span(self.passed..end));
            self.passed = end;
        }
    }

    fn finish(mut self, lines: &Lines<'_>) -> Vec<u8> {
        self.copy(lines, lines.len());
        self.bytes
    }
}
