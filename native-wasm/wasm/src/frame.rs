//! Fields of requests and answers: numbers, byte strings, and tables of numbers.

use millwright_core::Limit;

/// Reads a request field by field. What is missing reads as nothing: the façade writes requests, and a test compares what both sides make of them.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn u32(&mut self) -> u32 {
        self.array().map_or(0, u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> u64 {
        self.array().map_or(0, u64::from_le_bytes)
    }

    pub fn bool(&mut self) -> bool {
        self.u32() != 0
    }

    pub fn bytes(&mut self) -> &'a [u8] {
        let len = self.u32() as usize;
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A byte string that may be missing, which is not the same as empty.
    pub fn optional_bytes(&mut self) -> Option<&'a [u8]> {
        self.bool().then(|| self.bytes())
    }

    /// Whether there is more to read.
    pub const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }
}

/// Writes an answer field by field.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    kept: Vec<Vec<u8>>,
}

impl Writer {
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn bool(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// # Errors
    /// [`Limit::Memory`] when the answer does not fit.
    pub fn bytes(&mut self, value: &[u8]) -> Result<(), Limit> {
        let wanted = value.len() + 4;
        self.bytes.try_reserve(wanted).map_err(|_| Limit::Memory { bytes: wanted as u64 })?;
        self.u32(value.len() as u32);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// A large byte string, which stays where it is: the answer has its address and its length.
    pub fn keep(&mut self, value: Vec<u8>) {
        self.u32(value.as_ptr() as u32);
        self.u32(value.len() as u32);
        self.kept.push(value);
    }

    /// A byte string that somebody else appends.
    ///
    /// # Errors
    /// Those of `append`.
    pub fn with_bytes(&mut self, append: impl FnOnce(&mut Vec<u8>) -> Result<(), Limit>) -> Result<(), Limit> {
        let at = self.bytes.len();
        self.u32(0);
        append(&mut self.bytes)?;
        let len = (self.bytes.len() - at - 4) as u32;
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&len.to_le_bytes());
        }
        Ok(())
    }

    /// Numbers that lie together, after their count.
    ///
    /// # Errors
    /// [`Limit::Memory`] when the answer does not fit.
    pub fn table(&mut self, len: usize, values: impl Iterator<Item = u32>) -> Result<(), Limit> {
        let wanted = len * 4 + 4;
        self.bytes.try_reserve(wanted).map_err(|_| Limit::Memory { bytes: wanted as u64 })?;
        self.u32(len as u32);
        for value in values {
            self.u32(value);
        }
        Ok(())
    }

    /// The answer, and what has to stay as long as it does.
    pub fn finish(self) -> (Vec<u8>, Vec<Vec<u8>>) {
        (self.bytes, self.kept)
    }
}
