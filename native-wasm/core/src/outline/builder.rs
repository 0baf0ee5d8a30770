use super::{Definition, DefinitionKind};
use crate::block;
use crate::lex::{Token, TokenKind};

/// How a language's definitions begin.
pub(super) trait Rules {
    /// Looks at the word or string at `at`, and tells the builder of a definition that begins there.
    fn visit(&mut self, builder: &mut Builder<'_>, at: usize);
}

/// Collects definitions and finds where their bodies end.
pub(super) struct Builder<'a> {
    bytes: &'a [u8],
    tokens: &'a [Token],
    definitions: Vec<Definition>,
    /// Definitions around the current token, each with what was open outside of its body.
    open: Vec<(u32, u32)>,
    /// The last definition while its body has not begun, with what was open then.
    pending: Option<(u32, u32)>,
    /// Brackets that are open.
    pub(super) depth: u32,
    line: u32,
    line_known_at: u32,
}

impl<'a> Builder<'a> {
    pub(super) const fn new(bytes: &'a [u8], tokens: &'a [Token]) -> Self {
        Self {
            bytes,
            tokens,
            definitions: Vec::new(),
            open: Vec::new(),
            pending: None,
            depth: 0,
            line: 1,
            line_known_at: 0,
        }
    }

    /// Reads all tokens of a language with brackets.
    pub(super) fn read(&mut self, mut rules: impl Rules) {
        for (at, token) in self.tokens.iter().enumerate() {
            if token.kind != TokenKind::Punct {
                rules.visit(self, at);
                continue;
            }
            match self.bytes[token.start as usize] {
                b'{' => {
                    if let Some((definition, outside)) = self.pending
                        && outside == self.depth
                    {
                        self.open.push((definition, outside));
                        self.pending = None;
                    }
                    self.depth = self.depth.saturating_add(1);
                }
                b'(' | b'[' => self.depth = self.depth.saturating_add(1),
                b')' | b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.pending.is_some_and(|(_, outside)| outside > self.depth) {
                        self.pending = None;
                    }
                    self.close(self.depth, token.end);
                }
                b';' if self.pending.is_some_and(|(_, outside)| outside == self.depth) => self.pending = None,
                _ => {}
            }
        }
    }

    /// Ends the definitions whose bodies were opened at this depth or deeper.
    pub(super) fn close(&mut self, depth: u32, end: u32) {
        while let Some((definition, outside)) = self.open.last().copied()
            && outside >= depth
        {
            let last_line = self.line_of(end);
            if let Some(definition) = self.definitions.get_mut(definition as usize) {
                definition.range.end = end;
                definition.last_line = last_line;
            }
            self.open.pop();
        }
    }

    /// Opens the body of the last definition here.
    pub(super) fn open_last(&mut self, outside: u32) {
        if let Some(last) = self.definitions.len().checked_sub(1) {
            self.open.push((last as u32, outside));
            self.pending = None;
        }
    }

    /// Adds a definition whose name is the token at `name`, and whose first is that at `first`.
    pub(super) fn define(&mut self, kind: DefinitionKind, first: usize, name: usize) {
        let Some(token) = self.tokens.get(name) else { return };
        let quoted = u32::from(token.kind == TokenKind::String);
        let range = token.start + quoted..(token.end - quoted).max(token.start + quoted);
        let start = self.tokens.get(first).map_or(range.start, |token| token.start);
        let line = self.line_of(range.start);
        self.pending = Some((self.definitions.len() as u32, self.depth));
        let parent = self.open.last().map(|(definition, _)| *definition);
        self.definitions.push(Definition { kind, range: start..range.end, name: range, line, last_line: line, parent });
    }

    /// The number of the line of an offset. Definitions are met in the order of the text but for some tokens, so nearly nothing is read twice.
    fn line_of(&mut self, offset: u32) -> u32 {
        let lines = |range: core::ops::Range<u32>| {
            let between = self.bytes.get(range.start as usize..range.end as usize).unwrap_or_default();
            block::count(between, b'\n') as u32
        };
        if offset < self.line_known_at {
            return self.line - lines(offset..self.line_known_at);
        }
        self.line += lines(self.line_known_at..offset);
        self.line_known_at = offset;
        self.line
    }

    /// Opens the body of the last definition at the bracket that follows: what is named in a call ends with the call.
    pub(super) fn open_call(&mut self) {
        self.open_last(self.depth);
    }

    /// The kind of the innermost definition.
    pub(super) fn innermost(&self) -> Option<DefinitionKind> {
        let (definition, _) = self.open.last()?;
        self.definitions.get(*definition as usize).map(|it| it.kind)
    }

    /// Gives the last definition another kind, if its body has not begun.
    pub(super) fn turn_pending(&mut self, from: DefinitionKind, to: DefinitionKind) {
        if let Some((definition, depth)) = self.pending
            && depth == self.depth
            && let Some(definition) = self.definitions.get_mut(definition as usize)
            && definition.kind == from
        {
            definition.kind = to;
        }
    }

    /// The kind of the innermost definition whose body holds the current token with nothing else open in between.
    pub(super) fn directly_in(&self) -> Option<DefinitionKind> {
        let (definition, outside) = self.open.last()?;
        (outside + 1 == self.depth).then(|| self.definitions.get(*definition as usize).map(|it| it.kind)).flatten()
    }

    /// The name of the innermost definition.
    pub(super) fn inner_name(&self) -> &'a [u8] {
        let name = self.open.last().and_then(|(definition, _)| self.definitions.get(*definition as usize));
        name.and_then(|it| self.bytes.get(it.name.start as usize..it.name.end as usize)).unwrap_or_default()
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn end(&self, at: usize) -> u32 {
        self.tokens.get(at).map_or(0, |token| token.end)
    }

    pub(super) fn text(&self, at: usize) -> &'a [u8] {
        self.tokens.get(at).map_or(&[], |token| token.text(self.bytes))
    }

    pub(super) fn before(&self, at: usize) -> &'a [u8] {
        at.checked_sub(1).map_or(&[], |at| self.text(at))
    }

    pub(super) fn is_word(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Word)
    }

    /// The column of a token that is the first of its line.
    pub(super) fn column_if_first(&self, at: usize) -> Option<u32> {
        let token = self.tokens.get(at)?;
        let from = at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |before| before.end as usize);
        let gap = self.bytes.get(from..token.start as usize)?;
        match gap.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => Some((gap.len() - newline - 1) as u32),
            None => (at == 0).then_some(token.start),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Definition> {
        let end = self.tokens.last().map_or(0, |token| token.end);
        self.close(0, end);
        self.definitions
    }
}
