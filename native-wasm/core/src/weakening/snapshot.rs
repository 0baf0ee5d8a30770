//! Recorded expectations in files of their own.

use super::gate::Raw;
use super::{Confidence, Kind, Side};
use crate::sort;
use core::ops::Range;

/// Finds entries of a snapshot file that changed or are gone. A file that is one entry counts as a whole.
pub(super) fn compare(old: Option<&[u8]>, new: Option<&[u8]>) -> Vec<Raw> {
    let Some(old) = old else { return Vec::new() };
    let raw = |side, range: Range<usize>, old: Range<usize>, message| Raw {
        side,
        range: range.start as u32..range.end as u32,
        old: Some(old.start as u32..old.end as u32),
        kind: Kind::ExpectationLoosened,
        confidence: Confidence::Low,
        message,
    };
    let Some(new) = new else {
        return vec![raw(Side::Old, 0..old.len(), 0..old.len(), "recorded expectations are deleted")];
    };
    let before = entries(old);
    let mut after = entries(new);
    if before.is_empty() || after.is_empty() {
        return vec![raw(Side::New, 0..new.len(), 0..old.len(), "a recorded expectation is rewritten")];
    }
    sort::unstable_by(&mut after, |a, b| new[a.name.clone()].cmp(&new[b.name.clone()]));
    let mut found = Vec::new();
    for entry in before {
        let name = &old[entry.name.clone()];
        match after.binary_search_by(|other| new[other.name.clone()].cmp(name)) {
            Ok(at) if new[after[at].body.clone()] == old[entry.body.clone()] => {}
            Ok(at) => {
                found.push(raw(Side::New, after[at].body.clone(), entry.body, "a recorded expectation is rewritten"));
            }
            Err(_) => found.push(raw(Side::Old, entry.body.clone(), entry.body, "a recorded expectation is deleted")),
        }
    }
    found
}

struct Entry {
    name: Range<usize>,
    body: Range<usize>,
}

/// The entries of Jest, ``exports[`name`] = `…`;``, and of syrupy, `# name: …`.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut line_start = 0;
    while line_start < bytes.len() {
        let line_end =
            memchr::memchr(b'\n', &bytes[line_start..]).map_or(bytes.len(), |length| line_start + length + 1);
        let line = &bytes[line_start..line_end];
        if line.starts_with(b"# name: ") {
            starts.push((line_start, line_end));
        } else if line.starts_with(b"exports[`")
            && let Some(end) = memchr::memmem::find(line, b"`] = ")
        {
            starts.push((line_start, line_start + end));
        }
        line_start = line_end;
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([bytes.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((start, name_end), end)| Entry { name: *start..*name_end, body: *name_end..end })
        .collect()
}
