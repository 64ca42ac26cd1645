//! The sections that are no stages: `[project]`, `[data]`, `[models]` and `[monitor]`. `[source]` has a file of its
//! own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::alerts::{Consequence, alerts};
use super::keys::Section;
use super::project_secrets::ProjectSecrets;
use super::reader::TableReader;
use super::scrape_targets::{Defaults, count, default_timeout, scrape_targets};
use super::settings::{DataSettings, ModelsSettings, MonitorSettings, PanelSettings};
use crate::pipeline::{PanelKind, Reaction};

/// The longest name of a project, in characters: it becomes part of image names and of the terminal's title.
const NAME_LIMIT: usize = 64;

/// `[project]`: its name, else `default_name`, and its secrets.
pub(super) fn project(root: &mut TableReader<'_>, default_name: &str) -> (String, ProjectSecrets) {
    let mut reader = root.section("project", Section::Project, Section::Project.title().to_owned());
    let name = reader.filled("name");
    if let Some(name) = &name {
        let text = name.get_ref();
        if text.chars().count() > NAME_LIMIT || text.contains(|letter: char| letter.is_control() || letter == '/') {
            let message = "the name of a project has at most 64 characters, none of them `/` or a control character";
            reader.problems.add(name.span(), message, reader.example("name"));
        }
    }
    let secrets = ProjectSecrets::read(&mut reader);
    reader.finish();
    (name.map_or_else(|| default_name.to_owned(), toml::Spanned::into_inner), secrets)
}

/// `[data]`
pub(super) fn data(root: &mut TableReader<'_>) -> DataSettings {
    let mut reader = root.section("data", Section::Data, Section::Data.title().to_owned());
    let settings = DataSettings {
        path: reader.path("path").unwrap_or_else(|| PathBuf::from("data")),
        include: reader.globs("include").unwrap_or_else(|| vec!["*.csv".to_owned(), "*.csv.gz".to_owned()]),
        settle: reader.duration("settle").unwrap_or(Duration::from_millis(500)),
        contract: reader.path("contract").unwrap_or_else(|| PathBuf::from("data.toml")),
    };
    reader.finish();
    settings
}

/// `[models]`
pub(super) fn models(root: &mut TableReader<'_>) -> ModelsSettings {
    let mut reader = root.section("models", Section::Models, Section::Models.title().to_owned());
    let keep = reader.integer("keep").and_then(|keep| usize::try_from(keep).ok()).unwrap_or(20);
    reader.finish();
    ModelsSettings { keep }
}

/// `[monitor]`, and what alerts want of the stages.
pub(super) fn monitor(root: &mut TableReader<'_>) -> (MonitorSettings, Vec<Consequence>) {
    let mut reader = root.section("monitor", Section::Monitor, Section::Monitor.title().to_owned());
    let scrape = reader.duration("scrape").unwrap_or(Duration::from_secs(1));
    let timeout = reader.duration("timeout").unwrap_or_else(|| default_timeout(scrape));
    let sample_limit = count(reader.integer("sample_limit")).unwrap_or(50_000);
    let body_limit = reader.memory("body_limit").unwrap_or(16 << 20);
    let prometheus = prometheus(&mut reader);
    let (alerts, consequences) = alerts(&mut reader);
    if prometheus.is_some() {
        let acts = |consequence: &&Consequence| consequence.then != Reaction::Notify;
        for Consequence { alert, span, .. } in consequences.iter().filter(acts) {
            let message =
                format!("nothing can follow from alert `{alert}`: a Prometheus knows nothing of our releases");
            reader.problems.add(span.clone(), message, "write `then = \"notify\"`, or remove `prometheus`");
        }
    }
    let settings = MonitorSettings {
        scrape,
        timeout,
        retention: reader.duration("retention").unwrap_or(Duration::from_hours(24)),
        retention_size: reader.memory("retention_size").unwrap_or(2 << 30),
        max_series: count(reader.integer("max_series")).unwrap_or(50_000),
        body_limit: usize::try_from(body_limit).unwrap_or(usize::MAX),
        sample_limit,
        lenient: reader.boolean("lenient").unwrap_or(false),
        prometheus,
        targets: scrape_targets(&mut reader, Defaults { interval: scrape, timeout, sample_limit }),
        panels: reader.sections("panels", Section::Panel).into_iter().map(panel).collect(),
        alerts,
        listen: listen(&mut reader),
    };
    reader.finish();
    (settings, consequences)
}

