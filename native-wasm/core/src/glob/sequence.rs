use super::error::{GlobError, GlobErrorKind};
use super::segment::{Segment, ends_with};
use super::set::Strictness;

#[derive(Clone, Debug)]
enum Part {
    /// `**`: any number of segments.
    Folders,
    Segment(Segment),
}

/// A pattern without braces: segments between slashes.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    parts: Vec<Part>,
    /// What each match ends with, which rules most paths out.
    tail: Box<[u8]>,
    fold: bool,
}

impl Sequence {
    pub(crate) fn parse(pattern: &[u8], strictness: Strictness, fold: bool) -> Result<Self, GlobError> {
        let mut parts = Vec::new();
        let mut at = 0;
        loop {
            let stars = pattern.iter().skip(at).take_while(|byte| **byte == b'*').count();
            let end = at + stars;
            let behind = pattern.get(end).copied();
            let escaped = behind == Some(b'\\') && pattern.get(end + 1) == Some(&b'/');
            if stars >= 2 && (escaped || matches!(behind, None | Some(b'/'))) {
                // At the end `**` takes what is inside, so one segment at least. Before an escaped slash git does not let it take none either.
                if escaped || behind.is_none() {
                    parts.push(Part::Segment(Segment::any()));
                }
                if !matches!(parts.last(), Some(Part::Folders)) {
                    parts.push(Part::Folders);
                }
                at = end;
            } else {
                let (segment, end) = Segment::parse(pattern, at, strictness, fold)?;
                if strictness == Strictness::Strict {
                    check(&segment, pattern, at, end)?;
                }
                parts.push(Part::Segment(segment));
                at = end;
            }
            match pattern.get(at) {
                None => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
            }
        }
        let tail = match parts.last() {
            Some(Part::Segment(segment)) => segment.tail().into(),
            _ => Box::default(),
        };
        Ok(Self { parts, tail, fold })
    }

    /// Whether the whole of a path matches. Only the last `**` is ever moved on, as with the `*` within segments: what stands between two of them is tried
    /// once at each segment of the path, so time is bounded by the product of both lengths.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        if !ends_with(path, &self.tail, self.fold) {
            return false;
        }
        if let [Part::Folders, Part::Segment(name)] = self.parts.as_slice() {
            return name.matches(path.get(memchr::memrchr(b'/', path).map_or(0, |at| at + 1)..).unwrap_or_default());
        }
        // `path.len() + 1` is the place behind the last segment.
        let (mut part, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.parts.get(part) {
                None if at > path.len() => return true,
                Some(Part::Folders) => {
                    part += 1;
                    if part == self.parts.len() {
                        return true;
                    }
                    retry = Some((part, at));
                    continue;
                }
                Some(Part::Segment(segment)) if at <= path.len() => {
                    let end = segment_end(path, at);
                    if segment.matches(path.get(at..end).unwrap_or_default()) {
                        at = end + 1;
                        part += 1;
                        continue;
                    }
                }
                _ => {}
            }
            match &mut retry {
                Some((after, from)) if *from <= path.len() => {
                    *from = segment_end(path, *from) + 1;
                    (part, at) = (*after, *from);
                }
                _ => return false,
            }
        }
    }
}

fn segment_end(path: &[u8], from: usize) -> usize {
    path.get(from..).and_then(|rest| memchr::memchr(b'/', rest)).map_or(path.len(), |at| from + at)
}

/// Refuses what no path can match: a rule that never holds would go unnoticed.
fn check(segment: &Segment, pattern: &[u8], start: usize, end: usize) -> Result<(), GlobError> {
    let kind = match segment.literal() {
        Some(b"") if start == 0 => GlobErrorKind::LeadingSlash,
        Some(b"") if end == pattern.len() => GlobErrorKind::TrailingSlash,
        Some(b"") => GlobErrorKind::EmptySegment,
        Some(b"." | b"..") => GlobErrorKind::DotSegment,
        _ => return Ok(()),
    };
    Err(GlobError::new(kind, if kind == GlobErrorKind::TrailingSlash { start - 1 } else { start }))
}
