//! pending
/// pending
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArguments {}
