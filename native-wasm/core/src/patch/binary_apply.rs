use super::ApplyError;
use super::binary::decode_line;
use super::{BinaryData, BinaryPatch};
use crate::{Budget, Limit, MAX_INPUT_BYTES};
use core::fmt;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Why binary data do not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinaryError {
    /// The compressed data are damaged.
    Damaged {
        /// Byte offset of their header in the patch.
        offset: usize,
    },
    /// The data are not of the size that is declared.
    Size {
        /// Byte offset of their header in the patch.
        offset: usize,
        /// The size in bytes that is declared.
        declared: u64,
    },
    /// The file is not the one that the patch was made from.
    OldDiffers,
    /// The patch cannot be reversed: it has the data of one direction only.
    OneWay,
}

impl fmt::Display for BinaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { offset } => {
                write!(f, "the binary data at byte {offset} of the patch are damaged: make the patch again")
            }
            Self::Size { offset, declared } => write!(
                f,
                "the binary data at byte {offset} of the patch are not {declared} bytes as declared: make the patch again"
            ),
            Self::OldDiffers => {
                f.write_str("the file is not the one that the binary patch was made from: make the patch against this file")
            }
            Self::OneWay => f.write_str(
                "the binary patch has data of one direction only: make it again with `git diff --binary`, or reverse its files",
            ),
        }
    }
}

impl core::error::Error for BinaryError {}

impl From<BinaryError> for ApplyError {
    fn from(error: BinaryError) -> Self {
        Self::Binary(error)
    }
}

/// The contents that the patch makes of `old`. Where the data of the way back are there, that way has to lead to `old`: git compares object
/// names instead.
pub(super) fn apply(
    patch: &BinaryPatch<'_>,
    old: &[u8],
    reverse: bool,
    budget: &mut Budget,
) -> Result<Vec<u8>, ApplyError> {
    let (there, back) = match (reverse, &patch.reverse) {
        (false, back) => (&patch.forward, back.as_ref()),
        (true, Some(there)) => (there, Some(&patch.forward)),
        (true, None) => return Err(BinaryError::OneWay.into()),
    };
    let new = result(there, old, budget)?;
    match back.map(|back| result(back, &new, budget)) {
        Some(Ok(again)) if again != old => Err(BinaryError::OldDiffers.into()),
        Some(Err(error)) => Err(error),
        _ => Ok(new),
    }
}

fn result(data: &BinaryData<'_>, from: &[u8], budget: &mut Budget) -> Result<Vec<u8>, ApplyError> {
    let inflated = inflate(data, budget)?;
    if data.delta { delta(&inflated, from, data.offset, budget) } else { Ok(inflated) }
}

/// Decodes and inflates, to as many bytes as are declared and no more.
fn inflate(data: &BinaryData<'_>, budget: &mut Budget) -> Result<Vec<u8>, ApplyError> {
    let damaged = BinaryError::Damaged { offset: data.offset };
    let wrong_size = BinaryError::Size { offset: data.offset, declared: data.size };
    budget.spend(data.lines.len() as u64 / 32 + 1)?;
    let mut packed = Limit::reserve(data.lines.len())?;
    for line in data.lines.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        if !line.is_empty() {
            decode_line(line, &mut packed).ok_or(damaged)?;
        }
    }
    let size = usize::try_from(data.size).unwrap_or(usize::MAX).min(MAX_INPUT_BYTES);
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_COMPUTE_ADLER32;
    let mut state = DecompressorOxide::new();
    let mut output: Vec<u8> = Vec::new();
    let (mut read, mut written) = (0, 0);
    loop {
        // Grows with what comes out: the declared size is a claim.
        let room = written.max(packed.len()).max(64).saturating_mul(2).min(size);
        budget.spend((room - written) as u64 / 32 + 1)?;
        let more = room - output.len();
        output.try_reserve_exact(more).map_err(|_| Limit::Memory { bytes: room as u64 })?;
        output.resize(room, 0);
        let input = packed.get(read..).unwrap_or_default();
        let (status, used, made) = decompress(&mut state, input, &mut output, written, flags);
        read += used;
        written += made;
        match status {
            TINFLStatus::Done if written == size => return Ok(output),
            TINFLStatus::HasMoreOutput if room < size => {}
            TINFLStatus::Done | TINFLStatus::HasMoreOutput => return Err(wrong_size.into()),
            _ => return Err(damaged.into()),
        }
    }
}

/// Follows a delta of git: two sizes, then copies from `from` and insertions.
fn delta(delta: &[u8], from: &[u8], offset: usize, budget: &mut Budget) -> Result<Vec<u8>, ApplyError> {
    let damaged = BinaryError::Damaged { offset };
    let mut rest = delta;
    let old_size = size(&mut rest).ok_or(damaged)?;
    let new_size = size(&mut rest).ok_or(damaged)?;
    if old_size != from.len() as u64 {
        return Err(BinaryError::OldDiffers.into());
    }
    if new_size > MAX_INPUT_BYTES as u64 {
        return Err(Limit::Size { actual: new_size, max: MAX_INPUT_BYTES as u64 }.into());
    }
    let wrong_size = BinaryError::Size { offset, declared: new_size };
    let mut new = Vec::new();
    while let Some((op, after)) = rest.split_first() {
        rest = after;
        let piece = if op & 0x80 != 0 {
            let start = fields(&mut rest, *op, 4).ok_or(damaged)?;
            let len = match fields(&mut rest, op >> 4, 3).ok_or(damaged)? {
                0 => 0x1_0000,
                len => len,
            };
            from.get(start..start.saturating_add(len)).ok_or(damaged)?
        } else {
            let (piece, after) =
                rest.split_at_checked(usize::from(*op)).filter(|(piece, _)| !piece.is_empty()).ok_or(damaged)?;
            rest = after;
            piece
        };
        budget.spend(piece.len() as u64 / 32 + 1)?;
        if new.len() as u64 + piece.len() as u64 > new_size {
            return Err(wrong_size.into());
        }
        new.try_reserve(piece.len()).map_err(|_| Limit::Memory { bytes: new_size })?;
        new.extend_from_slice(piece);
    }
    if new.len() as u64 == new_size { Ok(new) } else { Err(wrong_size.into()) }
}

/// A number in groups of seven bits, the lowest first.
fn size(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The bytes of a number that the lowest bits of `present` say are there, the lowest first.
fn fields(bytes: &mut &[u8], present: u8, count: u32) -> Option<usize> {
    let mut value = 0u32;
    for field in (0..count).filter(|field| present >> field & 1 == 1) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(*byte) << (field * 8);
    }
    usize::try_from(value).ok()
}
