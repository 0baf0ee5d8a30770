//! What only JavaScript and TypeScript have: template literals, regex literals and JSX.

use super::scanner::{Class, Frame, class};
use super::{Scanner, Token, TokenKind};

/// Deeper substitutions and tags are taken as text, so that memory stays small.
const MAX_FRAMES: usize = 1 << 16;

/// Whether a word is a keyword before which a value cannot end, so that `/` behind it begins a regex.
pub(super) fn precedes_value(word: &[u8]) -> bool {
    matches!(
        word,
        b"return"
            | b"typeof"
            | b"case"
            | b"in"
            | b"of"
            | b"do"
            | b"else"
            | b"instanceof"
            | b"new"
            | b"void"
            | b"delete"
            | b"throw"
            | b"yield"
            | b"await"
            | b"default"
            | b"extends"
    )
}

impl Scanner<'_> {
    /// A template literal from behind its backtick, or from behind the `}` of a substitution on.
    pub(super) fn template(&mut self, from: usize) -> Token {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match *byte {
                b'\\' => at += 1,
                b'`' => return self.token(at + 1, TokenKind::String),
                b'$' if self.byte(at + 1) == b'{' && self.frames.len() < MAX_FRAMES => {
                    self.frames.push(Frame::Template(self.braces));
                    self.braces = 0;
                    let token = self.token(at + 2, TokenKind::String);
                    self.after_value = false;
                    return token;
                }
                _ => {}
            }
            at += 1;
        }
        self.token(self.bytes.len(), TokenKind::String)
    }

    pub(super) fn regex(&mut self) -> Option<Token> {
        if self.at < self.no_regex_before {
            return None;
        }
        let mut at = self.at + 1;
        let mut in_class = false;
        loop {
            match self.byte(at) {
                b'\\' if self.byte(at + 1) != b'\n' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    let end = self.word_end(at + 1);
                    return Some(self.token(end, TokenKind::Regex));
                }
                b'\n' | 0 | b'\\' => {
                    self.no_regex_before = at;
                    return None;
                }
                _ => {}
            }
            at += 1;
        }
    }

    pub(super) fn script_punct(&mut self, byte: u8) -> Token {
        match byte {
            b'{' => self.braces = self.braces.saturating_add(1),
            b'}' if self.braces == 0 => match self.frames.last() {
                Some(Frame::Template(outside)) => {
                    self.braces = *outside;
                    self.frames.pop();
                    return self.template(self.at + 1);
                }
                Some(Frame::Braces(outside)) => {
                    self.braces = *outside;
                    self.frames.pop();
                }
                _ => {}
            },
            b'}' => self.braces -= 1,
            _ if self.begins_jsx() => self.frames.push(Frame::Tag(false)),
            _ => {}
        }
        let token = self.token(self.at + 1, TokenKind::Punct);
        self.after_value = byte == b'}';
        token
    }

    /// Whether `<` here begins JSX: not behind a value, and not type parameters.
    fn begins_jsx(&self) -> bool {
        if !self.language.has_jsx() || self.after_value || self.frames.len() >= MAX_FRAMES {
            return false;
        }
        let first = self.peek(1);
        if class(first) != Class::Word {
            return first == b'>';
        }
        let name_end = self.word_end(self.at + 1);
        let rest = self.bytes.get(name_end..).unwrap_or_default();
        let next = rest.trim_ascii_start();
        let is_parameter = next.starts_with(b",")
            || next.starts_with(b"extends ")
            || (first.is_ascii_uppercase() && rest.starts_with(b">("));
        !is_parameter
    }

    /// The next token inside a tag or between two.
    pub(super) fn next_jsx(&mut self) -> Option<Token> {
        if self.frames.last() == Some(&Frame::Children) {
            return self.next_child();
        }
        let rest = self.bytes.get(self.at..)?;
        self.at += rest.iter().position(|byte| class(*byte) != Class::Space).unwrap_or(rest.len());
        let byte = *self.bytes.get(self.at)?;
        Some(match byte {
            b'"' | b'\'' => {
                let rest = &self.bytes[self.at + 1..];
                let end = memchr::memchr(byte, rest).map_or(self.bytes.len(), |length| self.at + length + 2);
                self.token(end, TokenKind::String)
            }
            b'/' if matches!(self.peek(1), b'/' | b'*') => {
                let end = self.comment_in_tag();
                self.token(end, TokenKind::Comment)
            }
            b'{' => self.open_braces(),
            b'>' => self.close_tag(),
            _ if matches!(class(byte), Class::Word | Class::Digit) => {
                let rest = &self.bytes[self.at..];
                let length = rest.iter().position(|byte| !super::scanner::is_word(*byte) && *byte != b'-');
                let end = self.at + length.unwrap_or(rest.len());
                self.token(end, TokenKind::Word)
            }
            _ => self.token(self.at + 1, TokenKind::Punct),
        })
    }

    fn comment_in_tag(&self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = if self.peek(1) == b'/' {
            memchr::memchr(b'\n', rest)
        } else {
            memchr::memmem::find(rest.get(2..).unwrap_or_default(), b"*/").map(|at| at + 4)
        };
        self.at + found.unwrap_or(rest.len())
    }

    fn open_braces(&mut self) -> Token {
        if self.frames.len() < MAX_FRAMES {
            self.frames.push(Frame::Braces(self.braces));
            self.braces = 0;
        }
        let token = self.token(self.at + 1, TokenKind::Punct);
        self.after_value = false;
        token
    }

    fn close_tag(&mut self) -> Token {
        let self_closing = self.at > 0 && self.byte(self.at - 1) == b'/';
        let closing = self.frames.pop() == Some(Frame::Tag(true));
        if closing {
            if self.frames.last() == Some(&Frame::Children) {
                self.frames.pop();
            }
        } else if !self_closing {
            self.frames.push(Frame::Children);
        }
        let token = self.token(self.at + 1, TokenKind::Punct);
        self.after_value = true;
        token
    }

    fn next_child(&mut self) -> Option<Token> {
        let rest = self.bytes.get(self.at..)?;
        let byte = *rest.first()?;
        Some(match byte {
            b'{' => self.open_braces(),
            b'<' => {
                if self.frames.len() < MAX_FRAMES {
                    self.frames.push(Frame::Tag(self.peek(1) == b'/'));
                }
                self.token(self.at + 1, TokenKind::Punct)
            }
            _ => {
                let end = memchr::memchr2(b'{', b'<', rest).map_or(self.bytes.len(), |length| self.at + length);
                self.token(end, TokenKind::Text)
            }
        })
    }
}
