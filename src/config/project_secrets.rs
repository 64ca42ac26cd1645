//! `[project] secrets`: variables that every stage gets, of which only their sources are written down.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::errors::{Problems, Span};
use super::reader::TableReader;
use super::settings::{Runner, SecretSource, StageSettings};
use super::values::is_variable_name;

/// What is written, and where.
pub(super) struct ProjectSecrets {
    /// The sources by the names of their variables.
    pub(super) sources: BTreeMap<String, SecretSource>,
    span: Option<Span>,
}

impl ProjectSecrets {
    /// Reads them from `[project]`.
    pub(super) fn read(reader: &mut TableReader<'_>) -> Self {
        let sources = reader.secrets("secrets");
        let entry = reader.entry("secrets");
        if let Some(DeValue::Table(table)) = entry.as_ref().map(|entry| entry.value) {
            for (name, _) in table {
                let text: &str = name.get_ref();
                if text.starts_with("TRAINYARD_") {
                    let hint = "names beginning with `TRAINYARD_` belong to the stage contract; take another";
                    reader.problems.add(name.span(), format!("`{text}` is set by trainyard itself"), hint);
                } else if !is_variable_name(text) && !text.is_empty() {
                    let message =
                        format!("the secret `{text}` is a variable of every stage, which cannot have that name");
                    reader.problems.add(name.span(), message, "letters, digits and `_`, not beginning with a digit");
                }
            }
        }
        Self { sources, span: entry.map(|entry| entry.key_span) }
    }

    /// Where a stage runs as a Job, its variables stand in the Job, for everybody to read who may look at the cluster.
    pub(super) fn refuse_where_unsafe(&self, stages: &[StageSettings], problems: &Problems) {
        let Some(span) = self.span.clone().filter(|_| !self.sources.is_empty()) else { return };
        let on_cluster = stages.iter().find(|stage| matches!(stage.runner, Runner::Kubernetes(_)));
        if let Some(stage) = on_cluster {
            let name = &stage.spec.name;
            let message = format!("`secrets` would stand for all to read in the Job of stage `{name}` on Kubernetes");
            let hint = "remove it and keep them on the cluster, or run that stage here or with `runner = \"docker\"`";
            problems.add(span, message, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SecretSource, Settings, parse};

    fn with(secrets: &str, stage: &str) -> Result<Settings, String> {
        let text = format!("[project]\nsecrets = {secrets}\n[stages.test]\ncommand = [\"true\"]\n{stage}\n");
        parse(&text, "trainyard.toml").map_err(|errors| errors.to_string())
    }

    #[test]
    fn secrets_of_a_project_are_named_by_their_sources() {
        let settings = with("{ API_TOKEN = \"$TOKEN\", KEY = \"keys/key.pem\" }", "").unwrap();
        let token = ("API_TOKEN".to_owned(), SecretSource::Environment("TOKEN".to_owned()));
        let key = ("KEY".to_owned(), SecretSource::File("keys/key.pem".into()));
        assert_eq!(settings.secrets.into_iter().collect::<Vec<_>>(), [token, key]);
    }

    #[test]
    fn they_are_variables_and_none_of_the_contract() {
        let told = with("{ \"a.b\" = \"$TOKEN\", TRAINYARD_RUN = \"$TOKEN\" }", "").unwrap_err();
        assert!(told.contains("the secret `a.b` is a variable of every stage"), "{told}");
        assert!(told.contains("`TRAINYARD_RUN` is set by trainyard itself"), "{told}");
    }

    #[test]
    fn a_job_on_a_cluster_is_no_place_for_them() {
        let elsewhere = |runner: &str| {
            with(
                "{ API_TOKEN = \"$TOKEN\" }",
                &format!("runner = \"{runner}\"\ncontainer = {{ image = \"python:3\" }}"),
            )
        };
        let told = elsewhere("kubernetes").unwrap_err();
        assert!(told.contains("in the Job of stage `test` on Kubernetes") && told.contains("2:1"), "{told}");
        assert!(elsewhere("docker").is_ok());
    }
}
