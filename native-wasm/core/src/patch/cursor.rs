use super::{ParseError, ParseErrorKind};
use crate::block;

/// Walks over the lines of a patch.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Where the current line starts, and where the next does.
    at: usize,
    next: usize,
}

impl<'a> Cursor<'a> {
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn at(bytes: &'a [u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        let next = block::find(rest, b'\n').map_or(bytes.len(), |end| at + end + 1);
        Self { bytes, at: at.min(bytes.len()), next }
    }

    /// Offset of the current line in the patch.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The current line with its line end; `None` behind the last.
    pub fn line(&self) -> Option<&'a [u8]> {
        self.bytes.get(self.at..self.next).filter(|line| !line.is_empty())
    }

    /// The current line without its line end; empty behind the last.
    pub fn text(&self) -> &'a [u8] {
        without_line_end(self.line().unwrap_or_default())
    }

    pub fn starts_with(&self, prefix: &[u8]) -> bool {
        self.line().is_some_and(|line| line.starts_with(prefix))
    }

    pub fn advance(&mut self) {
        *self = Self::at(self.bytes, self.next);
    }

    /// The cursor one line further.
    pub fn following(&self) -> Self {
        Self::at(self.bytes, self.next)
    }

    /// An error at the current line.
    pub fn fail(&self, kind: ParseErrorKind) -> ParseError {
        ParseError::new(kind, self.bytes, self.at)
    }
}

/// Header lines may have come through something that ends lines with CR LF. git itself quotes a name that ends with CR.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
