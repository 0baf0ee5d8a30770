//! Characters that are left out or that look like others, as far as `.git` needs them.

/// What a character counts as when a name is compared with those that git keeps for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// As nothing.
    Nothing,
    /// As this ASCII character, in lower case.
    Ascii(u8),
    /// As itself.
    Other,
}

/// Characters that some file systems leave out (HFS+: U+200C to U+200F, U+202A to U+202E, U+206A to U+206F, U+FEFF), and others that show as nothing.
const IGNORABLE: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_0fff),
];

/// What looks like one of the characters of `.git` and `git~1`, a colon or a slash. Sorted.
const LOOKALIKES: &[(u32, u8)] = &[
    (0xb7, b'.'),    // middle dot
    (0xb9, b'1'),    // superscript one
    (0x123, b'g'),   // g with cedilla
    (0x12f, b'i'),   // i with ogonek
    (0x130, b'i'),   // capital I with dot
    (0x131, b'i'),   // dotless i
    (0x163, b't'),   // t with cedilla
    (0x1ab, b't'),   // t with palatal hook
    (0x1ad, b't'),   // t with hook
    (0x1e5, b'g'),   // g with stroke
    (0x21b, b't'),   // t with comma below
    (0x260, b'g'),   // g with hook
    (0x261, b'g'),   // script g
    (0x262, b'g'),   // small capital G
    (0x268, b'i'),   // i with stroke
    (0x269, b'i'),   // iota
    (0x26a, b'i'),   // small capital I
    (0x288, b't'),   // t with retroflex hook
    (0x2d0, b':'),   // triangular colon
    (0x2dc, b'~'),   // small tilde
    (0x37a, b'i'),   // iota below
    (0x399, b'i'),   // Greek capital iota
    (0x3a4, b't'),   // Greek capital tau
    (0x3b9, b'i'),   // Greek iota
    (0x3c4, b't'),   // Greek tau
    (0x406, b'i'),   // Cyrillic capital I
    (0x422, b't'),   // Cyrillic capital te
    (0x442, b't'),   // Cyrillic te
    (0x456, b'i'),   // Cyrillic i
    (0x4c0, b'i'),   // Cyrillic capital palochka
    (0x4cf, b'i'),   // Cyrillic palochka
    (0x50c, b'g'),   // Cyrillic capital sje
    (0x581, b'g'),   // Armenian co
    (0x5c0, b'i'),   // Hebrew paseq
    (0x6d4, b'.'),   // Arabic full stop
    (0x701, b'.'),   // Syriac full stop above
    (0x702, b'.'),   // Syriac full stop below
    (0x13a2, b'i'),  // Cherokee v
    (0x13a4, b'i'),  // Cherokee s
    (0x13c0, b'g'),  // Cherokee nah
    (0x1d1b, b't'),  // small capital T
    (0x1d35, b'i'),  // modifier I
    (0x1d40, b't'),  // modifier T
    (0x1d4d, b'g'),  // modifier g
    (0x1d57, b't'),  // modifier t
    (0x1d62, b'i'),  // i below
    (0x1d83, b'g'),  // g with palatal hook
    (0x1da2, b'g'),  // modifier script g
    (0x1fbe, b'i'),  // prosgegrammeni
    (0x2024, b'.'),  // one dot leader
    (0x2027, b'.'),  // hyphenation point
    (0x2044, b'/'),  // fraction slash
    (0x2071, b'i'),  // i above
    (0x2081, b'1'),  // one below
    (0x209c, b't'),  // t below
    (0x210a, b'g'),  // script g
    (0x2110, b'i'),  // script I
    (0x2111, b'i'),  // black-letter I
    (0x2139, b'i'),  // information
    (0x2148, b'i'),  // double-struck italic i
    (0x2160, b'i'),  // roman one
    (0x2170, b'i'),  // small roman one
    (0x2215, b'/'),  // division slash
    (0x2216, b'\\'), // set minus
    (0x2219, b'.'),  // bullet operator
    (0x2236, b':'),  // ratio
    (0x223c, b'~'),  // tilde operator
    (0x22c5, b'.'),  // dot operator
    (0x3002, b'.'),  // ideographic full stop
    (0xa4d6, b'g'),  // Lisu ga
    (0xa4f2, b'i'),  // Lisu i
    (0xa4f8, b'.'),  // Lisu tone
    (0xa60e, b'.'),  // Vai full stop
    (0xfe52, b'.'),  // small full stop
    (0xfe55, b':'),  // small colon
    (0xff61, b'.'),  // halfwidth ideographic full stop
];

