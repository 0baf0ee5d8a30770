//! Rewrites a regex so that its matches lie within lines.

use super::error::SearchError;
use regex_syntax::hir::{
    self, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition, Visitor,
};

/// The same regex without line ends in its classes, with the word boundaries of ASCII, for which there are automata, and without captures,
/// which nobody asks for.
///
/// # Errors
/// [`SearchError::SpansLines`] when it asks for a line end.
pub fn line_bound(hir: &Hir) -> Result<Hir, SearchError> {
    hir::visit(hir, Rewrite { parts: Vec::new() })
}

/// Walks the regex with a stack of its own: a part is rewritten when its parts have been.
struct Rewrite {
    parts: Vec<Hir>,
}

impl Visitor for Rewrite {
    type Output = Hir;
    type Err = SearchError;

    fn finish(mut self) -> Result<Hir, SearchError> {
        Ok(self.parts.pop().unwrap_or_else(Hir::empty))
    }

    fn visit_post(&mut self, hir: &Hir) -> Result<(), SearchError> {
        let part = match hir.kind() {
            HirKind::Empty => Hir::empty(),
            HirKind::Literal(literal) if literal.0.contains(&b'\n') => return Err(SearchError::SpansLines),
            HirKind::Literal(literal) => Hir::literal(literal.0.clone()),
            HirKind::Class(class) => Hir::class(without_line_end(class)),
            HirKind::Look(look) => Hir::look(ascii(*look)),
            HirKind::Capture(_) => return Ok(()),
            HirKind::Repetition(Repetition { min, max, greedy, .. }) => {
                let sub = Box::new(self.parts.pop().unwrap_or_else(Hir::empty));
                Hir::repetition(Repetition { min: *min, max: *max, greedy: *greedy, sub })
            }
            HirKind::Concat(parts) => Hir::concat(self.parts.split_off(self.parts.len().saturating_sub(parts.len()))),
            HirKind::Alternation(parts) => {
                Hir::alternation(self.parts.split_off(self.parts.len().saturating_sub(parts.len())))
            }
        };
        self.parts.push(part);
        Ok(())
    }
}

fn without_line_end(class: &Class) -> Class {
    let mut class = class.clone();
    match &mut class {
        Class::Bytes(class) => class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')])),
        Class::Unicode(class) => class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')])),
    }
    class
}

const fn ascii(look: Look) -> Look {
    match look {
        Look::WordUnicode => Look::WordAscii,
        Look::WordUnicodeNegate => Look::WordAsciiNegate,
        Look::WordStartUnicode => Look::WordStartAscii,
        Look::WordEndUnicode => Look::WordEndAscii,
        Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
        Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
        other => other,
    }
}
