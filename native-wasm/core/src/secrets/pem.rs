//! The body of a private key in PEM or PGP armour, byte by byte, however it is quoted, escaped, indented or prefixed.

use super::checksum::base64_decoded;
use super::class::BASE64;

/// The longest key.
const MAX_BYTES: u32 = 64 * 1024;
/// What has had no line of base64 for so long is no body of a key, but a text about keys.
const MAX_GAP: u32 = 1024;
/// The shortest line of base64; only last lines are shorter.
const MIN_LINE: u32 = 40;
const END: &[u8] = b"-----END ";

/// How far a body has been read.
#[derive(Default)]
pub(super) struct Body {
    total: u32,
    gap: u32,
    run: u32,
    /// Bytes of [`END`] that were just seen.
    matched: usize,
    is_ending: bool,
    dashes: u32,
    has_line: bool,
}

impl Body {
    /// Takes more and returns how much of it belongs to the key; less than all when it has ended.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        for (at, byte) in bytes.iter().enumerate() {
            if self.total == MAX_BYTES
                || self.gap == MAX_GAP
                || (self.is_ending && (self.dashes == 5 || *byte == b'\n'))
            {
                return at;
            }
            self.step(*byte);
        }
        bytes.len()
    }

    /// Whether there was a line of a key in it.
    pub(super) const fn is_key(&self) -> bool {
        self.has_line
    }

    fn step(&mut self, byte: u8) {
        self.total += 1;
        self.gap += 1;
        if self.is_ending {
            self.dashes = if byte == b'-' { self.dashes + 1 } else { 0 };
            return;
        }
        self.run = if BASE64.has(byte) { self.run + 1 } else { 0 };
        if self.run >= MIN_LINE {
            self.has_line = true;
            self.gap = 0;
        }
        self.matched = match (END.get(self.matched), byte) {
            (Some(expected), byte) if *expected == byte => self.matched + 1,
            (_, b'-') => {
                if self.matched == 5 {
                    5
                } else {
                    1
                }
            }
            _ => 0,
        };
        if self.matched == END.len() {
            self.is_ending = true;
        }
    }
}

/// Whether the first line of a body is the start of a key: DER, OpenSSH's format, a PGP packet, or encrypted with a header that says so.
pub(super) fn is_wellformed(body: &[u8]) -> bool {
    if memchr::memmem::find(body, b"ENCRYPTED").is_some() {
        return true;
    }
    let mut from = 0;
    let line = body.split(|byte| !BASE64.has(*byte)).find_map(|run| {
        let start = from;
        from += run.len() + 1;
        // An escaped line end leaves its letter at the start of the next line.
        let is_escaped = start > 0 && body.get(start - 1) == Some(&b'\\');
        run.get(usize::from(is_escaped)..).and_then(|line| line.get(..MIN_LINE as usize))
    });
    let first = base64_decoded(line.unwrap_or_default());
    let is_der = matches!(first.as_slice(), [0x30, 0x81..=0x82, ..] | [0x30, 0..=0x7f, 2, ..]);
    // Tags 5 and 7 of OpenPGP in the old and the new form of packets.
    let is_pgp = matches!(first.as_slice(), [0x94..=0x97 | 0x9c..=0x9f | 0xc5 | 0xc7, ..]);
    is_der || is_pgp || first.starts_with(b"openssh-key-v1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(text: &str) -> (usize, bool) {
        let mut body = Body::default();
        (body.take(text.as_bytes()), body.is_key())
    }

    #[test]
    fn ends_behind_the_end_line() {
        let line = "Q".repeat(64);
        assert_eq!(taken(&format!("\n{line}\n-----END PRIVATE KEY-----\nrest")), (1 + 65 + 25, true));
        assert_eq!(taken(&format!("\\n{line}\\n------END X-----rest")), (2 + 66 + 16, true));
        assert_eq!(taken(&format!("\n{line}\n-----END X\nrest")), (1 + 65 + 10, true));
    }

    #[test]
    fn ends_where_it_can_be_no_key() {
        let (len, is_key) = taken(&"a text about keys ".repeat(100));
        assert_eq!((len, is_key), (1024, false));
        assert_eq!(taken(&"Q".repeat(70_000)), (65536, true));
    }

    #[test]
    fn beginnings_of_keys() {
        let of = |bytes: &[u8]| {
            let mut key = bytes.to_vec();
            key.resize(48, 7);
            let text = String::from_utf8(crate::secrets::encode::base64(&key, false)).unwrap();
            [is_wellformed(format!("\n{text}\n").as_bytes()), is_wellformed(format!("\\n{text}\\n").as_bytes())]
        };
        assert_eq!(of(b"\x30\x82\x04\xa4"), [true; 2]);
        assert_eq!(of(b"\x30\x2e\x02\x01"), [true; 2]);
        assert_eq!(of(b"openssh-key-v1\0"), [true; 2]);
        assert_eq!(of(b"\x95\x03"), [true; 2]);
        assert_eq!(of(b"hello"), [false; 2]);
        assert!(!is_wellformed(b"\n...\n"));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(text in "[QE\n-]{0,20}(-----END )?[X-]{0,12}", cut in 0usize..40) {
            let cut = cut.min(text.len());
            let (first, rest) = text.split_at(cut);
            let mut body = Body::default();
            let mut len = body.take(first.as_bytes());
            if len == first.len() {
                len += body.take(rest.as_bytes());
            }
            prop_assert_eq!(len, taken(&text).0);
        }
    }
}
