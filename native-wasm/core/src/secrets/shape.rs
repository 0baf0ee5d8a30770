//! The language of shapes: what a secret looks like around its keyword. No regex: a sequence of elements, each of which takes as much as it can and
//! never gives back, so that a match needs one pass over its bytes and can be resumed at any of them.

use super::MAX_HELD_BYTES;
use super::class::Class;
use super::prefilter::MAX_KEYWORD;

/// One step of a shape.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// `'text'`: these bytes.
    Literal(Box<[u8]>),
    /// `class{n}`, `class{n,m}`: so many bytes of a class.
    Run { class: &'static Class, min: u16, max: u16 },
    /// `class{n,*}`: so many and any number more. Matched as soon as there are `n`.
    Endless { class: &'static Class, min: u16 },
    /// `=`: what stands between a key and its value, at least one operator in it.
    Separator,
    /// `$class`: no byte of the class follows.
    NotFollowed(&'static Class),
    /// `>class`: a byte of the class follows, or nothing.
    Followed(&'static Class),
    /// `(`: the secret begins.
    Open,
    /// `)`: the secret ends.
    Close,
    /// `pem`: the body of a key up to its END line. Matched as soon as it begins.
    Pem,
}

/// What has to be before the keyword, from there backwards.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Before {
    /// `class{n,m}`.
    Run { class: &'static Class, min: u16, max: u16 },
    /// `^class`: no byte of the class precedes.
    Not(&'static Class),
    /// `<class`: a byte of the class precedes, or nothing.
    Is(&'static Class),
}

/// A compiled shape.
pub(super) struct Shape {
    pub(super) before: Vec<Before>,
    /// Whether the keyword is part of the secret.
    pub(super) with_keyword: bool,
    /// What follows the keyword.
    pub(super) after: Vec<Element>,
}

/// The longest separator, so that a page of blanks is none.
pub(super) const MAX_SEPARATOR: usize = 24;
/// How far before a keyword a shape may look; the redactor keeps so much of what it has given out.
pub(super) const MAX_BEFORE: usize = 64;

/// What is wrong with a shape.
pub(super) type Fault = &'static str;

impl Shape {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut shape = Self { before: Vec::new(), with_keyword: false, after: Vec::new() };
        let mut has_keyword = false;
        for token in text.split_ascii_whitespace() {
            if token == "@" {
                if has_keyword {
                    return Err("has two keywords `@`: keep one");
                }
                has_keyword = true;
            } else if has_keyword {
                shape.after.push(element(token)?);
            } else if token == "(" {
                shape.with_keyword = true;
            } else if shape.with_keyword {
                return Err("has something between `(` and `@`: put it before `(`");
            } else {
                shape.before.push(before(token)?);
            }
        }
        shape.before.reverse();
        shape.check(has_keyword)?;
        Ok(shape)
    }

    fn check(&self, has_keyword: bool) -> Result<(), Fault> {
        if !has_keyword {
            return Err("has no keyword: say with `@` where it is");
        }
        let opened = usize::from(self.with_keyword) + self.after.iter().filter(|one| **one == Element::Open).count();
        let closed = self.after.iter().filter(|one| **one == Element::Close).count();
        if opened != 1 || closed != 1 {
            return Err("does not mark one secret: put `(` and `)` around it");
        }
        let open = self.after.iter().position(|one| *one == Element::Open).unwrap_or(0);
        let Some(close) = self.after.iter().position(|one| *one == Element::Close).filter(|close| open <= *close)
        else {
            return Err("closes the secret before it opens it: swap `(` and `)`");
        };
        let has_more =
            |from: usize| self.after.get(from..).is_some_and(|rest| rest.iter().any(|one| *one != Element::Close));
        for (at, one) in self.after.iter().enumerate() {
            let endless = matches!(one, Element::Endless { .. } | Element::Pem);
            if endless && (at > close || has_more(at + 1)) {
                return Err("goes on after an element without end: move that to the end of the secret");
            }
        }
        if MAX_KEYWORD + self.after.iter().skip(open).map(longest).sum::<usize>() > MAX_HELD_BYTES {
            return Err("can be longer than what is held back: lower the counts");
        }
        let back: usize =
            self.before.iter().map(|one| if let Before::Run { max, .. } = one { usize::from(*max) } else { 0 }).sum();
        if back > MAX_BEFORE { Err("looks too far before its keyword: lower the counts there") } else { Ok(()) }
    }
}

/// How many bytes an element needs at most until it is decided.
fn longest(element: &Element) -> usize {
    match element {
        Element::Literal(text) => text.len(),
        Element::Run { max, .. } => usize::from(*max),
        Element::Endless { min, .. } => usize::from(*min),
        Element::Separator => MAX_SEPARATOR,
        Element::NotFollowed(_) | Element::Followed(_) => 1,
        Element::Open | Element::Close | Element::Pem => 0,
    }
}

fn before(token: &str) -> Result<Before, Fault> {
    if let Some(name) = token.strip_prefix('^') {
        return Ok(Before::Not(named(name)?));
    }
    if let Some(name) = token.strip_prefix('<') {
        return Ok(Before::Is(named(name)?));
    }
    match run(token)? {
        Element::Run { class, min, max } => Ok(Before::Run { class, min, max }),
        _ => Err("has a run without end before its keyword: give it a maximum"),
    }
}

fn element(token: &str) -> Result<Element, Fault> {
    match token {
        "(" => return Ok(Element::Open),
        ")" => return Ok(Element::Close),
        "=" => return Ok(Element::Separator),
        "pem" => return Ok(Element::Pem),
        _ => {}
    }
    if let Some(name) = token.strip_prefix('$') {
        return Ok(Element::NotFollowed(named(name)?));
    }
    if let Some(name) = token.strip_prefix('>') {
        return Ok(Element::Followed(named(name)?));
    }
    if let Some(text) = token.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Ok(Element::Literal(text.as_bytes().into()));
    }
    run(token)
}

fn run(token: &str) -> Result<Element, Fault> {
    let Some((name, counts)) = token.strip_suffix('}').and_then(|rest| rest.split_once('{')) else {
        return Err(
            "has an element that is none: use a 'literal', class{n}, class{n,m}, class{n,*}, ^ < $ > with a class, = or pem",
        );
    };
    let class = named(name)?;
    let number =
        |text: &str| text.parse::<u16>().map_err(|_| "has a count that is no number up to 65535: write class{n,m}");
    let Some((min, max)) = counts.split_once(',') else {
        let exact = number(counts)?;
        return Ok(Element::Run { class, min: exact, max: exact });
    };
    let min = number(min)?;
    if max == "*" {
        return Ok(Element::Endless { class, min });
    }
    let max = number(max)?;
    if max < min { Err("has a maximum below its minimum: swap them") } else { Ok(Element::Run { class, min, max }) }
}

fn named(name: &str) -> Result<&'static Class, Fault> {
    Class::named(name).ok_or("names a class that does not exist: use one of class.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_in_order() {
        let shape = Shape::parse("^word digit{2,4} ( @ b62{36} '.' hex{4,*} )").unwrap();
        assert!(shape.with_keyword);
        assert!(matches!(shape.before.as_slice(), [Before::Run { min: 2, max: 4, .. }, Before::Not(_)]));
        assert!(matches!(
            shape.after.as_slice(),
            [
                Element::Run { min: 36, max: 36, .. },
                Element::Literal(_),
                Element::Endless { min: 4, .. },
                Element::Close
            ]
        ));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("b62{3}", "no keyword"),
            ("( @ @ )", "two keywords"),
            ("@ b62{3}", "mark one secret"),
            ("@ ( b62{3}", "mark one secret"),
            ("@ ) b62{3} (", "closes the secret"),
            ("( ^word @ )", "between"),
            ("( @ b62{3,*} b62{2} )", "goes on"),
            ("( @ ) b62{3,*}", "goes on"),
            ("( @ b99{3} )", "class that does not exist"),
            ("( @ b62{3,2} )", "below its minimum"),
            ("( @ b62{x} )", "no number"),
            ("( @ b62 )", "element that is none"),
            ("( @ b62{1,9000} b64{1,9000} )", "longer than"),
            ("b62{1,90} ( @ )", "too far"),
            ("b62{1,*} ( @ )", "without end before"),
        ] {
            let fault = Shape::parse(text).err().unwrap();
            assert!(fault.contains(part), "{text}: {fault}");
        }
    }
}
