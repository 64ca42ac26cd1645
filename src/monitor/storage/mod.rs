//! Keeps the samples of all scraped targets: compressed, crash-safe, within limits.
//!
//! The arrangement, in the order of the data. A sample is appended to the open [`chunk`] of its [`series`], and to the
//! batch that the next commit writes into the [`log`]. A chunk of 240 samples is sealed. Once the chunks in memory have
//! some megabytes, or span a part of the retention, all of them become a [`block`], whose chunks a thread packs ([`packed`])
//! and writes to [`disk`], and the log begins anew. A query asks the [`index`] for the series that its matchers accept and
//! gets one [`selected`] for each: what is in memory, and which blocks to read when they are wanted ([`reader`]).
//!
//! So memory holds the newest quarter of an hour of a large load and a few bytes for each series of each block, and the
//! disk holds about a byte and a half a sample; the roll-ups for long ranges are the summaries of the chunks. [`retention`]
//! drops whole blocks. A store without a folder works the same way and keeps its blocks in memory.
//!
//! Nothing here reads a clock, knows what a scrape is, or panics over what it finds on disk.
//!
//! Known gaps: blocks are not merged, so a very long retention of a very large load has many of them; samples older than
//! the last one of their series are refused, as Prometheus does unless it is told otherwise.

mod aside;
mod background;
mod bits;
mod block;
mod bytes;
mod catalogue;
mod checksum;
mod chunk;
mod coding;
mod disk;
mod error;
mod housekeeping;
mod image;
mod index;
mod limits;
mod log;
mod packed;
mod read;
mod reader;
mod record;
mod recovery;
mod retention;
mod selected;
mod series;
mod stale;
mod store;
mod summary;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod store_tests;

pub use catalogue::SeriesId;
pub use error::{AppendError, StorageError};
pub use housekeeping::{Committed, Committing};
pub use limits::StoreLimits;
pub use read::ReadStore;
pub use selected::Selected;
pub use stale::{STALE_BITS, is_stale};
pub use store::{SeriesStore, Statistics};
pub use summary::Extremes;
