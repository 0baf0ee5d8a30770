use std::borrow::Cow;

/// The names of a file before and after.
type Names<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Reads a name that is quoted as in C, and what stands behind its closing quote. `None` if it is not closed or has an unknown escape.
pub(super) fn unquote(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let inner = text.strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', inner)?;
    if inner.get(end) == Some(&b'"') {
        return Some((Cow::Borrowed(inner.get(..end)?), inner.get(end + 1..)?));
    }
    let mut name = inner.get(..end)?.to_vec();
    let mut rest = inner.get(end..)?;
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        match first {
            b'"' => return Some((Cow::Owned(name), rest)),
            b'\\' => {
                let (byte, after) = unescape(rest)?;
                name.push(byte);
                rest = after;
            }
            byte => name.push(*byte),
        }
    }
}

fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = text.split_first()?;
    let byte = match first {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'"' | b'\\' => *first,
        b'0'..=b'3' => {
            let (digits, rest) = text.split_at_checked(3)?;
            let value = digits.iter().try_fold(0u8, |value, digit| match digit {
                b'0'..=b'7' => Some(value << 3 | (digit - b'0')),
                _ => None,
            })?;
            // No file name holds a NUL.
            return (value != 0).then_some((value, rest));
        }
        _ => return None,
    };
    Some((byte, rest))
}

/// Removes leading folders. `None` if nothing is left.
pub(super) fn strip<'a>(name: &Cow<'a, [u8]>, folders: u32) -> Option<Cow<'a, [u8]>> {
    let start = after_folders(name, folders)?;
    match name {
        Cow::Borrowed(name) => name.get(start..).map(Cow::Borrowed),
        Cow::Owned(name) => name.get(start..).map(|name| Cow::Owned(name.to_vec())),
    }
    .filter(|name| !name.is_empty())
}

fn after_folders(name: &[u8], folders: u32) -> Option<usize> {
    let mut start = 0;
    for _ in 0..folders {
        start += memchr::memchr(b'/', name.get(start..)?)? + 1;
    }
    Some(start)
}

/// Whether the two names, as far as there are two, have prefixes as git writes them: a letter each, and different ones.
pub(super) fn have_prefixes(old: Option<&[u8]>, new: Option<&[u8]>) -> bool {
    let prefix = |name: &[u8]| match name {
        [letter, b'/', _, ..] => Some(*letter),
        _ => None,
    };
    match (old.map(prefix), new.map(prefix)) {
        (Some(Some(old)), Some(Some(new))) => old != new,
        (Some(Some(_)), None) | (None, Some(Some(_))) => true,
        _ => false,
    }
}

/// The two names of a `diff --git` line, with their prefixes, if they can be told apart: without quotes they have to be equal behind them.
pub(super) fn split_git(text: &[u8], folders: u32) -> Option<Names<'_>> {
    if text.first() == Some(&b'"') {
        let (old, rest) = unquote(text)?;
        let rest = rest.strip_prefix(b" ")?;
        let new = match unquote(rest) {
            Some((new, b"")) => new,
            Some(_) => return None,
            None => Cow::Borrowed(rest),
        };
        return Some((old, new));
    }
    if text.last() == Some(&b'"') {
        let at = memchr::memmem::find(text, b" \"")?;
        let (new, rest) = unquote(text.get(at + 1..)?)?;
        return rest.is_empty().then_some((Cow::Borrowed(text.get(..at)?), new));
    }
    split_equal(text, folders)
}

/// No system has longer paths.
const MAX_NAMES_BYTES: usize = 1 << 16;

fn split_equal(text: &[u8], folders: u32) -> Option<Names<'_>> {
    if text.len() > MAX_NAMES_BYTES {
        return None;
    }
    let old_start = after_folders(text, folders)?;
    // Where the new name starts without its prefix says where the old one ends, as they have one length.
    let end_of_old = |new_start: usize| text.len().checked_sub(new_start)?.checked_add(old_start);
    let new_start = if folders == 0 {
        text.len() / 2 + 1
    } else {
        // Further right, the old name ends further left: one slash at most has the right number of them before it in the new name.
        let slashes: Vec<usize> = memchr::memchr_iter(b'/', text).collect();
        slashes.iter().enumerate().find_map(|(index, slash)| {
            let end = end_of_old(slash + 1)?;
            let before = slashes.partition_point(|slash| *slash < end);
            (end <= *slash && index + 1 - before == folders as usize).then_some(slash + 1)
        })?
    };
    let end = end_of_old(new_start)?;
    let (old, new) = (text.get(..end)?, text.get(end + 1..)?);
    let same = text.get(end) == Some(&b' ') && old.get(old_start..) == text.get(new_start..);
    same.then_some((Cow::Borrowed(old), Cow::Borrowed(new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, folders: u32) -> Option<(String, String)> {
        let (old, new) = split_git(text.as_bytes(), folders)?;
        Some((String::from_utf8_lossy(&old).into_owned(), String::from_utf8_lossy(&new).into_owned()))
    }

    #[test]
    fn names_of_one_line_are_told_apart_by_being_equal() {
        let pair = |old: &str, new: &str| Some((old.to_owned(), new.to_owned()));
        assert_eq!(split("a/x b/x", 1), pair("a/x", "b/x"));
        assert_eq!(split("a/x y b/x y", 1), pair("a/x y", "b/x y"));
        assert_eq!(split("a/x b/x b/x b/x", 1), pair("a/x b/x", "b/x b/x"));
        assert_eq!(split("old/x newer/x", 1), pair("old/x", "newer/x"));
        assert_eq!(split("d/x d/x", 0), pair("d/x", "d/x"));
        assert_eq!(split("a/x b/y", 1), None);
        assert_eq!(split("x x", 1), None);
        assert_eq!(split("\"a/\\303\\244\" \"b/\\303\\244\"", 1), pair("a/ä", "b/ä"));
        assert_eq!(split("a/x \"b/y\\n\"", 1), pair("a/x", "b/y\n"));
        assert_eq!(split("\"a/x\\\"\" b/y z", 1), pair("a/x\"", "b/y z"));
    }

    #[test]
    fn long_names_are_those_of_no_file() {
        let name = "x ".repeat(30_000);
        assert!(split(&format!("a/{name} b/{name}"), 1).is_none());
        assert!(split(&format!("a/{0} b/{0}", &name[..30_000]), 1).is_some());
    }

    #[test]
    fn quotes_are_those_of_c() {
        let all = unquote(b"\"\\a\\b\\t\\n\\v\\f\\r\\\"\\\\\\001\\377\" rest").unwrap();
        assert_eq!((&*all.0, all.1), (&b"\x07\x08\t\n\x0b\x0c\r\"\\\x01\xff"[..], &b" rest"[..]));
        for wrong in [&b"\"a"[..], b"\"\\x\"", b"\"\\400\"", b"\"\\00\"", b"\"\\000\"", b"\"\\", b"a"] {
            assert_eq!(unquote(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn prefixes_are_single_letters() {
        assert!(have_prefixes(Some(b"a/x"), Some(b"b/x")));
        assert!(have_prefixes(None, Some(b"b/x")));
        assert!(!have_prefixes(Some(b"x/y"), Some(b"x/y")));
        assert!(!have_prefixes(Some(b"src/y"), Some(b"src/y")));
        assert!(!have_prefixes(None, None));
    }
}
