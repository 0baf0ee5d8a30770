//! Hunks as language models write them: without numbers, with wrong ones, with blank lines between.

use super::cursor::Cursor;
use super::hunk::{self, HunkHeader, counted_body, finish, is_marker};
use super::{Hunk, ParseError, ParseErrorKind};

/// Reads a hunk. Counts that are right are used; otherwise the hunk ends where no line of one can follow.
///
/// Who miscounts lines gets the line of the new file wrong too: it is the old one, moved by the hunks before.
pub(super) fn hunk<'a>(cursor: &mut Cursor<'a>, shift: i64) -> Result<Hunk<'a>, ParseError> {
    let offset = cursor.offset();
    let header = header(cursor.text()).map_err(|kind| cursor.fail(kind))?;
    cursor.advance();
    let body_offset = cursor.offset();
    if let Some(sides) = header.sides {
        let mut counted = *cursor;
        if counted_body(&mut counted, sides.map(|(_, count)| count)).is_ok() && is_behind_hunk(&counted) {
            *cursor = counted;
            return Ok(finish(cursor, offset, body_offset, header));
        }
    }
    let counts = body(cursor)?;
    let sides = header.sides.map(|[old, _]| [(old.0, counts[0]), (old.0.saturating_add_signed(shift), counts[1])]);
    Ok(Hunk {
        old_lines: counts[0],
        new_lines: counts[1],
        ..finish(cursor, offset, body_offset, HunkHeader { sides, ..header })
    })
}

/// Whatever begins with `@@`. Without readable numbers the hunk belongs where its lines are.
fn header(line: &[u8]) -> Result<HunkHeader<'_>, ParseErrorKind> {
    match hunk::header(line) {
        Err(ParseErrorKind::HunkHeader) => {}
        known => return known,
    }
    let text = line.strip_prefix(b"@@").ok_or(ParseErrorKind::HunkHeader)?;
    let section = memchr::memmem::find(text, b"@@").map_or(text, |end| text.get(end + 2..).unwrap_or_default());
    Ok(HunkHeader { sides: None, section: section.trim_ascii() })
}

/// Steps over the lines of a hunk and counts those of each side. Empty lines at its end are taken for space between hunks.
fn body(cursor: &mut Cursor<'_>) -> Result<[u64; 2], ParseError> {
    let (mut counts, mut changed, mut blank) = ([0u64; 2], false, 0u64);
    let (mut walker, mut ended) = (*cursor, [false; 2]);
    while !is_behind_lines(&walker) {
        let line = walker.text();
        let sides = match line.first() {
            Some(b'-') => [true, false],
            Some(b'+') => [false, true],
            _ => [true, true],
        };
        if line.is_empty() {
            blank += 1;
        } else {
            for ((count, ended), used) in counts.iter_mut().zip(ended).zip(sides) {
                *count += blank + u64::from(used);
                if ended && (used || blank > 0) {
                    return Err(walker.fail(ParseErrorKind::NewlineMarker));
                }
            }
            blank = 0;
            changed |= sides != [true, true];
        }
        walker.advance();
        if is_marker(&walker) {
            for (ended, used) in ended.iter_mut().zip(sides) {
                *ended |= used;
            }
            walker.advance();
        }
        if blank == 0 {
            *cursor = walker;
        }
    }
    match walker.line().and_then(<[u8]>::first) {
        // Else a line that lost its space would end the hunk, and what follows it would be left out in silence.
        Some(found) if !is_known_end(&walker) => Err(walker.fail(ParseErrorKind::HunkLine { found: *found })),
        _ if changed => Ok(counts),
        _ => Err(walker.fail(ParseErrorKind::HunkWithoutChange)),
    }
}

/// Whether the line is one that may stand behind a hunk whose counts do not say where it ends.
fn is_known_end(cursor: &Cursor<'_>) -> bool {
    const ENDS: [&[u8]; 8] = [b"@@", b"diff ", b"--- ", b"-- ", b"From ", b"Index: ", b"```", b"*** "];
    ENDS.iter().any(|end| cursor.starts_with(end))
}

/// Whether no line of a hunk can be here.
fn is_behind_lines(cursor: &Cursor<'_>) -> bool {
    match cursor.line().and_then(<[u8]>::first) {
        Some(b'-') => is_signature(cursor) || is_plain_header(cursor),
        Some(b' ' | b'+' | b'\n') => false,
        Some(b'\r') => !cursor.text().is_empty(),
        _ => true,
    }
}

/// Whether a hunk may have ended before this line.
fn is_behind_hunk(cursor: &Cursor<'_>) -> bool {
    is_behind_lines(cursor) || cursor.text().is_empty()
}

/// `-- ` and a version or nothing behind it, the end of a mail.
fn is_signature(cursor: &Cursor<'_>) -> bool {
    let next = cursor.following();
    cursor.text() == b"-- " && !matches!(next.text().first(), Some(b' ' | b'+' | b'-' | b'@'))
}

/// `--- name` and `+++ name` of the next file, with a hunk behind it.
fn is_plain_header(cursor: &Cursor<'_>) -> bool {
    let next = cursor.following();
    cursor.starts_with(b"--- ") && next.starts_with(b"+++ ") && next.following().starts_with(b"@@")
}

/// Steps over blank lines if a hunk follows them.
pub(super) fn skip_blank_lines(cursor: &mut Cursor<'_>) {
    let mut next = *cursor;
    while next.line().is_some() && next.text().is_empty() {
        next.advance();
    }
    if next.starts_with(b"@@") {
        *cursor = next;
    }
}
