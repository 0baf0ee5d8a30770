use super::error::{GlobError, GlobErrorKind};
use super::set::{Set, Strictness};

/// A part of what is matched between two slashes.
#[derive(Clone, Debug)]
enum Token {
    /// These bytes.
    Literal(Box<[u8]>),
    /// `?`: one byte.
    One,
    /// `[…]`: one byte of a set.
    Of(Box<Set>),
    /// `*`: any bytes.
    Any,
}

/// What is matched between two slashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    tokens: Vec<Token>,
    fold: bool,
}

impl Segment {
    /// One that matches anything.
    pub(super) fn any() -> Self {
        Self { tokens: vec![Token::Any], fold: false }
    }

    /// Reads from `at` to the next slash or the end. Answers the segment and where it ended.
    pub(crate) fn parse(
        pattern: &[u8],
        mut at: usize,
        strictness: Strictness,
        fold: bool,
    ) -> Result<(Self, usize), GlobError> {
        let mut segment = Self { tokens: Vec::new(), fold };
        let mut literal = Vec::new();
        while let Some(byte) = pattern.get(at).copied() {
            let start = at;
            at += 1;
            let token = match byte {
                b'/' => {
                    at = start;
                    break;
                }
                b'\\' => match pattern.get(at).copied() {
                    None => return Err(GlobError::new(GlobErrorKind::TrailingEscape, start)),
                    // An escaped slash is a slash.
                    Some(b'/') => {
                        at = start;
                        break;
                    }
                    Some(escaped) => {
                        at += 1;
                        literal.push(escaped);
                        continue;
                    }
                },
                b'*' => Token::Any,
                b'?' => Token::One,
                b'[' => {
                    let (set, end) = Set::parse(pattern, start, strictness, fold)?;
                    at = end;
                    Token::Of(Box::new(set))
                }
                byte => {
                    literal.push(byte);
                    continue;
                }
            };
            segment.push_literal(&mut literal);
            // `**` beside other characters is `*`.
            if !(matches!(token, Token::Any) && matches!(segment.tokens.last(), Some(Token::Any))) {
                segment.tokens.push(token);
            }
        }
        segment.push_literal(&mut literal);
        Ok((segment, at))
    }

    fn push_literal(&mut self, literal: &mut Vec<u8>) {
        if !literal.is_empty() {
            self.tokens.push(Token::Literal(core::mem::take(literal).into_boxed_slice()));
        }
    }

    /// The bytes that each match ends with.
    pub(super) fn tail(&self) -> &[u8] {
        match self.tokens.last() {
            Some(Token::Literal(bytes)) => bytes,
            _ => &[],
        }
    }

    /// The bytes that alone are matched.
    pub(super) fn literal(&self) -> Option<&[u8]> {
        match self.tokens.as_slice() {
            [] => Some(&[]),
            [Token::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Whether the whole of a text without slashes matches. Only the last `*` is ever moved on, since the earliest match of what stands before it
    /// leaves the most to it: time is bounded by the product of both lengths.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        // What nearly all patterns are.
        match self.tokens.as_slice() {
            [Token::Literal(bytes)] => return text.len() == bytes.len() && starts_with(text, bytes, self.fold),
            [Token::Any, Token::Literal(bytes)] => return ends_with(text, bytes, self.fold),
            [Token::Literal(bytes), Token::Any] => return starts_with(text, bytes, self.fold),
            _ => {}
        }
        let (mut token, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.tokens.get(token) {
                None if at == text.len() => return true,
                Some(Token::Any) => {
                    token += 1;
                    if token == self.tokens.len() {
                        return true;
                    }
                    retry = Some((token, at));
                    continue;
                }
                Some(fixed) => {
                    if let Some(taken) = self.takes(fixed, text.get(at..).unwrap_or_default()) {
                        at += taken;
                        token += 1;
                        continue;
                    }
                }
                None => {}
            }
            match &mut retry {
                Some((after, from)) if *from < text.len() => {
                    *from += 1;
                    (token, at) = (*after, *from);
                }
                _ => return false,
            }
        }
    }

    /// How many bytes a token takes at the start of a text, if it matches there.
    fn takes(&self, token: &Token, text: &[u8]) -> Option<usize> {
        match token {
            Token::Literal(bytes) => starts_with(text, bytes, self.fold).then_some(bytes.len()),
            Token::One => text.first().map(|_| 1),
            Token::Of(set) => text.first().is_some_and(|byte| set.contains(*byte)).then_some(1),
            Token::Any => None,
        }
    }
}

/// Whether a text ends with some bytes, in either case if `fold`.
pub(super) fn ends_with(text: &[u8], bytes: &[u8], fold: bool) -> bool {
    if !fold {
        return text.ends_with(bytes);
    }
    let start = text.len().checked_sub(bytes.len());
    start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(bytes))
}

fn starts_with(text: &[u8], bytes: &[u8], fold: bool) -> bool {
    if !fold {
        return text.starts_with(bytes);
    }
    text.get(..bytes.len()).is_some_and(|start| start.eq_ignore_ascii_case(bytes))
}
