//! A dashboard of Grafana with the panels that are drawn here.
//!
//! Expressions go over word for word. Where the data comes from is chosen in Grafana, by a variable of the dashboard; deploys
//! are annotations, read from `trainyard_release_live_timestamp_seconds` of trainyard's own metrics. The same panels give the
//! same text, and the same project has the same dashboard: importing it again replaces it.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::config::{PanelKind, PanelSettings};

/// The form of dashboards of Grafana 10 and 11; later ones bring it up to date by themselves.
const SCHEMA: u32 = 39;
/// Columns and rows of the grid of a panel; the grid is 24 wide.
const SIZE: (usize, usize) = (12, 8);
/// The metric that says when the live release went live.
const DEPLOYS: &str = "1000 * trainyard_release_live_timestamp_seconds";

/// The dashboard of a project.
pub fn dashboard(project: &str, panels: &[PanelSettings]) -> Value {
    let panels: Vec<Value> = panels.iter().enumerate().map(|(index, panel)| draw(index, panel)).collect();
    json!({
        "title": project,
        "uid": identity(project),
        "tags": ["trainyard"],
        "description": "written by `trainyard export grafana`",
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "10s",
        "templating": { "list": [choice_of_datasource()] },
        "annotations": { "list": [deploys()] },
        "panels": panels,
    })
}

/// Whoever imports the dashboard chooses which Prometheus it asks.
fn choice_of_datasource() -> Value {
    json!({
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "current": {},
    })
}

