//! From a regex to the formula of what its matches hold. Each part of the regex is known by all strings it matches when those are few, or
//! else by how its matches begin and end; after Russ Cox, "Regular Expression Matching with a Trigram Index".

use super::formula::Formula;
use super::strings::{Strings, are_few, first, last, product, sorted, trimmed};
use super::trigrams;
use regex_syntax::hir::{self, Class, Hir, HirKind, Visitor};

/// A class of more characters is any character.
const MAX_CLASS: u32 = 64;
/// A repetition is written out so many times.
const MAX_WRITTEN_OUT: u32 = 3;

/// What is known of the matches of a part.
#[derive(Clone, Debug)]
enum Info {
    /// All of them.
    Exact(Strings),
    /// One of the strings that each begins with, one that it ends with, and what else it holds.
    Inexact { prefix: Strings, suffix: Strings, formula: Formula },
}

/// The formula of a regex.
pub fn formula(hir: &Hir) -> Formula {
    let info = match hir::visit(hir, Extract { infos: Vec::new() }) {
        Ok(info) => info,
        Err(never) => match never {},
    };
    match info {
        Info::Exact(strings) => {
            let mut formula = Formula::default();
            formula.require(&strings);
            formula
        }
        Info::Inexact { prefix, suffix, mut formula } => {
            formula.require(&prefix);
            formula.require(&suffix);
            formula
        }
    }
}

/// Walks the regex with a stack of its own: a part is looked at when its parts have been.
struct Extract {
    infos: Vec<Info>,
}

impl Visitor for Extract {
    type Output = Info;
    type Err = core::convert::Infallible;

    fn finish(mut self) -> Result<Info, Self::Err> {
        Ok(self.infos.pop().unwrap_or_else(Info::anything))
    }

    fn visit_post(&mut self, hir: &Hir) -> Result<(), Self::Err> {
        let info = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Info::empty(),
            HirKind::Literal(literal) => Info::Exact(vec![classes_of(&literal.0)]),
            HirKind::Class(class) => of_class(class),
            HirKind::Capture(_) => return Ok(()),
            HirKind::Repetition(repetition) => {
                let part = self.infos.pop().unwrap_or_else(Info::anything);
                repeat(&part, repetition.min, repetition.max)
            }
            HirKind::Concat(parts) => {
                let parts = self.infos.split_off(self.infos.len().saturating_sub(parts.len()));
                parts.into_iter().fold(Info::empty(), Info::then)
            }
            HirKind::Alternation(parts) => {
                let parts = self.infos.split_off(self.infos.len().saturating_sub(parts.len()));
                parts.into_iter().reduce(Info::or).unwrap_or_else(Info::anything)
            }
        };
        self.infos.push(info);
        Ok(())
    }
}

impl Info {
    fn empty() -> Self {
        Self::Exact(vec![Vec::new()])
    }

    fn anything() -> Self {
        Self::Inexact { prefix: vec![Vec::new()], suffix: vec![Vec::new()], formula: Formula::default() }
    }

    /// The edges of the matches, and what else they hold.
    fn into_inexact(self) -> (Strings, Strings, Formula) {
        match self {
            Self::Inexact { prefix, suffix, formula } => (prefix, suffix, formula),
            Self::Exact(strings) => {
                let mut formula = Formula::default();
                formula.require(&strings);
                (trimmed(&strings, first), trimmed(&strings, last), formula)
            }
        }
    }

    /// What is known of this followed by that.
    fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Exact(left), Self::Exact(right)) => match product(&left, &right) {
                Some(strings) => Self::Exact(strings),
                None => join(Self::Exact(left), Self::Exact(right)),
            },
            (Self::Exact(left), Self::Inexact { prefix, suffix, formula }) => match product(&left, &prefix) {
                Some(strings) => {
                    let (prefix, _, mut joined) = Self::Exact(strings).into_inexact();
                    joined.and(&formula);
                    Self::Inexact { prefix, suffix, formula: joined }
                }
                None => join(Self::Exact(left), Self::Inexact { prefix, suffix, formula }),
            },
            (Self::Inexact { prefix, suffix, mut formula }, Self::Exact(right)) => match product(&suffix, &right) {
                Some(strings) => {
                    let (_, suffix, joined) = Self::Exact(strings).into_inexact();
                    formula.and(&joined);
                    Self::Inexact { prefix, suffix, formula }
                }
                None => join(Self::Inexact { prefix, suffix, formula }, Self::Exact(right)),
            },
            (left, right) => join(left, right),
        }
    }

    /// What is known of this or that.
    fn or(self, other: Self) -> Self {
        if let (Self::Exact(left), Self::Exact(right)) = (&self, &other) {
            let strings = sorted([&left[..], right].concat());
            if are_few(&strings) {
                return Self::Exact(strings);
            }
        }
        let (left_prefix, left_suffix, left) = self.into_inexact();
        let (right_prefix, right_suffix, right) = other.into_inexact();
        Self::Inexact {
            prefix: trimmed(&[left_prefix, right_prefix].concat(), first),
            suffix: trimmed(&[left_suffix, right_suffix].concat(), last),
            formula: left.or(&right),
        }
    }
}

