use arbitrary::Unstructured;
use millwright_core::Budget;
use millwright_core::hash::Seed;

/// What parts the pieces of an input: the record separator of ASCII, which no text has.
const SEPARATOR: u8 = 0x1e;

/// An input in pieces. The first holds knobs, a byte or more for each, and each that is missing is 0; the others are texts. So a corpus can be
/// written by hand from texts, and a regression can be read.
#[derive(Debug)]
pub struct Input<'a> {
    knobs: Unstructured<'a>,
    texts: Vec<&'a [u8]>,
    next: usize,
}

impl<'a> Input<'a> {
    /// Units of work that are enough for every input of a size that a fuzzer tries.
    pub const AMPLE_UNITS: u64 = 20_000_000;

    /// Takes an input apart.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut pieces = bytes.split(|byte| *byte == SEPARATOR);
        Self { knobs: Unstructured::new(pieces.next().unwrap_or_default()), texts: pieces.collect(), next: 0 }
    }

    /// A number up to `max`.
    pub fn knob(&mut self, max: u32) -> u32 {
        self.knobs.int_in_range(0..=max).unwrap_or(0)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.knob(1) == 1
    }

    /// One of some values.
    pub fn choice<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.knob(of.len() as u32 - 1) as usize]
    }

    /// A budget that may be spent early.
    pub fn tight_budget(&mut self) -> Budget {
        let units = self.knob(255);
        let scale = self.choice(&[1, 16, 256]);
        Budget::new(u64::from(units * scale))
    }

    /// A budget that is not spent.
    pub const fn ample_budget() -> Budget {
        Budget::new(Self::AMPLE_UNITS)
    }

    /// A key of hashes.
    pub fn seed(&mut self) -> Seed {
        Seed(u64::from(self.knob(u32::from(u8::MAX))))
    }

    /// The next text; empty when there is none.
    pub fn text(&mut self) -> &'a [u8] {
        self.take().unwrap_or_default()
    }

    /// The next text, if there is one.
    pub fn take(&mut self) -> Option<&'a [u8]> {
        let text = self.texts.get(self.next).copied();
        self.next += 1;
        text
    }

    /// The texts that are left, `most` of them at most.
    pub fn rest(&mut self, most: usize) -> Vec<&'a [u8]> {
        let rest = self.texts.iter().skip(self.next).take(most).copied().collect();
        self.next = self.texts.len();
        rest
    }
}
