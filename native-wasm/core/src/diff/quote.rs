/// Appends a name as git writes it in patches: between quotes and with escapes if it has a quote, a backslash or a control character, or, when
/// `high` says so, a byte above ASCII (`core.quotePath`). The prefix is inside of the quotes.
pub(super) fn write_name(prefix: &[u8], name: &[u8], high: bool, out: &mut Vec<u8>) {
    let quoted = name.iter().any(|byte| escape(*byte, high) != Escape::None);
    if !quoted {
        out.extend_from_slice(prefix);
        out.extend_from_slice(name);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(prefix);
    for byte in name {
        match escape(*byte, high) {
            Escape::None => out.push(*byte),
            Escape::Letter(letter) => out.extend_from_slice(&[b'\\', letter]),
            Escape::Octal => {
                let digit = |shift: u32| b'0' + (byte >> shift & 7);
                out.extend_from_slice(&[b'\\', digit(6), digit(3), digit(0)]);
            }
        }
    }
    out.push(b'"');
}

#[derive(PartialEq, Eq)]
enum Escape {
    None,
    Letter(u8),
    Octal,
}

const fn escape(byte: u8, high: bool) -> Escape {
    match byte {
        b'"' | b'\\' => Escape::Letter(byte),
        0x07 => Escape::Letter(b'a'),
        0x08 => Escape::Letter(b'b'),
        b'\t' => Escape::Letter(b't'),
        b'\n' => Escape::Letter(b'n'),
        0x0b => Escape::Letter(b'v'),
        0x0c => Escape::Letter(b'f'),
        b'\r' => Escape::Letter(b'r'),
        0..=0x1f | 0x7f => Escape::Octal,
        0x80.. if high => Escape::Octal,
        _ => Escape::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, high: bool) -> String {
        let mut out = Vec::new();
        write_name(b"a/", name.as_bytes(), high, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn quotes_what_git_quotes() {
        assert_eq!(written("plain name.rs", true), "a/plain name.rs");
        assert_eq!(written("t\tq\"b\\\u{1}\u{7f}", true), r#""a/t\tq\"b\\\001\177""#);
        assert_eq!(written("é", true), r#""a/\303\251""#);
        assert_eq!(written("é", false), "a/é");
    }
}
