use super::error::{GlobError, GlobErrorKind};

/// A set of bytes: what `[…]` matches. Never holds `/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set([u64; 4]);

/// How brackets that make no sense are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// They are errors.
    Strict,
    /// As git does: a range that ends before it begins is its first end, and a `/` is never matched.
    Git,
}

impl Set {
    pub(crate) const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }

    const fn insert(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    const fn remove(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] &= !(1 << (byte & 63));
    }

    fn insert_all(&mut self, holds: impl Fn(u8) -> bool) {
        (0..=u8::MAX).filter(|byte| holds(*byte)).for_each(|byte| self.insert(byte));
    }

    const fn negated(self) -> Self {
        Self([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    /// Both cases of each letter that is in the set.
    fn folded(mut self) -> Self {
        for letter in b'a'..=b'z' {
            let upper = letter.to_ascii_uppercase();
            if self.contains(letter) || self.contains(upper) {
                self.insert(letter);
                self.insert(upper);
            }
        }
        self
    }

    /// Reads the set whose `[` is at `open`. Answers it and the offset behind its `]`.
    pub(crate) fn parse(
        pattern: &[u8],
        open: usize,
        strictness: Strictness,
        fold: bool,
    ) -> Result<(Self, usize), GlobError> {
        let byte = |at: usize| pattern.get(at).copied();
        let unclosed = GlobError::new(GlobErrorKind::UnclosedClass, open);
        let mut set = Self::default();
        let mut at = open + 1;
        let negated = matches!(byte(at), Some(b'!' | b'^'));
        at += usize::from(negated);
        let first = at;
        // What a range can begin with: the member before it, unless that was a range or a named class itself.
        let mut before: Option<u8> = None;
        loop {
            let start = at;
            match byte(at).ok_or(unclosed)? {
                b']' if at > first => break,
                b'[' if byte(at + 1) == Some(b':') => {
                    let behind = pattern.get(at + 2..).unwrap_or_default();
                    let close = memchr::memchr(b']', behind).ok_or(unclosed)?;
                    // Without a `:` before the next `]`, the `[` is a member.
                    if let Some(name) = behind.get(..close).and_then(|name| name.strip_suffix(b":")) {
                        set.insert_named(name).ok_or(GlobError::new(GlobErrorKind::UnknownClassName, at))?;
                        before = None;
                        at += close + 3;
                        continue;
                    }
                }
                b'-' if before.is_some() && byte(at + 1).is_some_and(|next| next != b']') => {
                    let (last, end) = member(pattern, at + 1).ok_or(unclosed)?;
                    let first = before.take().unwrap_or(last);
                    if strictness == Strictness::Strict && first > last {
                        return Err(GlobError::new(GlobErrorKind::EmptyRange, start - 1));
                    }
                    set.insert_all(|byte| (first..=last).contains(&byte));
                    at = end;
                    continue;
                }
                _ => {}
            }
            let (one, end) = member(pattern, at).ok_or(unclosed)?;
            if strictness == Strictness::Strict && one == b'/' {
                return Err(GlobError::new(GlobErrorKind::SlashInClass, start));
            }
            set.insert(one);
            before = Some(one);
            at = end;
        }
        if fold {
            set = set.folded();
        }
        if negated {
            set = set.negated();
        }
        set.remove(b'/');
        Ok((set, at + 1))
    }

    fn insert_named(&mut self, name: &[u8]) -> Option<()> {
        let holds: fn(&u8) -> bool = match name {
            b"alnum" => u8::is_ascii_alphanumeric,
            b"alpha" => u8::is_ascii_alphabetic,
            b"blank" => |byte| matches!(byte, b' ' | b'\t'),
            b"cntrl" => u8::is_ascii_control,
            b"digit" => u8::is_ascii_digit,
            b"graph" => u8::is_ascii_graphic,
            b"lower" => u8::is_ascii_lowercase,
            b"print" => |byte| (b' '..=b'~').contains(byte),
            b"punct" => u8::is_ascii_punctuation,
            b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
            b"upper" => u8::is_ascii_uppercase,
            b"xdigit" => u8::is_ascii_hexdigit,
            _ => return None,
        };
        self.insert_all(|byte| holds(&byte));
        Some(())
    }
}

/// A member at `at`, which a `\` may escape, and the offset behind it.
fn member(pattern: &[u8], at: usize) -> Option<(u8, usize)> {
    match *pattern.get(at)? {
        b'\\' => Some((*pattern.get(at + 1)?, at + 2)),
        byte => Some((byte, at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(pattern: &str) -> String {
        let (set, end) = Set::parse(pattern.as_bytes(), 0, Strictness::Git, false).unwrap();
        assert_eq!(end, pattern.len(), "{pattern}");
        (b' '..=b'~').filter(|byte| set.contains(*byte)).map(char::from).collect()
    }

    #[test]
    fn holds_members_ranges_and_names() {
        assert_eq!(members("[abc]"), "abc");
        assert_eq!(members("[a-cx-z]"), "abcxyz");
        assert_eq!(members("[]a]"), "]a");
        assert_eq!(members("[a-]"), "-a");
        assert_eq!(members("[-a]"), "-a");
        assert_eq!(members("[a-c-e]"), "-abce");
        assert_eq!(members(r"[\]\a]"), "]a");
        assert_eq!(members(r"[a-\c]"), "abc");
        assert_eq!(members("[[:digit:]x]"), "0123456789x");
        assert_eq!(members("[[:x]"), ":[x");
        assert_eq!(members("[z-a]"), "z", "the first end is a member by itself, as for git");
        assert_eq!(members("[/]"), "");
        assert_eq!(members("[!!-~]"), " ");
        assert_eq!(members("[^ -@[-~]"), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    }

    #[test]
    fn names_are_those_of_the_language() {
        assert_eq!(members("[[:alnum:]]").len(), 62);
        assert_eq!(members("[[:alpha:]]").len(), 52);
        assert_eq!(members("[[:blank:]]"), " ");
        assert_eq!(members("[[:cntrl:]]"), "");
        assert_eq!(members("[[:graph:]]").len(), 93, "all but the slash");
        assert_eq!(members("[[:lower:]]").len(), 26);
        assert_eq!(members("[[:print:]]").len(), 94);
        assert_eq!(members("[[:punct:]]").len(), 31);
        assert_eq!(members("[[:space:]]"), " ");
        assert_eq!(members("[[:upper:]]").len(), 26);
        assert_eq!(members("[[:xdigit:]]").len(), 22);
    }

    #[test]
    fn folding_comes_before_negation() {
        let (set, _) = Set::parse(b"[!a]", 0, Strictness::Strict, true).unwrap();
        assert!(!set.contains(b'a') && !set.contains(b'A') && set.contains(b'b') && !set.contains(b'/'));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let kind = |pattern: &[u8]| Set::parse(pattern, 0, Strictness::Strict, false).unwrap_err().kind;
        for pattern in [&b"["[..], b"[]", b"[!", b"[!]", b"[a", b"[a-", b"[a\\", b"[[:alpha", b"[[:alpha:]"] {
            assert_eq!(kind(pattern), GlobErrorKind::UnclosedClass, "{}", pattern.escape_ascii());
        }
        assert_eq!(kind(b"[[:letters:]]"), GlobErrorKind::UnknownClassName);
        assert_eq!(kind(b"[z-a]"), GlobErrorKind::EmptyRange);
        assert_eq!(kind(b"[a/]"), GlobErrorKind::SlashInClass);
    }
}
