use super::MAX_HELD_BYTES;
use super::candidate::{Candidate, Step, Window};
use super::detector::Detector;
use super::mask::{self, Mask};
use super::rules::MAX_KEY;
use super::shape::MAX_BEFORE;
use super::validate::Verdict;
use crate::Limit;
use crate::sort;
use core::fmt;
use std::sync::Arc;

const MASK: &[u8] = b"***";
/// How much is looked at in one go, so that the memory of a redactor does not depend on its chunks.
const PIECE: usize = 64 * 1024;
/// How much of what was given out is kept for boundaries and keys before secrets.
const HISTORY: usize = MAX_KEY + MAX_BEFORE;

/// Puts `***` for each secret in a stream of bytes, and gives out the rest unchanged and as early as it can.
///
/// What comes out does not depend on how the stream is cut. Bytes are held back only from the first on that may belong to a secret, and never more than
/// [`MAX_HELD_BYTES`](super::MAX_HELD_BYTES). A private key is masked as soon as it begins, up to its END line or to where it can be no key any more.
///
/// ```
/// use millwright_core::secrets::{Detector, Redactor, Rules};
/// use std::sync::Arc;
/// let detector = Arc::new(Detector::new(Rules::built_in()?, &[b"abcabcabd-secret"]));
/// let mut redactor = Redactor::new(detector);
/// let mut shown = Vec::new();
/// redactor.push(b"hello abcab", &mut shown)?;
/// assert_eq!(shown, b"hello ");
/// redactor.push(b"cabd-secret", &mut shown)?;
/// redactor.end(&mut shown)?;
/// assert_eq!(shown, b"hello ***");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Redactor {
    detector: Arc<Detector>,
    /// The stream from `base` on: some of what was given out, and all of what is held back.
    buffer: Vec<u8>,
    base: u64,
    /// Up to where the stream was given out or masked.
    given: u64,
    /// Up to where keywords were looked for.
    searched: u64,
    /// Up to where it is masked, by masks that have begun.
    masked: u64,
    candidates: Vec<Candidate>,
    masks: Vec<Mask>,
}

impl Redactor {
    /// A redactor at the beginning of a stream.
    pub const fn new(detector: Arc<Detector>) -> Self {
        Self {
            detector,
            buffer: Vec::new(),
            base: 0,
            given: 0,
            searched: 0,
            masked: 0,
            candidates: Vec::new(),
            masks: Vec::new(),
        }
    }

    /// Takes more of the stream, and appends to `shown` what can be shown already.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is none for what is to be shown; then nothing of the chunk was taken.
    pub fn push(&mut self, chunk: &[u8], shown: &mut Vec<u8>) -> Result<(), Limit> {
        self.reserve(chunk.len(), shown)?;
        for piece in chunk.chunks(PIECE) {
            self.buffer.extend_from_slice(piece);
            self.step(false, shown);
        }
        Ok(())
    }

    /// Ends the stream and appends the rest of it. After that, the redactor is at the beginning of another.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is none for what is to be shown.
    pub fn end(&mut self, shown: &mut Vec<u8>) -> Result<(), Limit> {
        self.reserve(0, shown)?;
        self.step(true, shown);
        *self = Self::new(Arc::clone(&self.detector));
        Ok(())
    }

    /// How many bytes are held back: not given out, and not behind a mask either.
    pub fn held(&self) -> usize {
        (self.base + self.buffer.len() as u64).saturating_sub(self.given.max(self.masked)) as usize
    }

    fn reserve(&mut self, more: usize, shown: &mut Vec<u8>) -> Result<(), Limit> {
        let len = self.held().saturating_add(more);
        let has_room = shown.try_reserve(len).is_ok() && self.buffer.try_reserve(more.min(PIECE)).is_ok();
        if has_room { Ok(()) } else { Err(Limit::Memory { bytes: len as u64 }) }
    }

    fn step(&mut self, is_last: bool, shown: &mut Vec<u8>) {
        let buffer = core::mem::take(&mut self.buffer);
        let window = Window { bytes: &buffer, base: self.base, is_last };
        self.go_on_with_masks(window);
        self.search(window);
        self.go_on_with_candidates(window);
        let undecided = self.undecided_from(window);
        self.give_out(undecided, window, shown);
        self.buffer = buffer;
        self.forget();
    }

