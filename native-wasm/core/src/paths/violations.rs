use super::Violation;
use core::fmt;

/// A set of violations, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Violations(u32);

impl Violations {
    /// None.
    pub const NONE: Self = Self(0);

    /// What harms on some systems only, or only who enters a folder, so that a policy may tolerate it.
    pub const TOLERABLE: Self = Self::of(&[
        Violation::Bidirectional,
        Violation::InvalidUtf8,
        Violation::Device,
        Violation::Stream,
        Violation::LongComponent,
        Violation::Duplicate,
        Violation::BareRepository,
    ]);

    /// Those of a list.
    pub const fn of(violations: &[Violation]) -> Self {
        let mut bits = 0;
        let mut rest = violations;
        while let [violation, behind @ ..] = rest {
            bits |= 1 << *violation as u8;
            rest = behind;
        }
        Self(bits)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one is among them.
    pub const fn contains(self, violation: Violation) -> bool {
        self.0 >> violation as u8 & 1 == 1
    }

    /// Whether all are among `others`.
    pub const fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Adds one.
    pub const fn insert(&mut self, violation: Violation) {
        self.0 |= 1 << violation as u8;
    }

    /// The bits: that of a violation is 1 shifted by its number.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Violation> {
        Violation::all().filter(move |violation| self.contains(*violation))
    }
}

impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = Violations::of(&[Violation::Cycle, Violation::Empty]);
        set.insert(Violation::DeniedClass);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Violation::Empty, Violation::Cycle, Violation::DeniedClass]);
        assert!(!set.is_within(Violations::TOLERABLE) && Violations::NONE.is_within(set));
        assert_eq!(format!("{:?}", Violations::of(&[Violation::Deep])), "{Deep}");
    }
}
