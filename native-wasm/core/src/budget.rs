use crate::Limit;

/// How much work an operation may do, in units that each operation names: of the order of a compared line or a looked-at byte, so a unit takes
/// some nanoseconds. A count instead of a clock: the same input has the same answer everywhere.
///
/// ```
/// use millwright_core::{Budget, Limit};
/// let mut budget = Budget::new(10);
/// assert_eq!(budget.spend(8), Ok(()));
/// assert_eq!(budget.spend(8), Err(Limit::Budget { units: 10 }));
/// assert!(budget.is_spent());
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    total: u64,
    left: Option<u64>,
}

impl Budget {
    /// What the operations take when nobody says otherwise: about a second.
    pub const DEFAULT_UNITS: u64 = 200_000_000;

    /// A budget of so many units.
    pub const fn new(units: u64) -> Self {
        Self { total: units, left: Some(units) }
    }

    /// Takes units off.
    ///
    /// # Errors
    /// [`Limit::Budget`] when there are not so many left; from then on always.
    pub const fn spend(&mut self, units: u64) -> Result<(), Limit> {
        self.left = match self.left {
            Some(left) => left.checked_sub(units),
            None => None,
        };
        if self.left.is_some() { Ok(()) } else { Err(Limit::Budget { units: self.total }) }
    }

    /// Whether more was asked for than there was.
    pub const fn is_spent(&self) -> bool {
        self.left.is_none()
    }

    /// Units that are left.
    pub const fn left(&self) -> u64 {
        match self.left {
            Some(left) => left,
            None => 0,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_UNITS)
    }
}
