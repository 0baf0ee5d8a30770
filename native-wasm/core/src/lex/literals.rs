//! Strings and characters of all languages.

use super::scanner::is_word;
use super::{Language, Scanner, Token, TokenKind};

impl Scanner<'_> {
    /// A quote where a token begins.
    pub(super) fn quoted(&mut self, quote: u8) -> Token {
        let start = self.at;
        match (self.language, quote) {
            (Language::Python, b'\'' | b'"') => self.python_string(start),
            (Language::Java, b'"') if self.is_triple(start) => self.long_string(start + 3, b'"'),
            (Language::Rust, b'\'') => self.rust_quote(),
            (Language::Rust, b'"') => self.short_string(start + 1, b'"', true),
            (Language::Go, b'`') => {
                let end = self.behind_next(start + 1, b'`');
                self.token(end, TokenKind::String)
            }
            (Language::Python | Language::Java | Language::Rust, b'`') => self.token(start + 1, TokenKind::Punct),
            (_, b'`') => self.template(start + 1),
            _ => self.short_string(start + 1, quote, false),
        }
    }

    /// A string whose prefix ends at `end`, if that is what the short word here is.
    pub(super) fn prefixed(&mut self, end: usize) -> Option<Token> {
        let next = self.byte(end);
        if !matches!(next, b'"' | b'\'' | b'#') {
            return None;
        }
        let prefix = &self.bytes[self.at..end];
        match self.language {
            Language::Python => {
                let known = prefix.len() <= 2
                    && prefix.iter().all(|byte| matches!(byte.to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't'));
                (known && next != b'#').then(|| self.python_string(end))
            }
            Language::Rust => match (prefix, next) {
                (b"r" | b"br" | b"cr", b'"' | b'#') => self.rust_raw(end),
                (b"b" | b"c", b'"') => Some(self.short_string(end + 1, b'"', true)),
                (b"b", b'\'') => Some(self.short_string(end + 1, b'\'', false)),
                _ => None,
            },
            _ => None,
        }
    }

    /// A string from behind its quote on, ended by `quote`; unless it may have several lines, by the line's end at the latest.
    pub(super) fn short_string(&mut self, from: usize, quote: u8, multiline: bool) -> Token {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match *byte {
                b'\\' => at += 1,
                b'\n' if !multiline => return self.token(at, TokenKind::String),
                byte if byte == quote => return self.token(at + 1, TokenKind::String),
                _ => {}
            }
            at += 1;
        }
        self.token(self.bytes.len(), TokenKind::String)
    }

    fn is_triple(&self, quote: usize) -> bool {
        let byte = self.byte(quote);
        self.byte(quote + 1) == byte && self.byte(quote + 2) == byte
    }

    fn python_string(&mut self, quote: usize) -> Token {
        let byte = self.byte(quote);
        if self.is_triple(quote) {
            return self.long_string(quote + 3, byte);
        }
        self.short_string(quote + 1, byte, false)
    }

    /// A string between three quotes, from behind the first three on.
    fn long_string(&mut self, from: usize, quote: u8) -> Token {
        let mut at = from;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
            at += found;
            if self.byte(at) == b'\\' {
                at += 2;
            } else if self.is_triple(at) {
                return self.token(at + 3, TokenKind::String);
            } else {
                at += 1;
            }
        }
        self.token(self.bytes.len(), TokenKind::String)
    }

    fn behind_next(&self, from: usize, byte: u8) -> usize {
        self.bytes
            .get(from..)
            .and_then(|rest| memchr::memchr(byte, rest))
            .map_or(self.bytes.len(), |length| from + length + 1)
    }

    /// A character or a lifetime.
    fn rust_quote(&mut self) -> Token {
        let first = self.peek(1);
        if first == b'\\' {
            return self.short_string(self.at + 1, b'\'', false);
        }
        let length = match first {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        if self.peek(1 + length) == b'\'' && first != b'\'' {
            return self.token(self.at + length + 2, TokenKind::String);
        }
        if is_word(first) {
            return self.token(self.word_end(self.at + 1), TokenKind::Word);
        }
        self.token(self.at + 1, TokenKind::Punct)
    }

    /// A raw string whose prefix ends at `hashes`, if it is one: `r#type` is a name.
    fn rust_raw(&mut self, hashes: usize) -> Option<Token> {
        let rest = self.bytes.get(hashes..)?;
        let count = rest.iter().position(|byte| *byte != b'#')?;
        if rest.get(count) != Some(&b'"') {
            return None;
        }
        let mut at = hashes + count + 1;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
            at += found + 1;
            let closing = self.bytes[at..].iter().take(count).take_while(|byte| **byte == b'#').count();
            at += closing;
            if closing == count {
                return Some(self.token(at, TokenKind::String));
            }
        }
        Some(self.token(self.bytes.len(), TokenKind::String))
    }
}
