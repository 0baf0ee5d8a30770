use super::error::{GlobError, GlobErrorKind};
use super::set::{Set, Strictness};
use super::{MAX_ALTERNATIVES, MAX_EXPANDED_BYTES};

/// A pattern without braces, with the offset that each byte has in the pattern it comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Expanded {
    pub(super) bytes: Vec<u8>,
    offsets: Vec<u32>,
}

impl Expanded {
    /// An error in this pattern as one in the pattern it comes from, which has `len` bytes.
    pub(super) fn locate(&self, error: GlobError, len: usize) -> GlobError {
        let offset = self.offsets.get(error.offset as usize).map_or(len.saturating_sub(1), |offset| *offset as usize);
        GlobError::new(error.kind, offset)
    }

    fn push(&mut self, bytes: &[u8], offset: usize) {
        self.bytes.extend_from_slice(bytes);
        self.offsets.extend((offset..offset + bytes.len()).map(|offset| offset as u32));
    }

    fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.offsets.extend_from_slice(&other.offsets);
    }
}

/// What is between two braces, as far as it was read.
struct Group {
    open: usize,
    /// The alternatives before the last comma.
    done: Vec<Expanded>,
    /// What the alternative after it may be so far.
    current: Vec<Expanded>,
}

impl Group {
    fn new(open: usize) -> Self {
        Self { open, done: Vec::new(), current: vec![Expanded::default()] }
    }

    fn end_alternative(&mut self) -> Result<(), GlobError> {
        let next = core::mem::replace(&mut self.current, vec![Expanded::default()]);
        self.done.extend(next);
        bounded(&self.done, self.open)
    }
}

/// The patterns that one with braces stands for. Checks its brackets and escapes on the way, so that what is wrong with them has its offset.
pub(super) fn expand(pattern: &[u8]) -> Result<Vec<Expanded>, GlobError> {
    let mut outer: Vec<Group> = Vec::new();
    let mut group = Group::new(0);
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'{' => outer.push(core::mem::replace(&mut group, Group::new(start))),
            b',' if !outer.is_empty() => group.end_alternative()?,
            b'}' => {
                let mut parent = outer.pop().ok_or(GlobError::new(GlobErrorKind::UnopenedBrace, start))?;
                group.end_alternative()?;
                parent.current = product(&parent.current, &group.done, group.open)?;
                group = parent;
            }
            b'\\' if at == pattern.len() => return Err(GlobError::new(GlobErrorKind::TrailingEscape, start)),
            byte => {
                at = match byte {
                    b'\\' => at + 1,
                    b'[' => Set::parse(pattern, start, Strictness::Strict, false)?.1,
                    _ => at,
                };
                let piece = pattern.get(start..at).unwrap_or_default();
                group.current.iter_mut().for_each(|text| text.push(piece, start));
            }
        }
    }
    if !outer.is_empty() {
        return Err(GlobError::new(GlobErrorKind::UnclosedBrace, group.open));
    }
    bounded(&group.current, 0)?;
    Ok(group.current)
}

/// Each head with each tail. No text is longer than the pattern, so all of them together are small before they are too many.
fn product(heads: &[Expanded], tails: &[Expanded], open: usize) -> Result<Vec<Expanded>, GlobError> {
    if heads.len() * tails.len() > MAX_ALTERNATIVES {
        return Err(GlobError::new(GlobErrorKind::TooManyAlternatives, open));
    }
    let join = |head: &Expanded, tail: &Expanded| {
        let mut text = head.clone();
        text.append(tail);
        text
    };
    let texts: Vec<_> = heads.iter().flat_map(|head| tails.iter().map(move |tail| join(head, tail))).collect();
    bounded(&texts, open)?;
    Ok(texts)
}

fn bounded(texts: &[Expanded], open: usize) -> Result<(), GlobError> {
    let bytes: usize = texts.iter().map(|text| text.bytes.len()).sum();
    if texts.len() > MAX_ALTERNATIVES || bytes > MAX_EXPANDED_BYTES {
        return Err(GlobError::new(GlobErrorKind::TooManyAlternatives, open));
    }
    Ok(())
}
