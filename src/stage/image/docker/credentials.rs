//! The credentials of the user for a registry, as `docker login` left them.
//!
//! They stand in `config.json` of the `docker` command: in a file, or in a keychain that a program of its own
//! (`docker-credential-NAME`) asks. They go to the engine with a request and nowhere else; no error here tells what
//! stands in the file, and nothing of this module that has them can be printed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::target::docker::command;
use crate::target::docker::images::registry_of;

/// How the Docker Hub is named in references.
const DOCKER_HUB: &str = "docker.io";
/// How it is named in `config.json`, and to a keychain.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
/// How long a keychain may take; it may ask nobody for anything here.
const KEYCHAIN: Duration = Duration::from_secs(10);
/// The user name by which a keychain says that the secret is a token.
const TOKEN: &str = "<token>";

/// Why credentials cannot be had. Without them a registry may still answer.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read {path} for the credentials of the registry {host}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The keychain does not give them.
    #[error(
        "`{program} get` did not give the credentials of the registry {host}: {reason}; try it by hand (`echo {host} | {program} get`), or log in again (`docker login {host}`)"
    )]
    Keychain {
        /// `docker-credential-pass`.
        program: String,
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
}

/// What is used of `config.json`.
#[derive(Default, Deserialize)]
struct Settings {
    #[serde(default)]
    auths: Option<BTreeMap<String, Login>>,
    #[serde(default, rename = "credHelpers")]
    keychains: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "credsStore")]
    keychain: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Login {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    token: Option<String>,
}

/// What a keychain answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// The credentials for a registry such as `registry.example.com:5000` or `docker.io`; `None` if nobody logged in there.
pub async fn of(host: &str) -> Result<Option<DockerCredentials>, CredentialsError> {
    let Some(path) = command::settings_path() else { return Ok(None) };
    let failed = |reason: String| CredentialsError::File { path: path.clone(), host: host.to_owned(), reason };
    let settings = match fs::read(&path) {
        // What serde says of a wrong value may hold the value.
        Ok(text) => serde_json::from_slice::<Settings>(&text)
            .map_err(|error| failed(format!("it is not right at {}:{}", error.line(), error.column())))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let key = key(host);
    if let Some(name) = settings.keychain_of(key)
        && let Some(found) = ask(name, key).await?
    {
        return Ok(Some(found));
    }
    Ok(settings.login(key))
}

/// The credentials for the registries of these images, by the keys under which the engine looks for them. What cannot
/// be had is told to `said`: most images are public.
pub async fn of_images(images: &BTreeSet<String>, said: &mut dyn FnMut(&str)) -> HashMap<String, DockerCredentials> {
    let hosts: BTreeSet<&str> = images.iter().map(|image| registry_of(image)).collect();
    let mut found = HashMap::new();
    for host in hosts {
        match of(host).await {
            Ok(credentials) => found.extend(credentials.map(|credentials| (key(host).to_owned(), credentials))),
            Err(error) => said(&format!("going on without credentials: {error}")),
        }
    }
    found
}

/// How a registry is named in `config.json` and to the engine.
pub fn key(host: &str) -> &str {
    if host == DOCKER_HUB { DOCKER_HUB_KEY } else { host }
}

impl Settings {
    /// The keychain that is asked for a registry.
    fn keychain_of(&self, key: &str) -> Option<&str> {
        let own = self.keychains.as_ref().and_then(|keychains| keychains.get(key));
        own.or(self.keychain.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }

    fn login(&self, key: &str) -> Option<DockerCredentials> {
        let logins = self.auths.as_ref()?;
        // Older ones stand under a whole address.
        let same_host = || logins.iter().find(|(name, _)| host_of(name) == host_of(key)).map(|(_, login)| login);
        logins.get(key).or_else(same_host)?.credentials(key)
    }
}

impl Login {
    fn credentials(&self, key: &str) -> Option<DockerCredentials> {
        let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let (username, password) = match text(&self.auth) {
            Some(auth) => decoded(&auth)?,
            None => (text(&self.username), text(&self.password)),
        };
        let identitytoken = text(&self.token);
        let is_whole = identitytoken.is_some() || (username.is_some() && password.is_some());
        is_whole.then(|| DockerCredentials {
            username,
            password,
            identitytoken,
            serveraddress: Some(key.to_owned()),
            ..DockerCredentials::default()
        })
    }
}

/// User name and password in the value of `auth`.
fn decoded(auth: &str) -> Option<(Option<String>, Option<String>)> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    // Some programs fill it up with zeros.
    Some((Some(username.to_owned()), Some(password.trim_end_matches('\0').to_owned())))
}

/// The host in a name that may be a whole address.
fn host_of(name: &str) -> &str {
    let name = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    name.split('/').next().unwrap_or(name)
}

/// Asks a keychain; `None` if it has nothing for that registry.
async fn ask(name: &str, key: &str) -> Result<Option<DockerCredentials>, CredentialsError> {
    let program = format!("docker-credential-{name}");
    let failed = |reason: &str| CredentialsError::Keychain {
        program: program.clone(),
        host: key.to_owned(),
        reason: reason.to_owned(),
    };
    // It is looked for on the path, as the `docker` command does, and nowhere else.
    if name.contains('/') {
        return Err(failed("its name holds a `/`"));
    }
    let mut command = Command::new(&program);
    command.arg("get");
    let answered = timeout(KEYCHAIN, run(command, key)).await;
    let output = answered
        .map_err(|_| failed(&format!("it did not answer within {} s", KEYCHAIN.as_secs())))?
        .map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        // It says so on its standard output; anything else may be more than should be printed.
        let is_empty = String::from_utf8_lossy(&output.stdout).contains("credentials not found");
        return if is_empty { Ok(None) } else { Err(failed(&output.status.to_string())) };
    }
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|_| failed("its answer cannot be read"))?;
    Ok(answer.credentials(key))
}

