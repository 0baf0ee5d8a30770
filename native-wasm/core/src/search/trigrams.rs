//! Trigrams: what a block of text is indexed by. Three neighbouring bytes, each by its class, of which there are 64: so a trigram is the
//! number of its bucket, without a hash table. What shares a class costs a candidate more at times, never a hit.

/// Number of buckets.
pub const BUCKETS: usize = 1 << 18;

/// The class of each byte, below 64. Letters of both cases are one. Each digit and almost each sign has its own; white space and
/// control characters are one, and bytes outside ASCII are spread over all.
const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    /// Signs in one string are one class.
    const SIGNS: [&[u8]; 26] = [
        b"_", b"(", b")", b"{", b"}", b"[", b"]", b"<", b">", b".", b",", b";", b":", b"=", b"+", b"-", b"*", b"/",
        b"\\", b"\"", b"'`", b"&", b"|", b"!?", b"#@", b"$%^~",
    ];
    let mut classes = [0; 256];
    let mut byte = 0x80;
    while byte < 256 {
        classes[byte] = (byte % 63) as u8 + 1;
        byte += 1;
    }
    let mut nth = 0;
    while nth < 26 {
        classes[b'a' as usize + nth] = nth as u8 + 1;
        classes[b'A' as usize + nth] = nth as u8 + 1;
        let mut at = 0;
        while at < SIGNS[nth].len() {
            classes[SIGNS[nth][at] as usize] = nth as u8 + 37;
            at += 1;
        }
        nth += 1;
    }
    nth = 0;
    while nth < 10 {
        classes[b'0' as usize + nth] = nth as u8 + 27;
        nth += 1;
    }
    classes
}

/// The class of a byte.
pub fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}

/// The buckets of all trigrams of a string of classes; none when it is shorter than three.
pub fn buckets(classes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    classes.windows(3).map(|three| three.iter().fold(0, |bucket, class| bucket << 6 | u32::from(class & 63)))
}

/// The buckets of all trigrams of a text, in its order.
pub fn of_text(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let (head, rest) = text.split_at(text.len().min(2));
    let with = |bucket: u32, byte: &u8| (bucket << 6 | u32::from(CLASSES[*byte as usize])) & (BUCKETS as u32 - 1);
    let mut bucket = head.iter().fold(0, with);
    rest.iter().map(move |byte| {
        bucket = with(bucket, byte);
        bucket
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn of_a_text_are_those_of_its_classes(text: Vec<u8>) {
            let classes: Vec<u8> = text.iter().map(|byte| class(*byte)).collect();
            prop_assert_eq!(of_text(&text).collect::<Vec<_>>(), buckets(&classes).collect::<Vec<_>>());
        }
    }

    #[test]
    fn classes_are_few_and_know_no_case() {
        assert!((0..=255).all(|byte: u8| class(byte) < 64 && class(byte) == class(byte.to_ascii_lowercase())));
        let different: BTreeSet<u8> =
            b"abcdefghijklmnopqrstuvwxyz0123456789_(){}[]<>.,;:=+-*/\\\"&| ".iter().map(|byte| class(*byte)).collect();
        assert_eq!(different.len(), 26 + 10 + 23);
    }
}
