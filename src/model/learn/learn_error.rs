//! Why an algorithm learned nothing.

/// Why an algorithm learned nothing.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The algorithm itself gave up.
    #[error("{algorithm} found no solution: {reason}; try another algorithm, or look for extreme values in the data")]
    NoSolution {
        /// Its name.
        algorithm: &'static str,
        /// What it said.
        reason: String,
    },
    /// Infinities or NaN came out.
    #[error("{algorithm} found no finite solution; look for extreme values in the data, or try another algorithm")]
    NotFinite {
        /// Its name.
        algorithm: &'static str,
    },
    /// A classifier for numbers, or the reverse.
    #[error("{algorithm} does not suit this task; use algorithms = [\"auto\"] for all that do")]
    Unsuitable {
        /// Its name.
        algorithm: &'static str,
    },
    /// It would take hours, and memory by the square of the rows.
    #[error("{algorithm} learns from at most {limit} rows, and there are {rows}; use boosting or forest instead")]
    TooManyRows {
        /// Its name.
        algorithm: &'static str,
        /// How many there are.
        rows: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A choice that makes no sense, such as trees without leaves.
    #[error("{algorithm} cannot learn with {what} = {value}; it must be {expected}")]
    Parameter {
        /// Its name.
        algorithm: &'static str,
        /// The hyper-parameter.
        what: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// There is nothing to tell apart.
    #[error("all {rows} rows to learn from have the same class; add rows of another one")]
    OneClass {
        /// How many rows.
        rows: usize,
    },
    /// Every column is constant or empty.
    #[error("no column says anything about the {rows} rows to learn from; add columns, or rows that differ")]
    NothingToLearnFrom {
        /// How many rows.
        rows: usize,
    },
    /// More columns than a tree can name.
    #[error("{columns} columns are more than the {limit} that can be learned from; exclude some")]
    TooManyColumns {
        /// How many there are.
        columns: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A fault of the program.
    #[error("a row to learn from has no label; please report this as a fault of trainyard")]
    Unlabelled,
    /// A fault of the program.
    #[error("the encoded rows do not form a matrix: {0}; please report this as a fault of trainyard")]
    Shape(#[from] ndarray::ShapeError),
    /// The caller wanted it to end.
    #[error("learning was stopped before it was done")]
    Stopped,
}