/// Each new value is one deploy, and it stands at the moment that the value says.
fn deploys() -> Value {
    json!({
        "name": "deploys",
        "enable": true,
        "iconColor": "blue",
        "datasource": datasource(),
        "expr": DEPLOYS,
        "step": "10s",
        "useValueForTime": true,
        "titleFormat": "release {{release}}",
        "textFormat": "release {{release}} went live",
        "tagKeys": "release",
    })
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// What tells the dashboard of a project from others: Grafana allows forty plain letters, and a project may be named in any
/// script.
fn identity(project: &str) -> String {
    let digest = Sha256::digest(project.as_bytes());
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("trainyard-{short}")
}

fn draw(index: usize, panel: &PanelSettings) -> Value {
    let (width, height) = SIZE;
    let kind = match panel.kind {
        PanelKind::Line | PanelKind::Area => "timeseries",
        PanelKind::Stat => "stat",
        PanelKind::Gauge => "gauge",
        PanelKind::Heatmap => "heatmap",
        PanelKind::Table => "table",
    };
    json!({
        "id": index + 1,
        "title": panel.title,
        "type": kind,
        "datasource": datasource(),
        "gridPos": { "x": index % 2 * width, "y": index / 2 * height, "w": width, "h": height },
        "targets": [target(panel)],
        "fieldConfig": { "defaults": defaults(panel), "overrides": [] },
        "options": options(panel.kind),
    })
}

fn target(panel: &PanelSettings) -> Value {
    let (format, is_instant, legend) = match panel.kind {
        PanelKind::Line | PanelKind::Area | PanelKind::Stat | PanelKind::Gauge => ("time_series", false, "__auto"),
        PanelKind::Heatmap => ("heatmap", false, "{{le}}"),
        PanelKind::Table => ("table", true, "__auto"),
    };
    json!({
        "refId": "A",
        "datasource": datasource(),
        "expr": panel.expr,
        "format": format,
        "instant": is_instant,
        "range": !is_instant,
        "legendFormat": legend,
    })
}

fn defaults(panel: &PanelSettings) -> Value {
    let mut defaults = Map::new();
    defaults.insert("unit".to_owned(), json!(unit(panel.unit.as_deref())));
    if let Some(min) = panel.min {
        defaults.insert("min".to_owned(), json!(min));
    }
    if let Some(max) = panel.max {
        defaults.insert("max".to_owned(), json!(max));
    }
    if let Some((look, bad)) = panel.thresholds {
        defaults.insert("color".to_owned(), json!({ "mode": "thresholds" }));
        defaults.insert("thresholds".to_owned(), thresholds(look, bad));
    }
    if let PanelKind::Line | PanelKind::Area = panel.kind {
        let is_area = panel.kind == PanelKind::Area;
        let scale = if panel.log { json!({ "type": "log", "log": 10 }) } else { json!({ "type": "linear" }) };
        let custom = json!({
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": if is_area { 30 } else { 0 },
            "stacking": { "mode": if is_area { "normal" } else { "none" }, "group": "A" },
            // Gaps are gaps.
            "spanNulls": false,
            "showPoints": "never",
            "scaleDistribution": scale,
            "thresholdsStyle": { "mode": if panel.thresholds.is_some() { "line" } else { "off" } },
        });
        // Curves are told apart by their colours; thresholds are lines.
        defaults.insert("color".to_owned(), json!({ "mode": "palette-classic" }));
        defaults.insert("custom".to_owned(), custom);
    }
    Value::Object(defaults)
}

/// Steps from the lowest value up; the first has no bound.
fn thresholds(look: f64, bad: f64) -> Value {
    let steps = if bad < look {
        [("red", None), ("yellow", Some(bad)), ("green", Some(look))]
    } else {
        [("green", None), ("yellow", Some(look)), ("red", Some(bad))]
    };
    let steps = steps.map(|(color, value)| json!({ "color": color, "value": value }));
    json!({ "mode": "absolute", "steps": steps })
}

fn options(kind: PanelKind) -> Value {
    let newest = || json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match kind {
        PanelKind::Line | PanelKind::Area => json!({
            "legend": { "displayMode": "table", "placement": "bottom", "calcs": ["min", "mean", "max", "last"] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        PanelKind::Stat => json!({ "graphMode": "area", "colorMode": "value", "reduceOptions": newest() }),
        PanelKind::Gauge => json!({ "showThresholdMarkers": true, "reduceOptions": newest() }),
        PanelKind::Heatmap => json!({
            "calculate": false,
            "cellGap": 0,
            "color": { "mode": "scheme", "scheme": "Viridis", "steps": 64 },
            "yAxis": { "axisPlacement": "left" },
        }),
        PanelKind::Table => json!({ "showHeader": true }),
    }
}

/// Grafana's name of a unit; one that it does not know stands behind the value as it is.
fn unit(unit: Option<&str>) -> String {
    let Some(unit) = unit.map(str::trim).filter(|unit| !unit.is_empty()) else { return "short".to_owned() };
    let known = match unit {
        "s" | "seconds" => "s",
        "ms" => "ms",
        "µs" | "μs" | "us" => "µs",
        "ns" => "ns",
        "min" => "m",
        "h" => "h",
        "d" => "d",
        "B" | "bytes" => "bytes",
        "KiB" => "kbytes",
        "MiB" => "mbytes",
        "GiB" => "gbytes",
        "TiB" => "tbytes",
        "kB" => "deckbytes",
        "MB" => "decmbytes",
        "GB" => "decgbytes",
        "B/s" => "binBps",
        "KiB/s" => "KiBs",
        "MiB/s" => "MiBs",
        "GiB/s" => "GiBs",
        "%" => "percent",
        "ratio" => "percentunit",
        "/s" => "cps",
        "req/s" | "requests/s" => "reqps",
        "ops/s" => "ops",
        "rows/s" => "rowsps",
        "Hz" => "hertz",
        "°C" => "celsius",
        other => return format!("suffix: {other}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashboard_of_every_kind_of_panel() {
        let panel = |title: &str, unit: Option<&str>, kind| PanelSettings {
            title: title.to_owned(),
            expr: "sum by (le) (rate(a_bucket{b=\"c\"}[1m]))".to_owned(),
            unit: unit.map(str::to_owned),
            kind,
            ..PanelSettings::default()
        };
        let panels = [
            panel("requests/s", Some("req/s"), PanelKind::Line),
            PanelSettings { log: true, ..panel("메모리 \"x\"", Some("MiB"), PanelKind::Area) },
            panel("live", None, PanelKind::Stat),
            PanelSettings {
                min: Some(0.0),
                max: Some(1.0),
                thresholds: Some((0.1, 0.25)),
                ..panel("drift", Some("PSI"), PanelKind::Gauge)
            },
            panel("latency, spread", Some("s"), PanelKind::Heatmap),
            panel("by feature", Some("%"), PanelKind::Table),
        ];
        let text = serde_json::to_string_pretty(&dashboard("wine-quality", &panels)).unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn thresholds_go_up_whichever_end_is_the_bad_one() {
        let colors = |look, bad| {
            let steps = thresholds(look, bad);
            let steps = steps["steps"].as_array().unwrap().clone();
            steps.iter().map(|step| step["color"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(colors(0.1, 0.25), ["green", "yellow", "red"]);
        assert_eq!(colors(0.9, 0.5), ["red", "yellow", "green"]);
        let steps = thresholds(0.9, 0.5);
        assert_eq!((&steps["steps"][0]["value"], &steps["steps"][1]["value"]), (&Value::Null, &json!(0.5)));
    }

    #[test]
    fn a_unit_that_is_not_known_stands_behind_the_value() {
        assert_eq!(unit(Some("ms")), "ms");
        assert_eq!(unit(Some("wines")), "suffix: wines");
        assert_eq!(unit(Some(" ")), "short");
        assert_eq!(unit(None), "short");
    }

    #[test]
    fn a_project_keeps_its_dashboard_and_no_two_share_one() {
        assert_eq!(identity("wine"), identity("wine"));
        assert_ne!(identity("와인"), identity("포도"));
        assert!(identity("와인").len() <= 40);
    }

    #[test]
    fn a_configured_panel_goes_over_word_for_word() {
        let text = "[stages.test]\ncommand = [\"true\"]\n[[monitor.panels]]\ntitle = \"t\"\nexpr = \"up\"\n";
        let settings = crate::config::parse(text, "trainyard.toml").unwrap();
        let panels = settings.monitor.panels;
        let told = dashboard("x", &panels);
        let panel = &told["panels"][0];
        assert_eq!((&panel["targets"][0]["expr"], &panel["title"]), (&json!("up"), &json!("t")));
    }
}
