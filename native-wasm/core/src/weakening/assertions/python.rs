use super::Found;
use super::calls::{self, Order};
use crate::weakening::rank::{self, Rank};
use crate::weakening::source::Source;

/// The `assert` statement, the methods of `unittest` and of mocks, `pytest.raises`, `numpy.testing`.
pub(super) fn read(source: &Source<'_>, at: usize) -> Option<Found> {
    let word = source.text(at);
    match word {
        b"assert" if !source.is(at + 1, b"(") || source.column(at).is_some() => Some(statement(source, at)),
        b"raises" | b"warns" | b"deprecated_call" if source.before(at) == b"." && source.is(at + 1, b"(") => {
            Some(calls::read(source, at - 1, word, at + 1, 0, Order::SubjectFirst))
        }
        b"fail" if source.before(at) == b"." && source.is(at + 1, b"(") => {
            Some(calls::read(source, at, word, at + 1, 0, Order::SubjectFirst))
        }
        _ if word.starts_with(b"assert")
            && word.len() > 6
            && source.is(at + 1, b"(")
            && source.before(at) != b"def" =>
        {
            let rest = word.strip_prefix(b"assert_").unwrap_or(word);
            if rest.starts_with(b"called")
                || rest.starts_with(b"not_called")
                || rest.starts_with(b"has_calls")
                || rest.starts_with(b"any_call")
            {
                return Some(mock(source, at, word));
            }
            let found = calls::read(source, at, word, at + 1, 0, Order::SubjectFirst);
            found.rank.is_some().then_some(found)
        }
        _ => None,
    }
}

/// `mock.assert_called_with(…)`: the subject is before the dot.
fn mock(source: &Source<'_>, at: usize, word: &[u8]) -> Found {
    let start = at.saturating_sub(2);
    let open = at + 1;
    let close = source.mate(open);
    let found = calls::read(source, at, word, open, 0, Order::SubjectFirst);
    let rank = match word {
        b"assert_called_once" => Rank::Partial,
        b"assert_called" => Rank::Smoke,
        _ => Rank::Exact,
    };
    Found {
        whole: start..found.whole.end,
        subject: start..at.saturating_sub(1),
        expected: open + 1..close,
        matcher: found.matcher,
        rank: Some(rank),
    }
}

fn statement(source: &Source<'_>, at: usize) -> Found {
    let mut end = source.line_end(at);
    let whole = at..end;
    // The message is behind a comma outside of brackets, and several statements may be in a line.
    let mut next = at + 1;
    while next < end {
        match source.text(next) {
            b"(" | b"[" | b"{" => next = source.mate(next),
            b"," | b";" => end = next,
            _ => {}
        }
        next += 1;
    }
    let condition = at + 1..end.max(at + 1);
    let (subject, operator, expected) = split(source, &condition);
    let mut rank = rank::of_condition(source, &condition);
    // A comparison of a mock's calls, of text in text or of truth says its rank by its operator.
    if rank > Rank::Trivial && operator == b"==" && rank::is_same(source, &subject, &expected) {
        rank = Rank::Trivial;
    }
    if condition.len() == 1 && source.kind(condition.start) == Some(crate::lex::TokenKind::String) {
        rank = Rank::Trivial;
    }
    Found { whole, subject, expected, matcher: operator.to_vec(), rank: Some(rank) }
}

/// The two sides of a comparison that is not in brackets.
fn split<'o>(
    source: &Source<'_>,
    condition: &core::ops::Range<usize>,
) -> (core::ops::Range<usize>, &'o [u8], core::ops::Range<usize>) {
    let mut at = condition.start;
    while at < condition.end {
        let found: Option<(&[u8], usize)> = match source.text(at) {
            b"(" | b"[" | b"{" => {
                at = source.mate(at);
                None
            }
            b"=" if source.is_pair(at, b'=', b'=') => Some((b"==", 2)),
            b"!" if source.is_pair(at, b'!', b'=') => Some((b"!=", 2)),
            b"<" => Some((b"<", 1 + usize::from(source.is(at + 1, b"=")))),
            b">" => Some((b">", 1 + usize::from(source.is(at + 1, b"=")))),
            b"is" if source.is(at + 1, b"not") => Some((b"isnot", 2)),
            b"is" => Some((b"==", 1)),
            b"not" if source.is(at + 1, b"in") => Some((b"notin", 2)),
            b"in" => Some((b"in", 1)),
            _ => None,
        };
        if let Some((operator, length)) = found {
            return (condition.start..at, operator, (at + length).min(condition.end)..condition.end);
        }
        at += 1;
    }
    (condition.clone(), b"truth", 0..0)
}
