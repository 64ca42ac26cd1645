//! What is asked of the engine for the container of a stage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType};

use crate::config::{ContainerSettings, Limits};
use crate::stage::runner::site::{self, Site};
use crate::stage::runner::{PROGRAM, RemoteJob};
use crate::target::expand;

/// What a container is made of.
pub struct Plan<'a> {
    /// The stage.
    pub job: &'a RemoteJob,
    /// Its `container`.
    pub settings: &'a ContainerSettings,
    /// What the contract names here.
    pub site: &'a Site,
    /// The image.
    pub image: &'a str,
    /// The user and group inside.
    pub user: &'a str,
}

/// Where the program is inside of the container.
#[derive(Debug, PartialEq, Eq)]
enum Program {
    /// In the image, which is one of the program.
    InImage,
    /// At its path here, for the stage asks for it; whether the image can run it is for who chose the image to know.
    Mounted,
    /// Nowhere.
    None,
}

impl Plan<'_> {
    /// The container.
    pub fn container(&self) -> ContainerCreateBody {
        let program = self.program();
        let path = match program {
            Program::InImage => Some(Path::new(PROGRAM)),
            Program::Mounted => Some(self.site.program.as_path()),
            Program::None => None,
        };
        let mut environment = self.site.environment(self.job, path);
        environment.entry("HOME".to_owned()).or_insert_with(|| "/tmp".to_owned());
        let command = site::command(self.job, path.unwrap_or(&self.site.program), &environment);
        let has_program = program == Program::Mounted;
        ContainerCreateBody {
            image: Some(self.image.to_owned()),
            // The command is all of it: an entry point of the image would take it for its arguments.
            entrypoint: Some(command),
            env: Some(environment.into_iter().map(|(name, value)| format!("{name}={value}")).collect()),
            working_dir: Some(self.site.source.display().to_string()),
            user: Some(self.user.to_owned()),
            labels: Some(self.job.labels.clone().into_iter().collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            // That of a server would ask a stage that serves nothing.
            healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
            host_config: Some(self.host(has_program)),
            ..ContainerCreateBody::default()
        }
    }

    fn program(&self) -> Program {
        let is_named = expand::names(&self.job.command, "TRAINYARD_BIN");
        match (&self.job.built_in, &self.settings.image) {
            (Some(_), None) => Program::InImage,
            (Some(_), Some(_)) => Program::Mounted,
            (None, _) if is_named => Program::Mounted,
            (None, _) => Program::None,
        }
    }

    fn host(&self, has_program: bool) -> HostConfig {
        let Limits { memory, cpus } = self.settings.limits;
        let cpus = cpus.and_then(|cpus| Duration::try_from_secs_f64(cpus).ok());
        HostConfig {
            mounts: Some(self.mounts(has_program).iter().map(|(path, writable)| mount(path, *writable)).collect()),
            network_mode: self.settings.network.clone(),
            memory: memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            nano_cpus: cpus.map(|cpus| i64::try_from(cpus.as_nanos()).unwrap_or(i64::MAX)),
            // What a stage forks and leaves is to be reaped, and TERM to reach it.
            init: Some(true),
            // The output is read from the process; see the module.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            ..HostConfig::default()
        }
    }

    /// The paths that are mounted, and whether they may be written.
    fn mounts(&self, has_program: bool) -> BTreeMap<PathBuf, bool> {
        let site = self.site;
        let mut wanted = BTreeMap::new();
        let mut want = |path: &Path, may_write: bool| {
            let writable = wanted.entry(path.to_owned()).or_insert(false);
            *writable |= may_write;
        };
        want(&site.project, false);
        want(&site.source, true);
        want(site.attempt(), true);
        if site.has_model() {
            want(&site.model, self.job.produces_model);
        }
        if let Some(champion) = site.champion.as_deref().filter(|folder| folder.is_dir()) {
            want(champion, false);
        }
        for file in &site.data {
            // Behind a link, the file that is meant lies elsewhere.
            let real = file.canonicalize().ok();
            for folder in [file.parent(), real.as_deref().and_then(Path::parent)].into_iter().flatten() {
                want(folder, false);
            }
        }
        if let Some(folder) = site.image.as_deref().filter(|image| image.exists()).and_then(Path::parent) {
            want(folder, false);
        }
        if has_program {
            want(&site.program, false);
        }
        reduced(&wanted, |path| path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }
}

/// Leaves out what is there already with a folder around it, just as writable. `resolve` follows links: what is a link to a
/// place outside of that folder does not come with it.
fn reduced(wanted: &BTreeMap<PathBuf, bool>, resolve: impl Fn(&Path) -> PathBuf) -> BTreeMap<PathBuf, bool> {
    let mut kept: BTreeMap<PathBuf, bool> = BTreeMap::new();
    // In the order of the map, a folder comes before what is in it.
    for (path, writable) in wanted {
        let around = path.ancestors().skip(1).find_map(|folder| kept.get_key_value(folder));
        let is_there =
            around.is_some_and(|(folder, around)| around == writable && resolve(path).starts_with(resolve(folder)));
        if !is_there {
            kept.insert(path.clone(), *writable);
        }
    }
    kept
}

fn mount(path: &Path, writable: bool) -> Mount {
    let path = path.display().to_string();
    Mount {
        typ: Some(MountType::BIND),
        source: Some(path.clone()),
        target: Some(path),
        read_only: Some(!writable),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::site::tests::{job, site};
    use super::*;

    fn wanted(paths: &[(&str, bool)]) -> BTreeMap<PathBuf, bool> {
        paths.iter().map(|(path, writable)| (PathBuf::from(path), *writable)).collect()
    }

    fn settings(image: Option<&str>) -> ContainerSettings {
        ContainerSettings {
            image: image.map(str::to_owned),
            limits: Limits { memory: Some(1 << 29), cpus: Some(1.5) },
            network: Some("backend".to_owned()),
            ..ContainerSettings::default()
        }
    }

    fn container(job: &RemoteJob, settings: &ContainerSettings) -> ContainerCreateBody {
        let site = site(Path::new("/nowhere/wine"));
        Plan { job, settings, site: &site, image: "i", user: "1000:1000" }.container()
    }

    #[test]
    fn a_folder_comes_with_the_one_around_it_unless_it_may_be_written_otherwise() {
        let all =
            wanted(&[("/p", true), ("/p/.trainyard/runs/1/test.1", true), ("/p/data", false), ("/p/data/x", false)]);
        assert_eq!(reduced(&all, Path::to_owned), wanted(&[("/p", true), ("/p/data", false)]));
        let apart = wanted(&[("/p", false), ("/p/src", true), ("/pp", false)]);
        assert_eq!(reduced(&apart, Path::to_owned), apart);
    }

    #[test]
    fn a_link_to_the_outside_is_mounted_itself() {
        let all = wanted(&[("/p", false), ("/p/data", false)]);
        let resolve = |path: &Path| match path.strip_prefix("/p/data") {
            Ok(rest) => Path::new("/big").join(rest),
            Err(_) => path.to_owned(),
        };
        assert_eq!(reduced(&all, resolve), all);
    }

    #[test]
    fn a_container_has_the_contract_its_limits_and_nothing_of_the_daemons_environment() {
        let made = container(&job(&["pytest", "$TRAINYARD_REPORTS"]), &settings(Some("i")));
        let reports = "/nowhere/wine/.trainyard/runs/3/test.1/reports";
        assert_eq!(made.entrypoint.unwrap(), ["pytest", reports]);
        let environment = made.env.unwrap();
        assert!(environment.contains(&"HOME=/tmp".to_owned()) && environment.contains(&"LEVEL=3".to_owned()));
        assert!(!environment.iter().any(|line| line.starts_with("PATH=") || line.starts_with("TRAINYARD_BIN=")));
        let host = made.host_config.unwrap();
        assert_eq!((host.memory, host.nano_cpus), (Some(1 << 29), Some(1_500_000_000)));
        assert_eq!((host.init, host.network_mode.as_deref()), (Some(true), Some("backend")));
        let mounts = host.mounts.unwrap();
        let mounts: Vec<_> = mounts.iter().map(|mount| (mount.target.as_deref().unwrap(), mount.read_only)).collect();
        let expected = [("/nowhere/wine", Some(false)), ("/nowhere/wine/data", Some(true))];
        assert_eq!(mounts, expected);
    }

    #[test]
    fn the_program_is_there_where_the_stage_needs_it() {
        let has_program = |job: &RemoteJob, image: Option<&str>| {
            let made = container(job, &settings(image));
            let mounts = made.host_config.unwrap().mounts.unwrap();
            let is_mounted = mounts.iter().any(|mount| mount.target.as_deref() == Some("/opt/trainyard"));
            (made.entrypoint.unwrap().remove(0), is_mounted)
        };
        let built_in = RemoteJob { built_in: Some("train".to_owned()), ..job(&[]) };
        assert_eq!(has_program(&built_in, Some("debian:13")), ("/opt/trainyard".to_owned(), true));
        assert_eq!(has_program(&built_in, None), (PROGRAM.to_owned(), false));
        assert_eq!(has_program(&job(&["$TRAINYARD_BIN", "predict"]), Some("i")), ("/opt/trainyard".to_owned(), true));
        assert_eq!(has_program(&job(&["pytest"]), Some("i")), ("pytest".to_owned(), false));
    }
}
