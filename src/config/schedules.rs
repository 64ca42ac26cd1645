//! `[[schedules]]`: runs at set times.

use jiff::tz::{self, TimeZone};
use serde::Serialize;
use toml::Spanned;

use super::cron::Cron;
use super::errors::{Problems, Span};
use super::keys::Section;
use super::names::{nearest, suggest};
use super::reader::TableReader;
use crate::pipeline::{Graph, Moment, Selection, StageName};

/// The longest name of a schedule, in characters: it stands on the board as the reason of a run.
const NAME_LIMIT: usize = 64;

/// What becomes of times that passed while no daemon ran, or that a clock jumped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Nothing; the next time comes.
    Skip,
    /// One run for all of them, as soon as it can be.
    Run,
}

/// `[[schedules]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleSettings {
    /// Its name, which no other schedule has.
    pub name: String,
    /// When.
    pub cron: Cron,
    /// By the clocks of this place; `None` is the zone of the machine.
    pub zone: Option<String>,
    /// With `force`, the stage that runs even if it is up to date; `None` is every stage.
    pub stage: Option<StageName>,
    /// Whether something runs even if nothing has changed.
    pub force: bool,
    /// What becomes of times that were missed.
    pub missed: Missed,
}

impl ScheduleSettings {
    /// The first time behind `after`; `None` where there is none, or where this machine does not know the zone any more.
    pub fn next_after(&self, after: Moment) -> Option<Moment> {
        let zone = match &self.zone {
            Some(name) => TimeZone::get(name).ok()?,
            None => TimeZone::system(),
        };
        self.cron.next_after(after, &zone)
    }

    /// What its runs are about.
    pub fn selection(&self) -> Selection {
        let from = self.stage.clone().filter(|_| self.force);
        Selection { force: self.force && from.is_none(), from, only: false }
    }

    /// When it fires, in words that change with everything that decides it.
    pub fn times(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{} in {zone}", self.cron),
            None => self.cron.to_string(),
        }
    }
}

/// When a schedule fires next, if it ever does.
pub fn next_times(schedule: &ScheduleSettings, now: Moment) -> Option<Moment> {
    schedule.next_after(now)
}

/// Where a schedule names a stage.
#[derive(Debug, Clone)]
pub(super) struct NamedStage {
    name: String,
    span: Span,
}

/// All schedules that are whole, in the order in which they are written, and the stages that they name.
pub(super) fn schedules(root: &mut TableReader<'_>) -> (Vec<ScheduleSettings>, Vec<NamedStage>) {
    let (mut schedules, mut stages, mut names) = (Vec::new(), Vec::new(), Vec::<String>::new());
    for reader in root.sections("schedules", Section::Schedule) {
        schedules.extend(schedule(reader, &mut names, &mut stages));
    }
    (schedules, stages)
}

fn schedule(
    mut reader: TableReader<'_>,
    names: &mut Vec<String>,
    stages: &mut Vec<NamedStage>,
) -> Option<ScheduleSettings> {
    let name = reader.filled("name");
    reader.require("name");
    if let Some(name) = &name {
        check_name(name, names, &reader);
        names.push(name.get_ref().clone());
    }
    let cron = cron(&mut reader);
    let zone = zone(&mut reader);
    let stage = reader.filled("stage");
    if let Some(stage) = &stage {
        stages.push(NamedStage { name: stage.get_ref().clone(), span: stage.span() });
    }
    let force = reader.boolean("force").unwrap_or(false);
    let missed = if reader.choice("missed") == Some("run") { Missed::Run } else { Missed::Skip };
    reader.finish();
    let stage = stage.map(|stage| StageName(stage.into_inner()));
    // Without one of them an error was noted, and there are no settings.
    Some(ScheduleSettings { name: name?.into_inner(), cron: cron?, zone, stage, force, missed })
}

fn check_name(name: &Spanned<String>, names: &[String], reader: &TableReader<'_>) {
    let text = name.get_ref();
    if text.chars().count() > NAME_LIMIT || text.chars().any(char::is_control) {
        let message = "the name of a schedule has at most 64 characters, none of them a control character";
        reader.problems.add(name.span(), message, reader.example("name"));
    }
    if names.contains(text) {
        let message = format!("two schedules are called `{text}`");
        reader.problems.add(name.span(), message, "give each a `name` of its own");
    }
}

fn cron(reader: &mut TableReader<'_>) -> Option<Cron> {
    let text = reader.filled("cron");
    reader.require("cron");
    let text = text?;
    let read = text.get_ref().parse::<Cron>();
    if let Err(error) = &read {
        let message = format!("`{}` is no time of cron: {error}", text.get_ref());
        reader.problems.add(text.span(), message, reader.example("cron"));
    }
    read.ok()
}

fn zone(reader: &mut TableReader<'_>) -> Option<String> {
    let zone = reader.filled("zone")?;
    let name = zone.get_ref();
    if TimeZone::get(name).is_err() {
        let known: Vec<String> = tz::db().available().map(|known| known.as_str().to_owned()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "this machine has no time zones: install the package tzdata".to_owned(),
            None => "for example `zone = \"Europe/Berlin\"`; `timedatectl list-timezones` names all".to_owned(),
        };
        reader.problems.add(zone.span(), format!("this machine knows no time zone `{name}`"), hint);
    }
    Some(zone.into_inner())
}

/// Every stage that a schedule names must be there.
pub(super) fn check_stages(named: &[NamedStage], graph: &Graph, problems: &Problems) {
    let stages: Vec<&str> = graph.stages().iter().map(|spec| spec.name.as_str()).collect();
    for NamedStage { name, span } in named.iter().filter(|named| !stages.contains(&named.name.as_str())) {
        let message = format!("a schedule is of stage `{name}`, which is not defined");
        problems.add_absence(span.clone(), message, suggest(name, &stages, "defined stages"));
    }
}
