use super::assertion::Assertion;
use super::scope::Scope;
use super::shapes::Shapes;
use crate::Limit;
use crate::hash::{Seed, hash};
use crate::lex::{Language, Token, TokenKind, code_tokens};
use core::ops::Range;

/// No token.
pub(super) const NONE: u32 = u32::MAX;

/// One side of a changed file of tests, scanned.
pub(super) struct Source<'a> {
    pub(super) change: usize,
    pub(super) path: &'a [u8],
    pub(super) bytes: &'a [u8],
    pub(super) language: Language,
    pub(super) partial: bool,
    pub(super) seed: Seed,
    pub(super) tokens: Vec<Token>,
    /// For each bracket the one that belongs to it.
    mates: Vec<u32>,
    /// For each token the innermost bracket around it.
    outer: Vec<u32>,
    /// For each token that is the first of its line its column; in Python, of a line that continues none.
    columns: Vec<u32>,
    shapes: Shapes,
    pub(super) scopes: Vec<Scope>,
    pub(super) assertions: Vec<Assertion>,
    /// The assertions by their scope.
    pub(super) by_scope: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        change: usize,
        path: &'a [u8],
        bytes: &'a [u8],
        language: Language,
        partial: bool,
        seed: Seed,
    ) -> Result<Self, Limit> {
        let tokens = code_tokens(language, bytes)?;
        let (mates, outer) = brackets(bytes, &tokens)?;
        let mut source = Self {
            change,
            path,
            bytes,
            language,
            partial,
            seed,
            tokens,
            mates,
            outer,
            columns: Vec::new(),
            shapes: Shapes::new(0)?,
            scopes: Vec::new(),
            assertions: Vec::new(),
            by_scope: Vec::new(),
        };
        source.columns = source.find_columns()?;
        source.shapes = source.find_shapes()?;
        Ok(source)
    }

    fn find_columns(&self) -> Result<Vec<u32>, Limit> {
        let mut columns = Limit::reserve(self.len())?;
        let mut before = 0;
        for (at, token) in self.tokens.iter().enumerate() {
            let gap = &self.bytes[before..token.start as usize];
            before = token.end as usize;
            let newline = gap.iter().rposition(|byte| *byte == b'\n');
            let continues = self.language == Language::Python
                && (self.outer(at) != NONE as usize || (at > 0 && self.is(at - 1, b"\\")));
            columns.push(match newline {
                _ if continues => NONE,
                Some(newline) => (gap.len() - newline - 1) as u32,
                None if at == 0 => token.start,
                None => NONE,
            });
        }
        Ok(columns)
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn text(&self, at: usize) -> &'a [u8] {
        self.tokens.get(at).map_or(&[], |token| token.text(self.bytes))
    }

    pub(super) fn is(&self, at: usize, text: &[u8]) -> bool {
        self.text(at) == text
    }

    /// The text of the token before.
    pub(super) fn before(&self, at: usize) -> &'a [u8] {
        at.checked_sub(1).map_or(&[], |at| self.text(at))
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn is_word(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Word)
    }

    /// Whether the token is `first` with `second` right behind it.
    pub(super) fn is_pair(&self, at: usize, first: u8, second: u8) -> bool {
        let (Some(a), Some(b)) = (self.tokens.get(at), self.tokens.get(at + 1)) else { return false };
        a.kind == TokenKind::Punct
            && a.end == b.start
            && self.bytes[a.start as usize] == first
            && self.bytes[b.start as usize] == second
    }

    /// The bracket that belongs to the one at `at`: behind the end when it is never closed.
    pub(super) fn mate(&self, at: usize) -> usize {
        self.mates.get(at).map_or(self.len(), |mate| if *mate == NONE { self.len() } else { *mate as usize })
    }

    /// The bracket before that belongs to the closing one at `at`.
    pub(super) fn opener(&self, at: usize) -> Option<usize> {
        self.mates.get(at).filter(|mate| **mate != NONE && (**mate as usize) < at).map(|mate| *mate as usize)
    }

    /// The innermost bracket around a token, or [`NONE`].
    pub(super) fn outer(&self, at: usize) -> usize {
        self.outer.get(at).map_or(NONE as usize, |outer| *outer as usize)
    }

    /// The column of a token that begins a line.
    pub(super) fn column(&self, at: usize) -> Option<u32> {
        self.columns.get(at).copied().filter(|column| *column != NONE)
    }

    /// The token behind the next one that begins a line at most as far right as `column`, from `at` on.
    pub(super) fn dedent(&self, at: usize, column: u32) -> usize {
        let rest = self.columns.get(at..).unwrap_or_default();
        at + rest.iter().position(|other| *other != NONE && *other <= column).unwrap_or(rest.len())
    }

    /// The token behind the logical line that `at` is in.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.columns.get(at + 1..).unwrap_or_default();
        at + 1 + rest.iter().position(|column| *column != NONE).unwrap_or(rest.len())
    }

    /// What is between the brackets at `open`, divided at its commas.
    pub(super) fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let close = self.mate(open).min(self.len());
        let mut arguments = Vec::new();
        let mut start = open + 1;
        let mut at = start;
        while at < close {
            match self.text(at) {
                b"(" | b"[" | b"{" => at = self.mate(at),
                b"," => {
                    arguments.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        if start < close {
            arguments.push(start..close);
        }
        arguments
    }

    /// The bytes from the first to the last of some tokens.
    pub(super) fn span(&self, tokens: &Range<usize>) -> Range<u32> {
        let start = self.tokens.get(tokens.start).map_or(self.bytes.len() as u32, |token| token.start);
        let last = tokens.end.min(self.len()).checked_sub(1).and_then(|at| self.tokens.get(at));
        start..last.map_or(start, |token| token.end.max(start))
    }

    /// A hash of some code that does not depend on layout, kinds of quotes, trailing commas and semicolons. It takes no longer for much code.
    pub(super) fn shape(&self, tokens: &Range<usize>) -> u64 {
        let end = tokens.end.min(self.len());
        self.shapes.of(tokens.start.min(end)..end)
    }

    fn find_shapes(&self) -> Result<Shapes, Limit> {
        let mut shapes = Shapes::new(self.len())?;
        for at in 0..self.len() {
            let is_trailing = self.is(at, b",") && matches!(self.text(at + 1), b")" | b"]" | b"}");
            let matters = !is_trailing && !self.is(at, b";");
            shapes.push(matters.then(|| hash(self.bare(at), self.seed)));
        }
        Ok(shapes)
    }

    /// The text of a token; of a string, what is between its quotes.
    pub(super) fn bare(&self, at: usize) -> &'a [u8] {
        let text = self.text(at);
        if self.kind(at) != Some(TokenKind::String) {
            return text;
        }
        let Some(quote) = text.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`')) else { return text };
        let mark = text[quote];
        let inner = text[quote..].trim_start_with(mark);
        inner.trim_end_with(mark)
    }
}

trait TrimWith {
    fn trim_start_with(&self, byte: u8) -> &Self;
    fn trim_end_with(&self, byte: u8) -> &Self;
}

impl TrimWith for [u8] {
    fn trim_start_with(&self, byte: u8) -> &Self {
        let from = self.iter().position(|other| *other != byte).unwrap_or(self.len());
        &self[from..]
    }

    fn trim_end_with(&self, byte: u8) -> &Self {
        let to = self.iter().rposition(|other| *other != byte).map_or(0, |last| last + 1);
        &self[..to]
    }
}

type Brackets = (Vec<u32>, Vec<u32>);

/// For each token its mate and the innermost bracket around it. A closing bracket without its opening one closes nothing.
fn brackets(bytes: &[u8], tokens: &[Token]) -> Result<Brackets, Limit> {
    let mut mates = Limit::reserve(tokens.len())?;
    mates.resize(tokens.len(), NONE);
    let mut outer = Limit::reserve(tokens.len())?;
    let mut open: Vec<(u32, u8)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let byte = if token.kind == TokenKind::Punct { bytes[token.start as usize] } else { 0 };
        let opening = match byte {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => 0,
        };
        if opening != 0 {
            // A brace closes what was left open inside of it; other brackets close only what is innermost.
            while byte == b'}' && open.len() > 1 && open.last().is_some_and(|(_, it)| *it != b'{') {
                open.pop();
            }
            if let Some((opener, mark)) = open.last()
                && *mark == opening
            {
                mates[*opener as usize] = at as u32;
                mates[at] = *opener;
                open.pop();
            }
        }
        outer.push(open.last().map_or(NONE, |(opener, _)| *opener));
        if matches!(byte, b'(' | b'[' | b'{') {
            open.push((at as u32, byte));
        }
    }
    Ok((mates, outer))
}
