use super::cursor::Cursor;
use super::{Hunk, ParseError, ParseErrorKind, lenient};

/// What the line with the `@@` says.
#[derive(Clone, Copy)]
pub(super) struct HunkHeader<'a> {
    /// Start and count of the old and the new side; `None` for a bare `@@`.
    pub sides: Option<[(u64, u64); 2]>,
    pub section: &'a [u8],
}

/// Reads a number and steps behind it.
pub(super) fn number(text: &mut &[u8]) -> Result<u64, ParseErrorKind> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    if number.is_empty() {
        return Err(ParseErrorKind::HunkHeader);
    }
    number
        .iter()
        .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .ok_or(ParseErrorKind::NumberTooLarge)
}

fn skip(text: &mut &[u8], prefix: &[u8]) -> Result<(), ParseErrorKind> {
    *text = text.strip_prefix(prefix).ok_or(ParseErrorKind::HunkHeader)?;
    Ok(())
}

fn side(text: &mut &[u8]) -> Result<(u64, u64), ParseErrorKind> {
    let start = number(text)?;
    let count = if skip(text, b",").is_ok() { number(text)? } else { 1 };
    Ok((start, count))
}

/// Reads `@@ -1,2 +1,2 @@ section`.
pub(super) fn header(line: &[u8]) -> Result<HunkHeader<'_>, ParseErrorKind> {
    let mut text = line;
    skip(&mut text, b"@@ -")?;
    let old = side(&mut text)?;
    skip(&mut text, b" +")?;
    let new = side(&mut text)?;
    skip(&mut text, b" @@")?;
    for (start, count) in [old, new] {
        start.checked_add(count).ok_or(ParseErrorKind::NumberTooLarge)?;
    }
    Ok(HunkHeader { sides: Some([old, new]), section: text.strip_prefix(b" ").unwrap_or(text) })
}

/// Reads a hunk of which the cursor is at the header, and leaves the cursor behind it. `shift` is by how much the hunks before
/// move it.
pub(super) fn parse<'a>(cursor: &mut Cursor<'a>, lenient: bool, shift: i64) -> Result<Hunk<'a>, ParseError> {
    if lenient {
        return lenient::hunk(cursor, shift);
    }
    let offset = cursor.offset();
    let header = header(cursor.text()).map_err(|kind| cursor.fail(kind))?;
    cursor.advance();
    let body_offset = cursor.offset();
    let counts = header.sides.map_or([0; 2], |sides| sides.map(|(_, count)| count));
    counted_body(cursor, counts).map_err(|(kind, offset)| ParseError::new(kind, cursor.bytes(), offset))?;
    Ok(finish(cursor, offset, body_offset, header))
}

/// The hunk whose lines are between `body_offset` and the cursor.
pub(super) fn finish<'a>(cursor: &Cursor<'a>, offset: usize, body_offset: usize, header: HunkHeader<'a>) -> Hunk<'a> {
    let [old, new] = header.sides.unwrap_or_default();
    Hunk {
        offset,
        old_start: old.0,
        old_lines: old.1,
        new_start: new.0,
        new_lines: new.1,
        placed: header.sides.is_some(),
        section: header.section,
        body: cursor.bytes().get(body_offset..cursor.offset()).unwrap_or_default(),
        body_offset,
    }
}

/// Steps over as many lines of each side as the header counts. An error is a kind and an offset: to number its line takes a walk over the
/// patch, which is too much where another way to read the hunk is tried.
pub(super) fn counted_body(cursor: &mut Cursor<'_>, counts: [u64; 2]) -> Result<(), (ParseErrorKind, usize)> {
    let mut state = Counter { left: counts, ended: [false; 2], changed: false };
    while state.left != [0, 0] {
        let Some(line) = cursor.line() else {
            let [old_missing, new_missing] = state.left;
            return Err((ParseErrorKind::HunkTruncated { old_missing, new_missing }, cursor.offset()));
        };
        let sides = match line.first() {
            Some(b'-') => [true, false],
            Some(b'+') => [false, true],
            // An empty context line may have lost its space.
            Some(b' ' | b'\n') => [true, true],
            Some(b'\r') if line == b"\r\n" => [true, true],
            Some(b'\\') => return Err((ParseErrorKind::NewlineMarker, cursor.offset())),
            found => return Err((ParseErrorKind::HunkLine { found: found.copied().unwrap_or(0) }, cursor.offset())),
        };
        state.take(sides).map_err(|kind| (kind, cursor.offset()))?;
        let cut = !line.ends_with(b"\n");
        let here = *cursor;
        cursor.advance();
        if is_marker(cursor) {
            state.end(sides);
            cursor.advance();
        } else if cut {
            let [old_missing, new_missing] = state.left;
            return Err((ParseErrorKind::HunkTruncated { old_missing, new_missing }, here.offset()));
        }
    }
    if state.changed { Ok(()) } else { Err((ParseErrorKind::HunkWithoutChange, cursor.offset())) }
}

struct Counter {
    left: [u64; 2],
    /// The sides whose last line has no newline, so that no other may follow.
    ended: [bool; 2],
    changed: bool,
}

impl Counter {
    fn take(&mut self, sides: [bool; 2]) -> Result<(), ParseErrorKind> {
        for ((left, ended), used) in self.left.iter_mut().zip(self.ended).zip(sides) {
            if used {
                *left = left.checked_sub(1).ok_or(ParseErrorKind::HunkTooLong)?;
                if ended {
                    return Err(ParseErrorKind::NewlineMarker);
                }
            }
        }
        self.changed |= sides != [true, true];
        Ok(())
    }

    fn end(&mut self, sides: [bool; 2]) {
        for (ended, used) in self.ended.iter_mut().zip(sides) {
            *ended |= used;
        }
    }
}

/// `\ No newline at end of file`, in whatever language.
pub(super) fn is_marker(cursor: &Cursor<'_>) -> bool {
    cursor.starts_with(b"\\ ")
}
