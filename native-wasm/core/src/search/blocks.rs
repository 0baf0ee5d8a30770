//! Blocks: what candidates are found by. A file is cut so that a hit in a large one costs the search of some lines only.

use core::ops::Range;

/// About so many bytes are one block. Smaller ones make the lists longer, larger ones the search of a candidate.
pub const BLOCK_BYTES: usize = 16 << 10;

/// Cuts a text into blocks of whole lines, of at most so many bytes unless a line is longer.
pub fn cut(text: &[u8], block_bytes: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    core::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let len = match rest.get(..block_bytes) {
            None => rest.len(),
            Some(head) => match memchr::memrchr(b'\n', head) {
                Some(at) => at + 1,
                None => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
            },
        };
        let block = start..start + len;
        start = block.end;
        Some(block)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_whole_lines() {
        let text = [&b"ab\n".repeat(20)[..], &[b'x'; 40], b"\nend"].concat();
        let blocks: Vec<_> = cut(&text, 16).collect();
        assert_eq!(blocks.first().unwrap().start, 0);
        assert_eq!(blocks.last().unwrap().end, text.len());
        assert!(blocks.windows(2).all(|two| two[0].end == two[1].start));
        assert!(blocks[..blocks.len() - 1].iter().all(|block| text[block.end - 1] == b'\n'));
        assert_eq!(blocks.iter().map(ExactSizeIterator::len).filter(|len| *len > 16).collect::<Vec<_>>(), [41]);
        assert_eq!(cut(b"", 16).count(), 0);
    }
}
