use super::prefilter::{Keyword, MAX_KEYWORD, MIN_KEYWORD};
use super::shape::{Element, MAX_SEPARATOR, Shape};
use super::validate::Validator;
use crate::sort;
use core::fmt;

/// How sure and how bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It has the shape of a secret, but a check failed, or it is in a fixture.
    Suspect,
    /// Most likely a secret, of a shape that other things have too; or one for tests.
    Medium,
    /// A secret of a known kind.
    High,
}

impl Severity {
    pub(super) const fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Suspect => Self::Suspect,
        }
    }
}

/// What there is to tell about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo<'a> {
    /// Its name, which findings give.
    pub id: &'a str,
    /// What it finds, in words.
    pub description: &'a str,
    /// Of its findings; none when the rule is only for redaction.
    pub severity: Option<Severity>,
}

/// Rules, parsed and compiled.
pub struct Rules {
    pub(super) rules: Vec<Rule>,
}

pub(super) struct Rule {
    pub(super) id: Box<str>,
    pub(super) description: Box<str>,
    pub(super) severity: Option<Severity>,
    pub(super) keywords: Vec<Box<[u8]>>,
    pub(super) shape: Shape,
    pub(super) validator: Validator,
    pub(super) min_centibits: u32,
}

/// How far a validator may look back from a secret; the redactor keeps so much of what it has given out.
pub(super) const MAX_KEY: usize = 192;

/// A rule file that is none: which line, and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The line of the file, from 1 on.
    pub line: u32,
    /// What is wrong with it.
    pub kind: RuleErrorKind,
}

/// What is wrong with a line of a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleErrorKind {
    /// It has another number of columns than nine.
    Columns {
        /// How many it has.
        actual: usize,
    },
    /// The severity is no `high`, `medium` or `redact`.
    Severity,
    /// A keyword is too short or too long.
    Keyword,
    /// The shape; the words say what is wrong with it.
    Shape(&'static str),
    /// There is no validator of that name.
    Validator,
    /// The minimal entropy is no number of bits such as `3.5`.
    Entropy,
    /// The key before the secret can be longer than validators look back.
    Key,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.kind {
            RuleErrorKind::Columns { actual } => {
                write!(f, "has {actual} columns, while a rule has nine: separate them with one tab each")
            }
            RuleErrorKind::Severity => f.write_str("the severity is not known: give high, medium or redact"),
            RuleErrorKind::Keyword => {
                write!(f, "a keyword is too short or too long: give it {MIN_KEYWORD} to {MAX_KEYWORD} bytes")
            }
            RuleErrorKind::Shape(fault) => write!(f, "the shape {fault}"),
            RuleErrorKind::Validator => f.write_str("the validator is not known: give one of validate.rs, or `-`"),
            RuleErrorKind::Entropy => {
                f.write_str("the minimal entropy is no number: give bits per byte with one decimal, such as 3.5")
            }
            RuleErrorKind::Key => {
                write!(f, "the key before the secret can be too long: lower the counts, to {MAX_KEY} bytes together")
            }
        }
    }
}

impl core::error::Error for RuleError {}

impl Rules {
    /// The rules that come with the crate.
    ///
    /// # Errors
    /// [`RuleError`] as for any rules; a test checks that there is none.
    pub fn built_in() -> Result<Self, RuleError> {
        Self::parse(include_str!("../../rules/secrets.tsv"))
    }

