//! Targets: where a release runs, and how one takes the place of another.
//!
//! [`Target`] is what the deploy stage and the daemon know of any of them. [`process`] runs releases as processes on this
//! machine. A target is told what to do and answers what became of it; whether a release *should* be applied is decided
//! elsewhere, so nothing here knows of runs, stages or rules.
//!
//! [`archive`] reads the image archives that all targets take, and refuses those that do not verify.

pub mod archive;
pub mod hashing;
pub mod process;
mod request;

use std::error::Error;

pub use request::{ApplyRequest, ApplyResponse, LiveRelease, TargetStatus};

/// A place where one release of the app serves at a stable address.
///
/// Going back to an earlier release is no operation of its own: it is [`Target::apply`] of that release.
pub trait Target {
    /// Why the target could not be asked. A release that was refused is no error but [`ApplyResponse::Rejected`].
    type Error: Error + Send + Sync + 'static;

    /// What serves now.
    fn status(&self) -> impl Future<Output = Result<TargetStatus, Self::Error>> + Send;

    /// Puts a release into service beside the present one, and lets it take over only once it is healthy. Each step is
    /// told in words to `step`. Asked again for the release that is live, it answers at once.
    fn apply(
        &self,
        request: &ApplyRequest,
        step: &mut (dyn FnMut(&str) + Send),
    ) -> impl Future<Output = Result<ApplyResponse, Self::Error>> + Send;

    /// Takes the app out of service and leaves nothing of it running.
    fn stop(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
