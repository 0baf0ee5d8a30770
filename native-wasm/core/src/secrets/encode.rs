//! The forms in which a known secret turns up in logs.

use crate::sort;

/// Which bytes a percent-encoder leaves as they are, besides letters and digits: `encodeURIComponent`, RFC 3986, user names of Go's URLs, forms.
const LEFT_BY_PERCENT: [&[u8]; 4] = [b"-_.!~*'()", b"-_.~", b"-_.~$&+,;=", b"*-._"];
/// A long secret is looked for in pieces, so that no more than a piece has to be held back.
const MAX_PIECE: usize = 4096;
/// Shorter ones are not looked for: masking them would destroy the output.
pub(super) const MIN_SECRET: usize = 8;

/// All forms of a secret, none twice; none at all of one that is too short.
pub(super) fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let secret = secret.trim_ascii_end();
    if secret.len() < MIN_SECRET {
        return Vec::new();
    }
    let mut forms = vec![secret.to_vec()];
    if secret.contains(&b'\n') {
        let lines: Vec<&[u8]> =
            secret.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
        forms.push(lines.join(&b"\n"[..]));
        forms.push(lines.join(&b"\r\n"[..]));
    }
    for shift in 0..3 {
        for is_url in [false, true] {
            forms.push(base64_inside(secret, shift, is_url));
        }
    }
    for left in LEFT_BY_PERCENT {
        for upper in [true, false] {
            forms.push(percent(secret, left, upper));
        }
    }
    let json = json(secret, false, b"");
    forms.push(self::json(&json, false, b""));
    forms.push(json);
    forms.push(self::json(secret, false, b"<>&"));
    forms.push(self::json(secret, true, b""));
    let slashes = |form: Vec<u8>| {
        form.iter()
            .flat_map(|byte| if *byte == b'/' { &b"\\/"[..] } else { core::slice::from_ref(byte) })
            .copied()
            .collect()
    };
    forms.push(slashes(self::json(secret, true, b"")));
    forms.push(slashes(self::json(secret, false, b"")));
    sort::unstable(&mut forms);
    forms.dedup();
    forms
        .iter()
        .flat_map(|form| form.chunks(form.len().div_ceil(form.len().div_ceil(MAX_PIECE))))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Base64 without padding.
pub(super) fn base64(bytes: &[u8], is_url: bool) -> Vec<u8> {
    let letter = |value: u32| match (value & 63) as u8 {
        value @ 0..26 => b'A' + value,
        value @ 26..52 => b'a' + value - 26,
        value @ 52..62 => b'0' + value - 52,
        62 => {
            if is_url {
                b'-'
            } else {
                b'+'
            }
        }
        _ => {
            if is_url {
                b'_'
            } else {
                b'/'
            }
        }
    };
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letters = [18, 12, 6, 0].map(|shift| letter(bits >> shift));
        text.extend_from_slice(letters.get(..=three.len()).unwrap_or_default());
    }
    text
}

/// The letters that a secret has in the base64 of a text, `shift` bytes into a group of three, whatever stands around it.
fn base64_inside(secret: &[u8], shift: usize, is_url: bool) -> Vec<u8> {
    let mut text = [0, 0].get(..shift).unwrap_or_default().to_vec();
    text.extend_from_slice(secret);
    let whole_letters = text.len() * 8 / 6;
    let first = (shift * 8).div_ceil(6);
    base64(&text, is_url).get(first..whole_letters).unwrap_or_default().to_vec()
}

fn percent(secret: &[u8], left: &[u8], upper: bool) -> Vec<u8> {
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let is_form = left == b"*-._";
    let mut text = Vec::new();
    for byte in secret {
        match byte {
            b' ' if is_form => text.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || left.contains(byte) => text.push(*byte),
            byte => text.extend_from_slice(&[b'%', hex_digit(digits, byte >> 4), hex_digit(digits, byte & 15)]),
        }
    }
    text
}

fn hex_digit(digits: &[u8; 16], value: u8) -> u8 {
    digits.get(usize::from(value)).copied().unwrap_or(b'0')
}

/// The inside of a JSON string. With `is_ascii` as Python and PHP write it; `more` are letters that some write as `\u00xx` too.
fn json(secret: &[u8], is_ascii: bool, more: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let unicode = |text: &mut Vec<u8>, unit: u16| text.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
    for chunk in secret.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '"' => text.extend_from_slice(b"\\\""),
                '\\' => text.extend_from_slice(b"\\\\"),
                '\n' => text.extend_from_slice(b"\\n"),
                '\r' => text.extend_from_slice(b"\\r"),
                '\t' => text.extend_from_slice(b"\\t"),
                '\u{8}' => text.extend_from_slice(b"\\b"),
                '\u{c}' => text.extend_from_slice(b"\\f"),
                control if control < ' ' => unicode(&mut text, control as u16),
                ascii if ascii.is_ascii() && more.contains(&(ascii as u8)) => unicode(&mut text, ascii as u16),
                other if is_ascii && !other.is_ascii() => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        unicode(&mut text, *unit);
                    }
                }
                other => text.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        text.extend_from_slice(chunk.invalid());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::checksum::base64_decoded;
    use proptest::prelude::*;

    fn has(secret: &str, form: &str) -> bool {
        forms(secret.as_bytes()).iter().any(|known| known == form.as_bytes())
    }

    #[test]
    fn forms_of_a_secret() {
        let secret = "p\"ss/w<rd é\n9";
        for form in [
            "p\"ss/w<rd é\n9",
            "p\"ss/w<rd é\r\n9",
            "p%22ss%2Fw%3Crd%20%C3%A9%0A9",
            "p%22ss%2fw%3crd+%c3%a9%0a9",
            "p\\\"ss/w<rd é\\n9",
            "p\\\"ss/w\\u003crd é\\n9",
            "p\\\"ss\\/w<rd \\u00e9\\n9",
            "p\\\\\\\"ss/w<rd é\\\\n9",
        ] {
            assert!(has(secret, form), "{form}");
        }
        assert!(forms(b"1234567\n").is_empty());
        assert_eq!(forms(b"\xff\xfe123456").iter().filter(|form| form.starts_with(b"\xff")).count(), 1);
    }

    #[test]
    fn long_secrets_are_cut() {
        let secret = b"abcdefgh".repeat(2000);
        assert!(forms(&secret).iter().all(|form| (1000..=MAX_PIECE).contains(&form.len())));
    }

    proptest! {
        #[test]
        fn base64_of_any_text_has_a_form_in_it(before in "[a-z]{0,9}", secret in "[ -~]{8,30}", after in "[a-z]{0,9}", is_url: bool) {
            let secret = secret.trim_ascii_end();
            prop_assume!(secret.len() >= 8);
            let text = [before.as_bytes(), secret.as_bytes(), after.as_bytes()].concat();
            let encoded = base64(&text, is_url);
            prop_assert_eq!(base64_decoded(&encoded), text);
            prop_assert!(forms(secret.as_bytes()).iter().any(|form| memchr::memmem::find(&encoded, form).is_some()));
        }
    }
}
