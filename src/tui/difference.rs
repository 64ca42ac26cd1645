//! One thing in which two runs or two releases differ, in words.

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Difference {
    /// What.
    pub(super) what: String,
    /// That of the one.
    pub(super) one: String,
    /// That of the other.
    pub(super) other: String,
    /// How much more or less that is, where it can be counted.
    pub(super) change: String,
}

impl Difference {
    /// Without a change that could be counted.
    pub(super) fn new(what: &str, one: String, other: String) -> Self {
        Self { what: what.to_owned(), one, other, change: String::new() }
    }

    /// Nothing where both are the same.
    pub(super) fn where_they_differ(what: &str, one: String, other: String) -> Option<Self> {
        (one != other).then(|| Self::new(what, one, other))
    }
}
