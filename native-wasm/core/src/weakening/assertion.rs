use super::rank::Rank;
use super::source::Source;
use crate::lex::TokenKind;
use core::ops::Range;

/// Something that makes a test fail.
#[derive(Clone, Debug)]
pub(super) struct Assertion {
    /// The scope that holds it.
    pub(super) scope: usize,
    /// All its tokens.
    pub(super) whole: Range<usize>,
    /// What is looked at.
    pub(super) subject: Range<usize>,
    /// What it is compared with: the matcher's arguments. Empty where there is nothing.
    pub(super) expected: Range<usize>,
    /// The name of the matcher in lower case, without `_`.
    pub(super) matcher: Vec<u8>,
    /// How much it demands; `None` for a helper, of which that is not known.
    pub(super) rank: Option<Rank>,
    /// Whether it is in a loop within its scope.
    pub(super) looped: bool,
}

impl Assertion {
    pub(super) fn is_helper(&self) -> bool {
        self.rank.is_none()
    }
}

/// A name in lower case, without `_`.
pub(super) fn normal(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|byte| **byte != b'_').map(u8::to_ascii_lowercase).collect()
}

/// Whether a function of this name most likely asserts something.
pub(super) fn sounds_like_assertion(name: &[u8]) -> bool {
    let boundary = |rest: &[u8]| rest.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    [&b"assert"[..], b"expect", b"check", b"verify", b"ensure", b"validate", b"require", b"must"].iter().any(|prefix| {
        name.strip_prefix(*prefix).is_some_and(boundary) || upper_first(name, prefix).is_some_and(boundary)
    })
}

/// Whether a function of this name most likely makes something ready, and asserts only that this went well.
pub(super) fn sounds_like_setup(name: &[u8]) -> bool {
    let name = normal(name);
    let verbs: [&[u8]; 25] = [
        b"new",
        b"make",
        b"start",
        b"setup",
        b"open",
        b"close",
        b"read",
        b"write",
        b"get",
        b"create",
        b"with",
        b"init",
        b"build",
        b"load",
        b"dial",
        b"run",
        b"do",
        b"mock",
        b"fake",
        b"render",
        b"parse",
        b"serve",
        b"stop",
        b"send",
        b"teardown",
    ];
    verbs.iter().any(|verb| name.starts_with(verb))
}

fn upper_first<'n>(name: &'n [u8], prefix: &[u8]) -> Option<&'n [u8]> {
    let (first, rest) = name.split_first()?;
    let (expected, tail) = prefix.split_first()?;
    if *first == expected.to_ascii_uppercase() { rest.strip_prefix(tail) } else { None }
}

/// Whether a token is a literal: a string, number, or a word that stands for a value.
pub(super) fn is_literal(source: &Source<'_>, at: usize) -> bool {
    match source.kind(at) {
        Some(TokenKind::String | TokenKind::Number | TokenKind::Regex) => true,
        Some(TokenKind::Word) => is_constant(source.text(at)),
        _ => false,
    }
}

/// Whether a word is a truth value or stands for nothing.
pub(super) fn is_constant(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"True" | b"False" | b"null" | b"None" | b"nil" | b"undefined")
}

/// Whether a range is one literal or a structure of literals.
pub(super) fn is_all_literal(source: &Source<'_>, range: &Range<usize>) -> bool {
    let range = range.start..range.end.min(range.start + 512);
    range.clone().any(|at| is_literal(source, at))
        && range.clone().all(|at| {
            is_literal(source, at)
                || matches!(source.text(at), b"[" | b"]" | b"{" | b"}" | b"," | b":" | b"-" | b"(" | b")")
                || (source.is_word(at) && matches!(source.text(at + 1), b":" | b"="))
        })
}
