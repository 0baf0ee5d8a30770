use super::find::Diff;
use super::hunks::{Context, Hunk};
use crate::{Limit, Lines, block};
use core::ops::Range;

/// Bytes of a hunk header with its line end that git prints at most.
const MAX_HEADER: usize = 128;

/// What stands after a last line without line end.
const NO_NEWLINE: &[u8] = b"\n\\ No newline at end of file\n";

impl Diff<'_> {
    /// Appends the hunks in the unified format, as git prints them. Nothing is appended when nothing has changed.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for them.
    pub fn write_hunks(&self, context: Context, out: &mut Vec<u8>) -> Result<(), Limit> {
        self.hunks(context).try_for_each(|hunk| self.write_hunk(&hunk, out))
    }

    fn write_hunk(&self, hunk: &Hunk, out: &mut Vec<u8>) -> Result<(), Limit> {
        let changes = self.changes().get(hunk.changes.clone()).unwrap_or_default();
        let added = changes.iter().map(|change| size(self.after(), &change.after));
        // One byte for each line, and twice what stands for a missing line end.
        let ends = MAX_HEADER + 2 * NO_NEWLINE.len() + block::LEN;
        let room = size(self.before(), &hunk.before) + added.sum::<usize>() + ends;
        out.try_reserve(room).map_err(|_| Limit::Memory { bytes: room as u64 })?;

        write_header(hunk, out);
        let mut shown = hunk.after.start;
        for change in changes {
            write_lines(b' ', self.after(), shown..change.after.start, out);
            write_lines(b'-', self.before(), change.before.clone(), out);
            write_lines(b'+', self.after(), change.after.clone(), out);
            shown = change.after.end;
        }
        write_lines(b' ', self.after(), shown..hunk.after.end, out);
        Ok(())
    }
}

/// The bytes of some lines, and one more for each.
fn size(lines: &Lines, range: &Range<u32>) -> usize {
    lines.span(range.start as usize..range.end as usize).len() + range.len()
}

fn write_lines(sign: u8, lines: &Lines, range: Range<u32>, out: &mut Vec<u8>) {
    for line in range {
        let line = lines.range(line as usize);
        out.push(sign);
        block::append(lines.bytes(), line, out);
        if out.last() != Some(&b'\n') {
            out.extend_from_slice(NO_NEWLINE);
        }
    }
}

fn write_header(hunk: &Hunk, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(b"@@ -");
    write_range(&hunk.before, out);
    out.extend_from_slice(b" +");
    write_range(&hunk.after, out);
    out.extend_from_slice(b" @@");
    if !hunk.section.is_empty() {
        out.push(b' ');
        let room = (start + MAX_HEADER - 1).saturating_sub(out.len());
        out.extend_from_slice(&hunk.section[..hunk.section.len().min(room)]);
    }
    out.push(b'\n');
}

/// The first line, from 1 on, and the number of lines unless that is 1; of no lines the line before them.
fn write_range(range: &Range<u32>, out: &mut Vec<u8>) {
    let count = range.len() as u64;
    write_number(u64::from(range.start) + u64::from(count > 0), out);
    if count != 1 {
        out.push(b',');
        write_number(count, out);
    }
}

/// Appends a number in decimal.
pub(super) fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
