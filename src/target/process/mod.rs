//! The process target: a release as a process on this machine, out of its unpacked image.
//!
//! `unpack` and `launch` make a command line of an image, `release` runs it in a process group of its own. Who serves, who
//! judges and who keeps it alive is the affair of [`super::host`].

mod launch;
mod recorded;
mod release;
mod share;
mod unpack;

pub use self::launch::Launch;
pub use self::recorded::{RecordedProcess, start_time};
pub use self::release::{Running, release_log};
pub use self::unpack::{UnpackError, Unpacked, unpack};