    fn go_on_with_masks(&mut self, window: Window) {
        for mask in &mut self.masks {
            if let Some(rest) = &mut mask.rest {
                let have = window.from(mask.end);
                let taken = rest.take(have);
                mask.end += taken as u64;
                if taken < have.len() {
                    mask.rest = None;
                }
            }
        }
    }

    /// Opens a candidate at each keyword that ends in what is new.
    fn search(&mut self, window: Window) {
        let prefilter = self.detector.prefilter();
        let again = prefilter.longest().saturating_sub(1) as u64;
        let mut from = self.searched.saturating_sub(again).max(window.base).saturating_sub(window.base) as usize;
        while let Some(at) = prefilter.next(window.bytes, from) {
            let start = window.base + at as u64;
            for keyword in prefilter.at(window.bytes.get(at..).unwrap_or_default()) {
                if start + keyword.text.len() as u64 > self.searched {
                    self.candidates.extend(self.detector.open(keyword, start, &window));
                }
            }
            from = at + 1;
        }
        self.searched = window.end();
    }

    fn go_on_with_candidates(&mut self, window: Window) {
        let Self { detector, candidates, masks, .. } = self;
        let known = masks.len();
        candidates.retain_mut(|candidate| {
            let step = detector.advance(candidate, window);
            let (start, end) = match step {
                Step::Waiting => return true,
                Step::Failed => return false,
                Step::Matched { start, end } | Step::Endless { start, end } => (start, end),
            };
            if detector.judge(candidate, start, end, &window) == Verdict::Harmless {
                return false;
            }
            let rest = if matches!(step, Step::Endless { .. }) { detector.rest(candidate) } else { None };
            masks.push(Mask { start, end, has_begun: false, rest });
            false
        });
        mask::go_on(masks, known, window);
    }

    /// The first byte that may be secret.
    fn undecided_from(&self, window: Window) -> u64 {
        if window.is_last {
            return window.end();
        }
        let opened = self.candidates.iter().filter_map(Candidate::secret_start).min().unwrap_or(window.end());
        opened.min(self.keyword_from(window))
    }

    /// Where the first keyword begins of which more may come.
    fn keyword_from(&self, window: Window) -> u64 {
        let prefilter = self.detector.prefilter();
        let len = window.bytes.len();
        let first = len.saturating_sub(prefilter.longest().saturating_sub(1));
        let may_begin = |at: &usize| {
            let (before, start) = window.bytes.split_at(*at);
            let mut longer = prefilter.beginning_with(start).iter().filter(|keyword| keyword.text.len() > start.len());
            longer.any(|keyword| self.detector.may_begin(keyword, before))
        };
        (first..len).find(may_begin).map_or(window.end(), |at| window.base + at as u64)
    }

    /// Gives out what is before `undecided`, with a mask for each secret that begins there.
    fn give_out(&mut self, undecided: u64, window: Window, shown: &mut Vec<u8>) {
        sort::by_key(&mut self.masks, |mask| mask.start);
        for mask in self.masks.iter_mut().filter(|mask| mask.start < undecided) {
            let plain = self.given.max(self.masked);
            if !mask.has_begun && mask.start >= plain {
                shown.extend_from_slice(window.slice(plain, mask.start));
                shown.extend_from_slice(MASK);
            }
            mask.has_begun = true;
            self.masked = self.masked.max(mask.end);
            self.given = self.given.max(mask.start);
        }
        let plain = self.given.max(self.masked);
        shown.extend_from_slice(window.slice(plain, undecided.max(plain)));
        self.given = self.given.max(undecided);
        self.masks.retain(|mask| !mask.has_begun || mask.rest.is_some());
    }

    fn forget(&mut self) {
        let old = self.given.saturating_sub(self.base) as usize;
        // Moving what is kept is worth it only for as much that is not.
        if old > 2 * (HISTORY + MAX_HELD_BYTES) {
            self.buffer.drain(..old - HISTORY);
            self.base += (old - HISTORY) as u64;
        }
    }
}

impl fmt::Debug for Redactor {
    /// Never shows what is held back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("held", &self.held()).finish_non_exhaustive()
    }
}
