//! How much output of an exec is forwarded: the first part live, the last part at the end, what lies between is counted.

use std::collections::VecDeque;

/// Last bytes of a stream that are kept once the limit is reached: errors stand at the end.
pub const TAIL_BYTES: usize = 16 * 1024;

/// Bytes that may still be forwarded, shared by both streams of an exec.
#[derive(Debug)]
pub struct Allowance(pub u64);

#[derive(Debug, Default)]
pub struct Meter {
    /// All bytes the stream produced.
    pub total: u64,
    beyond: u64,
    tail: VecDeque<u8>,
}

impl Meter {
    /// Takes a chunk and returns the part to forward now.
    pub fn take<'chunk>(&mut self, chunk: &'chunk [u8], allowance: &mut Allowance) -> &'chunk [u8] {
        self.total += chunk.len() as u64;
        let live = usize::try_from(allowance.0).map_or(chunk.len(), |left| left.min(chunk.len()));
        allowance.0 -= live as u64;
        let (forward, rest) = chunk.split_at(live);
        self.beyond += rest.len() as u64;
        let keep = &rest[rest.len().saturating_sub(TAIL_BYTES)..];
        let surplus = (self.tail.len() + keep.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        self.tail.extend(keep);
        forward
    }

    pub fn truncated(&self) -> bool {
        self.beyond > self.tail.len() as u64
    }

    /// Once the stream has ended: the bytes left out, and the tail that follows them. None when everything was forwarded.
    pub fn rest(self) -> Option<(u64, Vec<u8>)> {
        (self.beyond > 0).then(|| (self.beyond - self.tail.len() as u64, self.tail.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_then_tail_and_the_gap_is_counted() {
        let mut allowance = Allowance(10);
        let mut meter = Meter::default();
        assert_eq!(meter.take(b"0123456", &mut allowance), b"0123456");
        assert_eq!(meter.take(b"789abc", &mut allowance), b"789");
        assert!(!meter.truncated(), "what is beyond the limit still fits into the tail");
        assert_eq!(meter.take(&[b'x'; TAIL_BYTES], &mut allowance), b"");
        assert!(meter.truncated());
        let total = meter.total;
        let (omitted, tail) = meter.rest().expect("there is a rest");
        assert_eq!((total, omitted, tail.len()), (13 + TAIL_BYTES as u64, 3, TAIL_BYTES));
    }

    #[test]
    fn below_the_limit_nothing_is_held_back() {
        let mut meter = Meter::default();
        assert_eq!(meter.take(b"all", &mut Allowance(3)), b"all");
        assert!(meter.rest().is_none());
    }
}
