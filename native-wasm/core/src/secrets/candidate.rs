//! Matching one shape, resumable at any byte, so that the scanner and the streaming redactor are the same code.

use super::class::{DIGIT, HEX, OPERATOR, SEPARATOR, WORD};
use super::shape::{Before, Element, MAX_SEPARATOR, Shape};

/// A part of a stream: `bytes` begin at offset `base`.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) base: u64,
    /// Whether nothing follows.
    pub(super) is_last: bool,
}

impl<'a> Window<'a> {
    pub(super) fn from(&self, offset: u64) -> &'a [u8] {
        offset.checked_sub(self.base).and_then(|at| self.bytes.get(at as usize..)).unwrap_or_default()
    }

    pub(super) fn until(&self, offset: u64) -> &'a [u8] {
        offset.checked_sub(self.base).and_then(|at| self.bytes.get(..at as usize)).unwrap_or_default()
    }

    pub(super) fn slice(&self, start: u64, end: u64) -> &'a [u8] {
        self.from(start).get(..end.saturating_sub(start) as usize).unwrap_or_default()
    }

    pub(super) const fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }
}

/// What came of a candidate so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is no secret.
    Failed,
    /// More bytes decide.
    Waiting,
    /// It has the shape; offsets of the secret.
    Matched { start: u64, end: u64 },
    /// It has the shape, and the secret goes on as its last element does.
    Endless { start: u64, end: u64 },
}

/// A keyword that was hit, and how far its shape has matched since.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Which rule or known secret.
    pub(super) target: u32,
    /// Where the keyword begins.
    pub(super) start: u64,
    pub(super) keyword_len: u32,
    at: u64,
    element: usize,
    /// Bytes of the current element that are matched.
    count: usize,
    has_operator: bool,
    secret: Option<u64>,
    secret_end: u64,
}

impl Candidate {
    pub(super) const fn new(target: u32, start: u64, keyword_len: usize, with_keyword: bool) -> Self {
        Self {
            target,
            start,
            keyword_len: keyword_len as u32,
            at: start + keyword_len as u64,
            element: 0,
            count: 0,
            has_operator: false,
            secret: if with_keyword { Some(start) } else { None },
            secret_end: 0,
        }
    }

    /// From where on bytes may be secret; none while it is only about the key before it.
    pub(super) const fn secret_start(&self) -> Option<u64> {
        self.secret
    }

    /// Bytes that were looked at.
    pub(super) const fn len(&self) -> u64 {
        self.at - self.start
    }

    /// Goes on with the literal bytes of a known secret.
    pub(super) fn advance_literal(&mut self, text: &[u8], window: Window) -> Step {
        let done = self.len() as usize;
        let rest = text.get(done..).unwrap_or_default();
        let have = window.from(self.at);
        let both = rest.len().min(have.len());
        if rest.get(..both) != have.get(..both) {
            return Step::Failed;
        }
        self.at += both as u64;
        if both == rest.len() {
            return Step::Matched { start: self.start, end: self.at };
        }
        if window.is_last { Step::Failed } else { Step::Waiting }
    }

    /// Goes on with a shape as far as the bytes reach.
    pub(super) fn advance(&mut self, shape: &Shape, window: Window) -> Step {
        while let Some(element) = shape.after.get(self.element) {
            let have = window.from(self.at);
            let done = match element {
                Element::Literal(text) => self.literal(text, have),
                Element::Run { class, min, max } => {
                    let taken = class.run(have, usize::from(*max) - self.count);
                    self.take(taken);
                    let may_go_on = taken == have.len() && self.count < usize::from(*max) && !window.is_last;
                    if may_go_on { None } else { Some(self.count >= usize::from(*min)) }
                }
                Element::Endless { class, min } => {
                    let taken = class.run(have, usize::from(*min) - self.count);
                    self.take(taken);
                    if self.count == usize::from(*min) {
                        return Step::Endless { start: self.secret.unwrap_or(self.at), end: self.at };
                    }
                    (taken < have.len()).then_some(false)
                }
                Element::Separator => {
                    let taken = SEPARATOR.run(have, MAX_SEPARATOR - self.count);
                    self.has_operator |= have.iter().take(taken).any(|byte| OPERATOR.has(*byte));
                    self.take(taken);
                    let may_go_on = taken == have.len() && self.count < MAX_SEPARATOR && !window.is_last;
                    if may_go_on { None } else { Some(self.has_operator) }
                }
                Element::NotFollowed(class) => match have.first() {
                    Some(byte) => Some(!class.has(*byte)),
                    None => window.is_last.then_some(true),
                },
                Element::Followed(class) => match have.first() {
                    Some(byte) => Some(class.has(*byte)),
                    None => window.is_last.then_some(true),
                },
                Element::Open => {
                    self.secret = Some(self.at);
                    Some(true)
                }
                Element::Close => {
                    self.secret_end = self.at;
                    Some(true)
                }
                Element::Pem => return Step::Endless { start: self.secret.unwrap_or(self.at), end: self.at },
            };
            match done {
                Some(true) => {
                    self.element += 1;
                    self.count = 0;
                }
                Some(false) => return Step::Failed,
                None if window.is_last => return Step::Failed,
                None => return Step::Waiting,
            }
        }
        Step::Matched { start: self.secret.unwrap_or(self.start), end: self.secret_end }
    }

