//! `trainyard export prometheus`: for those who have outgrown the box.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::files;
use crate::cli::failure::Failure;
use crate::config::{PanelSettings, Settings};
use crate::monitor::export::prometheus::{jobs, rules, scrape_configuration};

/// The names of the two files.
const SCRAPE: &str = "prometheus.yml";
const RULES: &str = "rules.yml";

/// The arguments of `trainyard export prometheus`.
#[derive(Debug, Clone, Args)]
pub struct PrometheusArguments {
    /// Write `prometheus.yml` and `rules.yml` into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print only one of the two
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "dir")]
    pub what: Option<What>,
    /// Overwrite files that are there
    #[arg(long, requires = "dir")]
    pub force: bool,
}

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The scrape configuration
    Scrape,
    /// The recording and alerting rules
    Rules,
}

/// Prints both, or one, or writes both.
pub(super) fn run(
    settings: &Settings,
    panels: &[PanelSettings],
    arguments: &PrometheusArguments,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (name, monitor) = (&settings.name, &settings.monitor);
    let rules = rules(name, monitor.scrape, panels, &monitor.alerts);
    let scrape = |rule_files: &[&str]| scrape_configuration(name, monitor.scrape, &jobs(settings), rule_files);
    if let Some(folder) = &arguments.dir {
        let written = [(folder.join(SCRAPE), scrape(&[RULES])), (folder.join(RULES), rules)];
        // Before anything is written: half of an export is none.
        if let Some((path, _)) = written.iter().find(|(path, _)| path.exists() && !arguments.force) {
            return Err(Failure::Usage(format!("{} is there already; `--force` overwrites it", path.display())));
        }
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Failed(format!("cannot make the folder {}: {error}", folder.display())))?;
        for (path, text) in &written {
            files::hand_over(text, Some(path), out)?;
        }
        return Ok(());
    }
    let text = match arguments.what {
        // Alone it must not name a file that is not there.
        Some(What::Scrape) => scrape(&[]),
        Some(What::Rules) => rules,
        None => format!("{}---\n{rules}", scrape(&[RULES])),
    };
    files::hand_over(&text, None, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::monitor::model_server_panels;

    const NONE: PrometheusArguments = PrometheusArguments { dir: None, what: None, force: false };

    fn printed(arguments: &PrometheusArguments) -> Result<String, Failure> {
        let settings = parse("[stages.test]\ncommand = [\"true\"]\n", "trainyard.toml").unwrap();
        let mut out = Vec::new();
        run(&settings, &model_server_panels(), arguments, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn both_are_two_documents_and_each_can_be_had_alone() {
        let both = printed(&NONE).unwrap();
        let documents: Vec<&str> = both.split("---\n").collect();
        assert_eq!(documents.len(), 2, "{both}");
        let rules = printed(&PrometheusArguments { what: Some(What::Rules), ..NONE }).unwrap();
        assert_eq!(documents.get(1), Some(&rules.as_str()));
        let scrape = printed(&PrometheusArguments { what: Some(What::Scrape), ..NONE }).unwrap();
        assert!(both.contains("rule_files") && !scrape.contains("rule_files"), "{scrape}");
    }

    #[test]
    fn nothing_is_overwritten_without_force_and_then_nothing_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("made");
        let into = |force| printed(&PrometheusArguments { dir: Some(dir.clone()), force, ..NONE });
        assert_eq!(into(false).unwrap().lines().count(), 2);
        fs::write(dir.join(RULES), "mine").unwrap();
        fs::remove_file(dir.join(SCRAPE)).unwrap();
        let error = into(false).unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(error.to_string().ends_with("rules.yml is there already; `--force` overwrites it"), "{error}");
        assert!(!dir.join(SCRAPE).exists());
        assert_eq!(fs::read_to_string(dir.join(RULES)).unwrap(), "mine");
        into(true).unwrap();
        assert!(fs::read_to_string(dir.join(RULES)).unwrap().contains("groups:"));
    }
}
