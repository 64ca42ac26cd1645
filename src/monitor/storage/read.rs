//! Who lets a store be read, for no longer than that takes.

use super::store::SeriesStore;

/// A store, or whoever has one under a lock. What is worked out of the answer is worked out behind the call, so that no
/// evaluation, however long, holds the store up.
pub trait ReadStore {
    /// Lets `look` read the store, and gives what came of it.
    fn read<T>(&self, look: impl FnOnce(&SeriesStore) -> T) -> T;
}

impl ReadStore for SeriesStore {
    fn read<T>(&self, look: impl FnOnce(&SeriesStore) -> T) -> T {
        look(self)
    }
}
