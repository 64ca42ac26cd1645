//! Charts for tests, as a daemon would answer: every kind of panel, a comparison, lists of what can be written.

use crate::api::types::{
    AlertSpan, AlertStrip, Bucket, Charts, ChartsRequest, Comparison, ComparisonRequest, Completion, CompletionKind,
    CompletionRequest, Completions, Curve, Delivery, ExpressionFault, Mark, MetricInformation, PanelData, PanelKind,
    RunMark, Statistics, distance,
};
use crate::pipeline::{Moment, ReleaseId, RunId};

use super::app::Model;

/// The expression that is answered by a panel of every kind.
pub(super) const EVERY_KIND: &str = "every kind";

fn real(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

/// A curve with its figures.
pub(super) fn curve(label: &str, points: Vec<Option<f64>>) -> Curve {
    let known: Vec<f64> = points.iter().flatten().copied().collect();
    let statistics = (!known.is_empty()).then(|| Statistics {
        min: known.iter().copied().fold(f64::INFINITY, f64::min),
        mean: known.iter().sum::<f64>() / real(known.len()),
        max: known.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        last: points.last().copied().flatten(),
    });
    Curve { label: label.to_owned(), points, statistics, ..Curve::default() }
}

/// A saw from half its height to its height, with a gap in it.
fn saw(label: &str, height: f64, period: usize, columns: usize) -> Curve {
    let point = |column: usize| {
        let is_gap = column > columns / 3 && column < columns / 3 + columns / 12;
        (!is_gap).then(|| height * (0.5 + real(column % period) / real(period) / 2.0))
    };
    curve(label, (0..columns).map(point).collect())
}

fn panel(title: &str, unit: Option<&str>, curves: Vec<Curve>) -> PanelData {
    PanelData {
        title: title.to_owned(),
        unit: unit.map(str::to_owned),
        expression: format!("expression_of{{title={title:?}}}"),
        curves,
        ..PanelData::default()
    }
}

/// Four panels with a gap and a deploy; none before something is live.
pub(super) fn charts(model: &Model, request: &ChartsRequest) -> Charts {
    if model.state.live.is_none() {
        return Charts::default();
    }
    let columns = request.columns;
    let broken =
        PanelData { error: Some("no series has the name app_drift".to_owned()), ..panel("drift", None, Vec::new()) };
    let usual = vec![
        panel("requests/s", None, vec![saw("", 132.0, 40, columns)]),
        panel("지연 p95", Some("ms"), vec![saw("", 4.1, 23, columns)]),
        panel("by status", Some("/s"), vec![saw("200", 130.0, 31, columns), saw("500", 20.0, 17, columns)]),
        broken,
    ];
    let panels = match request.expression.as_deref() {
        None => usual,
        Some(EVERY_KIND) => every_kind(columns),
        Some(expression) => {
            let mut own = panel(expression, None, vec![saw("", 7.0, 29, columns)]);
            own.expression = expression.to_owned();
            std::iter::once(own).chain(usual).collect()
        }
    };
    let range = if request.range == 0 { 259_200_000 } else { request.range };
    Charts {
        panels,
        marks: vec![Mark { column: columns * 2 / 3, release: ReleaseId(2) }],
        end: request.end.unwrap_or(model.now),
        step: range / u64::try_from(columns).unwrap().max(1),
        ..Charts::default()
    }
}

/// As [`charts`] answers [`EVERY_KIND`], with an alert, a run and the figures of delivery.
pub(super) fn eventful(charts: &mut Charts, columns: usize) {
    let span = |from: usize, to: usize, firing| AlertSpan { from: columns * from / 8, to: columns * to / 8, firing };
    let alert = |name: &str, panels, spans| AlertStrip { name: name.to_owned(), panels, spans };
    charts.alerts = vec![
        alert("ErrorRate", vec![0, 1], vec![span(2, 3, false), span(3, 5, true)]),
        alert("느린-응답", vec![0], vec![span(6, 7, false)]),
        alert("AppDown", Vec::new(), vec![span(1, 2, true)]),
    ];
    charts.runs = vec![RunMark { column: columns / 2, run: RunId(2) }];
    charts.delivery = Some(Delivery {
        releases_per_day: 2.125,
        lead_time_ms: Some(725_000),
        failure_rate: Some(0.08),
        restore_ms: None,
        over_days: 30,
    });
}

fn every_kind(columns: usize) -> Vec<PanelData> {
    let kind = |kind, panel: PanelData| PanelData { kind, ..panel };
    let two = || vec![saw("서울", 0.42, 31, columns), saw("부산-항구-7", 0.13, 17, columns)];
    let line = PanelData { thresholds: Some((0.3, 0.4)), ..panel("지연 p95", Some("s"), two()) };
    let area = panel(
        "by status",
        Some("req/s"),
        vec![saw("200", 130.0, 31, columns), saw("404", 30.0, 17, columns), saw("500", 20.0, 23, columns)],
    );
    let drift =
        PanelData { thresholds: Some((0.1, 0.25)), ..panel("drift (PSI)", None, vec![saw("", 0.18, 50, columns)]) };
    let memory = panel("memory", Some("B"), two().into_iter().map(|curve| scaled(&curve, 1e9)).collect());
    let count = |bucket: usize, column: usize| {
        let is_gap = column > columns / 3 && column < columns / 3 + columns / 12;
        let middle = 2 + column * 3 / columns.max(1);
        (!is_gap).then(|| real(40_usize.saturating_sub(bucket.abs_diff(middle) * 16)))
    };
    let bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "1", "+Inf"];
    let bucket = |(index, bound): (usize, &&str)| Bucket {
        bound: (*bound).to_owned(),
        counts: (0..columns).map(|column| count(index, column)).collect(),
    };
    let heat = PanelData {
        buckets: bounds.iter().enumerate().map(bucket).collect(),
        ..panel("latency, spread", Some("s"), Vec::new())
    };
    vec![
        line,
        kind(PanelKind::Area, area),
        kind(PanelKind::Stat, drift.clone()),
        kind(PanelKind::Gauge, drift),
        kind(PanelKind::Heatmap, heat),
        kind(PanelKind::Table, memory.clone()),
        kind(PanelKind::Stat, memory),
    ]
}

