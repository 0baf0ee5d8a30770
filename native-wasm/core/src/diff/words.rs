use super::find::{Diff, Options};
use super::region::{self, Tokens};
use super::script::Change;
use crate::hash::Interner;
use crate::{Budget, Limit};
use core::ops::Range;

/// The words that differ within a change: ranges of bytes in the whole texts, in order, that neither touch nor split a character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What of the first text is not in the second.
    pub before: Vec<Range<u32>>,
    /// What of the second text is not in the first.
    pub after: Vec<Range<u32>>,
}

/// Bytes of both sides above which words are not compared: nobody looks at them one by one.
const MAX_BYTES: usize = 64 << 10;

/// The part of the larger side, in percent, that must stay for a reader to find what differs in it.
const MIN_COMMON: usize = 25;

impl Diff<'_> {
    /// Compares the words of a change: runs of letters and digits, runs of white space, single characters. `None` when the lines have too little
    /// in common for words to help, when they are too many, when lines are only added or removed, or when the budget is spent.
    ///
    /// ```
    /// use millwright_core::{Budget, diff::{Diff, Options}};
    /// let diff = Diff::of(b"let old = 1;\n", b"let new = 1;\n", &Options::default(), &mut Budget::default())?;
    /// let words = diff.words(&diff.changes()[0], &Options::default(), &mut Budget::default())?.unwrap();
    /// assert_eq!((words.before, words.after), (vec![4..7], vec![4..7]));
    /// # Ok::<(), millwright_core::Limit>(())
    /// ```
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room for the words.
    pub fn words(&self, change: &Change, options: &Options, budget: &mut Budget) -> Result<Option<Words>, Limit> {
        let span = |range: &Range<u32>| range.start as usize..range.end as usize;
        let (old, new) = (self.before().span(span(&change.before)), self.after().span(span(&change.after)));
        if old.is_empty() || new.is_empty() || old.len() + new.len() > MAX_BYTES {
            return Ok(None);
        }
        let (old_words, new_words) = (split(old), split(new));
        let mut interner = Interner::new(old_words.len(), options.seed)?;
        let old_tokens = intern(&mut interner, old, &old_words)?;
        let new_tokens = intern(&mut interner, new, &new_words)?;
        let tokens = Tokens { before: &old_tokens, after: &new_tokens, count: interner.len() };
        let (mut removed, mut added) = (vec![0; old_words.len()], vec![0; new_words.len()]);
        if !region::mark(&tokens, &mut removed, &mut added, budget)? {
            return Ok(None);
        }
        let kept = old_words.iter().zip(&removed).filter(|(_, mark)| **mark == 0).map(|(word, _)| word);
        let kept: usize = kept.filter(|word| !is_blank(&old[(*word).clone()])).map(Range::len).sum();
        let visible = |text: &[u8]| text.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
        if kept * 100 < visible(old).max(visible(new)) * MIN_COMMON {
            return Ok(None);
        }
        let start = |lines: &crate::Lines, line: u32| lines.range(line as usize).start;
        Ok(Some(Words {
            before: ranges(old, &old_words, &removed, start(self.before(), change.before.start)),
            after: ranges(new, &new_words, &added, start(self.after(), change.after.start)),
        }))
    }
}

/// The changed words as ranges, with the white space between two of them.
fn ranges(text: &[u8], words: &[Range<usize>], marks: &[u8], start: usize) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for word in words.iter().zip(marks).filter(|(_, mark)| **mark != 0).map(|(word, _)| word) {
        let end = (start + word.end) as u32;
        match ranges.last_mut() {
            Some(last) if is_blank(&text[last.end as usize - start..word.start]) => last.end = end,
            _ => ranges.push((start + word.start) as u32..end),
        }
    }
    ranges
}

/// Whether there is nothing, or nothing but spaces and tabs.
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

fn split(text: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let (kind, first) = kind_at(text, start);
        let mut end = start + first;
        while kind != Kind::Single && end < text.len() {
            let (next, len) = kind_at(text, end);
            if next != kind {
                break;
            }
            end += len;
        }
        words.push(start..end);
        start = end;
    }
    words
}

