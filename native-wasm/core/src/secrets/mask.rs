use super::candidate::Window;
use super::class::Class;
use super::detector::Rest;
use crate::sort;

/// A secret that was found in a stream.
pub(super) struct Mask {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) has_begun: bool,
    /// What may still belong to it.
    pub(super) rest: Option<Rest>,
}

/// Lets secrets without end that were found in a window, those from `known` on, go on in it.
///
/// Of those that go on with the same kind of bytes, none ends behind the end of the one that begins last: it has seen the fewest of them. So each is
/// read up to where the next begins, and the last alone goes on. Else a stream that repeats how a secret begins would be read once for each.
pub(super) fn go_on(masks: &mut [Mask], known: usize, window: Window) {
    let (old, new) = masks.split_at_mut(known.min(masks.len()));
    sort::by_key(new, |mask| mask.start);
    let mut begun: Vec<(Option<&Class>, u64)> = Vec::new();
    for mask in new.iter_mut().rev() {
        let Some(rest) = &mut mask.rest else { continue };
        let kind = rest.kind();
        let next = begun.iter_mut().find(|(other, _)| *other == kind);
        let limit = next.as_ref().map_or(window.end(), |(_, start)| *start);
        let have = window.slice(mask.end, limit);
        let taken = rest.take(have);
        mask.end += taken as u64;
        let is_ended = taken < have.len();
        if next.is_some() || is_ended {
            mask.rest = None;
        }
        match next {
            Some((_, start)) => {
                // The two overlap, so that one mask is shown for both.
                if !is_ended {
                    mask.end = mask.end.max(limit + 1);
                }
                *start = mask.start;
            }
            None => begun.push((kind, mask.start)),
        }
    }
    for mask in old {
        if mask.rest.as_ref().is_some_and(|rest| begun.iter().any(|(kind, _)| *kind == rest.kind())) {
            mask.rest = None;
        }
    }
}
