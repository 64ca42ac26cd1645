//! Getters of what Docker Engine and Kubernetes are told: limits, repositories, images, mounts, namespaces, secrets.
//!
//! Like those of `values.rs`, each checks its value and notes what is wrong, with the mend.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::engine_names::{self, Fault};
use super::errors::Span;
use super::keys::Section;
use super::memory;
use super::reader::{TableReader, describe};
use super::settings::{Limits, SecretSource};
use super::values::is_variable_name;

/// The fewest and the most processors: an engine refuses less, and no machine has more.
pub(super) const PROCESSORS: (f64, f64) = (0.01, 1024.0);

impl TableReader<'_> {
    /// What a container may use.
    pub(super) fn limits(&mut self) -> Limits {
        let title = format!("`limits` of {}", self.title());
        let mut limits = self.section("limits", Section::Limits, title);
        let found = Limits { memory: limits.memory("memory"), cpus: limits.processors("cpus") };
        limits.finish();
        found
    }

    /// An amount of memory, in bytes.
    pub(super) fn memory(&mut self, key: &'static str) -> Option<u64> {
        let entry = self.entry(key)?;
        let DeValue::String(text) = entry.value else {
            let hint = match entry.value {
                DeValue::Integer(number) => {
                    format!("say the unit: `{key} = \"{number}Mi\"` or `{key} = \"{number}M\"`")
                }
                _ => self.example(key),
            };
            let message = format!("expected an amount of memory, found {}", describe(entry.value));
            self.problems.add(entry.span, message, hint);
            return None;
        };
        let (least, least_text) = memory::LEAST;
        match memory::bytes(text) {
            Ok(bytes) if bytes >= least => Some(bytes),
            Ok(_) => {
                let message = format!("`{key}` must be at least {least_text}, found {text}");
                self.problems.add(entry.span, message, self.example(key));
                None
            }
            Err(error) => {
                let hint = "write a number with Ki, Mi, Gi (powers of 1024) or k, M, G (of 1000), such as \"512Mi\"";
                self.problems.add(entry.span, format!("`{text}` is not an amount of memory: {error}"), hint);
                None
            }
        }
    }

    /// A number of processors.
    pub(super) fn processors(&mut self, key: &'static str) -> Option<f64> {
        let span = self.entry(key)?.span;
        let value = self.number(key)?;
        let (least, most) = PROCESSORS;
        if !(least..=most).contains(&value) {
            let message = format!("`{key}` must lie between {least} and {most}, found {value}");
            self.problems.add(span, message, self.example(key));
            return None;
        }
        Some(value)
    }

    /// A repository to which images are pushed.
    pub(super) fn repository(&mut self, key: &'static str) -> Option<String> {
        let text = self.filled(key)?;
        if let Err(fault) = engine_names::repository(text.get_ref()) {
            self.misnamed(key, text.get_ref(), text.span(), fault, "a repository without tag and digest");
        }
        Some(text.into_inner())
    }

    /// The image of a container.
    pub(super) fn image(&mut self, key: &'static str) -> Option<String> {
        let text = self.filled(key)?;
        if let Err(fault) = engine_names::image(text.get_ref()) {
            self.misnamed(key, text.get_ref(), text.span(), fault, "an image such as `python:3.13-slim`");
        }
        Some(text.into_inner())
    }

    fn misnamed(&self, key: &str, text: &str, span: Span, fault: Fault, wanted: &str) {
        let message = format!("`{key}` is {wanted}, but `{text}` {}", fault.what);
        let hint = fault.instead.map_or_else(|| self.example(key), |instead| format!("write `{key} = \"{instead}\"`"));
        self.problems.add(span, message, hint);
    }

    /// A network of Docker Engine, or something else with such a name.
    pub(super) fn engine_name(&mut self, key: &'static str) -> Option<String> {
        let text = self.filled(key)?;
        if !engine_names::is_engine_name(text.get_ref()) {
            let message = format!("`{}` cannot be the name of a {key} in Docker Engine", text.get_ref());
            self.problems.add(text.span(), message, "letters, digits, `_`, `.` and `-`, with a letter or digit first");
        }
        Some(text.into_inner())
    }

    /// A network that a container joins beside the one it has by itself.
    pub(super) fn further_network(&mut self, key: &'static str) -> Option<String> {
        let span = self.entry(key)?.span;
        let name = self.engine_name(key)?;
        if name == "host" || name == "none" {
            let message = format!("a release cannot join the network `{name}`, which allows no other beside it");
            let hint = "remove it: a release is reached through `port`; or name a network of `docker network ls`";
            self.problems.add(span, message, hint);
        }
        Some(name)
    }

    /// A namespace of Kubernetes.
    pub(super) fn namespace(&mut self, key: &'static str) -> Option<String> {
        let text = self.filled(key)?;
        if !engine_names::is_namespace(text.get_ref()) {
            let message = format!("`{}` cannot be the name of a namespace", text.get_ref());
            let hint = "small letters, digits and `-`, at most 63, with a letter or digit at both ends";
            self.problems.add(text.span(), message, hint);
        }
        Some(text.into_inner())
    }

    /// Mounts of a container.
    pub(super) fn mounts(&mut self, key: &'static str) -> Vec<String> {
        let texts = self.strings(key).unwrap_or_default();
        self.check_mounts(&texts);
        texts.into_iter().map(Spanned::into_inner).collect()
    }

    fn check_mounts(&self, texts: &[Spanned<String>]) {
        let mut targets = BTreeSet::new();
        for text in texts {
            let written = text.get_ref();
            match engine_names::mount(written) {
                Err(fault) => {
                    let hint = "write `source:target` or `source:target:ro`, such as \"/srv/cache:/cache:ro\"";
                    self.problems.add(text.span(), format!("the mount `{written}` {}", fault.what), hint);
                }
                Ok(target) if !targets.insert(target) => {
                    let message = format!("two mounts have the target `{target}`");
                    self.problems.add(text.span(), message, "remove one of them, or give it another target");
                }
                Ok(_) => {}
            }
        }
    }

    /// Where the values of secrets come from.
    pub(super) fn secrets(&mut self, key: &'static str) -> BTreeMap<String, SecretSource> {
        let Some(entry) = self.entry(key) else { return BTreeMap::new() };
        let DeValue::Table(table) = entry.value else {
            self.mistyped(&entry, "a table");
            return BTreeMap::new();
        };
        let mut secrets = BTreeMap::new();
        for (name, value) in table {
            let id: &str = name.get_ref();
            if !engine_names::is_secret(id) {
                let message = format!("`{id}` cannot be the id of a secret");
                self.problems.add(name.span(), message, "letters, digits, `_`, `.` and `-`");
            }
            let DeValue::String(text) = value.get_ref() else {
                let message = format!("expected a string, found {}", describe(value.get_ref()));
                self.problems.add(value.span(), message, self.example(key));
                continue;
            };
            match secret_source(text) {
                Ok(source) => {
                    secrets.insert(id.to_owned(), source);
                }
                // The text is not repeated: it may be the secret itself, put there by mistake.
                Err(what) => {
                    let hint = "write `\"$VARIABLE\"` for a variable of the daemon, or the path of a file";
                    self.problems.add(value.span(), format!("the secret `{id}` {what}"), hint);
                }
            }
        }
        secrets
    }
}

