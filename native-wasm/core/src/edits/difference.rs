use core::fmt;

/// How a line that was looked for differs from the one that is there, by the least that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Difference {
    /// One ends with CR LF, the other with LF.
    LineEnd,
    /// White space at the end of the line.
    TrailingSpace,
    /// White space at the beginning of the line, and possibly at its end.
    Indentation,
    /// Characters that look alike: typographic quotes, dashes, spaces that do not break, invisible ones.
    Lookalike,
    /// White space and characters that look alike.
    SpaceAndLookalike,
    /// The last line ends with a newline in one of them only.
    FinalNewline,
    /// The file ends before this line.
    EndOfFile,
    /// The text itself.
    Text,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineEnd => "the line ends differ (LF or CR LF)",
            Self::TrailingSpace => "the space at the end of the line differs",
            Self::Indentation => "the indentation differs",
            Self::Lookalike => "characters that only look alike differ (quotes, dashes, spaces)",
            Self::SpaceAndLookalike => "spaces and characters that only look alike differ",
            Self::FinalNewline => "one ends with a newline, the other does not",
            Self::EndOfFile => "the file ends before it",
            Self::Text => "the text differs",
        })
    }
}

/// Compares two lines without their `\n`. `None` if they are equal.
pub(crate) fn difference(wanted: &[u8], found: &[u8]) -> Option<Difference> {
    if wanted == found {
        return None;
    }
    let without_cr = |line| <[u8]>::strip_suffix(line, b"\r").unwrap_or(line);
    Some(if without_cr(wanted) == without_cr(found) {
        Difference::LineEnd
    } else if wanted.trim_ascii_end() == found.trim_ascii_end() {
        Difference::TrailingSpace
    } else if wanted.trim_ascii() == found.trim_ascii() {
        Difference::Indentation
    } else if Plain(wanted).eq(Plain(found)) {
        Difference::Lookalike
    } else if Plain(wanted).trimmed().eq(Plain(found).trimmed()) {
        Difference::SpaceAndLookalike
    } else {
        Difference::Text
    })
}

/// The bytes of a text with each character that looks like an ASCII one in its place, and without invisible ones.
#[derive(Clone)]
pub(crate) struct Plain<'a>(pub &'a [u8]);

impl<'a> Plain<'a> {
    /// Without white space at both ends, whatever characters it is written with.
    pub fn trimmed(mut self) -> Self {
        while let Some((_, rest)) = self.step().filter(|(byte, _)| byte.is_none_or(|byte| byte.is_ascii_whitespace())) {
            self.0 = rest;
        }
        // From the end, a character is found by stepping back over what continues it, three bytes at most.
        while let Some(start) = last_character(self.0) {
            let last = Self(self.0.get(start..).unwrap_or_default());
            if last.into_iter().all(|byte| byte.is_ascii_whitespace()) {
                self.0 = self.0.get(..start).unwrap_or_default();
            } else {
                break;
            }
        }
        self
    }

    /// The first byte, `None` for an invisible character, and the rest behind it.
    fn step(&self) -> Option<(Option<u8>, &'a [u8])> {
        let (first, rest) = self.0.split_first()?;
        if first.is_ascii() {
            return Some((Some(*first), rest));
        }
        Some(match *self.0 {
            // U+00A0, U+2000 to U+200A, U+202F, U+205F, U+3000.
            [0xc2, 0xa0, ref rest @ ..]
            | [0xe2, 0x80, 0x80..=0x8a | 0xaf, ref rest @ ..]
            | [0xe2, 0x81, 0x9f, ref rest @ ..]
            | [0xe3, 0x80, 0x80, ref rest @ ..] => (Some(b' '), rest),
            // U+2010 to U+2015, U+2212.
            [0xe2, 0x80, 0x90..=0x95, ref rest @ ..] | [0xe2, 0x88, 0x92, ref rest @ ..] => (Some(b'-'), rest),
            // U+00B4, U+2018 to U+201B, U+2032.
            [0xc2, 0xb4, ref rest @ ..] | [0xe2, 0x80, 0x98..=0x9b | 0xb2, ref rest @ ..] => (Some(b'\''), rest),
            // U+00AB, U+00BB, U+201C to U+201F, U+2033.
            [0xc2, 0xab | 0xbb, ref rest @ ..] | [0xe2, 0x80, 0x9c..=0x9f | 0xb3, ref rest @ ..] => (Some(b'"'), rest),
            // U+00AD, U+200B to U+200F, U+FEFF.
            [0xc2, 0xad, ref rest @ ..]
            | [0xe2, 0x80, 0x8b..=0x8f, ref rest @ ..]
            | [0xef, 0xbb, 0xbf, ref rest @ ..] => (None, rest),
            _ => (Some(*first), rest),
        })
    }
}

fn last_character(text: &[u8]) -> Option<usize> {
    let mut start = text.len().checked_sub(1)?;
    for _ in 0..2 {
        if text.get(start).is_some_and(|byte| byte & 0xc0 == 0x80) {
            start = start.saturating_sub(1);
        }
    }
    Some(start)
}

impl Iterator for Plain<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let (byte, rest) = self.step()?;
            self.0 = rest;
            if byte.is_some() {
                return byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_that_explains_is_named() {
        let cases: [(&str, &str, Option<Difference>); 9] = [
            ("a", "a", None),
            ("a", "a\r", Some(Difference::LineEnd)),
            ("a", "a \t", Some(Difference::TrailingSpace)),
            ("  a", "\ta ", Some(Difference::Indentation)),
            ("x = \"a\" - 'b'", "x = “a” – ‘b’", Some(Difference::Lookalike)),
            ("a b", "a\u{a0}b\u{200b}", Some(Difference::Lookalike)),
            (" a 'b'", "\u{a0}\u{a0}a ’b’\u{3000} ", Some(Difference::SpaceAndLookalike)),
            ("a", "b", Some(Difference::Text)),
            ("", "x", Some(Difference::Text)),
        ];
        for (wanted, found, expected) in cases {
            assert_eq!(difference(wanted.as_bytes(), found.as_bytes()), expected, "{wanted} {found}");
            assert_eq!(difference(found.as_bytes(), wanted.as_bytes()), expected, "{found} {wanted}");
        }
    }

    #[test]
    fn what_is_no_utf_8_is_itself() {
        assert_eq!(Plain(b"\xe2\x80\xff\xc2").collect::<Vec<_>>(), b"\xe2\x80\xff\xc2");
        assert_eq!(Plain(b"\x80\x80\x80 ").trimmed().0, b"\x80\x80\x80");
        assert_eq!(Plain(b" \xc2\xa0 ").trimmed().0, b"");
    }
}
