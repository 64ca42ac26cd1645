//! What is drawn of the series: the panels over any stretch of time, an expression on its own, and two releases beside each
//! other.

use std::sync::Arc;

use super::{MAX_COLUMNS, Monitoring, Source};
use crate::api::types::{
    Bucket, Charts, ChartsRequest, Comparison, ComparisonRequest, Curve, Mark, PanelData, PanelKind, RunMark,
    Statistics, TimeColumns,
};
use crate::config::PanelSettings;
use crate::disk::now;
use crate::engine::effects::current;
use crate::monitor::{
    ColumnExtremes, CurveStatistics, HeatBucket, HeatColumns, KnownMetric, Panel, PanelColumns, PanelSeries, Scrapes,
    default_panels,
};
use crate::pipeline::{Moment, Release, ReleaseId, Run, RunId};

/// Series of one release in a comparison; more cannot be told apart beside those of the other.
const MOST_COMPARED: usize = 4;
/// Longer than anything is kept.
const LONGEST: u64 = 366 * 24 * 3_600_000;
/// What the names of the model server's metrics of drift have in common.
const DRIFT: &str = "_drift_psi";
/// What is shown of an existing Prometheus when all is asked for: how long it keeps its samples is not known here.
const WHOLE_ELSEWHERE: u64 = 7 * 24 * 3_600_000;

/// When releases went live and runs began.
struct Story {
    releases: Vec<Arc<Release>>,
    runs: Vec<(RunId, Moment)>,
}

/// A stretch of time in columns.
#[derive(Clone, Copy)]
struct Stretch {
    end: Moment,
    range: u64,
    columns: usize,
}

impl Monitoring {
    /// The panels over a stretch of time, with what happened in it.
    pub async fn charts(&self, wanted: &ChartsRequest) -> Charts {
        let columns = wanted.columns.clamp(1, MAX_COLUMNS);
        let end = wanted.end.unwrap_or_else(now).min(now());
        let stretch = Stretch { end, range: self.range_of(wanted.range, end), columns };
        let story = self.story().await;
        let mut panels = self.panels().await;
        if let Some(expression) = &wanted.expression {
            let own = alone(&panels, expression);
            panels.insert(0, own);
        }
        let delivery = self.tallies.delivery().await;
        let mut charts = Charts { end, step: (stretch.range / columns as u64).max(1), delivery, ..Charts::default() };
        let scrapes = self.scrapes_of(stretch).await;
        for settings in &panels {
            let mut data = plain(settings);
            match self.draw(settings, &mut data, &scrapes, stretch).await {
                Ok((last, step)) => (charts.end, charts.step) = (last, step),
                Err(error) => data.error = Some(error),
            }
            // Who did not answer one question is not asked two more.
            let is_answered = data.error.is_none();
            if is_answered && data.expression.contains(DRIFT) && data.curves.iter().all(has_no_value) {
                data.note = self.too_few_rows(end).await;
            }
            charts.panels.push(data);
        }
        let expressions: Vec<&str> = panels.iter().map(|panel| panel.expr.as_str()).collect();
        charts.alerts = self.alerting.strips(charts.end, charts.step, columns, &expressions);
        story.mark(&mut charts, columns);
        charts
    }

