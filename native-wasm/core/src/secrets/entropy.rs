//! Shannon entropy in whole numbers, so that all machines agree on what is just random enough.

const FRACTION: u32 = 16;

/// The entropy of the bytes in hundredths of a bit per byte.
pub(super) fn centibits(bytes: &[u8]) -> u32 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let len = bytes.len() as u64;
    if len == 0 {
        return 0;
    }
    let sum: u64 =
        counts.iter().filter(|count| **count > 1).map(|count| u64::from(*count) * u64::from(log2(*count))).sum();
    let bits = u64::from(log2(len as u32)).saturating_sub(sum / len);
    ((bits * 100) >> FRACTION) as u32
}

/// The logarithm of a number above 0, with [`FRACTION`] bits behind the point: each squaring of the mantissa gives the next of them.
const fn log2(number: u32) -> u32 {
    let whole = number.ilog2();
    let mut mantissa = ((number as u64) << 31) >> whole;
    let mut fraction = 0;
    let mut at = 0;
    while at < FRACTION {
        mantissa = (mantissa * mantissa) >> 31;
        fraction <<= 1;
        if mantissa >> 32 != 0 {
            fraction |= 1;
            mantissa >>= 1;
        }
        at += 1;
    }
    whole << FRACTION | fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        assert_eq!(centibits(b""), 0);
        assert_eq!(centibits(b"aaaaaaaa"), 0);
        assert_eq!(centibits(b"abababab"), 100);
        assert_eq!(centibits(b"0123456789abcdef"), 400);
    }

    proptest! {
        #[test]
        fn is_what_floating_point_says(bytes in proptest::collection::vec(0u8..20, 1..200)) {
            let count = |byte: u8| bytes.iter().map(|other| u32::from(*other == byte)).sum::<u32>();
            let expected: f64 = (0..20u8)
                .map(|byte| f64::from(count(byte)) / f64::from(bytes.len() as u32))
                .filter(|share| *share > 0.0)
                .map(|share| -share * share.log2() * 100.0)
                .sum();
            prop_assert!((f64::from(centibits(&bytes)) - expected).abs() <= 1.5);
        }
    }
}