fn secret_source(text: &str) -> Result<SecretSource, &'static str> {
    if let Some(name) = text.strip_prefix('$') {
        let name = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(name);
        if is_variable_name(name) {
            return Ok(SecretSource::Environment(name.to_owned()));
        }
        return Err("begins with `$`, but not with `$` and the name of a variable");
    }
    if text.trim().is_empty() {
        return Err("says nothing of where its value comes from");
    }
    if text.starts_with('~') {
        return Err("begins with `~`, which only a shell replaces");
    }
    if text.contains(char::is_control) {
        return Err("holds a line end or another control character, which no path does");
    }
    Ok(SecretSource::File(PathBuf::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_a_variable_or_from_a_file() {
        assert_eq!(secret_source("$TOKEN"), Ok(SecretSource::Environment("TOKEN".to_owned())));
        assert_eq!(secret_source("${TOKEN}"), Ok(SecretSource::Environment("TOKEN".to_owned())));
        assert_eq!(secret_source("secrets/token"), Ok(SecretSource::File("secrets/token".into())));
        assert_eq!(secret_source("/run/secrets/token"), Ok(SecretSource::File("/run/secrets/token".into())));
        for bad in ["$", "$1", "${A", "$A B", "", "~/token", "a\nb"] {
            assert!(secret_source(bad).is_err(), "{bad}");
        }
    }
}
