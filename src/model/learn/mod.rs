//! Preprocessing, learners, and what they learned as plain arrays.
//!
//! [`fit::fit`] is the one door: a problem and a learner go in, what was learned comes out. Nothing here reads files; what is
//! saved of it is saved by `envelope`.

pub(in crate::model) mod fit;
pub(in crate::model) mod learn_error;
pub(in crate::model) mod learner;
pub(in crate::model) mod linfa;
pub(in crate::model) mod parallel;
pub(in crate::model) mod predictor;
pub(in crate::model) mod preprocess;
pub(in crate::model) mod problem;
pub(in crate::model) mod tree;

mod learner_text;