    /// One panel after two deploys, each from its deploy on.
    pub async fn comparison(&self, wanted: &ComparisonRequest) -> Result<Comparison, String> {
        let columns = wanted.columns.clamp(2, MAX_COLUMNS);
        let story = self.story().await;
        let (former, later) = story.pair(wanted.former, wanted.later)?;
        let since = |release: &Release| release.live_since.unwrap_or(release.started);
        let range = match wanted.range {
            0 => later.ended.unwrap_or_else(now).since(since(&later)),
            range => range,
        };
        let step = (range.clamp(1_000, LONGEST) / (columns as u64 - 1)).max(1);
        let settings = alone(&self.panels().await, &wanted.expression);
        let mut data = plain(&settings);
        if matches!(data.kind, PanelKind::Heatmap | PanelKind::Area) {
            // Two of them cannot be laid over each other.
            data.kind = PanelKind::Line;
        }
        for release in [&former, &later] {
            let until = release.ended.unwrap_or_else(now);
            match self.after(&settings, since(release), until, step, columns).await {
                Ok(curves) => compare(&mut data, release, curves),
                Err(error) => data.error = Some(error),
            }
        }
        let end = Moment(i64::try_from(step.saturating_mul(columns as u64 - 1)).unwrap_or(i64::MAX));
        let charts = Charts { panels: vec![data], end, step, ..Charts::default() };
        Ok(Comparison { former: former.id, later: later.id, charts })
    }

    /// Those that are configured, else those that suit what is there.
    pub(super) async fn panels(&self) -> Vec<PanelSettings> {
        let configured = current(&self.settings).monitor.panels.clone();
        if !configured.is_empty() {
            return configured;
        }
        let metrics = self.names_and_kinds().await;
        default_panels(metrics.iter().map(|(name, kind)| KnownMetric { name, kind }))
    }

    /// Why the model server measures no drift yet.
    async fn too_few_rows(&self, at: Moment) -> Option<String> {
        let rows = self.number("max(predict_window_records)", at).await?;
        let minimum = self.number("max(predict_window_minimum_records)", at).await?;
        (rows < minimum).then(|| format!("too few rows yet: {rows} of {minimum}"))
    }

    /// The one value of an expression; `None` if it has none.
    async fn number(&self, expression: &str, at: Moment) -> Option<f64> {
        Some(self.instant(expression, at).await.ok()?.first()?.value)
    }

    /// What the gaps of all panels are told by; an existing Prometheus is not asked.
    async fn scrapes_of(&self, Stretch { end, range, columns }: Stretch) -> Arc<Scrapes> {
        let scrapes = match self.source() {
            Ok(Source::Own) => self.evaluated(move |store| Ok(Scrapes::of(store, end, range, columns))).await,
            Ok(Source::Prometheus(_)) | Err(_) => Ok(Scrapes::default()),
        };
        Arc::new(scrapes.unwrap_or_default())
    }

    /// Draws a panel; the moment of its last column, and its step.
    async fn draw(
        &self,
        settings: &PanelSettings,
        data: &mut PanelData,
        scrapes: &Arc<Scrapes>,
        Stretch { end, range, columns }: Stretch,
    ) -> Result<(Moment, u64), String> {
        let is_heat = settings.kind == PanelKind::Heatmap;
        let scrapes = Arc::clone(scrapes);
        match self.source()? {
            Source::Own if is_heat => {
                let panel = Panel::from_settings(settings).map_err(|error| error.to_string())?;
                let heat = self.evaluated(move |store| panel.heat(store, &scrapes, end, range, columns)).await?;
                Ok(fill_buckets(data, heat))
            }
            Source::Own => {
                let panel = Panel::from_settings(settings).map_err(|error| error.to_string())?;
                let evaluated = self.evaluated(move |store| {
                    let drawn = panel.columns_beside(store, &scrapes, end, range, columns)?;
                    let extremes = panel.extremes(store, &drawn, range, columns);
                    Ok((drawn, extremes))
                });
                let (drawn, extremes) = evaluated.await?;
                Ok(fill_curves(data, drawn, extremes))
            }
            Source::Prometheus(client) if is_heat => {
                let heat = HeatColumns::remote(&client, settings, end, range, columns).await;
                Ok(fill_buckets(data, heat.map_err(|error| error.to_string())?))
            }
            Source::Prometheus(client) => {
                let drawn = PanelColumns::remote(&client, settings, end, range, columns).await;
                Ok(fill_curves(data, drawn.map_err(|error| error.to_string())?, Vec::new()))
            }
        }
    }

