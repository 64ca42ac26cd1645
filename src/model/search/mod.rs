//! Which learner suits the data: candidates are compared by cross-validation on the training rows, and the held-out rows
//! are never looked at.
//!
//! **Candidates** ([`candidates`](mod@candidates)): of each algorithm first what is usual and what is known to be good, then
//! seeded draws from the spaces that are written down in [`space`](mod@space), until there are `trials` of them.
//!
//! **Folds** ([`folds`](mod@folds)): by the hash of each row, so that a row stays in its fold when data grows and equal rows
//! are never on both sides. Up to 50 000 training rows every fold is held back once; above that one part, a fifth, judges
//! all.
//!
//! **Schedule** ([`schedule`]): successive halving (Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and
//! Hyperparameter Optimization*, 2016) by thirds. A rung gives each trial a share of the rows: 1/27, 1/9, 1/3 and all of
//! them, where rungs of fewer than 2 000 rows are left out; below the last rung boosting and forests get half of their
//! rounds and trees. The best third goes on, and from the first rung the best of each algorithm, for what needs many rows
//! must not be dropped for the few of the first rung. The best mean wins; of equals, the earlier trial.
//!
//! **Blends** ([`blends`](mod@blends)): the best of each algorithm, one behind the other, as long as they are nearly as good as
//! the best of all, answer together; that is one or two more trials on all rows.
//!
//! **Budget**: a number of trials, and a time. Without a time equal inputs give equal results, whatever the threads do and
//! however often the search was interrupted. The first rung tries the usual form of each algorithm first. When time is over,
//! the trials that finished the highest rung are compared.
//!
//! **Journal** ([`journal`]): each finished fold is a line on disk, by which a search that was killed goes on.

mod blends;
mod board;
mod candidates;
mod control;
mod folds;
mod halving;
mod journal;
mod pool;
mod schedule;
mod space;
mod trial;

pub use board::{Board, Standing};
pub(in crate::model) use candidates::candidates;
pub use control::Control;
pub(in crate::model) use control::attended;
pub(in crate::model) use folds::folds;
pub(in crate::model) use halving::{Found, Plan, Progress, search};
pub use journal::Journal;
pub(in crate::model) use journal::key;