#[derive(PartialEq, Eq)]
enum Kind {
    Word,
    Space,
    /// A word by itself.
    Single,
}

/// What a character is, and its bytes. Those of three and four bytes stand alone: most are signs or of scripts without spaces.
fn kind_at(text: &[u8], at: usize) -> (Kind, usize) {
    let follows =
        |len: usize| text.get(at + 1..at + len).is_some_and(|rest| rest.iter().all(|byte| byte & 0xc0 == 0x80));
    match text[at] {
        b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => (Kind::Word, 1),
        b' ' | b'\t' => (Kind::Space, 1),
        0xc2..=0xdf if follows(2) => (Kind::Word, 2),
        0xe0..=0xef if follows(3) => (Kind::Single, 3),
        0xf0..=0xf4 if follows(4) => (Kind::Single, 4),
        _ => (Kind::Single, 1),
    }
}

fn intern<'a>(interner: &mut Interner<'a>, text: &'a [u8], words: &[Range<usize>]) -> Result<Vec<u32>, Limit> {
    let mut tokens = Limit::reserve(words.len())?;
    for word in words {
        tokens.push(interner.intern(&text[word.clone()])?);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn differing(before: &str, after: &str) -> Option<(Vec<String>, Vec<String>)> {
        let diff = Diff::of(before.as_bytes(), after.as_bytes(), &Options::default(), &mut Budget::default()).unwrap();
        let words = diff.words(&diff.changes()[0], &Options::default(), &mut Budget::default()).unwrap()?;
        let cut = |text: &str, ranges: Vec<Range<u32>>| {
            ranges.iter().map(|range| text[range.start as usize..range.end as usize].to_owned()).collect()
        };
        Some((cut(before, words.before), cut(after, words.after)))
    }

    #[test]
    fn are_whole_words_and_characters() {
        let (before, after) = differing("same\nfn old_name(größe: u8)\n", "same\nfn new_name(größer: u8) {\n").unwrap();
        assert_eq!(before, ["old_name", "größe"]);
        assert_eq!(after, ["new_name", "größer", " {"]);
        assert_eq!(
            differing("中文字 same text\n", "中國字 same text\n").unwrap(),
            (vec!["文".into()], vec!["國".into()])
        );
    }

    #[test]
    fn two_that_only_space_divides_are_one_range() {
        let (before, after) = differing("keep this, a b stays here\n", "keep this, c d stays here\n").unwrap();
        assert_eq!((before, after), (vec!["a b".to_owned()], vec!["c d".to_owned()]));
    }

    #[test]
    fn lines_that_have_little_in_common_have_none() {
        assert_eq!(differing("one (two)\n", "quite (another) line\n"), None);
        assert_eq!(differing("", "new\n"), None);
        assert_eq!(differing(&"a b ".repeat(9000), &"a c ".repeat(9000)), None);
    }

    proptest! {
        #[test]
        fn what_is_left_is_equal(before in "[ab .é中]{1,40}", after in "[ab .é中]{1,40}") {
            let diff = Diff::of(before.as_bytes(), after.as_bytes(), &Options::default(), &mut Budget::default()).unwrap();
            for change in diff.changes() {
                let Some(words) = diff.words(change, &Options::default(), &mut Budget::default()).unwrap() else { continue };
                // Spaces may go with the words around them.
                let rest = |text: &str, ranges: &[Range<u32>]| -> String {
                    let differs = |at: usize| ranges.iter().any(|range| range.contains(&(at as u32)));
                    text.char_indices().filter(|(at, c)| *c != ' ' && !differs(*at)).map(|(_, c)| c).collect()
                };
                prop_assert_eq!(rest(&before, &words.before), rest(&after, &words.after));
                let ends = words.before.iter().flat_map(|range| [range.start, range.end]);
                prop_assert!(ends.map(|end| end as usize).all(|end| before.is_char_boundary(end)));
            }
        }
    }
}
