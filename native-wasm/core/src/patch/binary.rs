use super::cursor::Cursor;
use super::hunk::number;
use super::{BinaryData, BinaryPatch, ParseError, ParseErrorKind};
use crate::MAX_INPUT_BYTES;

/// Reads what is behind `GIT binary patch`: the data of the new contents and, mostly, those of the old.
pub(super) fn parse<'a>(cursor: &mut Cursor<'a>) -> Result<BinaryPatch<'a>, ParseError> {
    let Some(forward) = data(cursor)? else { return Err(cursor.fail(ParseErrorKind::Binary)) };
    Ok(BinaryPatch { forward, reverse: data(cursor)? })
}

fn data<'a>(cursor: &mut Cursor<'a>) -> Result<Option<BinaryData<'a>>, ParseError> {
    let offset = cursor.offset();
    let text = cursor.text();
    let (delta, mut text) = match (text.strip_prefix(b"literal "), text.strip_prefix(b"delta ")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return Ok(None),
    };
    let size = number(&mut text).map_err(|kind| match kind {
        ParseErrorKind::NumberTooLarge => cursor.fail(kind),
        _ => cursor.fail(ParseErrorKind::Binary),
    })?;
    if !text.is_empty() {
        return Err(cursor.fail(ParseErrorKind::Binary));
    }
    if size > MAX_INPUT_BYTES as u64 {
        return Err(cursor.fail(crate::Limit::Size { actual: size, max: MAX_INPUT_BYTES as u64 }.into()));
    }
    cursor.advance();
    let start = cursor.offset();
    while !cursor.text().is_empty() {
        if !is_data_line(cursor.text()) {
            return Err(cursor.fail(ParseErrorKind::Binary));
        }
        cursor.advance();
    }
    let lines = cursor.bytes().get(start..cursor.offset()).unwrap_or_default();
    // An empty line ends the data.
    if cursor.line().is_none() {
        return Err(cursor.fail(ParseErrorKind::Binary));
    }
    cursor.advance();
    Ok(Some(BinaryData { offset, delta, size, lines }))
}

fn is_data_line(line: &[u8]) -> bool {
    line.split_first().is_some_and(|(first, digits)| {
        length(*first).is_some_and(|length| digits.len() == length.div_ceil(4) * 5)
            && digits.iter().all(|digit| value(*digit).is_some())
    })
}

/// How many bytes a line holds, by its first character.
const fn length(first: u8) -> Option<usize> {
    match first {
        b'A'..=b'Z' => Some((first - b'A') as usize + 1),
        b'a'..=b'z' => Some((first - b'a') as usize + 27),
        _ => None,
    }
}

const DIGITS: &[u8; 85] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut at = 0;
    while at < DIGITS.len() {
        values[DIGITS[at] as usize] = at as u8;
        at += 1;
    }
    values
};

fn value(digit: u8) -> Option<u8> {
    VALUES.get(usize::from(digit)).copied().filter(|value| *value != u8::MAX)
}

/// Appends the bytes of a line in base 85. `None` if it is damaged.
pub(super) fn decode_line(line: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let (first, digits) = line.split_first()?;
    let mut left = length(*first)?;
    for group in digits.chunks(5) {
        let number = group
            .iter()
            .try_fold(0u32, |number, digit| number.checked_mul(85)?.checked_add(u32::from(value(*digit)?)))?;
        let bytes = number.to_be_bytes();
        let used = left.min(bytes.len());
        into.extend_from_slice(bytes.get(..used)?);
        left -= used;
    }
    (left == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_85_is_that_of_git() {
        let mut bytes = Vec::new();
        // The four largest bytes are `|NsC0`.
        decode_line(b"D|NsC0", &mut bytes).unwrap();
        decode_line(b"A|NsC0", &mut bytes).unwrap();
        assert_eq!(bytes, [0xff; 5]);
        assert_eq!(decode_line(b"D~~~~~", &mut bytes), None, "more than 32 bits");
        assert!(is_data_line(b"z00000000000000000000000000000000000000000000000000000000000000000"));
        assert!(
            !is_data_line(b"E00000")
                && !is_data_line(b"D0000")
                && !is_data_line(b"D0000\"")
                && !is_data_line(b"000000")
        );
    }
}
