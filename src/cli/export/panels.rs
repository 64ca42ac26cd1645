//! Which panels an export has: those of the configuration, else those that suit what is scraped, as the Metrics view draws
//! them, else those of the built-in model server where that is what is served. Which were taken is said on standard error, so
//! that nobody takes a guess for what was measured.

use crate::api::client::ClientError;
use crate::api::types::{self, PanelData};
use crate::cli::failure::Failure;
use crate::cli::harmless::note;
use crate::cli::project::{block_on, client};
use crate::config::{Action, PanelKind, PanelSettings, Settings};
use crate::disk::Layout;
use crate::monitor::model_server_panels;

/// What the daemon draws of this is not looked at, so that the least is asked for.
const SHORTEST: u64 = 1_000;

/// The panels of an export; what is said of them goes to standard error.
pub(super) fn panels(layout: &Layout, settings: &Settings) -> Result<Vec<PanelSettings>, Failure> {
    let configured = &settings.monitor.panels;
    if !configured.is_empty() {
        return Ok(configured.clone());
    }
    let (panels, said) = without_configured(settings, scraped(layout)?);
    note(&said);
    Ok(panels)
}

/// Says of a panel that was asked for by its title that it is none of the configuration.
pub(super) fn say_if_found(layout: &Layout) {
    // A configuration that cannot be read is told by whoever needs it.
    if crate::config::load(&layout.configuration()).is_ok_and(|settings| settings.monitor.panels.is_empty()) {
        note(FOUND);
    }
}

const FOUND: &str = "no panels are configured; these were found from the metrics that are scraped";

