//! The checksums and encodings that tokens carry.

/// The value of an alphabet's letter.
fn digit_of(alphabet: &[u8], byte: u8) -> Option<u32> {
    alphabet.iter().position(|letter| *letter == byte).map(|at| at as u32)
}

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BECH32: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// CRC-32 as in Ethernet, gzip and PNG.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc: u32, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
        crc
    })
}

fn number(digits: &[u8], alphabet: &[u8]) -> Option<u32> {
    let base = alphabet.len() as u32;
    digits.iter().try_fold(0u32, |sum, byte| sum.checked_mul(base)?.checked_add(digit_of(alphabet, *byte)?))
}

/// GitHub's and npm's: behind `prefix_`, the last six base-62 digits are the CRC-32 of what is between.
pub(super) fn base62_crc_fits(token: &[u8]) -> bool {
    let body = token.iter().rposition(|byte| *byte == b'_').and_then(|at| token.get(at + 1..)).unwrap_or(token);
    body.split_last_chunk::<6>().is_some_and(|(body, sum)| number(sum, BASE62) == Some(crc32(body)))
}

/// GitLab's routable tokens: the last seven base-36 digits are the CRC-32 of all before.
pub(super) fn base36_crc_fits(token: &[u8]) -> bool {
    let alphabet = b"0123456789abcdefghijklmnopqrstuvwxyz";
    token.split_last_chunk::<7>().is_some_and(|(body, sum)| number(sum, alphabet) == Some(crc32(body)))
}

/// Grafana's: behind the last `_`, the CRC-32 of all before in hexadecimal, lowest byte first.
pub(super) fn hex_crc_fits(token: &[u8]) -> bool {
    let Some((body, sum)) = token.split_last_chunk::<8>() else { return false };
    let Some(body) = body.strip_suffix(b"_") else { return false };
    number(&sum.to_ascii_lowercase(), b"0123456789abcdef") == Some(crc32(body).swap_bytes())
}

/// Bech32 in capital letters, such as age's keys: `PREFIX1data`, its last six letters a checksum over both.
pub(super) fn bech32_fits(text: &[u8]) -> bool {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let Some(split) = text.iter().rposition(|byte| *byte == b'1') else { return false };
    let (prefix, data) = (text.get(..split).unwrap_or_default(), text.get(split + 1..).unwrap_or_default());
    let step = |sum: u32, value: u32| {
        let top = sum >> 25;
        let next = ((sum & 0x1ff_ffff) << 5) ^ value;
        GENERATOR.iter().enumerate().fold(next, |next, (bit, one)| if top >> bit & 1 == 1 { next ^ one } else { next })
    };
    let lower = || prefix.iter().map(|byte| u32::from(byte.to_ascii_lowercase()));
    let head = lower().map(|byte| byte >> 5).chain([0]).chain(lower().map(|byte| byte & 31)).fold(1, step);
    let sum = data.iter().try_fold(head, |sum, byte| Some(step(sum, digit_of(BECH32, *byte)?)));
    data.len() >= 6 && sum == Some(1)
}

/// Decodes base64 of either alphabet, up to the first byte that is none.
pub(super) fn base64_decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len().min(super::MAX_HELD_BYTES) / 4 * 3);
    let (mut bits, mut have) = (0u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_of_its_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn tokens_with_and_without_their_checksum() {
        // Made of one letter so that they are no tokens; the sums are of `python3 -c 'import zlib …'`.
        let sum = |body: &[u8], base: u32, len: usize| {
            let mut rest = crc32(body);
            let alphabet = if base == 62 { BASE62 } else { b"0123456789abcdefghijklmnopqrstuvwxyz" };
            let mut digits: Vec<u8> = (0..len)
                .map(|_| {
                    let digit = alphabet[(rest % base) as usize];
                    rest /= base;
                    digit
                })
                .collect();
            digits.reverse();
            digits
        };
        let body = b"aaaaaaaaaa";
        let token = [b"xyz_", &body[..], &sum(body, 62, 6)].concat();
        assert!(base62_crc_fits(&token));
        assert!(!base62_crc_fits(&token[..token.len() - 1]));
        assert!(!base62_crc_fits(b"xyz_"));
        let token = [&body[..], &sum(body, 36, 7)].concat();
        assert!(base36_crc_fits(&token));
        assert!(!base36_crc_fits(b"zzzzzzz"));
        let token = [&body[..], b"_", format!("{:08x}", crc32(body).swap_bytes()).as_bytes()].concat();
        assert!(hex_crc_fits(&token));
        assert!(!hex_crc_fits(&token[1..]));
    }

    #[test]
    fn bech32_of_the_specification() {
        // A valid string of BIP 173.
        assert!(bech32_fits(b"A12UEL5L"));
        assert!(!bech32_fits(b"A12UEL5Q"));
        assert!(!bech32_fits(b"A12UEL5B"));
        assert!(!bech32_fits(b"AAAA"));
    }

    #[test]
    fn base64_of_both_alphabets() {
        assert_eq!(base64_decoded(b"dXNlcjpwYXNz"), b"user:pass");
        assert_eq!(base64_decoded(b"-_8="), b"\xfb\xff");
        assert_eq!(base64_decoded(b"+/8="), b"\xfb\xff");
        assert_eq!(base64_decoded(b"=="), b"");
    }
}