    /// The curves of an expression from a moment on, in columns of `step` milliseconds; gaps behind `until`.
    async fn after(
        &self,
        settings: &PanelSettings,
        begin: Moment,
        until: Moment,
        step: u64,
        columns: usize,
    ) -> Result<Vec<Curve>, String> {
        let found: Vec<PanelSeries> = match self.source()? {
            Source::Own => {
                let panel = Panel::from_settings(settings).map_err(|error| error.to_string())?;
                self.evaluated(move |store| panel.stretch(store, begin, step, columns)).await?
            }
            Source::Prometheus(client) => {
                let found = PanelSeries::remote_stretch(&client, settings, begin, step, columns).await;
                found.map_err(|error| error.to_string())?
            }
        };
        let moment = |column: usize| begin.plus(step.saturating_mul(column as u64));
        let cut = |series: PanelSeries| {
            let points = series.points.into_iter().enumerate();
            let points = points.map(|(column, point)| point.filter(|_| moment(column) <= until)).collect();
            curve(series.label, points, ColumnExtremes::default())
        };
        Ok(found.into_iter().map(cut).collect())
    }

    /// A range in milliseconds; 0 stands for all that is kept.
    fn range_of(&self, wanted: u64, end: Moment) -> u64 {
        let range = match wanted {
            0 => self.oldest().map_or(WHOLE_ELSEWHERE, |oldest| end.since(oldest)),
            range => range,
        };
        range.clamp(1_000, LONGEST)
    }

    async fn story(&self) -> Story {
        let story = self.core.look(|state, _| Story {
            releases: state.releases.values().filter(|release| release.live_since.is_some()).cloned().collect(),
            runs: state.runs.values().filter_map(|run: &Arc<Run>| Some((run.id, run.started?))).collect(),
        });
        story.await.unwrap_or(Story { releases: Vec::new(), runs: Vec::new() })
    }
}

impl Story {
    /// Puts deploys and runs into their columns.
    fn mark(&self, charts: &mut Charts, columns: usize) {
        let grid = TimeColumns { end: charts.end, step: charts.step, count: columns };
        let deploys = self.releases.iter().filter_map(|release| Some((release.id, grid.column(release.live_since?)?)));
        charts.marks = deploys.map(|(release, column)| Mark { column, release }).collect();
        let runs = self.runs.iter().filter_map(|(run, began)| Some((*run, grid.column(*began)?)));
        charts.runs = runs.map(|(run, column)| RunMark { column, run }).collect();
    }

    /// The releases that are asked for: without a later one the newest that was live, without a former one the last that was
    /// live before the later one.
    fn pair(
        &self,
        former: Option<ReleaseId>,
        later: Option<ReleaseId>,
    ) -> Result<(Arc<Release>, Arc<Release>), String> {
        let later = match later {
            Some(later) => self.release(later)?,
            None => self.releases.last().ok_or("no release has been live yet, so there is nothing to compare")?,
        };
        let former = match former {
            Some(former) if former == later.id => {
                return Err(format!("release {former} cannot be compared with itself; choose two releases"));
            }
            Some(former) => self.release(former)?,
            None => self.releases.iter().rev().find(|release| release.id < later.id).ok_or_else(|| {
                format!("no release was live before release {}, so there is nothing to compare it with", later.id)
            })?,
        };
        Ok((Arc::clone(former), Arc::clone(later)))
    }

    fn release(&self, id: ReleaseId) -> Result<&Arc<Release>, String> {
        let found = self.releases.iter().find(|release| release.id == id);
        found.ok_or_else(|| {
            format!("release {id} was never live, or is forgotten; `trainyard releases` lists those that are known")
        })
    }
}

/// What a panel is, without its curves.
fn plain(settings: &PanelSettings) -> PanelData {
    PanelData {
        title: settings.title.clone(),
        unit: settings.unit.clone(),
        expression: settings.expr.clone(),
        kind: settings.kind,
        min: settings.min,
        max: settings.max,
        thresholds: settings.thresholds,
        log: settings.log,
        zero: settings.zero,
        ..PanelData::default()
    }
}

