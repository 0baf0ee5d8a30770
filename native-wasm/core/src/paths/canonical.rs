use super::lookalike::is_ignorable;

/// The form that two paths share when some file system may take one for the other: `/` between components, no `.`, empty or resolved `..` component, case
/// folded, ignorable characters left out, no dots and spaces at the end of components, and bytes that are no UTF-8 as `%` and two hexadecimal digits.
/// It is for comparing, not for opening. Composed and decomposed accents stay different.
///
/// ```
/// use millwright_core::paths::canonical;
/// assert_eq!(canonical(b"./Docs\\\xe2\x80\x8bREADME.md. "), b"docs/readme.md");
/// assert_eq!(canonical(b"a/../../b"), b"../b");
/// ```
pub fn canonical(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    canonical_into(path, b'/', &mut out);
    out
}

/// Appends the canonical form with a separator of choice.
pub(super) fn canonical_into(path: &[u8], separator: u8, out: &mut Vec<u8>) {
    let base = out.len();
    for component in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        let end = out.len();
        if end > base {
            out.push(separator);
        }
        let start = out.len();
        fold(component, out);
        trim(start, out);
        match out.get(start..).unwrap_or_default() {
            b"" | b"." => out.truncate(end),
            b".." => {
                let last = out.get(base..end).unwrap_or_default();
                let parent = last.iter().rposition(|byte| *byte == separator);
                let name = last.get(parent.map_or(0, |at| at + 1)..).unwrap_or_default();
                // Nothing is above the root but more of the same.
                if !name.is_empty() && name != b".." {
                    out.truncate(base + parent.unwrap_or(0));
                }
            }
            _ => {}
        }
    }
}

fn fold(component: &[u8], out: &mut Vec<u8>) {
    if component.is_ascii() && !component.contains(&0) {
        out.extend(component.iter().map(u8::to_ascii_lowercase));
        return;
    }
    for chunk in component.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\0' => push_escaped(0, out),
                _ if is_ignorable(char) => {}
                // By way of upper case, so that letters that share their capital share their form, as `ſ` and `s`. The lower case before it is for `ẞ`.
                _ => char.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).for_each(|char| {
                    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }),
            }
        }
        chunk.invalid().iter().for_each(|byte| push_escaped(*byte, out));
    }
}

fn push_escaped(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    out.extend([b'%', DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]);
}

/// Takes off dots and spaces at the end, as Windows does; of a name that has nothing else, the spaces.
fn trim(start: usize, out: &mut Vec<u8>) {
    let name = out.get(start..).unwrap_or_default();
    let end_by = |drops: fn(&u8) -> bool| name.iter().rposition(|byte| !drops(byte)).map_or(0, |at| at + 1);
    let end = match end_by(|byte| matches!(byte, b'.' | b' ')) {
        0 => end_by(|byte| *byte == b' '),
        end => end,
    };
    out.truncate(start + end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folding_twice_changes_nothing_in_any_character() {
        // Behind these, no characters have cases.
        for char in '\0'..'\u{1f000}' {
            if char.to_lowercase().eq([char]) && char.to_uppercase().eq([char]) {
                continue;
            }
            let once = canonical(format!("x{char}x").as_bytes());
            assert_eq!(canonical(&once), once, "{char:?}");
        }
    }

    #[test]
    fn forms_that_are_the_same_somewhere() {
        let same = |paths: &[&str]| {
            let forms: Vec<_> = paths.iter().map(|path| canonical(path.as_bytes())).collect();
            assert!(forms.windows(2).all(|pair| pair[0] == pair[1]), "{paths:?}");
        };
        same(&["Straße", "STRASSE", "ſtrasse", "STRAẞE"]);
        same(&["K", "k", "\u{212a}"]);
        same(&["ΣΑΣ", "σας", "σασ"]);
        same(&["a/b", "a\\b", "a//b/", "/a/./b", "a/c/../b", "A /b..", "a\u{200d}/b"]);
        assert_ne!(canonical(b"caf\xc3\xa9"), canonical(b"cafe"));
        assert_ne!(canonical(b"\xff"), canonical(b"\xfe"));
    }

    #[test]
    fn parents_never_leave_the_root_silently() {
        assert_eq!(canonical(b"a/../../../b/.."), b"../..");
        assert_eq!(canonical(b".. /x"), b"../x");
        assert_eq!(canonical(b".../x"), b".../x");
        assert_eq!(canonical(b"/../a"), b"../a");
    }

    proptest! {
        #[test]
        fn is_canonical_itself(path in proptest::collection::vec(prop_oneof![proptest::sample::select(&b"aB./\\ :%\0"[..]), proptest::sample::select(&b"\xe2\x80\x8b\xc3\x9f"[..]), any::<u8>()], 0..30)) {
            let once = canonical(&path);
            prop_assert_eq!(canonical(&once), once);
        }
    }
}