/// The address of an existing Prometheus. It does the scraping then, and what it scrapes is configured there.
fn prometheus(reader: &mut TableReader<'_>) -> Option<String> {
    let written = reader.entry("prometheus")?;
    if reader.has("targets") {
        let message = "`targets` are scraped here, but with `prometheus` nothing is";
        reader.problems.add(written.key_span, message, "remove one of them; that Prometheus has targets of its own");
    }
    reader.url("prometheus").map(|url| url.trim_end_matches('/').to_owned())
}

/// Whoever reaches the address reads what runs here, and nobody is asked who they are: so only from this machine.
fn listen(reader: &mut TableReader<'_>) -> Option<SocketAddr> {
    let text = reader.filled("listen")?;
    let message = match text.get_ref().parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => "`listen` has port 0, which no scraper can be told".to_owned(),
        Ok(address) if address.ip().is_loopback() => return Some(address),
        Ok(address) => format!(
            "`listen` must be a loopback address, for no password is asked there, found `{}`; from afar, use `ssh -L`",
            address.ip()
        ),
        Err(_) => format!("`listen` must be an IP address and a port, found `{}`", text.get_ref()),
    };
    reader.problems.add(text.span(), message, reader.example("listen"));
    None
}

fn panel(mut reader: TableReader<'_>) -> PanelSettings {
    let title = reader.filled("title");
    reader.require("title");
    let expr = reader.expression("expr");
    reader.require("expr");
    let unit = reader.string("unit").map(toml::Spanned::into_inner);
    let kind = match reader.choice("kind") {
        Some("area") => PanelKind::Area,
        Some("stat") => PanelKind::Stat,
        Some("gauge") => PanelKind::Gauge,
        Some("heatmap") => PanelKind::Heatmap,
        Some("table") => PanelKind::Table,
        _ => PanelKind::Line,
    };
    let (min, max) = bounds(&mut reader);
    let thresholds = reader.pair("thresholds");
    let log = reader.boolean("log").unwrap_or(false);
    let zero = reader.boolean("zero").unwrap_or(false);
    reader.finish();
    PanelSettings {
        title: title.map(toml::Spanned::into_inner).unwrap_or_default(),
        expr: expr.unwrap_or_default(),
        unit,
        kind,
        min,
        max,
        thresholds,
        log,
        zero,
    }
}

/// The ends of the vertical axis; an axis that ends before it begins is none.
fn bounds(reader: &mut TableReader<'_>) -> (Option<f64>, Option<f64>) {
    let (min, max) = (reader.number("min"), reader.number("max"));
    if let (Some(least), Some(most)) = (min, max)
        && least >= most
    {
        let span = reader.entry("max").map_or_else(|| reader.span(), |entry| entry.span);
        reader.problems.add(
            span,
            format!("`max` is {most}, which is not above `min`, {least}"),
            "write the greater of the two as `max`",
        );
        return (None, None);
    }
    (min, max)
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn listening(address: &str) -> Result<String, String> {
        let text = format!("[monitor]\nlisten = \"{address}\"\n[stages.test]\ncommand = [\"true\"]\n");
        let settings = parse(&text, "trainyard.toml").map_err(|errors| errors.to_string())?;
        Ok(settings.monitor.listen.map(|address| address.to_string()).unwrap_or_default())
    }

    #[test]
    fn own_metrics_are_served_on_loopback_addresses_only() {
        assert_eq!(listening("127.0.0.1:9190").as_deref(), Ok("127.0.0.1:9190"));
        assert_eq!(listening("[::1]:9190").as_deref(), Ok("[::1]:9190"));
        assert_eq!(
            listening("0.0.0.0:9190").unwrap_err(),
            "trainyard.toml:2:10: `listen` must be a loopback address, for no password is asked there, found \
             `0.0.0.0`; from afar, use `ssh -L`\n    2 | listen = \"0.0.0.0:9190\"\n      |          \
             ^^^^^^^^^^^^^^ for example `listen = \"127.0.0.1:9190\"`"
        );
        for (address, told) in [
            ("192.168.0.7:9190", "must be a loopback address"),
            ("[::]:9190", "must be a loopback address"),
            ("localhost:9190", "must be an IP address and a port, found `localhost:9190`"),
            ("127.0.0.1", "must be an IP address and a port"),
            ("127.0.0.1:0", "has port 0"),
        ] {
            let error = listening(address).unwrap_err();
            assert!(error.contains(told), "{address}: {error}");
        }
    }
}
