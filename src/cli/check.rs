//! `trainyard check`: is the configuration valid, and is what it presupposes there?
//!
//! Thin: the checks are those of `config`, and of expressions what the engine that evaluates them says; here they are only
//! put into words.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::config::{ConfigError, Finding, LoadError, Settings, Severity, load_judged, look_around};
use crate::monitor::expression_refusal;
use crate::pipeline::StageSpec;
use crate::pipeline::quantity::counted;

/// Why the check could not be made or told.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no configuration that could be checked.
    #[error(transparent)]
    Load(LoadError),
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
}

/// The result as `--json` prints it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    valid: bool,
    stages: Vec<&'a str>,
    errors: &'a [ConfigError],
    findings: &'a [Finding],
}

/// Checks the project in `folder` and writes the result to `out`, as text or as one JSON object. Answers whether the
/// project can work as configured; warnings do not count.
pub fn run(folder: &Path, json: bool, out: &mut impl Write) -> Result<bool, CheckError> {
    let settings = match load_judged(folder, &expression_refusal) {
        Ok(settings) => settings,
        Err(LoadError::Invalid(errors)) => {
            if json {
                write_json(&Report { valid: false, stages: Vec::new(), errors: errors.errors(), findings: &[] }, out)?;
            } else {
                writeln!(out, "{errors}\n\n{}", counted(errors.errors().len(), "error"))?;
            }
            return Ok(false);
        }
        Err(other) => return Err(CheckError::Load(other)),
    };
    let findings = look_around(folder, &settings);
    let valid = findings.iter().all(|finding| finding.severity != Severity::Error);
    if json {
        let stages = settings.graph.stages().iter().map(|stage| stage.name.as_str()).collect();
        write_json(&Report { valid, stages, errors: &[], findings: &findings }, out)?;
    } else {
        writeln!(out, "trainyard.toml is valid: {}", summary(&settings))?;
        for finding in &findings {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            writeln!(out, "{severity}: {}\n  {}", finding.message, finding.hint)?;
        }
    }
    Ok(valid)
}

fn write_json(report: &Report<'_>, out: &mut impl Write) -> Result<(), CheckError> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// `4 stages: train → test → build → deploy`. An arrow stands only where the later stage needs the earlier one.
fn summary(settings: &Settings) -> String {
    let stages = settings.graph.stages();
    let mut chain = String::new();
    let mut previous: Option<&StageSpec> = None;
    for stage in stages {
        if let Some(previous) = previous {
            chain.push_str(if settings.graph.depends(&stage.name, &previous.name) { " → " } else { ", " });
        }
        chain.push_str(stage.name.as_str());
        previous = Some(stage);
    }
    format!("{}: {chain}", counted(stages.len(), "stage"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn project(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("trainyard.toml"), text).unwrap();
        folder
    }

    fn check(text: &str, json: bool) -> (bool, String) {
        let mut out = Vec::new();
        let valid = run(project(text).path(), json, &mut out).unwrap();
        (valid, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_valid_project_is_told_with_its_chain() {
        let text = "[stages.a]\ncommand = [\"sh\"]\n\
            [stages.b]\nneeds = [\"a\"]\ncommand = [\"sh\"]\n[stages.c]\ncommand = [\"sh\"]\n";
        assert_eq!(check(text, false), (true, "trainyard.toml is valid: 3 stages: a → b, c\n".to_owned()));
    }

    #[test]
    fn an_invalid_configuration_is_told_with_all_errors() {
        let (valid, told) = check("[sorce]\n[stages.a]\ncommand = \"sh\"\n", false);
        assert!(!valid);
        assert!(told.starts_with("trainyard.toml:1:2: unknown table `sorce`\n"), "{told}");
        assert!(told.ends_with("\n\n2 errors\n"), "{told}");
    }

    #[test]
    fn what_is_promql_and_cannot_be_evaluated_here_is_told_with_its_place_unless_a_prometheus_is_the_source() {
        let project = |monitor: &str| {
            let panel = "[[monitor.panels]]\ntitle = \"spread\"\nexpr = \"histogram_stddev(x)\"\n";
            let alert = "[[monitor.alerts]]\nname = \"Spread\"\nexpr = \"limitk(3, x) > 1\"\n";
            check(&format!("[monitor]\n{monitor}\n{panel}{alert}[stages.a]\ncommand = [\"sh\"]\n"), false)
        };
        let (valid, told) = project("");
        assert!(!valid);
        let begin = "trainyard.toml:5:8: an expression that cannot be evaluated: function `histogram_stddev`";
        assert!(told.starts_with(begin), "{told}");
        assert!(told.contains("\n    5 | expr = \"histogram_stddev(x)\"\n"), "{told}");
        assert!(told.contains("trainyard.toml:8:8: an expression that cannot be evaluated: "), "{told}");
        assert!(told.ends_with("\n\n2 errors\n"), "{told}");
        let (valid, told) = project("prometheus = \"http://127.0.0.1:9090\"");
        assert!(valid, "{told}");
    }

    #[test]
    fn json_holds_errors_and_findings() {
        let (_, told) = check("[sorce]\n[stages.a]\ncommand = [\"sh\"]\n", true);
        let value: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(value["valid"], false);
        assert_eq!(value["errors"][0]["column"], 2);
        let (_, told) = check("[stages.a]\ncommand = [\"no-such-program\"]\n", true);
        let value: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(value["valid"], true);
        assert_eq!(value["findings"][0]["severity"], "warning");
    }
}
