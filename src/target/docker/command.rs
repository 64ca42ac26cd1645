//! What the `docker` command of this user is set to, as far as it matters here: where its settings lie, and whether it speaks
//! to another engine than the one that is looked for.
//!
//! Known gap: a context that only the variable `DOCKER_CONTEXT` names is not noticed.

use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

/// What to do when no engine answers and there is nothing special about it.
const START: &str = "start it (`systemctl start docker`), or let DOCKER_HOST name the one to use";
/// Gives the address of the engine to which the `docker` command speaks.
const EXPORT: &str = "export DOCKER_HOST=$(docker context inspect --format '{{.Endpoints.docker.Host}}')";
/// The context that stands for `DOCKER_HOST` and the engine of this machine.
const DEFAULT: &str = "default";

/// What is used of `config.json` here; credentials are read where they are needed.
#[derive(Deserialize)]
struct Settings {
    #[serde(rename = "currentContext")]
    context: Option<String>,
}

/// `config.json` of the `docker` command.
pub fn settings_path() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// What to do when no engine answers at the address that was tried.
pub fn mend() -> String {
    // The variable goes before all contexts, for the command as for us.
    let is_named = env::var_os("DOCKER_HOST").is_some_and(|address| !address.is_empty());
    let settings = if is_named { None } else { settings_path().and_then(|path| fs::read(path).ok()) };
    mend_for(settings.and_then(|settings| context_of(&settings)).as_deref())
}

fn mend_for(context: Option<&str>) -> String {
    match context {
        Some(context) => format!(
            "the `docker` command uses its context `{context}`, and contexts are not read here: run `{EXPORT}` where the \
             daemon is started, and start it again"
        ),
        None => START.to_owned(),
    }
}

/// The present context, unless it is the default one.
fn context_of(settings: &[u8]) -> Option<String> {
    let settings: Settings = serde_json::from_slice(settings).ok()?;
    settings.context.filter(|context| !context.is_empty() && context != DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_of_the_command_is_told_with_what_to_export() {
        let context = context_of(br#"{"auths": {}, "currentContext": "colima"}"#);
        assert_eq!(context.as_deref(), Some("colima"));
        let told = mend_for(context.as_deref());
        assert!(told.contains("`colima`") && told.contains("--format '{{.Endpoints.docker.Host}}')"), "{told}");
    }

    #[test]
    fn without_a_context_of_its_own_the_engine_is_to_be_started() {
        for settings in ["{}", r#"{"currentContext": "default"}"#, r#"{"currentContext": ""}"#, "no json"] {
            assert_eq!(context_of(settings.as_bytes()), None, "{settings}");
        }
        assert!(mend_for(None).contains("systemctl start docker"));
    }
}
