//! Named sets of bytes, which the shapes of rules are made of.

/// A set of bytes as a bit map.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Class([u64; 4]);

impl Class {
    const fn of(spec: &[u8]) -> Self {
        let mut bits = [0; 4];
        let mut at = 0;
        while at < spec.len() {
            // `a-z` is a range where something follows the dash; a dash at the end is one.
            let first = spec[at];
            let is_range = at + 2 < spec.len() && spec[at + 1] == b'-';
            let last = if is_range { spec[at + 2] } else { first };
            let mut byte = first;
            while byte <= last {
                bits[(byte >> 6) as usize] |= 1 << (byte & 63);
                byte += 1;
            }
            at += if is_range { 3 } else { 1 };
        }
        Self(bits)
    }

    const fn not(self) -> Self {
        Self([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    pub(super) const fn has(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }

    /// How many bytes at the start of `bytes` are of the class, at most `max`.
    pub(super) fn run(&self, bytes: &[u8], max: usize) -> usize {
        bytes.iter().take(max).position(|byte| !self.has(*byte)).unwrap_or_else(|| bytes.len().min(max))
    }

    /// The class of a name that rules use.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|(known, _)| *known == name).map(|(_, class)| class)
    }
}

pub(super) static WORD: Class = Class::of(b"A-Za-z0-9_");
pub(super) static DIGIT: Class = Class::of(b"0-9");
pub(super) static HEX: Class = Class::of(b"0-9A-Fa-f");
pub(super) static BASE64: Class = Class::of(b"A-Za-z0-9+/");
/// What stands between a key and its value in the usual languages.
pub(super) static SEPARATOR: Class = Class::of(b" \t\"'`\\:=>,([|");
/// Without one of these, there is no assignment.
pub(super) static OPERATOR: Class = Class::of(b":=>,([");

static CLASSES: &[(&str, Class)] = &[
    ("word", WORD),
    ("digit", DIGIT),
    ("hex", HEX),
    ("lhex", Class::of(b"0-9a-f")),
    ("b62", Class::of(b"A-Za-z0-9")),
    ("b36", Class::of(b"a-z0-9")),
    ("B36", Class::of(b"A-Z0-9")),
    ("b32", Class::of(b"A-Z2-7")),
    ("b64", BASE64),
    ("b64u", Class::of(b"A-Za-z0-9_-")),
    ("pct64", Class::of(b"A-Za-z0-9+/%=")),
    ("bech32", Class::of(b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")),
    ("azure", Class::of(b"A-Za-z0-9_~.-")),
    ("uuid", Class::of(b"0-9A-Fa-f-")),
    ("eq", Class::of(b"=")),
    ("dash", Class::of(b"-")),
    ("sp", Class::of(b" \t")),
    ("ws", Class::of(b" \t\r\n")),
    ("nl", Class::of(b"\r\n")),
    ("text", Class::of(b"\0-\x20\x7f").not()),
    ("ident", Class::of(b"A-Za-z0-9_.\x2d")),
    ("scheme", Class::of(b"A-Za-z0-9+.-")),
    ("typed", Class::of(b"A-Za-z0-9_ :&<>*?'[].-")),
    ("quote", Class::of(b" \t\"'`\\(")),
    ("value", Class::of(b"A-Za-z0-9_+/=~.-")),
    // What may follow an unquoted or quoted value; `(`, `[` and the like mean code.
    ("end", Class::of(b" \t\r\n\"'`\\;,&<)]}|")),
    ("user", Class::of(b"\0-\x20\"'<>`\\/@:{}").not()),
    ("password", Class::of(b"\0-\x20\"'<>`/@{}").not()),
    ("userinfo", Class::of(b"\t-\r /@").not()),
    ("field", Class::of(b"\0-\x20\"'`;&<>,").not()),
    ("query", Class::of(b"?&;")),
    ("strong", Class::of(b"A-Za-z0-9!@#$%^*?_+=~.-")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_dashes() {
        let class = Class::named("b64u").unwrap();
        let members: Vec<u8> = (0..=255).filter(|byte| class.has(*byte)).collect();
        assert_eq!(members, b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
        assert!(Class::named("ident").unwrap().has(b'-'));
        assert!(!Class::named("ident").unwrap().has(b'/'));
        assert!(Class::named("typed").unwrap().has(b'-'));
        assert!(!Class::named("typed").unwrap().has(b'='));
    }

    #[test]
    fn complements() {
        let class = Class::named("userinfo").unwrap();
        assert!(class.has(0xff) && class.has(0) && class.has(b':'));
        assert!(!class.has(b'@') && !class.has(b'\n') && !class.has(b' '));
    }

    #[test]
    fn runs_stop_at_the_maximum() {
        assert_eq!(DIGIT.run(b"123a", 10), 3);
        assert_eq!(DIGIT.run(b"123a", 2), 2);
        assert_eq!(DIGIT.run(b"123", 9), 3);
    }
}