/// The panel of an expression: as it is configured where there is one, else its curves.
fn alone(panels: &[PanelSettings], expression: &str) -> PanelSettings {
    let known = panels.iter().find(|panel| panel.expr == expression).cloned();
    known.unwrap_or_else(|| PanelSettings {
        title: expression.to_owned(),
        expr: expression.to_owned(),
        ..PanelSettings::default()
    })
}

/// Whether nothing was measured in the last column.
fn has_no_value(curve: &Curve) -> bool {
    curve.points.last().copied().flatten().is_none()
}

fn fill_curves(data: &mut PanelData, drawn: PanelColumns, extremes: Vec<ColumnExtremes>) -> (Moment, u64) {
    data.left_out = drawn.left_out;
    let extremes = extremes.into_iter().chain(std::iter::repeat_with(ColumnExtremes::default));
    let both = drawn.series.into_iter().zip(extremes);
    data.curves = both.map(|(series, within)| curve(series.label, series.points, within)).collect();
    (drawn.end, drawn.step_ms)
}

fn fill_buckets(data: &mut PanelData, heat: HeatColumns) -> (Moment, u64) {
    let bucket = |bucket: HeatBucket| Bucket { bound: bucket.bound, counts: bucket.counts };
    data.buckets = heat.buckets.into_iter().map(bucket).collect();
    (heat.end, heat.step_ms)
}

fn curve(label: String, points: Vec<Option<f64>>, within: ColumnExtremes) -> Curve {
    let told = CurveStatistics::of(&points, &within.low, &within.high);
    let statistics = told.map(|told| Statistics { min: told.min, mean: told.mean, max: told.max, last: told.last });
    Curve { label, points, low: within.low, high: within.high, statistics }
}

/// Adds the curves of a release, each with its number.
fn compare(data: &mut PanelData, release: &Release, curves: Vec<Curve>) {
    let several = curves.len() > 1;
    data.left_out += curves.len().saturating_sub(MOST_COMPARED);
    data.curves.extend(curves.into_iter().take(MOST_COMPARED).map(|mut curve| {
        curve.label = if several {
            format!("release {}, {}", release.id, curve.label)
        } else {
            format!("release {}", release.id)
        };
        curve
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::samples;

    /// Releases that were live.
    fn story(numbers: &[u64]) -> Story {
        let release = |number: &u64| Arc::new(Release { live_since: Some(Moment(1)), ..samples::release(*number) });
        Story { releases: numbers.iter().map(release).collect(), runs: Vec::new() }
    }

    fn pair(story: &Story, former: Option<u64>, later: Option<u64>) -> Result<(u64, u64), String> {
        let found = story.pair(former.map(ReleaseId), later.map(ReleaseId))?;
        Ok((found.0.id.0, found.1.id.0))
    }

    #[test]
    fn any_two_releases_are_compared_and_without_a_wish_the_last_two() {
        let story = story(&[1, 2, 5, 7]);
        assert_eq!(pair(&story, None, None), Ok((5, 7)));
        assert_eq!(pair(&story, None, Some(5)), Ok((2, 5)));
        assert_eq!(pair(&story, Some(1), None), Ok((1, 7)));
        assert_eq!(pair(&story, Some(1), Some(5)), Ok((1, 5)));
    }

    #[test]
    fn a_pair_that_is_none_is_refused_with_the_reason() {
        let told = |former, later| pair(&story(&[2, 5]), former, later).unwrap_err();
        assert!(told(None, Some(2)).starts_with("no release was live before release 2,"));
        assert!(told(Some(5), None).starts_with("release 5 cannot be compared with itself"));
        assert!(told(Some(3), None).starts_with("release 3 was never live"));
        assert_eq!(
            pair(&story(&[]), None, None).unwrap_err(),
            "no release has been live yet, so there is nothing to compare"
        );
    }
}
