//! The Python app of `tests/fixtures/python-app`: a user's own training, tests and Dockerfile, as a project to drive.

use std::ops::Deref;

use super::engines::{Namespace, Swept, own_name, python_image};
use super::project::Project;

/// A record that the app predicts.
pub const POINT: &str = r#"{"x": 1.5}"#;
/// Points on a line with some noise.
pub const POINTS: &str = include_str!("../fixtures/python-app/data/points.csv");

const CONFIGURATION: &str = include_str!("../fixtures/python-app/trainyard.toml");
const FILES: &[(&str, &str)] = &[
    (".dockerignore", include_str!("../fixtures/python-app/.dockerignore")),
    (".gitignore", include_str!("../fixtures/python-app/.gitignore")),
    ("Dockerfile", include_str!("../fixtures/python-app/Dockerfile")),
    ("app.py", include_str!("../fixtures/python-app/app.py")),
    ("tests/test_app.py", include_str!("../fixtures/python-app/tests/test_app.py")),
    ("train.py", include_str!("../fixtures/python-app/train.py")),
];

/// A project with the Python app. When it is dropped, what it made in Docker Engine is removed too.
pub struct PythonApp {
    /// The name of the project, which nothing else in the engines has.
    pub name: String,
    project: Project,
    // Behind the project, whose end stops what still runs.
    _swept: Swept,
}

impl PythonApp {
    /// The app as it is, in containers of Docker Engine. Nothing is registered yet.
    #[track_caller]
    pub fn new() -> Self {
        Self::with(str::to_owned)
    }

    /// The app with another configuration, which is given its own to change. There must be a Docker Engine.
    #[track_caller]
    pub fn with(change: impl FnOnce(&str) -> String) -> Self {
        python_image();
        let name = own_name("python-app");
        let own = replaced(CONFIGURATION, "name = \"python-app\"", &format!("name = \"{name}\""));
        let configuration = change(&replaced(&own, "\nport = 8080\n", "\nport = @PORT@\n"));
        let project = Project::with(&configuration, FILES);
        let swept = Swept::behind(name.as_str());
        Self { name, project, _swept: swept }
    }

    /// The app with pods of this namespace instead of a container; train and test stay in Docker Engine, whose images the node
    /// of a test cluster shares. Hold the namespace longer than the app.
    #[track_caller]
    pub fn on_kubernetes(namespace: &Namespace) -> Self {
        let target = format!("target = \"kubernetes\"\nnamespace = \"{}\"", namespace.name);
        Self::with(|text| replaced(text, "target = \"docker\"", &target))
    }

    /// Saves the configuration with `old` replaced by `new`, which must be there.
    #[track_caller]
    pub fn reconfigure(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.folder().join("trainyard.toml")).unwrap();
        self.write("trainyard.toml", replaced(&text, old, new));
    }
}

impl Deref for PythonApp {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

/// A replacement that must have something to replace, lest a test try the wrong thing.
#[track_caller]
pub fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old:?} is not in:\n{text}");
    text.replace(old, new)
}
