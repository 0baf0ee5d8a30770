//! Where a group of added or removed lines is best placed among equally right places: the heuristic that git calls the indentation heuristic.
//!
//! The weights were found by Michael Haggerty from rated places (github.com/mhagger/diff-slider-tools) and are those of imara-diff
//! (Apache-2.0).

use crate::Lines;

const START_OF_FILE: i32 = 1;
const END_OF_FILE: i32 = 21;
const BLANK_LINE: i32 = -30;
const BLANK_LINE_BEHIND: i32 = 6;
const DEEPER: i32 = -4;
const DEEPER_AFTER_BLANK: i32 = 10;
/// Less deep than the line before, and the line behind is less deep still.
const OUTER: i32 = 24;
const OUTER_AFTER_BLANK: i32 = 17;
const SHALLOWER: i32 = 23;
const SHALLOWER_AFTER_BLANK: i32 = 17;
/// How much a smaller indentation counts against the penalties.
const INDENT: i32 = 60;

/// Blank lines that are looked at on each side of a place.
const MAX_BLANKS: i32 = 20;
const MAX_INDENT: i32 = 200;
const TAB: i32 = 8;
/// A line that begins with more white space than this counts as blank: no line that somebody wrote does.
const MAX_SPACE_BYTES: usize = 4096;

/// How bad a place is for a group; smaller is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Score {
    indent: i32,
    penalty: i32,
}

impl Score {
    /// The score of a group of lines, by both of its ends. Adds to `work` about what it has looked at.
    pub(super) fn of_group(lines: &Lines, start: usize, end: usize, work: &mut u64) -> Self {
        let (first, second) = (Self::of_split(lines, start, work), Self::of_split(lines, end, work));
        Self { indent: first.indent + second.indent, penalty: first.penalty + second.penalty }
    }

    /// Whether it is at least as good.
    pub(super) fn is_no_worse_than(self, other: Self) -> bool {
        let indent = i32::from(self.indent > other.indent) - i32::from(self.indent < other.indent);
        INDENT * indent + self.penalty - other.penalty <= 0
    }

    /// The score of a cut before a line.
    fn of_split(lines: &Lines, line: usize, work: &mut u64) -> Self {
        let own = (line < lines.len()).then(|| indent_of(lines.get(line), work)).flatten();
        let (blanks_before, before) = nearest(lines, (0..line).rev(), work);
        let (blanks_behind, behind) = nearest(lines, line + 1..lines.len(), work);
        let blanks_behind = if own.is_none() { 1 + blanks_behind } else { 0 };
        let blanks = blanks_before + blanks_behind;

        let mut penalty = BLANK_LINE * blanks + BLANK_LINE_BEHIND * blanks_behind;
        if before.is_none() && blanks_before == 0 {
            penalty += START_OF_FILE;
        }
        if line >= lines.len() {
            penalty += END_OF_FILE;
        }
        let indent = own.or(behind);
        if let (Some(indent), Some(before)) = (indent, before) {
            let weights = if indent > before {
                (DEEPER, DEEPER_AFTER_BLANK)
            } else if indent == before {
                (0, 0)
            } else if behind.is_some_and(|behind| behind > indent) {
                (OUTER, OUTER_AFTER_BLANK)
            } else {
                (SHALLOWER, SHALLOWER_AFTER_BLANK)
            };
            penalty += if blanks == 0 { weights.0 } else { weights.1 };
        }
        Self { indent: indent.unwrap_or(-1), penalty }
    }
}

/// The number of blank lines and the indentation of the first line that is not blank.
fn nearest(lines: &Lines, order: impl Iterator<Item = usize>, work: &mut u64) -> (i32, Option<i32>) {
    let mut blanks = 0;
    for line in order {
        let indent = indent_of(lines.get(line), work);
        if indent.is_some() {
            return (blanks, indent);
        }
        blanks += 1;
        if blanks == MAX_BLANKS {
            return (blanks, Some(0));
        }
    }
    (blanks, None)
}

/// The column in which a line begins; `None` for a blank one.
fn indent_of(line: &[u8], work: &mut u64) -> Option<i32> {
    let mut column = 0;
    *work += 1;
    for (at, byte) in line.iter().take(MAX_SPACE_BYTES).enumerate() {
        match byte {
            b' ' => column += 1,
            b'\t' => column += TAB - column % TAB,
            b'\n' | b'\r' => {}
            _ => {
                *work += at as u64 / 16;
                return Some(column);
            }
        }
        if column >= MAX_INDENT {
            return Some(MAX_INDENT);
        }
    }
    *work += line.len().min(MAX_SPACE_BYTES) as u64 / 16;
    None
}
