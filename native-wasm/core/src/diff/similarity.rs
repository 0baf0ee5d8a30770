use crate::hash::{Seed, hash};
use crate::{Budget, Limit};

/// Bytes of a chunk at most; it ends at a line end as well.
const CHUNK: usize = 64;

/// The chunks of a content by their hash, and how many bytes each has in all: what two contents share can be seen without their order.
#[derive(Debug)]
pub(super) struct Fingerprint {
    chunks: Vec<(u64, u32)>,
    size: u64,
}

impl Fingerprint {
    pub(super) fn of(bytes: &[u8], seed: Seed) -> Result<Self, Limit> {
        let mut chunks: Vec<(u64, u32)> = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let most = &rest[..rest.len().min(CHUNK)];
            let len = memchr::memchr(b'\n', most).map_or(most.len(), |at| at + 1);
            let (chunk, behind) = rest.split_at(len);
            rest = behind;
            // The kind of a line end is no difference.
            let (body, ends_line) = match chunk {
                [body @ .., b'\r', b'\n'] | [body @ .., b'\n'] => (body, true),
                body => (body, false),
            };
            chunks.try_reserve(1).map_err(|_| Limit::Memory { bytes: bytes.len() as u64 })?;
            chunks.push((hash(body, seed) << 1 | u64::from(ends_line), (body.len() + usize::from(ends_line)) as u32));
        }
        chunks.sort_unstable();
        chunks.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 += later.1;
            }
            same
        });
        Ok(Self { chunks, size: bytes.len() as u64 })
    }

    /// How much of the larger content is in the other too, in parts of [`Similarity::ALL`]; less than `least` counts as nothing. A unit of the
    /// budget is a chunk, or a comparison of sizes.
    pub(super) fn similarity(&self, other: &Self, least: Similarity, budget: &mut Budget) -> Result<Similarity, Limit> {
        budget.spend(1)?;
        let (small, large) = (self.size.min(other.size), self.size.max(other.size));
        if small == 0 || small * u64::from(Similarity::ALL) < large * u64::from(least.0) {
            return Ok(Similarity(0));
        }
        budget.spend((self.chunks.len() + other.chunks.len()) as u64)?;
        let mut shared = 0;
        let mut theirs = other.chunks.iter().peekable();
        for (hash, bytes) in &self.chunks {
            while theirs.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, other)) = theirs.next_if(|(other, _)| other == hash) {
                shared += u64::from(*bytes.min(other));
            }
        }
        let similarity = Similarity((shared * u64::from(Similarity::ALL) / large) as u32);
        Ok(if similarity < least { Similarity(0) } else { similarity })
    }
}

/// A part of [`Similarity::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Similarity(pub(super) u32);

impl Similarity {
    /// Equal contents.
    pub(super) const ALL: u32 = 60_000;

    pub(super) const fn of_percent(percent: u8) -> Self {
        Self(percent as u32 * (Self::ALL / 100))
    }

    pub(super) const fn percent(self) -> u8 {
        (self.0 * 100 / Self::ALL) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(a: &[u8], b: &[u8]) -> u8 {
        let of = |bytes| Fingerprint::of(bytes, Seed(3)).unwrap();
        of(a).similarity(&of(b), Similarity::of_percent(20), &mut Budget::default()).unwrap().percent()
    }

    #[test]
    fn counts_bytes_of_lines_in_any_order() {
        assert_eq!(percent(b"one\ntwo\n", b"two\none\n"), 100);
        assert_eq!(percent(b"one\ntwo\n", b"two\n"), 50);
        assert_eq!(percent(b"one\none\n", b"one\ntwo\n"), 50);
        assert_eq!(percent(b"one\r\ntwo\n", b"one\ntwo\n"), 88);
        assert_eq!(percent(b"one\n", b"one"), 0);
    }

    #[test]
    fn less_than_asked_for_is_nothing() {
        assert_eq!(percent(b"one\n", b"one\nbut much more is here than there\n"), 0);
        assert_eq!(percent(b"", b""), 0);
        assert_eq!(percent(&[b'a'; 64 * 3], &[b'a'; 64 * 4]), 75);
    }
}
