use crate::block;

/// Which files are not worth an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Larger files are skipped. In bytes.
    pub max_bytes: u32,
    /// Files of at least 4 KiB with longer lines on the average are skipped: minified code, dumps of data. In bytes.
    pub max_mean_line: u32,
}

/// Below, a file with one long line is no burden.
const MIN_MINIFIED_BYTES: usize = 4096;
/// Where git looks for a NUL.
const BINARY_PREFIX: usize = 8000;

impl Default for Rules {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_mean_line: 500 }
    }
}

/// Why a file is not in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skip {
    /// A NUL is within the first 8000 bytes: git's rule.
    Binary,
    /// It is larger than [`Rules::max_bytes`].
    TooLarge,
    /// Its lines are longer than [`Rules::max_mean_line`].
    Minified,
    /// Whoever fills the index said so, most often by `.gitignore`.
    Ignored,
}

impl Rules {
    /// Why such contents are not indexed, if they are not.
    pub fn skip(&self, contents: &[u8]) -> Option<Skip> {
        if contents.len() > self.max_bytes as usize {
            return Some(Skip::TooLarge);
        }
        let head = contents.get(..BINARY_PREFIX).unwrap_or(contents);
        if memchr::memchr(0, head).is_some() {
            return Some(Skip::Binary);
        }
        if contents.len() >= MIN_MINIFIED_BYTES {
            let lines = block::count(contents, b'\n') as u64 + 1;
            if contents.len() as u64 > lines * u64::from(self.max_mean_line) {
                return Some(Skip::Minified);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn say_why() {
        let rules = Rules { max_bytes: 10_000, max_mean_line: 100 };
        let late_nul = [&b"a line\n".repeat(1200)[..], b"\0"].concat();
        for (contents, expected) in [
            (&b""[..], None),
            (b"text", None),
            (b"\xff\xfe\x80", None),
            (b"ELF\0", Some(Skip::Binary)),
            (&late_nul, None),
            (&[b'\n'; 10_000], None),
            (&[b'\n'; 10_001], Some(Skip::TooLarge)),
            (&[b'x'; 4095], None),
            (&[b'x'; 4096], Some(Skip::Minified)),
            (&[0; 10_001], Some(Skip::TooLarge)),
        ] {
            assert_eq!(rules.skip(contents), expected, "{} bytes", contents.len());
        }
    }
}
