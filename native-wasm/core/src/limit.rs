use core::fmt;

/// The largest input that any operation takes: offsets are `u32`, and a WASM memory has to hold it beside the answer.
pub const MAX_INPUT_BYTES: usize = 1 << 30;

/// A bound that an operation met before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The work took more than the units it was given.
    Budget {
        /// The whole budget.
        units: u64,
    },
    /// An input is larger than the operation takes.
    Size {
        /// Its size in bytes, or whatever the operation counts.
        actual: u64,
        /// The most that is taken.
        max: u64,
    },
    /// There is no memory for the answer.
    Memory {
        /// What was asked for, in bytes.
        bytes: u64,
    },
}

impl Limit {
    /// Checks that an input is no larger than the operations take.
    ///
    /// # Errors
    /// [`Limit::Size`] when it is.
    pub const fn check_size(bytes: &[u8]) -> Result<(), Self> {
        if bytes.len() <= MAX_INPUT_BYTES {
            return Ok(());
        }
        Err(Self::Size { actual: bytes.len() as u64, max: MAX_INPUT_BYTES as u64 })
    }

    /// A vector with room for `len` items, however large a hostile input makes `len`.
    ///
    /// # Errors
    /// [`Limit::Memory`] when there is no room.
    pub fn reserve<T>(len: usize) -> Result<Vec<T>, Self> {
        let mut items = Vec::new();
        match items.try_reserve_exact(len) {
            Ok(()) => Ok(items),
            Err(_) => Err(Self::Memory { bytes: (len as u64).saturating_mul(size_of::<T>() as u64) }),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { units } => {
                write!(f, "the work takes more than its budget of {units} units: give it a larger one")
            }
            Self::Size { actual, max } => write!(f, "the input is too large: {actual}, while {max} is the most"),
            Self::Memory { bytes } => write!(f, "no memory for {bytes} bytes: give it less at a time"),
        }
    }
}

impl core::error::Error for Limit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_memory_than_there_is_is_an_error() {
        let bytes = (isize::MAX as u64) / 8 * 8;
        assert_eq!(Limit::reserve::<u64>(isize::MAX as usize / 8).err(), Some(Limit::Memory { bytes }));
        assert_eq!(Limit::reserve::<u64>(usize::MAX).err(), Some(Limit::Memory { bytes: u64::MAX }));
    }

    #[test]
    fn says_what_to_change() {
        assert_eq!(Limit::Size { actual: 9, max: 5 }.to_string(), "the input is too large: 9, while 5 is the most",);
    }
}
