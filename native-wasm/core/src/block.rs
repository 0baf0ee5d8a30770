//! Sixteen bytes at a time.

use crate::Limit;
use core::ops::Range;

/// Bytes of a block.
pub const LEN: usize = 16;

/// Both halves, the first byte the lowest.
pub fn words(block: &[u8; LEN]) -> (u64, u64) {
    let both = u128::from_le_bytes(*block);
    (both as u64, (both >> 64) as u64)
}

/// A bit for each place of a byte in a block, the lowest for the first.
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
pub fn places(block: &[u8; LEN], byte: u8) -> u32 {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, u64x2};
    let (low, high) = words(block);
    u8x16_bitmask(u8x16_eq(u64x2(low, high), u8x16_splat(byte))).into()
}

/// A bit for each place of a byte in a block, the lowest for the first.
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
pub fn places(block: &[u8; LEN], byte: u8) -> u32 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f * EACH;
    // The factor that brings the lowest bits of all bytes together in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let of_word = |word: u64| {
        let differs = word ^ (EACH * u64::from(byte));
        // The highest bit of each byte in which nothing differs, and no other bit.
        let equal = !(((differs & LOW_BITS) + LOW_BITS) | differs | LOW_BITS);
        ((equal >> 7).wrapping_mul(GATHER) >> 56) as u32
    };
    let (low, high) = words(block);
    of_word(low) | of_word(high) << 8
}

/// The places behind a byte, wherever it is, with room for one more. To look for the next one anew from each takes twice as long where they are
/// as near as the ends of lines.
///
/// # Errors
/// [`Limit::Memory`] when they are too many.
pub fn behind_each(bytes: &[u8], byte: u8) -> Result<Vec<u32>, Limit> {
    // Four blocks at once, and of these four places at once, also where there are fewer: how many a block has, the processor cannot foresee.
    const TOGETHER: usize = 4 * LEN;
    const AT_ONCE: usize = 4;
    // Counting first is faster than growing, and asks for no more than is needed.
    let count = count(bytes, byte);
    let mut found = Limit::reserve(count + AT_ONCE)?;
    found.resize(count + AT_ONCE, 0);
    let (groups, rest) = bytes.as_chunks::<TOGETHER>();
    let mut end = 0;
    for (number, group) in groups.iter().enumerate() {
        let blocks = group.as_chunks::<LEN>().0;
        let mut left = blocks.iter().rev().fold(0, |left, block| left << LEN | u64::from(places(block, byte)));
        let mut at = end;
        end += left.count_ones() as usize;
        loop {
            let room = found.get_mut(at..).and_then(<[u32]>::first_chunk_mut::<AT_ONCE>);
            for place in room.into_iter().flatten() {
                *place = (number * TOGETHER) as u32 + left.trailing_zeros() + 1;
                left &= left.wrapping_sub(1);
            }
            at += AT_ONCE;
            if at >= end {
                break;
            }
        }
    }
    found.truncate(end);
    let start = bytes.len() - rest.len();
    found.extend(memchr::memchr_iter(byte, rest).map(|at| (start + at) as u32 + 1));
    Ok(found)
}

/// The first place of a byte. Ahead of `memchr` where that is near.
pub fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<LEN>();
    for (number, block) in blocks.iter().enumerate() {
        let found = places(block, byte);
        if found != 0 {
            return Some(number * LEN + found.trailing_zeros() as usize);
        }
    }
    memchr::memchr(byte, rest).map(|at| bytes.len() - rest.len() + at)
}

/// How many times a byte is there. `memchr` counts one by one in WebAssembly.
pub fn count(bytes: &[u8], byte: u8) -> usize {
    let (blocks, rest) = bytes.as_chunks::<LEN>();
    let in_blocks: u32 = blocks.iter().map(|block| places(block, byte).count_ones()).sum();
    in_blocks as usize + memchr::memchr_iter(byte, rest).count()
}

/// Appends a part of a text, with room behind it for a block. In WebAssembly to copy a few bytes is a call out of it, to copy a block is not: so
/// what follows the part in the last block is copied too, and cut off.
pub fn append(text: &[u8], part: Range<usize>, out: &mut Vec<u8>) {
    const SHORT: usize = 8 * LEN;
    let end = out.len() + part.len();
    let blocks = text.get(part.start..part.start + part.len().next_multiple_of(LEN));
    if let Some(blocks) = blocks.filter(|blocks| blocks.len() <= SHORT) {
        blocks.as_chunks::<LEN>().0.iter().for_each(|block| out.extend_from_slice(block));
        out.truncate(end);
    } else {
        out.extend_from_slice(text.get(part).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_where_the_byte_is(block: [u8; LEN], byte: u8, again in proptest::collection::vec(0..LEN, 0..LEN)) {
            let mut block = block;
            for at in again {
                // One bit beside it, too, which carries over from byte to byte where the arithmetic is wrong.
                block[at] = if at % 3 == 0 { byte ^ 1 } else { byte };
            }
            let expected: u32 = (0..LEN).filter(|at| block[*at] == byte).map(|at| 1 << at).sum();
            prop_assert_eq!(places(&block, byte), expected);
        }

        #[test]
        fn a_part_is_appended(text: Vec<u8>, from in 0usize..200, len in 0usize..200) {
            let from = from.min(text.len());
            let part = from..(from + len).min(text.len());
            let mut out = b"before".to_vec();
            append(&text, part.clone(), &mut out);
            prop_assert_eq!(out, [b"before", &text[part]].concat());
        }

        #[test]
        fn each_and_all_are_found(bytes in proptest::collection::vec(0u8..3, 0..200)) {
            let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == 1).collect();
            let behind: Vec<u32> = found.iter().map(|at| *at as u32 + 1).collect();
            prop_assert_eq!(behind_each(&bytes, 1).unwrap(), behind);
            prop_assert_eq!(find(&bytes, 1), found.first().copied());
            prop_assert_eq!(find(&bytes, 3), None);
            prop_assert_eq!(count(&bytes, 1), memchr::memchr_iter(1, &bytes).count());
        }
    }
}