    fn literal(&mut self, text: &[u8], have: &[u8]) -> Option<bool> {
        let rest = text.get(self.count..).unwrap_or_default();
        let both = rest.len().min(have.len());
        if rest.get(..both) != have.get(..both) {
            return Some(false);
        }
        self.take(both);
        (both == rest.len()).then_some(true)
    }

    const fn take(&mut self, bytes: usize) {
        self.at += bytes as u64;
        self.count += bytes;
    }
}

impl Shape {
    /// Whether what is before a keyword fits; `before` is all or the last [`MAX_BEFORE`](super::shape::MAX_BEFORE) bytes and more.
    pub(super) fn fits_after(&self, mut before: &[u8]) -> bool {
        self.before.iter().all(|one| match one {
            Before::Not(class) => before.last().is_none_or(|byte| !class.has(*byte)) || ends_with_escape(before),
            Before::Is(class) => before.last().is_none_or(|byte| class.has(*byte)),
            Before::Run { class, min, max } => {
                let taken = before.iter().rev().take(usize::from(*max)).take_while(|byte| class.has(**byte)).count();
                before = before.get(..before.len() - taken).unwrap_or_default();
                taken >= usize::from(*min)
            }
        })
    }
}

/// Whether bytes that look like a word are the end of an escape: `\n`, `%3D`, `\u0022`, or a colour of a terminal.
fn ends_with_escape(before: &[u8]) -> bool {
    match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] | [.., b'\\', b'u', b'0', b'0', high, low] => HEX.has(*high) && HEX.has(*low),
        [rest @ .., b'm'] => {
            let numbers = rest.iter().rev().take(16).take_while(|byte| DIGIT.has(**byte) || **byte == b';').count();
            rest.get(..rest.len() - numbers).is_some_and(|rest| rest.ends_with(b"\x1b["))
        }
        _ => false,
    }
}

/// The word before an offset and what follows it up to another: the key that a value is assigned to.
pub(super) fn key_around<'a>(window: &Window<'a>, start: u64, end: u64) -> &'a [u8] {
    let before = window.until(start);
    let word = before.iter().rev().take(24).take_while(|byte| WORD.has(**byte) || **byte == b'-').count();
    window.slice(start - word as u64, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matched(shape: &Shape, text: &[u8], keyword_len: usize) -> Step {
        Candidate::new(0, 0, keyword_len, shape.with_keyword)
            .advance(shape, Window { bytes: text, base: 0, is_last: true })
    }

    #[test]
    fn shapes_match_as_they_say() {
        let shape = Shape::parse("( @ digit{2,3} '-' hex{2} ) $word").unwrap();
        for (text, expected) in [
            ("k12-ab", Step::Matched { start: 0, end: 6 }),
            ("k123-ab.", Step::Matched { start: 0, end: 7 }),
            ("k1-ab", Step::Failed),
            ("k1234-ab", Step::Failed),
            ("k12-abc", Step::Failed),
            ("k12-a", Step::Failed),
            ("k12", Step::Failed),
        ] {
            assert_eq!(matched(&shape, text.as_bytes(), 1), expected, "{text}");
        }
        let shape = Shape::parse("@ = ( b62{3,*} )").unwrap();
        assert_eq!(matched(&shape, b"key\": \"abcdef", 3), Step::Endless { start: 7, end: 10 });
        assert_eq!(matched(&shape, b"key  \"abcdef", 3), Step::Failed);
    }

    #[test]
    fn boundaries_know_escapes() {
        let shape = Shape::parse("^word ( @ )").unwrap();
        for before in ["", " ", "x.", "\\n", "\\t", "%3D", "\\u0022", "\x1b[1;31m", "-"] {
            assert!(shape.fits_after(before.as_bytes()), "{before}");
        }
        for before in ["n", "_", "%3Dx", "[31m", "\\q"] {
            assert!(!shape.fits_after(before.as_bytes()), "{before}");
        }
        let shape = Shape::parse("^digit digit{2,3} ( @ )").unwrap();
        assert!(shape.fits_after(b"a12") && shape.fits_after(b"123"));
        assert!(!shape.fits_after(b"1") && !shape.fits_after(b"1234"));
    }

    proptest! {
        #[test]
        fn resuming_changes_nothing(text in "k[0-9:=\" ab-]{0,20}", cuts in proptest::collection::vec(1usize..5, 1..8)) {
            let shapes = ["( @ digit{1,3} '-' hex{2} ) $word", "@ = ( word{2,6} ) >end", "@ digit{0,2} ( ':' hex{1,*} )"];
            for shape in shapes.map(|shape| Shape::parse(shape).unwrap()) {
                let expected = matched(&shape, text.as_bytes(), 1);
                let mut candidate = Candidate::new(0, 0, 1, shape.with_keyword);
                let mut len = 1;
                let mut steps = cuts.iter().cycle();
                let found = loop {
                    let window = Window { bytes: text.as_bytes().get(..len).unwrap(), base: 0, is_last: len == text.len() };
                    match candidate.advance(&shape, window) {
                        Step::Waiting => len = (len + steps.next().unwrap()).min(text.len()),
                        step => break step,
                    }
                };
                prop_assert_eq!(found, expected);
            }
        }
    }
}
