use super::error::SearchError;
use crate::Limit;

/// Says which files are searched. Closures are filters too, and so is whatever knows more about paths than [`Paths`] does.
pub trait PathFilter {
    /// Whether the file with such a path is searched.
    fn accepts(&self, path: &[u8]) -> bool;
}

impl<F: Fn(&[u8]) -> bool> PathFilter for F {
    fn accepts(&self, path: &[u8]) -> bool {
        self(path)
    }
}

/// The filter that lets all files through.
pub const fn everywhere(_path: &[u8]) -> bool {
    true
}

/// Files that match one of some wildcards, if there are any, and none of others.
///
/// ```
/// use millwright_core::search::{PathFilter, Paths, Wildcard};
/// let paths = Paths { only: vec![Wildcard::new(b"src/**/*.rs")?], not: vec![Wildcard::new(b"*_test.rs")?] };
/// assert!(paths.accepts(b"src/a/b.rs"));
/// assert!(!paths.accepts(b"src/a/b_test.rs"));
/// assert!(!paths.accepts(b"build.rs"));
/// # Ok::<(), millwright_core::search::SearchError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// One of these must match; with none, all files do.
    pub only: Vec<Wildcard>,
    /// None of these may match.
    pub not: Vec<Wildcard>,
}

impl PathFilter for Paths {
    fn accepts(&self, path: &[u8]) -> bool {
        let any = |wildcards: &[Wildcard]| wildcards.iter().any(|wildcard| wildcard.matches(path));
        (self.only.is_empty() || any(&self.only)) && !any(&self.not)
    }
}

/// A pattern for paths: `?` is any byte but `/`, `*` any number of those, `**` any bytes, `**/` any number of whole folders, none too.
/// A pattern that ends with `/` matches what is below; one that holds no `/` before that is matched in any folder, like `**/` and it.
#[derive(Clone, Debug)]
pub struct Wildcard {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Any,
    AnyDeep,
    /// Nothing, or something that ends with `/`.
    Folders,
}

/// Longer wildcards are not taken, in bytes.
const MAX_WILDCARD_BYTES: usize = 1024;

impl Wildcard {
    /// Makes a pattern ready.
    ///
    /// # Errors
    /// [`SearchError::Empty`], [`Limit::Size`] when it is longer than 1 KiB.
    pub fn new(pattern: &[u8]) -> Result<Self, SearchError> {
        let (last, init) = pattern.split_last().ok_or(SearchError::Empty)?;
        if pattern.len() > MAX_WILDCARD_BYTES {
            return Err(Limit::Size { actual: pattern.len() as u64, max: MAX_WILDCARD_BYTES as u64 }.into());
        }
        let mut tokens = Vec::new();
        if !init.contains(&b'/') {
            tokens.push(Token::Folders);
        }
        let mut rest = pattern;
        loop {
            let at_start = tokens.last().is_none_or(|token| matches!(token, Token::Folders | Token::Byte(b'/')));
            let token;
            (token, rest) = match rest {
                [b'*', b'*', b'/', rest @ ..] if at_start => (Token::Folders, rest),
                [b'*', b'*', rest @ ..] => (Token::AnyDeep, rest),
                [b'*', rest @ ..] => (Token::Any, rest),
                [b'?', rest @ ..] => (Token::One, rest),
                [byte, rest @ ..] => (Token::Byte(*byte), rest),
                [] => break,
            };
            // Two of the same say no more than one, and cost twice the work.
            let repeats = !matches!(token, Token::Byte(_) | Token::One) && tokens.last() == Some(&token);
            if !repeats {
                tokens.push(token);
            }
        }
        if *last == b'/' {
            tokens.push(Token::AnyDeep);
        }
        Ok(Self { tokens })
    }

    /// Whether it matches a whole path. The work is the product of both lengths at most.
    pub fn matches(&self, path: &[u8]) -> bool {
        // reached[n]: the bytes up to here can be what the first n tokens match.
        let mut reached = vec![false; self.tokens.len() + 1];
        let mut next = reached.clone();
        self.arrive(&mut reached, 0);
        for byte in path {
            next.fill(false);
            for (nth, token) in self.tokens.iter().enumerate() {
                if reached.get(nth) != Some(&true) {
                    continue;
                }
                match token {
                    Token::Byte(expected) if expected == byte => self.arrive(&mut next, nth + 1),
                    Token::One if *byte != b'/' => self.arrive(&mut next, nth + 1),
                    Token::Any if *byte != b'/' => self.arrive(&mut next, nth),
                    Token::AnyDeep => self.arrive(&mut next, nth),
                    Token::Folders if *byte == b'/' => self.arrive(&mut next, nth),
                    // Within the name of a folder, there is no way on.
                    Token::Folders => next.iter_mut().skip(nth).take(1).for_each(|slot| *slot = true),
                    _ => {}
                }
            }
            core::mem::swap(&mut reached, &mut next);
        }
        reached.last() == Some(&true)
    }

    /// Marks a number of tokens as matched, and those behind that can match nothing.
    fn arrive(&self, reached: &mut [bool], tokens: usize) {
        for (nth, slot) in reached.iter_mut().enumerate().skip(tokens) {
            *slot = true;
            if !matches!(self.tokens.get(nth), Some(Token::Any | Token::AnyDeep | Token::Folders)) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, accepted, refused) in [
            ("*.rs", &["a.rs", "x/y/.rs"][..], &["a.rsx", "a.rs/b", "rs"][..]),
            ("src/*.rs", &["src/a.rs"], &["src/a/b.rs", "x/src/a.rs"]),
            ("src/**/*.rs", &["src/a.rs", "src/a/b.rs", "src/a/b/c.rs"], &["src.rs", "srcs/a.rs", "src/a.r"]),
            ("**/test/**", &["test/a", "a/test/b/c"], &["test", "latest/a", "a/tests/b"]),
            ("docs/", &["docs/a", "x/docs/a/b"], &["docs", "mydocs/a"]),
            ("a/b/", &["a/b/c"], &["x/a/b/c"]),
            ("a?c", &["abc", "x/a.c"], &["ac", "a/c", "abbc"]),
            ("a**z", &["a/b/z", "az"], &["a/b/zy"]),
            ("a/**b", &["a/b", "a/x/yb"], &["ab"]),
            ("**", &["", "a", "a/b"], &[]),
            ("\u{e9}*", &["\u{e9}t\u{e9}"], &["ete"]),
        ] {
            let wildcard = Wildcard::new(pattern.as_bytes()).unwrap();
            for path in accepted {
                assert!(wildcard.matches(path.as_bytes()), "{pattern} {path}");
            }
            for path in refused {
                assert!(!wildcard.matches(path.as_bytes()), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn must_say_something_short() {
        assert_eq!(Wildcard::new(b"").err(), Some(SearchError::Empty));
        assert!(Wildcard::new(&[b'a'; 1024]).is_ok());
        let max = Limit::Size { actual: 1025, max: 1024 };
        assert_eq!(Wildcard::new(&[b'a'; 1025]).err(), Some(SearchError::Limit(max)));
    }

    #[test]
    fn many_stars_are_no_burden() {
        let wildcard = Wildcard::new("*a".repeat(500).as_bytes()).unwrap();
        assert!(!wildcard.matches(&[b'a'; 499]));
        assert!(wildcard.matches(&[b'a'; 500]));
    }
}
