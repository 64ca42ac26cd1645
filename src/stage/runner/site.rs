//! What the contract names on this machine, and the environment that a stage gets elsewhere.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::{PROGRAM, RemoteJob};
use crate::stage::contract::{Contract, ContractError};
use crate::target::expand;

/// Variables of the contract that hold no path.
const FACTS: &[&str] = &[
    "TRAINYARD_RUN",
    "TRAINYARD_STAGE",
    "TRAINYARD_ATTEMPT",
    "TRAINYARD_COMMIT",
    "TRAINYARD_PROJECT_NAME",
    "TRAINYARD_DATA_DIGEST",
    "TRAINYARD_MODEL_VERSION",
    "TRAINYARD_CHAMPION_VERSION",
    "TRAINYARD_RELEASE",
    "TRAINYARD_RELEASE_COMMIT",
    "TRAINYARD_REPEATS",
];

/// The paths of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The project folder.
    pub project: PathBuf,
    /// The source tree.
    pub source: PathBuf,
    /// The file that lists the data files.
    pub data_list: PathBuf,
    /// The data files.
    pub data: Vec<PathBuf>,
    /// The folder of the model.
    pub model: PathBuf,
    /// The folder of the champion.
    pub champion: Option<PathBuf>,
    /// The folder for reports.
    pub reports: PathBuf,
    /// The file for progress, metrics and artifacts.
    pub output: PathBuf,
    /// The settings of a built-in stage.
    pub settings: Option<PathBuf>,
    /// The image that an earlier stage made.
    pub image: Option<PathBuf>,
    /// This program.
    pub program: PathBuf,
    /// The variables that hold no path.
    pub facts: BTreeMap<String, String>,
}

impl Site {
    /// Reads the contract from the environment of this process. Nothing else of that environment goes elsewhere.
    pub fn from_environment() -> Result<Self, ContractError> {
        let contract = Contract::from_environment()?;
        let path = |name: &'static str| env::var_os(name).map(PathBuf::from);
        let required = |name: &'static str| path(name).ok_or(ContractError::Missing(name));
        let fact = |name: &&str| env::var(name).ok().map(|value| ((*name).to_owned(), value));
        Ok(Self {
            project: contract.project,
            source: contract.source,
            data_list: required("TRAINYARD_DATA")?,
            data: contract.data,
            model: contract.model,
            champion: path("TRAINYARD_CHAMPION"),
            reports: contract.reports,
            output: required("TRAINYARD_OUTPUT")?,
            settings: path("TRAINYARD_SETTINGS"),
            image: path("TRAINYARD_IMAGE"),
            program: required("TRAINYARD_BIN")?,
            facts: FACTS.iter().filter_map(fact).collect(),
        })
    }

    /// The folder of the attempt.
    pub fn attempt(&self) -> &Path {
        self.output.parent().unwrap_or(&self.output)
    }

    /// The data files in the order of the list, each with its place below a folder that holds them all.
    pub fn placed_data(&self) -> Vec<(PathBuf, PathBuf)> {
        let root = common_folder(&self.data);
        let place = |file: &PathBuf| root.as_deref().and_then(|root| file.strip_prefix(root).ok()).map(Path::to_owned);
        self.data.iter().filter_map(|file| Some((file.clone(), place(file)?))).collect()
    }

    /// Whether there is a model to be read.
    pub fn has_model(&self) -> bool {
        fs::metadata(&self.model).is_ok_and(|metadata| metadata.is_dir())
    }

    /// The environment where every path is what it is here. `program` is where this program is found, if it is.
    pub fn environment(&self, job: &RemoteJob, program: Option<&Path>) -> BTreeMap<String, String> {
        let mut environment = job.environment.clone();
        environment.extend(self.facts.clone());
        let paths: [(&str, Option<&Path>); 10] = [
            ("TRAINYARD_PROJECT", Some(self.project.as_path())),
            ("TRAINYARD_SOURCE", Some(self.source.as_path())),
            ("TRAINYARD_DATA", Some(self.data_list.as_path())),
            ("TRAINYARD_MODEL", Some(self.model.as_path())),
            ("TRAINYARD_CHAMPION", self.champion.as_deref()),
            ("TRAINYARD_REPORTS", Some(self.reports.as_path())),
            ("TRAINYARD_OUTPUT", Some(self.output.as_path())),
            ("TRAINYARD_SETTINGS", self.settings.as_deref()),
            ("TRAINYARD_IMAGE", self.image.as_deref()),
            ("TRAINYARD_BIN", program),
        ];
        for (name, path) in paths {
            // A variable that names nothing would be worse than none.
            match path {
                Some(path) => environment.insert(name.to_owned(), path.display().to_string()),
                None => environment.remove(name),
            };
        }
        environment
    }