async fn run(mut command: Command, key: &str) -> io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read it may answer all the same.
        let _ = input.write_all(key.as_bytes()).await;
    }
    child.wait_with_output().await
}

impl Answer {
    fn credentials(self, key: &str) -> Option<DockerCredentials> {
        if self.secret.is_empty() {
            return None;
        }
        let serveraddress = Some(key.to_owned());
        Some(if self.username == TOKEN {
            DockerCredentials { identitytoken: Some(self.secret), serveraddress, ..DockerCredentials::default() }
        } else {
            let (username, password) = (Some(self.username), Some(self.secret));
            DockerCredentials { username, password, serveraddress, ..DockerCredentials::default() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        serde_json::from_str(text).unwrap()
    }

    fn user(found: Option<DockerCredentials>) -> Option<(String, String)> {
        let found = found?;
        Some((found.username?, found.password?))
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be absent")]
    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn a_login_in_the_file_is_found_by_its_host() {
        // `ann:p:w` and `bob:secret`, the second filled up with zeros.
        let text = r#"{"auths": {"registry.example.com": {"auth": "YW5uOnA6dw=="},
            "https://old.example.com/v1/": {"auth": "Ym9iOnNlY3JldAAA"}, "empty.example.com": {}},
            "HttpHeaders": {}, "credsStore": ""}"#;
        let settings = settings(text);
        assert_eq!(user(settings.login("registry.example.com")), pair("ann", "p:w"));
        assert_eq!(user(settings.login("old.example.com")), pair("bob", "secret"));
        assert!(settings.login("empty.example.com").is_none() && settings.login("other").is_none());
        assert_eq!(settings.keychain_of("registry.example.com"), None);
    }

    #[test]
    fn the_docker_hub_has_a_key_of_its_own_and_a_token_goes_for_a_password() {
        let settings = settings(
            r#"{"auths": {"https://index.docker.io/v1/": {"auth": "", "identitytoken": "t"}}, "credHelpers": null}"#,
        );
        let found = settings.login(key("docker.io")).unwrap();
        assert_eq!(found.identitytoken.as_deref(), Some("t"));
        assert_eq!(found.serveraddress.as_deref(), Some(DOCKER_HUB_KEY));
        assert_eq!(key("quay.io"), "quay.io");
    }

    #[test]
    fn a_registry_may_have_a_keychain_of_its_own() {
        let settings = settings(r#"{"credsStore": "pass", "credHelpers": {"gcr.io": "gcloud"}}"#);
        assert_eq!(settings.keychain_of("gcr.io"), Some("gcloud"));
        assert_eq!(settings.keychain_of("quay.io"), Some("pass"));
        assert!(settings.login("quay.io").is_none());
    }

    #[test]
    fn what_a_keychain_answers_is_a_password_or_a_token() {
        let answer = |username: &str, secret: &str| {
            let (username, secret) = (username.to_owned(), secret.to_owned());
            Answer { username, secret }.credentials("quay.io")
        };
        assert_eq!(user(answer("ann", "pw")), pair("ann", "pw"));
        assert_eq!(answer(TOKEN, "t").unwrap().identitytoken.as_deref(), Some("t"));
        assert!(answer("ann", "").is_none());
    }

    #[tokio::test]
    async fn a_keychain_is_told_the_registry_on_its_standard_input() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat"]);
        let output = run(command, "quay.io").await.unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"quay.io");
    }

    #[tokio::test]
    async fn a_keychain_that_is_not_there_is_told_by_its_name() {
        let Err(error) = ask("trainyard-none", "quay.io").await.map(|_| ()) else { panic!() };
        assert!(error.to_string().contains("docker-credential-trainyard-none"), "{error}");
        assert!(ask("../evil", "quay.io").await.is_err());
    }
}
