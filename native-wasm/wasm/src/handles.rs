//! What lives in the memory between calls, by number. A number is never used again, so one that is out of date finds nothing.

use crate::exchange::Failure;
use std::cell::RefCell;
use std::collections::BTreeMap;

pub struct Handles<T> {
    /// The next number, and what there is.
    inner: RefCell<(u32, BTreeMap<u32, T>)>,
}

impl<T> Handles<T> {
    pub const fn new() -> Self {
        Self { inner: RefCell::new((1, BTreeMap::new())) }
    }

    pub fn add(&self, value: T) -> u32 {
        let (next, values) = &mut *self.inner.borrow_mut();
        let number = *next;
        *next += 1;
        values.insert(number, value);
        number
    }

    /// # Errors
    /// `Disposed` when there is no such thing any more; those of `operation`.
    pub fn with<R>(&self, number: u32, operation: impl FnOnce(&mut T) -> Result<R, Failure>) -> Result<R, Failure> {
        match self.inner.borrow_mut().1.get_mut(&number) {
            Some(value) => operation(value),
            None => Err(Failure::new("Disposed", "it was disposed of already: make another".to_owned())),
        }
    }

    pub fn remove(&self, number: u32) {
        self.inner.borrow_mut().1.remove(&number);
    }
}
