use super::{Language, Scanner, TokenKind};
use core::ops::Range;

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanKind {
    /// Code, and the white space in it.
    Code,
    /// A string, character, regex, or text between JSX tags.
    String,
    /// A comment.
    Comment,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it is.
    pub range: Range<u32>,
    /// What it is.
    pub kind: SpanKind,
}

/// Divides a text into code, strings and comments. The spans follow each other without a gap; two of code never do.
///
/// ```
/// use millwright_core::lex::{Language, SpanKind, spans};
/// let kinds: Vec<SpanKind> = spans(Language::Go, b"x := \"a\" // b").map(|span| span.kind).collect();
/// assert_eq!(kinds, [SpanKind::Code, SpanKind::String, SpanKind::Code, SpanKind::Comment]);
/// ```
pub fn spans(language: Language, bytes: &[u8]) -> impl Iterator<Item = Span> + '_ {
    let mut tokens = Scanner::new(language, bytes).filter_map(|token| {
        let kind = match token.kind {
            TokenKind::Comment => SpanKind::Comment,
            TokenKind::String | TokenKind::Regex | TokenKind::Text => SpanKind::String,
            _ => return None,
        };
        Some(Span { range: token.start..token.end, kind })
    });
    let end = if bytes.len() > crate::MAX_INPUT_BYTES { 0 } else { bytes.len() as u32 };
    let mut at = 0;
    let mut next = None;
    core::iter::from_fn(move || {
        if next.is_none() {
            next = tokens.next();
        }
        let code_end = next.as_ref().map_or(end, |span| span.range.start);
        if code_end > at {
            let span = Span { range: at..code_end, kind: SpanKind::Code };
            at = code_end;
            return Some(span);
        }
        let span = next.take()?;
        at = span.range.end;
        Some(span)
    })
}
