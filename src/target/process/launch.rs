//! What is executed for a release: the image's entry point or the user's command, with paths of the image mapped to where
//! it was unpacked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::unpack::Unpacked;
use crate::target::ApplyRequest;
use crate::target::expand::expand;

/// The server in images that the built-in image stage makes; it is told its address by an option.
const SERVER: &str = "/usr/local/bin/trainyard";

/// A command line with its folder and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it starts.
    pub folder: PathBuf,
    /// Variables beyond those of the host.
    pub variables: Vec<(String, String)>,
}

impl Launch {
    /// The command for `request`, to listen on `address`; `None` if neither it nor the image names one.
    pub fn new(request: &ApplyRequest, unpacked: &Unpacked, address: SocketAddr) -> Option<Self> {
        let root = &unpacked.root;
        let app = root.join("app");
        let folder = if app.is_dir() { app } else { root.clone() };
        let variables = variables(request, root, address);
        let from_image = request.command.is_empty();
        let command = if from_image { &unpacked.config.config.entrypoint } else { &request.command };
        let mut words = command.iter().map(|word| into_root(root, &expand(word, &variables)));
        let program = resolve(&folder, &words.next()?);
        let mut arguments: Vec<String> = words.collect();
        if from_image && command.first().is_some_and(|first| first == SERVER) {
            arguments.extend(["--listen".to_owned(), address.to_string()]);
        }
        Some(Self { program, arguments, folder, variables: variables.into_iter().collect() })
    }
}

fn variables(request: &ApplyRequest, root: &Path, address: SocketAddr) -> BTreeMap<String, String> {
    let version = request.model_version.map(|version| version.to_string()).unwrap_or_default();
    let ours = [
        ("PORT", address.port().to_string()),
        ("TRAINYARD_LISTEN", address.to_string()),
        ("TRAINYARD_RELEASE", request.release.to_string()),
        ("TRAINYARD_MODEL", root.join("model").display().to_string()),
        ("TRAINYARD_MODEL_VERSION", version),
    ];
    // Ours come last: an app that listens elsewhere than it was told is never healthy.
    let configured = request.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
    configured.chain(ours.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// An absolute path that is in the image stands for the file there; any other word, such as `/usr/bin/python3` of this
/// machine, for itself.
fn into_root(root: &Path, word: &str) -> String {
    match word.strip_prefix('/') {
        Some(inside)
            if !inside.is_empty() && !word.starts_with(&*root.to_string_lossy()) && root.join(inside).exists() =>
        {
            root.join(inside).display().to_string()
        }
        _ => word.to_owned(),
    }
}

/// A program with a slash in its name is looked up from the folder of the app, one without it in `PATH`.
fn resolve(folder: &Path, program: &str) -> PathBuf {
    if program.contains('/') { folder.join(program) } else { PathBuf::from(program) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DeployTarget;
    use crate::target::archive::{ContainerConfig, ImageConfig, RootFileSystem};

    fn launch(root: &Path, command: &[&str]) -> Option<Launch> {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let request = ApplyRequest { command, ..ApplyRequest::sample(DeployTarget::Process) };
        let entrypoint = [SERVER, "serve", "--model", "/model"].map(str::to_owned).to_vec();
        let config = ImageConfig {
            created: String::new(),
            architecture: String::new(),
            os: String::new(),
            config: ContainerConfig { entrypoint, ..ContainerConfig::default() },
            rootfs: RootFileSystem { kind: String::new(), diff_ids: Vec::new() },
            history: Vec::new(),
        };
        Launch::new(&request, &Unpacked { root: root.to_owned(), config }, "127.0.0.1:4444".parse().unwrap())
    }

    fn image() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["app", "model", "usr/local/bin"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        std::fs::write(root.path().join("usr/local/bin/trainyard"), "").unwrap();
        std::fs::write(root.path().join("app/run"), "").unwrap();
        root
    }

    #[test]
    fn the_built_in_server_is_run_out_of_the_image_with_its_paths_mapped() {
        let root = image();
        let launch = launch(root.path(), &[]).unwrap();
        assert_eq!(launch.program, root.path().join("usr/local/bin/trainyard"));
        let model = root.path().join("model").display().to_string();
        assert_eq!(launch.arguments, ["serve", "--model", &model, "--listen", "127.0.0.1:4444"]);
        assert_eq!(launch.folder, root.path().join("app"));
    }

    #[test]
    fn a_command_gets_its_port_and_programs_of_this_machine_stay() {
        let root = image();
        let launch =
            launch(root.path(), &["/usr/bin/python3", "/app/run", "--port=$PORT", "${TRAINYARD_RELEASE}$X$"]).unwrap();
        assert_eq!(launch.program, Path::new("/usr/bin/python3"));
        let script = root.path().join("app/run").display().to_string();
        assert_eq!(launch.arguments, [script.as_str(), "--port=4444", "17$X$"]);
        assert!(launch.variables.contains(&("PORT".to_owned(), "4444".to_owned())));
    }

    #[test]
    fn a_relative_program_is_of_the_app_and_a_bare_name_of_the_path() {
        let root = image();
        assert_eq!(launch(root.path(), &["./run"]).unwrap().program, root.path().join("app").join("./run"));
        assert_eq!(launch(root.path(), &["python3"]).unwrap().program, Path::new("python3"));
    }
}
