use super::Found;
use super::calls::{self, Order};
use crate::weakening::assertion::normal;
use crate::weakening::rank::{self, Rank};
use crate::weakening::source::Source;

/// JUnit, `TestNG`, Hamcrest, `AssertJ`, Mockito's `verify`.
pub(super) fn read(source: &Source<'_>, at: usize) -> Option<Found> {
    let word = source.text(at);
    if word == b"assert" && !source.is(at + 1, b"(") {
        let end = (at..source.len().min(at + 512)).find(|at| source.is(*at, b";")).unwrap_or(at + 1);
        let condition = at + 1..end.max(at + 1);
        let rank = Some(rank::of_condition(source, &condition));
        return Some(Found {
            whole: at..end.max(at + 1),
            subject: condition,
            expected: 0..0,
            matcher: b"assert".to_vec(),
            rank,
        });
    }
    if !source.is(at + 1, b"(") {
        return None;
    }
    let start = if source.before(at) == b"." { at.saturating_sub(2) } else { at };
    match word {
        b"assertThat" | b"assertThatThrownBy" | b"assertThatCode" | b"assertThatExceptionOfType" => {
            Some(that(source, start, at))
        }
        b"fail" => Some(calls::read(source, start, word, at + 1, 0, Order::SubjectFirst)),
        b"verify" => Some(verify(source, at)),
        b"assertAll" => None,
        _ if word.starts_with(b"assert") && word.len() > 6 => {
            let mut found = calls::read(source, start, word, at + 1, 0, Order::ExpectedFirst);
            if let Some(delta) = source.arguments(at + 1).get(2)
                && source.kind(delta.start) == Some(crate::lex::TokenKind::Number)
                && found.matcher == b"assertequals"
            {
                found.rank = Some(Rank::Near);
                found.expected = found.expected.start.min(delta.start)..delta.end;
            }
            found.rank.is_some().then_some(found)
        }
        _ => None,
    }
}

/// `assertThat(x).isEqualTo(y).contains(z)` or `assertThat(x, is(y))`.
fn that(source: &Source<'_>, start: usize, at: usize) -> Found {
    let open = at + 1;
    let close = source.mate(open);
    let arguments = source.arguments(open);
    let subject = arguments.first().cloned().unwrap_or(open + 1..open + 1);
    if !source.is(close + 1, b".") {
        return hamcrest(source, start, open, &arguments);
    }
    let (mut best, mut rank, mut expected, mut matcher) = (None, Rank::Smoke, 0..0, Vec::new());
    let mut next = close + 1;
    while source.is(next, b".") && source.is_word(next + 1) {
        let name = normal(source.text(next + 1));
        let brackets = source.is(next + 2, b"(");
        let end = if brackets { source.mate(next + 2) } else { next + 1 };
        let range = if brackets { next + 3..end } else { 0..0 };
        if let Some(found) = super::ranked(source, &name, &subject, &range, false)
            && (best.is_none() || found > rank || found == Rank::Trivial)
        {
            (best, rank, expected, matcher) = (Some(found), found, range, name);
        }
        next = end + 1;
    }
    if matcher == b"istrue" {
        rank = rank::of_condition(source, &subject);
    }
    Found { whole: start..next.min(source.len()), subject, expected, matcher, rank: Some(rank) }
}

fn hamcrest(source: &Source<'_>, start: usize, open: usize, arguments: &[core::ops::Range<usize>]) -> Found {
    let end = (source.mate(open) + 1).min(source.len());
    // With three arguments the reason is first.
    let skipped = usize::from(arguments.len() == 3);
    let subject = arguments.get(skipped).cloned().unwrap_or(open + 1..open + 1);
    let matching = arguments.get(skipped + 1).cloned().unwrap_or(0..0);
    let negated = source.is(matching.start, b"not");
    let outer =
        usize::from(matches!(source.text(matching.start), b"is" | b"not") && source.is(matching.start + 3, b"(")) * 2;
    let name = matching.start + outer;
    let matcher = normal(source.text(name));
    let expected = if source.is(name + 1, b"(") { name + 2..source.mate(name + 1).min(matching.end) } else { 0..0 };
    let rank = if matching.is_empty() {
        Some(rank::of_condition(source, &subject))
    } else {
        super::ranked(source, &matcher, &subject, &expected, negated).or(Some(Rank::Partial))
    };
    Found { whole: start..end, subject, expected, matcher, rank }
}

/// `verify(mock, times(1)).call(args)`.
fn verify(source: &Source<'_>, at: usize) -> Found {
    let close = source.mate(at + 1);
    let arguments = source.arguments(at + 1);
    let subject = arguments.first().cloned().unwrap_or(at + 2..at + 2);
    let (mut end, mut expected) = (close + 1, 0..0);
    if source.is(end, b".") && source.is(end + 2, b"(") {
        expected = end + 1..source.mate(end + 2);
        end = source.mate(end + 2) + 1;
    }
    let loose =
        arguments.get(1).is_some_and(|mode| matches!(source.text(mode.start), b"atLeast" | b"atLeastOnce" | b"atMost"));
    let rank = Some(if loose { Rank::Partial } else { Rank::Exact });
    Found { whole: at..end.min(source.len()), subject, expected, matcher: b"verify".to_vec(), rank }
}
