use super::difference::Plain;
use crate::{Limit, Lines};

/// A text whose lines have lost the white space at their ends, and characters that only look alike: what people take for the same text.
pub(super) struct Canonical {
    bytes: Vec<u8>,
    /// Where each line ends, before its `\n`.
    ends: Vec<u32>,
}

impl Canonical {
    pub fn of(lines: &Lines<'_>) -> Result<Self, Limit> {
        // No line gets longer.
        let mut bytes = Limit::reserve(lines.bytes().len() + 1)?;
        let mut ends = Limit::reserve(lines.len())?;
        for line in lines.iter() {
            bytes.extend(Plain(line).trimmed());
            ends.push(bytes.len() as u32);
            bytes.push(b'\n');
        }
        Ok(Self { bytes, ends })
    }

    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn line(&self, line: usize) -> &[u8] {
        let start = line.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize + 1);
        self.ends.get(line).and_then(|end| self.bytes.get(start..*end as usize)).unwrap_or_default()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The line that a byte is in.
    pub fn line_at(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| (*end as usize) < offset)
    }
}
