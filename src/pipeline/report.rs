//! What a stage's tests said, reduced to what decisions and the board need.
//!
//! Pure types. They are filled from JUnit XML by `stage::report`; nothing here reads a file.

use serde::{Deserialize, Serialize};

/// The outcome of all tests of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestReport {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, whether by an assertion or by an error; each counts once.
    pub failed: u64,
    /// Tests that were not run.
    pub skipped: u64,
    /// The first of those that failed; `failed` says how many there are in all.
    pub failing: Vec<FailingTest>,
}

impl TestReport {
    /// All tests, run or not.
    pub fn total(&self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.skipped)
    }
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FailingTest {
    /// Its class and name, cut at 300 characters.
    pub name: String,
    /// What it said, in one line of at most 500 characters; empty if it said nothing.
    pub message: String,
}
