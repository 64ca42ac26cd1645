//! What lies in the folder of a model and only tells of it: where it comes from, how its gate judged it, how it was found.
//!
//! None of it is part of the model. It differs from run to run while the model stays the same, so it counts neither where
//! models are told from each other nor in an image.

/// The names of such files, directly in the folder.
pub const RECORDS: [&str; 3] = ["lineage.json", "gate.json", "leaderboard.json"];
