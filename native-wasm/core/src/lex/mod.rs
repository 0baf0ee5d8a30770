//! Tolerant scanners: source code as tokens, or as spans of code, strings and comments.
//!
//! They are no parsers. Whatever the bytes are, every one of them belongs to at most one token, the tokens come in order, and the time is linear:
//! what is not terminated ends with its line or with the text, and bytes that are no UTF-8 count as letters.

mod literals;
mod scanner;
mod script;
mod spans;

pub use scanner::Scanner;
pub use spans::{Span, SpanKind, spans};

use crate::Limit;
use core::ops::Range;

/// A language whose source can be scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Language {
    /// JavaScript, where `<` may begin JSX.
    JavaScript,
    /// TypeScript without JSX: `<T>x` is a cast.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Python 3.
    Python,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Java.
    Java,
}

impl Language {
    /// The language of a file, by the last extension of its path.
    ///
    /// ```
    /// use millwright_core::lex::Language;
    /// assert_eq!(Language::of_path(b"src/a.test.ts"), Some(Language::TypeScript));
    /// assert_eq!(Language::of_path(b"README"), None);
    /// ```
    pub fn of_path(path: &[u8]) -> Option<Self> {
        let dot = memchr::memrchr(b'.', path)?;
        Some(match path.get(dot + 1..)? {
            b"js" | b"jsx" | b"mjs" | b"cjs" => Self::JavaScript,
            b"ts" | b"mts" | b"cts" => Self::TypeScript,
            b"tsx" => Self::Tsx,
            b"py" | b"pyi" => Self::Python,
            b"go" => Self::Go,
            b"rs" => Self::Rust,
            b"java" => Self::Java,
            _ => return None,
        })
    }

    /// Whether it is JavaScript or TypeScript in any form.
    pub const fn is_script(self) -> bool {
        matches!(self, Self::JavaScript | Self::TypeScript | Self::Tsx)
    }

    pub(crate) const fn has_jsx(self) -> bool {
        matches!(self, Self::JavaScript | Self::Tsx)
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// A name or a keyword; a lifetime of Rust with its quote.
    Word,
    /// A number with its suffix.
    Number,
    /// A string or character with prefix and quotes, or a part of a template literal between two substitutions.
    String,
    /// A regex literal with its flags.
    Regex,
    /// Text between JSX tags.
    Text,
    /// A comment, without the line end behind it.
    Comment,
    /// One ASCII byte of punctuation: `==` is two of these side by side.
    Punct,
}

/// A piece of source code. White space is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Offset of its first byte.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
    /// What it is.
    pub kind: TokenKind,
}

impl Token {
    /// Its bytes in the text that was scanned.
    pub fn text<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.range()).unwrap_or_default()
    }

    /// Where it is.
    pub const fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The tokens of a text without its comments.
///
/// # Errors
/// [`Limit::Size`] when the text is too large, [`Limit::Memory`] when its tokens are too many.
///
/// ```
/// use millwright_core::lex::{Language, code_tokens};
/// let text = b"let it = 'a'; // b";
/// let words: Vec<&[u8]> = code_tokens(Language::Rust, text)?.iter().map(|token| token.text(text)).collect();
/// assert_eq!(words, [&b"let"[..], b"it", b"=", b"'a'", b";"]);
/// # Ok::<(), millwright_core::Limit>(())
/// ```
pub fn code_tokens(language: Language, bytes: &[u8]) -> Result<Vec<Token>, Limit> {
    Limit::check_size(bytes)?;
    // Code has a token in about five bytes; what needs more room grows.
    let mut tokens = Limit::reserve(bytes.len() / 5 + 8)?;
    for token in Scanner::new(language, bytes) {
        if token.kind == TokenKind::Comment {
            continue;
        }
        if tokens.len() == tokens.capacity() {
            let more = tokens.len() / 2 + 8;
            tokens
                .try_reserve(more)
                .map_err(|_| Limit::Memory { bytes: (more as u64).saturating_mul(size_of::<Token>() as u64) })?;
        }
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests;
