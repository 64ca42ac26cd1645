//! The sections that are no stages: `[project]`, `[source]`, `[data]` and `[monitor]`.

use std::path::PathBuf;
use std::time::Duration;

use super::keys::Section;
use super::reader::TableReader;
use super::settings::{DataSettings, MonitorSettings, PanelSettings, SourceSettings, SourceTrigger};

/// The longest name of a project, in characters: it becomes part of image names and of the terminal's title.
const NAME_LIMIT: usize = 64;

/// `[project]`: its name, else `default_name`.
pub(super) fn project(root: &mut TableReader<'_>, default_name: &str) -> String {
    let mut reader = root.section("project", Section::Project, Section::Project.title().to_owned());
    let name = reader.filled("name");
    if let Some(name) = &name {
        let text = name.get_ref();
        if text.chars().count() > NAME_LIMIT || text.contains(|letter: char| letter.is_control() || letter == '/') {
            let message = "the name of a project has at most 64 characters, none of them `/` or a control character";
            reader.problems.add(name.span(), message, reader.example("name"));
        }
    }
    reader.finish();
    name.map_or_else(|| default_name.to_owned(), toml::Spanned::into_inner)
}

/// `[source]`
pub(super) fn source(root: &mut TableReader<'_>) -> SourceSettings {
    let mut reader = root.section("source", Section::Source, Section::Source.title().to_owned());
    let settings = SourceSettings {
        path: reader.path("path").unwrap_or_else(|| PathBuf::from(".")),
        trigger: match reader.choice("trigger") {
            Some("commit") => SourceTrigger::Commit,
            Some("manual") => SourceTrigger::Manual,
            _ => SourceTrigger::Save,
        },
        ignore: reader.globs("ignore").unwrap_or_default(),
    };
    reader.finish();
    settings
}

/// `[data]`
pub(super) fn data(root: &mut TableReader<'_>) -> DataSettings {
    let mut reader = root.section("data", Section::Data, Section::Data.title().to_owned());
    let settings = DataSettings {
        path: reader.path("path").unwrap_or_else(|| PathBuf::from("data")),
        include: reader.globs("include").unwrap_or_else(|| vec!["*.csv".to_owned()]),
        settle: reader.duration("settle").unwrap_or(Duration::from_millis(500)),
    };
    reader.finish();
    settings
}

/// `[monitor]`
pub(super) fn monitor(root: &mut TableReader<'_>) -> MonitorSettings {
    let mut reader = root.section("monitor", Section::Monitor, Section::Monitor.title().to_owned());
    let settings = MonitorSettings {
        scrape: reader.duration("scrape").unwrap_or(Duration::from_secs(1)),
        retention: reader.duration("retention").unwrap_or(Duration::from_hours(24)),
        panels: reader.sections("panels", Section::Panel).into_iter().map(panel).collect(),
    };
    reader.finish();
    settings
}

fn panel(mut reader: TableReader<'_>) -> PanelSettings {
    let title = reader.filled("title");
    reader.require("title");
    let expr = reader.expression("expr");
    reader.require("expr");
    let unit = reader.string("unit").map(toml::Spanned::into_inner);
    reader.finish();
    PanelSettings {
        title: title.map(toml::Spanned::into_inner).unwrap_or_default(),
        expr: expr.unwrap_or_default(),
        unit,
    }
}
