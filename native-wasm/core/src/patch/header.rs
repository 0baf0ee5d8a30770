use super::cursor::Cursor;
use super::draft::{Draft, Flags};
use super::hunk::number;
use super::{ParseError, ParseErrorKind};

/// Reads the headers that git writes before the lines of a file, and leaves the cursor behind them. `None` if there is nothing but
/// `diff --git`, which a text may well say.
pub(super) fn git<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Draft<'a>>, ParseError> {
    let mut draft = Draft { git_line: Some(*cursor), ..Draft::default() };
    cursor.advance();
    let first = cursor.offset();
    while step(cursor, &mut draft)? {
        cursor.advance();
    }
    Ok((cursor.offset() != first || is_binary(cursor)).then_some(draft))
}

fn is_binary(cursor: &Cursor<'_>) -> bool {
    cursor.text() == b"GIT binary patch" || cursor.starts_with(b"Binary files ")
}

/// Takes a header line, or answers no if it is none.
fn step<'a>(cursor: &Cursor<'a>, draft: &mut Draft<'a>) -> Result<bool, ParseError> {
    let text = cursor.text();
    let word = text.iter().position(|byte| *byte == b' ').map_or(text, |at| text.get(..=at).unwrap_or_default());
    let rest = text.get(word.len()..).unwrap_or_default();
    match word {
        b"--- " if draft.old_line.is_none() && cursor.following().starts_with(b"+++ ") => {
            draft.old_line = Some(*cursor);
        }
        b"+++ " if draft.old_line.is_some() && draft.new_line.is_none() => draft.new_line = Some(*cursor),
        _ if draft.old_line.is_some() => return Ok(false),
        b"index " => index(rest, cursor, draft)?,
        b"similarity " | b"dissimilarity " => {
            let Some(percent) = rest.strip_prefix(b"index ") else { return Ok(false) };
            let percent = percentage(percent).ok_or_else(|| cursor.fail(ParseErrorKind::Similarity))?;
            if word == b"similarity " {
                draft.similarity = Some(percent);
            }
        }
        b"old " | b"new " | b"deleted " => return modes(word, rest, cursor, draft),
        b"rename " | b"copy " => {
            let (rename, copy) = (Flags { rename: true, ..draft.flags }, Flags { copy: true, ..draft.flags });
            let flags = if word == b"copy " { copy } else { rename };
            // The older `rename old` and `rename new` mean the same.
            match rest.split_at_checked(rest.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1)) {
                Some((b"from " | b"old ", name)) => (draft.from, draft.flags) = (Some((*cursor, name)), flags),
                Some((b"to " | b"new ", name)) => (draft.to, draft.flags) = (Some((*cursor, name)), flags),
                _ => return Ok(false),
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn modes<'a>(word: &[u8], rest: &'a [u8], cursor: &Cursor<'a>, draft: &mut Draft<'a>) -> Result<bool, ParseError> {
    let number = |digits: &[u8]| mode(digits).ok_or_else(|| cursor.fail(ParseErrorKind::Mode)).map(Some);
    match (word, rest.strip_prefix(b"mode "), rest.strip_prefix(b"file mode ")) {
        (b"old ", Some(digits), _) => draft.old_mode = number(digits)?,
        (b"new ", Some(digits), _) => draft.new_mode = number(digits)?,
        (b"new ", _, Some(digits)) => (draft.new_mode, draft.flags.created) = (number(digits)?, true),
        (b"deleted ", _, Some(digits)) => (draft.old_mode, draft.flags.deleted) = (number(digits)?, true),
        _ => return Ok(false),
    }
    Ok(true)
}

/// `0123..4567 100644`. What does not look like object names is left out: nothing depends on them.
fn index<'a>(text: &'a [u8], cursor: &Cursor<'a>, draft: &mut Draft<'a>) -> Result<(), ParseError> {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (ids, digits) = text.split_at(end);
    let is_id = |id: &[u8]| (4..=64).contains(&id.len()) && id.iter().all(u8::is_ascii_hexdigit);
    if let Some(dots) = memchr::memmem::find(ids, b"..") {
        let (old, new) = (ids.get(..dots).unwrap_or_default(), ids.get(dots + 2..).unwrap_or_default());
        draft.ids = Some((old, new)).filter(|_| is_id(old) && is_id(new));
    }
    if let [b' ', digits @ ..] = digits {
        let mode = mode(digits).ok_or_else(|| cursor.fail(ParseErrorKind::Mode))?;
        draft.old_mode = Some(mode);
        draft.new_mode = Some(mode);
    }
    Ok(())
}

fn mode(digits: &[u8]) -> Option<u32> {
    if !(1..=7).contains(&digits.len()) {
        return None;
    }
    digits.iter().try_fold(0, |mode, digit| match digit {
        b'0'..=b'7' => Some(mode * 8 + u32::from(digit - b'0')),
        _ => None,
    })
}

fn percentage(text: &[u8]) -> Option<u8> {
    let mut rest = text;
    let percent = number(&mut rest).ok()?;
    u8::try_from(percent).ok().filter(|percent| *percent <= 100 && rest == b"%")
}