/// What is known of one followed by the other, by their edges.
fn join(left: Info, right: Info) -> Info {
    let (prefix, left_suffix, mut formula) = left.into_inexact();
    let (right_prefix, suffix, right) = right.into_inexact();
    formula.and(&right);
    if let Some(strings) = product(&left_suffix, &right_prefix) {
        formula.require(&strings);
    }
    Info::Inexact { prefix, suffix, formula }
}

fn repeat(part: &Info, min: u32, max: Option<u32>) -> Info {
    match (min, max) {
        (0, Some(0)) => Info::empty(),
        (0, Some(1)) => part.clone().or(Info::empty()),
        (0, _) => Info::anything(),
        _ => {
            let times = min.min(MAX_WRITTEN_OUT);
            let whole = (0..times).fold(Info::empty(), |whole, _| whole.then(part.clone()));
            if max == Some(times) {
                return whole;
            }
            // Whatever comes between, it begins and ends like what is written out.
            let (prefix, suffix, formula) = whole.into_inexact();
            Info::Inexact { prefix, suffix, formula }
        }
    }
}

fn of_class(class: &Class) -> Info {
    let mut strings = Vec::new();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                strings.extend((range.start()..=range.end()).map(|byte| classes_of(&[byte])));
            }
        }
        Class::Unicode(class) => {
            let mut left = MAX_CLASS;
            for range in class.ranges() {
                let count = (range.start()..=range.end()).take(MAX_CLASS as usize + 1).count() as u32;
                match left.checked_sub(count) {
                    Some(rest) => left = rest,
                    None => return Info::anything(),
                }
                strings.extend(
                    (range.start()..=range.end()).map(|char| classes_of(char.encode_utf8(&mut [0; 4]).as_bytes())),
                );
            }
        }
    }
    let strings = sorted(strings);
    if are_few(&strings) { Info::Exact(strings) } else { Info::anything() }
}

fn classes_of(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| trigrams::class(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clauses joined by spaces, the strings of each by bars, with a letter for each class as long as there is one.
    fn shown(pattern: &str) -> String {
        let letters: Vec<u8> = b"abcdefghijklmnopqrstuvwxyz0123456789_( .".to_vec();
        let letter =
            |class: &u8| letters.iter().find(|letter| trigrams::class(**letter) == *class).map_or('?', |l| *l as char);
        let formula = formula(&regex_syntax::parse(pattern).unwrap());
        let clauses = formula.clauses.iter().map(|clause| {
            clause
                .strings
                .iter()
                .map(|string| string.iter().map(letter).collect::<String>())
                .collect::<Vec<_>>()
                .join("|")
        });
        clauses.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn says_what_a_match_holds() {
        for (pattern, expected) in [
            ("hello", "hello"),
            ("ab", ""),
            (".*", ""),
            (r"\w+", ""),
            ("(?i)needed", "needed"),
            ("(abc|xyz)", "abc|xyz"),
            ("foo.*bar", "foo bar"),
            ("foo[xy]bar", "fooxbar|fooybar"),
            ("fo+bar", "obar"),
            ("(?:foo)?bar", "bar|foobar"),
            ("a(?:bc)*d", ""),
            ("a(?:bc)+d", "abc bcd"),
            ("(?:ab){2}", "abab"),
            (r"fn \w+\(", "fn "),
            ("(foo.*bar|baz.*qux)", "baz|foo foo|qux bar|baz bar|qux"),
            (r"^\bword\b$", "word"),
            ("abc|.", ""),
            ("[a-f]{9}", ""),
            (r"abc\d\ddef", "abc def"),
        ] {
            assert_eq!(shown(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn nothing_matches_an_empty_class() {
        assert_eq!(formula(&Hir::fail()).clauses.iter().map(|clause| clause.strings.len()).collect::<Vec<_>>(), [0]);
    }
}
