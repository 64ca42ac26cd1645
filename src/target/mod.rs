//! What runs releases, and the seam to it.
//!
//! `host` is a process of its own: it owns the stable address on this machine and puts releases into service, whatever they
//! run as. `process`, `docker` and `kubernetes` know how a release becomes a process, a container or a rollout; none of them
//! knows of the others. `archive` and `engine_image` are the two forms in which an image lies on disk. Nothing here decides
//! whether a release may be applied, and nothing reads the configuration: the request holds all.
//!
//! What several of them need lies beside them: `causes` and `runtime_words` are about the words of others, `loopback` about
//! ports of this machine.

pub mod archive;
mod causes;
pub mod docker;
pub mod engine_image;
pub mod expand;
pub mod hashing;
pub mod host;
pub mod kubernetes;
pub mod labels;
mod loopback;
mod presence;
pub mod process;
mod request;
mod runtime_words;
pub mod tail;

use std::error::Error;

pub use presence::image_missing;
pub use request::{
    ApplyRequest, ApplyResponse, Failure, IMAGE_FORM, InstanceStatus, LiveRelease, TargetStatus, Usage, place,
};

/// What can put a release into service.
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