/// Whether a character is left out where names are compared.
pub(super) fn is_ignorable(char: char) -> bool {
    let at = IGNORABLE.partition_point(|(_, last)| *last < char as u32);
    IGNORABLE.get(at).is_some_and(|(first, _)| *first <= char as u32)
}

/// What a character counts as.
pub(super) fn reads(char: char) -> Reads {
    let code = char as u32;
    match code {
        0..0x80 => return Reads::Ascii((code as u8).to_ascii_lowercase()),
        // Marks above and below letters.
        0x300..=0x36f | 0x1ab0..=0x1aff | 0x20d0..=0x20ff => return Reads::Nothing,
        // Fullwidth forms of ASCII.
        0xff01..=0xff5e => return Reads::Ascii((code - 0xff01 + 0x21).to_le_bytes()[0].to_ascii_lowercase()),
        // Bold, italic, script … letters of mathematics: the alphabet in both cases, thirteen times, and then dotless i and digits.
        0x1_d400..0x1_d6a4 => return Reads::Ascii(letter((code - 0x1_d400) % 26)),
        0x1_d6a4 => return Reads::Ascii(b'i'),
        0x1_d7ce..=0x1_d7ff => return Reads::Ascii(b'0' + ((code - 0x1_d7ce) % 10) as u8),
        // Letters in brackets, circles and squares.
        0x249c..=0x24b5 => return Reads::Ascii(letter(code - 0x249c)),
        0x24b6..=0x24e9 => return Reads::Ascii(letter((code - 0x24b6) % 26)),
        0x1_f110..=0x1_f129 => return Reads::Ascii(letter(code - 0x1_f110)),
        0x1_f130..=0x1_f149 => return Reads::Ascii(letter(code - 0x1_f130)),
        0x1_f150..=0x1_f169 => return Reads::Ascii(letter(code - 0x1_f150)),
        0x1_f170..=0x1_f189 => return Reads::Ascii(letter(code - 0x1_f170)),
        0x1_f1e6..=0x1_f1ff => return Reads::Ascii(letter(code - 0x1_f1e6)),
        _ if is_ignorable(char) => return Reads::Nothing,
        _ => {}
    }
    match LOOKALIKES.binary_search_by_key(&code, |(code, _)| *code) {
        Ok(at) => LOOKALIKES.get(at).map_or(Reads::Other, |(_, byte)| Reads::Ascii(*byte)),
        Err(_) => Reads::Other,
    }
}

const fn letter(number: u32) -> u8 {
    b'a' + number as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(LOOKALIKES.is_sorted_by(|one, other| one.0 < other.0));
        assert!(IGNORABLE.is_sorted_by(|one, other| one.1 < other.0));
    }

    #[test]
    fn letters_of_all_kinds_are_read() {
        for name in ["ＧＩＴ", "𝐠𝑖𝓽", "ⓖⓘⓣ", "🅖🅘🅣", "ɡіт", "ցɩτ", "g\u{301}i\u{200d}t\u{feff}", "⒢⒤⒯"]
        {
            let read: Vec<u8> = name
                .chars()
                .filter_map(|char| match reads(char) {
                    Reads::Nothing => None,
                    Reads::Ascii(byte) => Some(byte),
                    Reads::Other => Some(b'?'),
                })
                .collect();
            assert_eq!(read, b"git", "{name}");
        }
        assert_eq!(reads('ж'), Reads::Other);
        assert_eq!(reads('．'), Reads::Ascii(b'.'));
    }
}