    /// The same contract with all paths below `root`, as they are where files are carried to.
    pub fn moved_to(&self, root: &Path) -> Self {
        let source = root.join("source");
        Self {
            project: source.clone(),
            source,
            data_list: root.join("data.txt"),
            data: self.placed_data().into_iter().map(|(_, place)| root.join("data").join(place)).collect(),
            model: root.join("model"),
            champion: self.champion.as_ref().map(|_| root.join("champion")),
            reports: root.join("reports"),
            output: root.join("output.jsonl"),
            settings: self.settings.as_ref().map(|_| root.join("settings.json")),
            // An image may be larger than all the rest, and what reads one reads it where it was made.
            image: None,
            program: PathBuf::from(PROGRAM),
            facts: self.facts.clone(),
        }
    }
}

/// The command line of a stage with these variables; a built-in stage is a subcommand of `program`.
pub fn command(job: &RemoteJob, program: &Path, environment: &BTreeMap<String, String>) -> Vec<String> {
    match &job.built_in {
        Some(name) => vec![program.display().to_string(), "stage".to_owned(), name.clone()],
        None => job.command.iter().map(|argument| expand::expand(argument, environment)).collect(),
    }
}

/// The deepest folder that holds all the files.
fn common_folder(files: &[PathBuf]) -> Option<PathBuf> {
    let first = files.first()?.parent()?;
    first.ancestors().find(|folder| files.iter().all(|file| file.starts_with(folder))).map(Path::to_owned)
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{ContainerSettings, Runner};

    pub(crate) fn job(command: &[&str]) -> RemoteJob {
        RemoteJob {
            runner: Runner::Kubernetes(ContainerSettings::default()),
            command: command.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: BTreeMap::from([("LEVEL".to_owned(), "3".to_owned())]),
            built_in: None,
            produces_model: true,
            timeout: None,
            labels: BTreeMap::new(),
            grace: Duration::from_secs(5),
        }
    }

    /// A contract below `root`, of which nothing needs to be there.
    pub(crate) fn site(root: &Path) -> Site {
        let attempt = root.join(".trainyard/runs/3/test.1");
        Site {
            project: root.to_owned(),
            source: root.to_owned(),
            data_list: attempt.join("data.txt"),
            data: vec![root.join("data/2024/a.csv"), root.join("data/b.csv")],
            model: root.join(".trainyard/models/2"),
            champion: None,
            reports: attempt.join("reports"),
            output: attempt.join("output.jsonl"),
            settings: None,
            image: None,
            program: PathBuf::from("/opt/trainyard"),
            facts: BTreeMap::from([("TRAINYARD_RUN".to_owned(), "3".to_owned())]),
        }
    }

    #[test]
    fn the_environment_elsewhere_has_the_contract_and_the_stages_own_variables_only() {
        let moved = site(Path::new("/home/me/wine")).moved_to(Path::new("/trainyard"));
        let environment = moved.environment(&job(&[]), None);
        let get = |name: &str| environment.get(name).map(String::as_str);
        assert_eq!(get("TRAINYARD_SOURCE"), Some("/trainyard/source"));
        assert_eq!(get("TRAINYARD_REPORTS"), Some("/trainyard/reports"));
        assert_eq!((get("TRAINYARD_RUN"), get("LEVEL")), (Some("3"), Some("3")));
        assert_eq!((get("TRAINYARD_BIN"), get("TRAINYARD_SETTINGS"), get("PATH")), (None, None, None));
    }

    #[test]
    fn data_files_of_equal_names_stay_apart() {
        let mut site = site(Path::new("/wine"));
        site.data = vec!["/wine/data/a/x.csv".into(), "/wine/data/b/x.csv".into()];
        let moved = site.moved_to(Path::new("/trainyard"));
        assert_eq!(moved.data, [Path::new("/trainyard/data/a/x.csv"), Path::new("/trainyard/data/b/x.csv")]);
        site.data = vec!["/wine/data/a/x.csv".into()];
        assert_eq!(site.moved_to(Path::new("/trainyard")).data, [Path::new("/trainyard/data/x.csv")]);
        site.data = Vec::new();
        assert_eq!(site.moved_to(Path::new("/trainyard")).data, Vec::<PathBuf>::new());
    }

    #[test]
    fn a_command_has_the_paths_of_where_it_runs() {
        let moved = site(Path::new("/wine")).moved_to(Path::new("/trainyard"));
        let job = job(&["pytest", "--xml=$TRAINYARD_REPORTS/j.xml", "$LEVEL$X"]);
        let line = command(&job, Path::new(PROGRAM), &moved.environment(&job, None));
        assert_eq!(line, ["pytest", "--xml=/trainyard/reports/j.xml", "3$X"]);
        let built_in = RemoteJob { built_in: Some("train".to_owned()), ..job };
        let line = command(&built_in, Path::new(PROGRAM), &BTreeMap::new());
        assert_eq!(line, ["/usr/local/bin/trainyard", "stage", "train"]);
    }
}
