//! Where secrets come from: what the configuration names, and variables whose names give them away.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::named::{decoded, secret_in};
use super::{LEAST, Secret};
use crate::config::{Action, SecretSource, Settings};

/// The most bytes of a secret, those that Docker Engine takes.
const LARGEST: u64 = 500 * 1024;

/// Why a stage cannot be given a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error(
        "the secret `{name}` is to come from the variable {variable}, which is not set where the daemon was started; set it there and start the daemon again"
    )]
    NoVariable {
        /// The secret.
        name: String,
        /// The variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error(
        "the secret `{name}` is to come from {path}, which cannot be read: {source}; mend it, or `secrets` of [project]"
    )]
    File {
        /// The secret.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No variable can hold it.
    #[error("the secret `{name}` is no text, or longer than 500 KiB, so that no variable of a stage can hold it")]
    NoText {
        /// The secret.
        name: String,
    },
}

/// `[project] secrets`: the variables that every stage gets. The line end behind the last line of a file is no part of it.
pub fn project_secrets(settings: &Settings, project: &Path) -> Result<BTreeMap<String, String>, SecretError> {
    let mut variables = BTreeMap::new();
    for (name, source) in &settings.secrets {
        let bytes = read(source, project).map_err(|error| missing(name, source, project, error))?;
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(|| SecretError::NoText { name: name.clone() })?;
        variables.insert(name.clone(), text.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(variables)
}

/// All secrets that are known: first what the configuration names as such, then what names of variables give away.
pub fn secrets_of(settings: &Settings, project: &Path) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for (name, source) in settings.secret_sources() {
        match read(source, project) {
            Ok(value) if value.trim_ascii().len() >= LEAST => secrets.push(Secret { name, value }),
            // Nothing can hold what cannot be had; whoever needs it says so.
            Ok(_) | Err(_) => {}
        }
    }
    let written = settings.written_secrets().into_iter();
    secrets.extend(written.map(|(name, value)| Secret { name, value: value.as_bytes().to_vec() }));
    let mut find = |name: &str, value: &str| {
        if let Some(secret) = secret_in(name, value) {
            let values = decoded(secret).into_iter().chain([secret.as_bytes().to_vec()]);
            secrets.extend(values.map(|value| Secret { name: name.to_owned(), value }));
        }
    };
    for (name, value) in configured(settings) {
        find(name, value);
    }
    if let Some(remote) = &settings.source.remote {
        find("remote_url", &remote.name);
    }
    for (name, value) in env::vars_os() {
        find(&name.to_string_lossy(), &value.to_string_lossy());
    }
    secrets
}

/// The variables and build arguments that are written in the configuration.
fn configured(settings: &Settings) -> Vec<(&str, &str)> {
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for stage in &settings.stages {
        variables.extend(pairs(&stage.environment));
        match &stage.action {
            Action::Image(image) => {
                variables.extend(image.dockerfile.iter().flat_map(|dockerfile| pairs(&dockerfile.arguments)));
            }
            Action::Deploy(deploy) => variables.extend(pairs(&deploy.variables)),
            Action::Command(_) | Action::Train(_) => {}
        }
    }
    variables
}

fn pairs(variables: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn read(source: &SecretSource, project: &Path) -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    match source {
        SecretSource::Environment(variable) => {
            let found = env::var_os(variable).ok_or(io::ErrorKind::NotFound)?;
            value = found.into_encoded_bytes();
        }
        SecretSource::File(path) => {
            let path = project.join(path);
            // A pipe without a writer would be waited for without end.
            if !fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("it is no regular file"));
            }
            File::open(path)?.take(LARGEST + 1).read_to_end(&mut value)?;
        }
    }
    if value.len() as u64 > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(value)
}

fn missing(name: &str, source: &SecretSource, project: &Path, error: io::Error) -> SecretError {
    let name = name.to_owned();
    match source {
        _ if error.kind() == io::ErrorKind::FileTooLarge => SecretError::NoText { name },
        SecretSource::Environment(variable) => SecretError::NoVariable { name, variable: variable.clone() },
        SecretSource::File(path) => SecretError::File { name, path: project.join(path), source: error },
    }
}
