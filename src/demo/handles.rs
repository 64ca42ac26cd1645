//! What a screen may do to the demo, as three keys.

use std::path::PathBuf;
use std::sync::Arc;

use super::project::DemoProject;

/// Does something to the project and says in one sentence what, or why not. Blocks for milliseconds.
pub type DemoAction = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// The demo, as a screen sees it.
#[derive(Clone)]
pub struct DemoHandles {
    /// The project folder.
    pub folder: PathBuf,
    /// Registers the next batch of data.
    pub register: DemoAction,
    /// Breaks the source so that a test fails, or mends it.
    pub break_source: DemoAction,
    /// Lets the next release refuse what clients send, though it passes its tests; or mends it.
    pub bad_release: DemoAction,
}

impl DemoHandles {
    /// The handles of a project.
    pub fn of(project: &Arc<DemoProject>) -> Self {
        let (registering, breaking, demanding) = (Arc::clone(project), Arc::clone(project), Arc::clone(project));
        Self {
            folder: project.folder().to_owned(),
            register: Arc::new(move || registering.register_next_batch().map_err(|error| error.to_string())),
            break_source: Arc::new(move || breaking.toggle_break().map_err(|error| error.to_string())),
            bad_release: Arc::new(move || demanding.toggle_demand().map_err(|error| error.to_string())),
        }
    }
}
