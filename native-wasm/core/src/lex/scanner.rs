use super::{Language, Token, TokenKind};

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Space,
    Word,
    Digit,
    Quote,
    Punct,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Punct; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            0..=b' ' | 0x7f => Class::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'"' | b'\'' | b'`' => Class::Quote,
            _ => Class::Punct,
        };
        byte += 1;
    }
    classes
}

pub(super) const fn class(byte: u8) -> Class {
    CLASSES[byte as usize]
}

pub(super) const fn is_word(byte: u8) -> bool {
    matches!(class(byte), Class::Word | Class::Digit)
}

/// What surrounds the place where a scanner of JavaScript is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// In `${…}` of a template literal; how many braces were open outside.
    Template(u32),
    /// In `{…}` of JSX; how many braces were open outside.
    Braces(u32),
    /// Between `<` and `>` of a JSX tag; whether it is a closing one.
    Tag(bool),
    /// Between two JSX tags.
    Children,
}

/// Yields the tokens of a text, comments included.
///
/// ```
/// use millwright_core::lex::{Language, Scanner, TokenKind};
/// let kinds: Vec<TokenKind> = Scanner::new(Language::Python, b"x = 1 # one").map(|token| token.kind).collect();
/// assert_eq!(kinds, [TokenKind::Word, TokenKind::Punct, TokenKind::Number, TokenKind::Comment]);
/// ```
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) language: Language,
    /// Whether the last token ends a value, so that `/` divides and `<` compares.
    pub(super) after_value: bool,
    /// Braces that are open in the innermost frame.
    pub(super) braces: u32,
    pub(super) frames: Vec<Frame>,
    /// No regex literal begins before this offset: a look-ahead that failed is not made again.
    pub(super) no_regex_before: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner from the beginning of a text. Of one larger than [`crate::MAX_INPUT_BYTES`] it sees nothing: check that first.
    pub const fn new(language: Language, bytes: &'a [u8]) -> Self {
        let at = if bytes.len() > crate::MAX_INPUT_BYTES { bytes.len() } else { 0 };
        Self { bytes, at, language, after_value: false, braces: 0, frames: Vec::new(), no_regex_before: 0 }
    }

    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Ends the current token at `end` and goes on behind it.
    pub(super) const fn token(&mut self, end: usize, kind: TokenKind) -> Token {
        let end = if end > self.bytes.len() { self.bytes.len() } else { end };
        let token = Token { start: self.at as u32, end: end as u32, kind };
        self.at = end;
        self.after_value = match kind {
            TokenKind::Comment => self.after_value,
            TokenKind::Punct => false,
            _ => true,
        };
        token
    }

    pub(super) fn word_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len())
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let end = self.word_end(start);
        if end - start <= 3
            && let Some(token) = self.prefixed(end)
        {
            return token;
        }
        let token = self.token(end, TokenKind::Word);
        if self.language.is_script() && end - start >= 2 {
            self.after_value = !super::script::precedes_value(&self.bytes[start..end]);
        }
        token
    }

    fn number(&mut self) -> Token {
        let hex = self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X');
        let mut end = self.at;
        loop {
            end = self.word_end(end);
            let next = self.byte(end);
            let digit_follows = self.byte(end + 1).is_ascii_digit();
            let exponent = matches!(self.byte(end.wrapping_sub(1)), b'e' | b'E') && !hex && matches!(next, b'+' | b'-');
            if digit_follows && (next == b'.' || exponent) {
                end += 1;
            } else {
                return self.token(end, TokenKind::Number);
            }
        }
    }

    fn punct(&mut self, byte: u8) -> Token {
        match byte {
            b'/' if self.language != Language::Python => {
                if let Some(token) = self.slash() {
                    return token;
                }
            }
            b'#' if self.language == Language::Python => return self.line_comment(),
            b'#' if self.at == 0 && self.peek(1) == b'!' && self.peek(2) != b'[' => return self.line_comment(),
            b'.' if !self.after_value
                && self.peek(1).is_ascii_digit()
                && (self.at == 0 || self.byte(self.at - 1) != b'.') =>
            {
                return self.number();
            }
            b'<' | b'{' | b'}' if self.language.is_script() => return self.script_punct(byte),
            _ => {}
        }
        let token = self.token(self.at + 1, TokenKind::Punct);
        self.after_value = matches!(byte, b')' | b']' | b'}');
        token
    }

    fn slash(&mut self) -> Option<Token> {
        match self.peek(1) {
            b'/' => Some(self.line_comment()),
            b'*' => Some(self.block_comment()),
            _ if self.language.is_script() && !self.after_value => self.regex(),
            _ => None,
        }
    }

    fn line_comment(&mut self) -> Token {
        let end = memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.bytes.len(), |length| self.at + length);
        let end = if end > self.at && self.byte(end - 1) == b'\r' { end - 1 } else { end };
        self.token(end, TokenKind::Comment)
    }

    fn block_comment(&mut self) -> Token {
        let mut at = self.at + 2;
        let mut depth = 1_u32;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr::memchr(b'/', rest)) {
            let slash = at + found;
            at = slash + 1;
            if slash > self.at + 2 && self.byte(slash - 1) == b'*' {
                depth -= 1;
                if depth == 0 {
                    return self.token(at, TokenKind::Comment);
                }
            } else if self.language == Language::Rust && self.byte(at) == b'*' {
                depth = depth.saturating_add(1);
                // The star of `/*/` does not close what it opens.
                at += 1;
                if self.byte(at) == b'/' {
                    at += 1;
                }
            }
        }
        self.token(self.bytes.len(), TokenKind::Comment)
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if let Some(Frame::Tag(_) | Frame::Children) = self.frames.last() {
            return self.next_jsx();
        }
        loop {
            let byte = *self.bytes.get(self.at)?;
            return Some(match class(byte) {
                Class::Space => {
                    self.at += 1;
                    continue;
                }
                Class::Word => self.word(),
                Class::Digit => self.number(),
                Class::Quote => self.quoted(byte),
                Class::Punct => self.punct(byte),
            });
        }
    }
}