fn scaled(curve: &Curve, factor: f64) -> Curve {
    let points = curve.points.iter().map(|point| point.map(|value| value * factor)).collect();
    self::curve(&curve.label, points)
}

/// Two releases, of which the later one has been live for a shorter time.
pub(super) fn comparison(request: &ComparisonRequest) -> Result<Comparison, String> {
    let later = request.later.unwrap_or(ReleaseId(2));
    let before = || later.0.checked_sub(1).filter(|former| *former > 0).map(ReleaseId);
    let Some(former) = request.former.or_else(before) else {
        return Err(format!("no release was live before release {later}, so there is nothing to compare it with"));
    };
    let columns = request.columns;
    let mut new = saw(&format!("release {later}"), 160.0, 19, columns);
    for point in new.points.iter_mut().skip(columns * 3 / 4) {
        *point = None;
    }
    let curves = vec![saw(&format!("release {former}"), 132.0, 40, columns), curve(&new.label, new.points.clone())];
    let step = request.range / u64::try_from(columns).unwrap().max(1);
    let end = Moment(i64::try_from(step * (u64::try_from(columns).unwrap() - 1)).unwrap());
    let charts = Charts { panels: vec![panel("requests/s", None, curves)], end, step, ..Charts::default() };
    Ok(Comparison { former, later, charts })
}

/// What can be written at a place: what holds the word first, then what has its letters.
pub(super) fn completions(request: &CompletionRequest) -> Completions {
    let all: Vec<Completion> = match (request.kind, request.label.as_deref()) {
        (CompletionKind::Expression, _) => {
            let functions = ["histogram_quantile", "rate", "sum"].into_iter().filter(|_| !request.word.is_empty());
            let functions = functions.map(|name| Completion::Function(name.to_owned()));
            metrics().into_iter().map(Completion::Metric).chain(functions).collect()
        }
        (CompletionKind::LabelName, _) => {
            ["instance", "le", "status"].into_iter().map(|name| Completion::Label(name.to_owned())).collect()
        }
        (CompletionKind::LabelValue, Some("instance")) => {
            (8_000..8_300).map(|port| Completion::Value(format!("127.0.0.1:{port}"))).collect()
        }
        (CompletionKind::LabelValue, _) => {
            ["200", "서울 \u{1b}[2J\"x\""].into_iter().map(|name| Completion::Value(name.to_owned())).collect()
        }
    };
    let rank = |completion: &Completion| {
        let name = completion.name();
        let holds = name.find(&request.word).map(|at| at + name.len());
        holds.or_else(|| distance(name, &request.word).map(|distance| distance + 1_000))
    };
    let mut found: Vec<(usize, Completion)> =
        all.into_iter().filter_map(|completion| Some((rank(&completion)?, completion))).collect();
    if !request.word.is_empty() {
        found.sort_by_key(|(rank, _)| *rank);
    }
    let (total, is_whole) = (found.len(), found.iter().any(|(_, completion)| completion.name() == request.word));
    let rows = found.into_iter().skip(request.first).take(request.count).map(|(_, completion)| completion);
    Completions { first: request.first.min(total), rows: rows.collect(), total, is_whole }
}

/// Some metrics, one with a name and a help text from elsewhere.
fn metrics() -> Vec<MetricInformation> {
    let metric = |name: &str, kind: &str, help: &str, series| MetricInformation {
        name: name.to_owned(),
        kind: kind.to_owned(),
        help: help.to_owned(),
        unit: String::new(),
        series,
        expression: if kind == "counter" { format!("rate({name}[1m])") } else { name.to_owned() },
    };
    vec![
        metric("http_requests_total", "counter", "All requests\u{1b}[2J, by status.", 12),
        metric("predict_duration_seconds_bucket", "histogram", "Time from a whole request to its answer.", 14),
        metric("predict_input_drift_psi", "gauge", "입력 분포가 얼마나 달라졌는지.", 1_337),
        metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", 1),
        metric("up", "", "", 1),
    ]
}

/// An open bracket is a fault.
pub(super) fn fault(expression: &str) -> Option<ExpressionFault> {
    let place = expression.chars().position(|character| character == '(').filter(|_| !expression.contains(')'))?;
    let error = "unclosed left parenthesis".to_owned();
    Some(ExpressionFault { error, from: place, to: place + 1 })
}