    /// Parses rules, one a line, of nine columns with one tab between them; lines that are empty or begin with `#` are none.
    ///
    /// Columns: name; severity (`high`, `medium`, or `redact` when it is not to be reported); keywords with `|` between them, each with `~` before it
    /// for lower, upper and title case; shape; validator; minimal entropy in bits per byte; description; an example of what it finds; one of what it does not.
    ///
    /// # Errors
    /// [`RuleError`] for the first line that is no rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for (text, line) in text.lines().zip(1..) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            rules.push(Rule::parse(text).map_err(|kind| RuleError { line, kind })?);
        }
        Ok(Self { rules })
    }

    /// What there is to tell about the rules, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RuleInfo<'_>> {
        self.rules.iter().map(|rule| RuleInfo { id: &rule.id, description: &rule.description, severity: rule.severity })
    }

    pub(super) fn keywords(&self) -> Vec<Keyword> {
        let of = |(rule, target): (&Rule, u32)| -> Vec<Keyword> {
            rule.keywords.iter().map(|text| Keyword { text: text.clone(), target }).collect()
        };
        self.rules.iter().zip(0..).flat_map(of).collect()
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Self, RuleErrorKind> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, severity, keywords, shape, validator, entropy, description, _, _] = columns.as_slice() else {
            return Err(RuleErrorKind::Columns { actual: columns.len() });
        };
        let severity = match *severity {
            "high" => Some(Severity::High),
            "medium" => Some(Severity::Medium),
            "redact" => None,
            _ => return Err(RuleErrorKind::Severity),
        };
        let mut texts: Vec<Box<[u8]>> = keywords.split('|').flat_map(cases).collect();
        sort::unstable(&mut texts);
        texts.dedup();
        if texts.iter().any(|text| !(MIN_KEYWORD..=MAX_KEYWORD).contains(&text.len())) {
            return Err(RuleErrorKind::Keyword);
        }
        let rule = Self {
            id: (*id).into(),
            description: (*description).into(),
            severity,
            keywords: texts,
            shape: Shape::parse(shape).map_err(RuleErrorKind::Shape)?,
            validator: Validator::named(validator).ok_or(RuleErrorKind::Validator)?,
            min_centibits: centibits(entropy).ok_or(RuleErrorKind::Entropy)?,
        };
        if rule.validator == Validator::Assignment && rule.longest_key() > MAX_KEY {
            return Err(RuleErrorKind::Key);
        }
        Ok(rule)
    }

    fn longest_key(&self) -> usize {
        let before = self.shape.after.iter().take_while(|one| **one != Element::Open);
        let lens = before.map(|one| match one {
            Element::Literal(text) => text.len(),
            Element::Run { max, .. } => usize::from(*max),
            Element::Separator => MAX_SEPARATOR,
            _ => 0,
        });
        MAX_KEYWORD + lens.sum::<usize>()
    }
}

fn cases(keyword: &str) -> Vec<Box<[u8]>> {
    let Some(word) = keyword.strip_prefix('~') else { return vec![keyword.as_bytes().into()] };
    let mut title = word.to_ascii_lowercase();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    [word.to_ascii_lowercase(), word.to_ascii_uppercase(), title].map(|text| text.into_bytes().into()).into()
}

fn centibits(text: &str) -> Option<u32> {
    let (bits, tenths) = text.split_once('.').unwrap_or((text, "0"));
    let (bits, tenths) = (bits.parse::<u32>().ok()?, tenths.parse::<u32>().ok()?);
    (bits <= 8 && tenths <= 9).then_some(bits * 100 + tenths * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_rules() {
        let rules = Rules::built_in().unwrap_or_else(|error| panic!("{error}"));
        let mut ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
        assert!(ids.len() > 100);
        ids.sort_unstable();
        assert!(ids.array_windows().all(|[a, b]| a != b), "two rules have one name");
    }

    #[test]
    fn says_what_is_wrong_with_a_line() {
        let line = |text: &str| Rules::parse(&format!("# comment\n\n{text}")).err().unwrap().to_string();
        for (text, expected) in [
            ("a\tb", "line 3: has 2 columns, while a rule has nine: separate them with one tab each"),
            ("a\tlow\tabc\t( @ )\t-\t0\td\tp\tn", "line 3: the severity is not known: give high, medium or redact"),
            ("a\thigh\tab\t( @ )\t-\t0\td\tp\tn", "line 3: a keyword is too short or too long: give it 3 to 48 bytes"),
            ("a\thigh\tabc\tb62{3}\t-\t0\td\tp\tn", "line 3: the shape has no keyword: say with `@` where it is"),
            (
                "a\thigh\tabc\t( @ )\tcrc\t0\td\tp\tn",
                "line 3: the validator is not known: give one of validate.rs, or `-`",
            ),
            (
                "a\thigh\tabc\t( @ )\t-\tx\td\tp\tn",
                "line 3: the minimal entropy is no number: give bits per byte with one decimal, such as 3.5",
            ),
            (
                "a\thigh\tabc\t@ word{0,200} ( b62{3} )\tassignment\t0\td\tp\tn",
                "line 3: the key before the secret can be too long: lower the counts, to 192 bytes together",
            ),
        ] {
            assert_eq!(line(text), expected);
        }
    }

    #[test]
    fn keywords_in_their_cases() {
        let rules = Rules::parse("a\tmedium\t~api_key|tOk\t( @ )\t-\t2.5\td\tp\tn").unwrap();
        let mut texts: Vec<String> =
            rules.keywords().iter().map(|keyword| String::from_utf8(keyword.text.to_vec()).unwrap()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["API_KEY", "Api_key", "api_key", "tOk"]);
        assert_eq!(rules.rules[0].min_centibits, 250);
    }
}
