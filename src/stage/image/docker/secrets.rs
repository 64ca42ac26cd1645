//! The secrets of a build: read when it begins, handed to the engine when a step asks, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::SecretSource;

/// The most bytes that `BuildKit` takes.
const LARGEST: usize = 500 * 1024;

/// Why a secret cannot be had.
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
    #[error("the secret `{name}` is to come from {path}, which cannot be read: {source}")]
    File {
        /// The secret.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is too much of it.
    #[error("the secret `{name}` has {bytes} bytes, and the engine takes 512000 at most; make it shorter")]
    TooLarge {
        /// The secret.
        name: String,
        /// Its bytes.
        bytes: usize,
    },
}

/// The files of which they are read, those that are there, by their paths without links.
pub fn files(sources: &BTreeMap<String, SecretSource>, folder: &Path) -> BTreeSet<PathBuf> {
    let path = |source: &SecretSource| match source {
        SecretSource::Environment(_) => None,
        SecretSource::File(path) => folder.join(path).canonicalize().ok(),
    };
    sources.values().filter_map(path).collect()
}

/// The values by their names.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, Vec<u8>>);

impl Secrets {
    /// Reads them; files are relative to the project folder.
    pub fn read(sources: &BTreeMap<String, SecretSource>, folder: &Path) -> Result<Self, SecretError> {
        let values = sources.iter().map(|(name, source)| Ok((name.clone(), value(name, source, folder)?)));
        values.collect::<Result<_, _>>().map(Self)
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the values.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn value(name: &str, source: &SecretSource, folder: &Path) -> Result<Vec<u8>, SecretError> {
    let name = name.to_owned();
    let value = match source {
        SecretSource::Environment(variable) => match env::var_os(variable) {
            Some(value) => value.into_encoded_bytes(),
            None => return Err(SecretError::NoVariable { name, variable: variable.clone() }),
        },
        SecretSource::File(path) => {
            let path = folder.join(path);
            match fs::read(&path) {
                Ok(value) => value,
                Err(source) => return Err(SecretError::File { name, path, source }),
            }
        }
    };
    if value.len() > LARGEST {
        return Err(SecretError::TooLarge { name, bytes: value.len() });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: SecretSource, folder: &Path) -> Result<Secrets, SecretError> {
        Secrets::read(&BTreeMap::from([("token".to_owned(), source)]), folder)
    }

    #[test]
    fn a_secret_comes_from_a_file_or_a_variable_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token.txt"), "s3cret\n").unwrap();
        let secrets = read(SecretSource::File("token.txt".into()), folder.path()).unwrap();
        assert_eq!(secrets.get("token"), Some(b"s3cret\n".as_slice()));
        assert_eq!(secrets.get("other"), None);
        assert_eq!(format!("{secrets:?}"), "{\"token\"}");

        let secrets = read(SecretSource::Environment("PATH".to_owned()), folder.path()).unwrap();
        assert_eq!(secrets.get("token"), env::var_os("PATH").map(std::ffi::OsString::into_encoded_bytes).as_deref());
    }

    #[test]
    fn one_that_cannot_be_had_is_told_with_where_it_should_come_from() {
        let folder = tempfile::tempdir().unwrap();
        let told = read(SecretSource::File("gone".into()), folder.path()).unwrap_err().to_string();
        assert!(told.contains("`token`") && told.contains("gone"), "{told}");
        let variable = "TRAINYARD_TEST_NOT_SET".to_owned();
        let told = read(SecretSource::Environment(variable.clone()), folder.path()).unwrap_err().to_string();
        assert!(told.contains(&variable), "{told}");
        fs::write(folder.path().join("large"), vec![b'x'; LARGEST + 1]).unwrap();
        let large = read(SecretSource::File("large".into()), folder.path());
        assert!(matches!(large, Err(SecretError::TooLarge { .. })));
    }
}
