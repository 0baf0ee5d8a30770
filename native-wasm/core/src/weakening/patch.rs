//! The check of a patch alone.

use super::report::{self, Change};
use super::{Confidence, Kind, Side, WeakeningError};
use crate::hash::Seed;
use crate::patch::{self, Body, Hunk, LineKind, Patch};
use crate::{Budget, Limit};

/// A place where a patch weakens the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchFinding {
    /// Which file of the patch.
    pub file: usize,
    /// Which hunk of the file.
    pub hunk: usize,
    /// Byte offset of the line in the patch.
    pub offset: usize,
    /// Whether `line` is of the old file or of the new one.
    pub side: Side,
    /// The line of the file, from 1 on.
    pub line: u32,
    /// How it weakens.
    pub kind: Kind,
    /// How sure it is.
    pub confidence: Confidence,
    /// What is weaker, in a few words.
    pub message: &'static str,
}

/// Checks a patch. Of files that it creates or deletes it has the whole contents; of the others the rest is not known, as with [`check_fragments`].
/// Binary files, and hunks without a position, are not checked.
///
/// [`check_fragments`]: super::check_fragments
///
/// # Errors
/// As [`check`](super::check), with the hunk of the patch, counted over its files, in place of the file.
///
/// ```
/// use millwright_core::{Budget, hash::Seed, patch::{ParseOptions, Patch}, weakening::{Kind, check_patch}};
/// let text = b"--- a/sum.test.ts\n+++ b/sum.test.ts\n@@ -7,2 +7,2 @@\n-it('adds', () => {\n+it.skip('adds', () => {\n   expect(add(1, 2)).toBe(3);\n";
/// let patch = Patch::parse(text, &ParseOptions::default())?;
/// let findings = check_patch(&patch, Seed(1), &mut Budget::default())?;
/// assert_eq!((findings[0].kind, findings[0].line), (Kind::TestSkipped, 7));
/// assert!(text[findings[0].offset..].starts_with(b"+it.skip"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn check_patch(patch: &Patch<'_>, seed: Seed, budget: &mut Budget) -> Result<Vec<PatchFinding>, WeakeningError> {
    let mut parts = Vec::new();
    for (file, changed) in patch.files.iter().enumerate() {
        let Some(name) = changed.new_path.as_deref().or(changed.old_path.as_deref()) else { continue };
        let Body::Hunks(hunks) = &changed.body else { continue };
        for (number, hunk) in hunks.iter().enumerate().filter(|(_, hunk)| hunk.placed) {
            parts.push(Part {
                file,
                hunk: number,
                path: name,
                change: changed.change,
                sides: Sides::of(hunk)?,
                placed: hunk,
            });
        }
    }
    let changes: Vec<_> = parts.iter().map(Part::as_change).collect();
    let findings = report::check(&changes, seed, budget)?;
    let place = |finding: &super::Finding| {
        let part = parts.get(finding.file)?;
        let side = match finding.side {
            Side::Old => &part.sides.old,
            Side::New => &part.sides.new,
        };
        let line = finding.line.checked_sub(part.first_line(finding.side))?;
        Some(PatchFinding {
            file: part.file,
            hunk: part.hunk,
            offset: *side.offsets.get(line as usize)?,
            side: finding.side,
            line: finding.line,
            kind: finding.kind,
            confidence: finding.confidence,
            message: finding.message,
        })
    };
    Ok(findings.iter().filter_map(place).collect())
}

/// A hunk with its texts.
struct Part<'p> {
    file: usize,
    hunk: usize,
    path: &'p [u8],
    change: patch::Change,
    sides: Sides,
    placed: &'p Hunk<'p>,
}

impl Part<'_> {
    fn first_line(&self, side: Side) -> u32 {
        let start = match side {
            Side::Old => self.placed.old_start,
            Side::New => self.placed.new_start,
        };
        u32::try_from(start.max(1)).unwrap_or(u32::MAX)
    }

    fn as_change(&self) -> Change<'_> {
        let Sides { old, new } = &self.sides;
        Change {
            path: self.path,
            old: (self.change != patch::Change::Create).then_some(&old.text),
            new: (self.change != patch::Change::Delete).then_some(&new.text),
            old_line: self.first_line(Side::Old),
            new_line: self.first_line(Side::New),
            partial: !matches!(self.change, patch::Change::Create | patch::Change::Delete),
        }
    }
}

/// The texts before and after a hunk.
struct Sides {
    old: Text,
    new: Text,
}

#[derive(Default)]
struct Text {
    text: Vec<u8>,
    /// Where in the patch each line is.
    offsets: Vec<usize>,
}

impl Sides {
    fn of(hunk: &Hunk<'_>) -> Result<Self, Limit> {
        let (mut old, mut new) = (Text::default(), Text::default());
        for line in hunk.lines() {
            if line.kind != LineKind::Added {
                old.push(&line)?;
            }
            if line.kind != LineKind::Removed {
                new.push(&line)?;
            }
        }
        Ok(Self { old, new })
    }
}

impl Text {
    fn push(&mut self, line: &patch::HunkLine<'_>) -> Result<(), Limit> {
        let wanted = line.text.len() + 1;
        self.text.try_reserve(wanted).map_err(|_| Limit::Memory { bytes: wanted as u64 })?;
        self.text.extend_from_slice(line.text);
        if line.newline {
            self.text.push(b'\n');
        }
        patch::push(&mut self.offsets, line.offset)
    }
}
