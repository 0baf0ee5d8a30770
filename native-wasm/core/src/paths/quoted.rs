use core::fmt::{self, Write as _};

/// The most characters of a path that a message shows.
const SHOWN: usize = 200;

/// A path between double quotes as a message can show it: what is no UTF-8, controls the terminal or turns the text is escaped, and what is too long is cut.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = SHOWN;
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                if left == 0 {
                    return f.write_str("…\"");
                }
                left -= 1;
                match char {
                    '"' | '\\' => write!(f, "\\{char}")?,
                    _ if char.is_control() || super::lookalike::is_ignorable(char) => {
                        write!(f, "\\u{{{:x}}}", char as u32)?;
                    }
                    _ => f.write_char(char)?,
                }
            }
            if !chunk.invalid().is_empty() {
                if left == 0 {
                    return f.write_str("…\"");
                }
                left -= 1;
                chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing_that_acts() {
        assert_eq!(Quoted(b"a \"b\\\x1b\xff\xe2\x80\xae").to_string(), r#""a \"b\\\u{1b}\xff\u{202e}""#);
        assert_eq!(Quoted("é".repeat(300).as_bytes()).to_string().chars().count(), 203);
        assert_eq!(Quoted(&[0xff; 1000]).to_string().matches('x').count(), 200, "bytes count too");
    }
}