/// The panels that the daemon draws; `None` if none runs.
fn scraped(layout: &Layout) -> Result<Option<Vec<PanelData>>, Failure> {
    let client = client(layout)?;
    match block_on(async { Ok(client.charts(SHORTEST, 1).await) })? {
        Ok(charts) => Ok(Some(charts.panels)),
        Err(ClientError::NotRunning(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The panels of a project that configures none, and what is to be said of them.
fn without_configured(settings: &Settings, scraped: Option<Vec<PanelData>>) -> (Vec<PanelSettings>, String) {
    let why = match scraped {
        Some(found) if !found.is_empty() => return (found.into_iter().map(configured).collect(), FOUND.to_owned()),
        Some(_) => "nothing has been scraped yet",
        None => "no daemon runs that could say what is scraped",
    };
    if serves_models(settings) {
        let said = format!("no panels are configured, and {why}; these are those of the built-in model server");
        return (model_server_panels(), said);
    }
    let said = format!(
        "no panels are configured, and {why}, so there are none; add [[monitor.panels]] to trainyard.toml, or try again \
         once `trainyard up` has scraped the app"
    );
    (Vec::new(), said)
}

/// Whether what is deployed is the built-in model server: an image without a Dockerfile, and no other command.
fn serves_models(settings: &Settings) -> bool {
    let packs = settings.stages.iter().any(|stage| match &stage.action {
        Action::Image(image) => image.dockerfile.is_none(),
        Action::Command(_) | Action::Train(_) | Action::Deploy(_) => false,
    });
    packs && settings.deploy().is_some_and(|deploy| deploy.command.is_empty())
}

/// A panel as it would stand in the configuration.
fn configured(panel: PanelData) -> PanelSettings {
    let PanelData { title, unit, expression, kind, min, max, thresholds, log, zero, .. } = panel;
    PanelSettings { title, expr: expression, unit, kind: self::kind(kind), min, max, thresholds, log, zero }
}

/// How a panel is drawn, in the words of the configuration.
pub(super) fn kind(kind: types::PanelKind) -> PanelKind {
    match kind {
        types::PanelKind::Line => PanelKind::Line,
        types::PanelKind::Area => PanelKind::Area,
        types::PanelKind::Stat => PanelKind::Stat,
        types::PanelKind::Gauge => PanelKind::Gauge,
        types::PanelKind::Heatmap => PanelKind::Heatmap,
        types::PanelKind::Table => PanelKind::Table,
    }
}

/// The number of the panel of that title, however it is capitalised.
pub(super) fn find(panels: &[PanelData], title: &str) -> Result<usize, Failure> {
    let wanted = title.to_lowercase();
    let exact = panels.iter().position(|panel| panel.title == title);
    if let Some(found) = exact.or_else(|| panels.iter().position(|panel| panel.title.to_lowercase() == wanted)) {
        return Ok(found);
    }
    let nearest = panels
        .iter()
        .map(|panel| (strsim::damerau_levenshtein(&wanted, &panel.title.to_lowercase()), panel))
        // One slip in three letters; below that any word is near any other.
        .filter(|(distance, _)| *distance <= (wanted.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    let hint = match nearest {
        Some((_, panel)) => format!("did you mean `{}`?", panel.title),
        None if panels.is_empty() => "there is none until something is scraped".to_owned(),
        None => {
            let titles: Vec<String> = panels.iter().map(|panel| format!("`{}`", panel.title)).collect();
            format!("the panels are {}", titles.join(", "))
        }
    };
    Err(Failure::Usage(format!("there is no panel `{title}`; {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const SERVED: &str = "[stages.build]\nuses = \"image\"\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\n\
                          port = 8123\n";

    fn named(titles: &[&str]) -> Vec<PanelData> {
        titles.iter().map(|title| PanelData { title: (*title).to_owned(), ..PanelData::default() }).collect()
    }

    fn chosen(text: &str, scraped: Option<Vec<PanelData>>) -> (Vec<PanelSettings>, String) {
        without_configured(&parse(text, "trainyard.toml").unwrap(), scraped)
    }

    #[test]
    fn what_is_scraped_goes_before_what_could_be() {
        let found = PanelData {
            expression: "rate(jobs_done_total[1m])".to_owned(),
            kind: types::PanelKind::Area,
            thresholds: Some((1.0, 2.0)),
            zero: true,
            ..named(&["jobs"]).remove(0)
        };
        let (panels, said) = chosen(SERVED, Some(vec![found]));
        let panel = panels.first().unwrap();
        assert_eq!((panel.title.as_str(), panel.expr.as_str()), ("jobs", "rate(jobs_done_total[1m])"));
        assert_eq!((panel.kind, panel.thresholds, panel.zero), (PanelKind::Area, Some((1.0, 2.0)), true));
        assert_eq!((panels.len(), said.as_str()), (1, FOUND));
    }

    #[test]
    fn the_model_servers_panels_are_only_for_a_model_server_of_which_nothing_is_known() {
        for (scraped, why) in [(Some(Vec::new()), "nothing has been scraped"), (None, "no daemon runs")] {
            let (panels, said) = chosen(SERVED, scraped);
            assert_eq!(panels, model_server_panels());
            assert!(said.contains(why) && said.contains("built-in model server"), "{said}");
        }
        let own = format!("{SERVED}command = [\"./serve.sh\"]\n");
        for text in [own.as_str(), "[stages.test]\ncommand = [\"true\"]\n"] {
            let (panels, said) = chosen(text, None);
            assert!(panels.is_empty(), "{panels:?}");
            assert!(said.contains("so there are none; add [[monitor.panels]]"), "{said}");
        }
    }

    fn refusal(panels: &[PanelData], title: &str) -> String {
        find(panels, title).unwrap_err().to_string()
    }

    #[test]
    fn a_panel_is_named_by_its_title() {
        let panels = named(&["requests/s", "p95 latency", "지연"]);
        assert_eq!(find(&panels, "P95 Latency").unwrap(), 1);
        assert_eq!(find(&panels, "지연").unwrap(), 2);
    }

    #[test]
    fn a_slip_of_the_finger_is_told_with_the_nearest_title_and_another_word_with_all() {
        let panels = named(&["requests/s", "p95 latency", "지연"]);
        let all = "there is no panel `memory`; the panels are `requests/s`, `p95 latency`, `지연`";
        assert_eq!(refusal(&panels, "reqests/s"), "there is no panel `reqests/s`; did you mean `requests/s`?");
        assert_eq!(refusal(&panels, "memory"), all);
        assert_eq!(refusal(&[], "x"), "there is no panel `x`; there is none until something is scraped");
    }
}
