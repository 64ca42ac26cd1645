//! The gate: whether a new model, the challenger, may take the place of the champion, and the ledger that says why.
//!
//! Three answers: pass, fail, and *no evidence*, which is no pass. Against a fixed value the metrics of the challenger's own
//! held-out rows count. Beside the champion, both models predict the same rows, which neither has learned from (`rows`), and
//! the difference is judged with its 95 % interval from a paired bootstrap (`paired`): rows are drawn with replacement, 2 000
//! times, and each time both models are judged by the same rows, so that what makes a row easy or hard for both drops out
//! (B. Efron, R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 8). For accuracy McNemar's exact test is told as
//! well.
//!
//! Nothing here knows of versions, runs or files: what a model is called comes in.

mod paired;
mod rows;
mod scores;

use self::scores::Answers;
use crate::api::types::{GateCheck, GateLedger, GateVerdict};
use crate::config::{ChampionRule, GateSettings};
use crate::model::data::dataset::DataSet;
use crate::model::envelope::SavedModel;
use crate::model::evaluate::{Metrics, lower_is_better};
use crate::model::nearest;

/// Fewer common rows than these say nothing.
pub const FEWEST_ROWS: usize = 30;

/// The champion, as far as it can be used.
#[derive(Debug, Clone)]
pub struct Champion<'a> {
    /// Its version.
    pub version: u64,
    /// The model, or why it cannot be loaded.
    pub model: Result<&'a SavedModel, String>,
}

/// Judges a model by its rows, beside the champion where the gate asks for that.
pub fn judge(
    gate: &GateSettings,
    challenger: &SavedModel,
    champion: Option<&Champion<'_>>,
    data: &DataSet,
    held_out: &[usize],
) -> GateLedger {
    let minimum = gate.min.map(|limit| minimum(&gate.metric, limit, &challenger.card().metrics));
    let beside = gate.champion.map(|rule| match champion {
        None => first(&gate.metric, &challenger.card().metrics),
        Some(champion) => match measured(gate, challenger, champion, data, held_out) {
            Ok(comparison) => comparison.check(gate, rule, champion.version),
            Err(reason) => GateCheck::new("champion", GateVerdict::NoEvidence, reason),
        },
    });
    let champion = champion.map(|champion| champion.version).filter(|_| gate.champion.is_some());
    ledger(&gate.metric, champion, minimum.into_iter().chain(beside).collect())
}

/// Judges by metrics that a stage has reported itself: those of both models are of whatever rows it chose, and no interval
/// can be told.
pub fn judge_reported(gate: &GateSettings, metrics: &Metrics, champion: Option<(u64, &Metrics)>) -> GateLedger {
    let minimum = gate.min.map(|limit| minimum(&gate.metric, limit, metrics));
    let beside = gate.champion.map(|rule| match champion {
        None => first(&gate.metric, metrics),
        Some((version, of_champion)) => reported(gate, rule, metrics, version, of_champion),
    });
    let champion = champion.map(|(version, _)| version).filter(|_| gate.champion.is_some());
    ledger(&gate.metric, champion, minimum.into_iter().chain(beside).collect())
}

/// What follows from all checks, and what can be done about it.
fn ledger(metric: &str, champion: Option<u64>, checks: Vec<GateCheck>) -> GateLedger {
    // A gate without a check has shown nothing.
    let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(GateVerdict::NoEvidence);
    let next = if verdict == GateVerdict::Pass {
        String::new()
    } else {
        "promote it by hand to use it all the same, with a reason: `trainyard promote VERSION --message \"…\"`"
            .to_owned()
    };
    GateLedger { verdict, metric: metric.to_owned(), champion, checks, next }
}

/// There is nothing to be compared with; but what is to be the measure of the next must have been measured.
fn first(metric: &str, metrics: &Metrics) -> GateCheck {
    match metrics.get(metric) {
        Some(value) => GateCheck {
            challenger: Some(*value),
            ..GateCheck::new("champion", GateVerdict::Pass, "there is no champion yet to be compared with".to_owned())
        },
        None => GateCheck::new("champion", GateVerdict::NoEvidence, unknown(metric, metrics)),
    }
}

fn unknown(metric: &str, metrics: &Metrics) -> String {
    let hint = nearest::hint(metric, metrics.keys().map(String::as_str));
    format!("{metric} is not among the metrics of this model; {hint}")
}

fn minimum(metric: &str, limit: f64, metrics: &Metrics) -> GateCheck {
    let name = "minimum";
    let Some(&value) = metrics.get(metric) else {
        return GateCheck {
            limit: Some(limit),
            ..GateCheck::new(name, GateVerdict::NoEvidence, unknown(metric, metrics))
        };
    };
    // What is no number is on no side of the limit.
    let (passes, side) = if lower_is_better(metric) { (value <= limit, "above") } else { (value >= limit, "below") };
    let (verdict, sentence) = if passes {
        (GateVerdict::Pass, format!("{metric} {value:.3} passes {limit}"))
    } else {
        (GateVerdict::Fail, format!("{metric} {value:.3} is {side} {limit}"))
    };
    GateCheck { challenger: Some(value), limit: Some(limit), ..GateCheck::new(name, verdict, sentence) }
}

/// Both models on the same rows.
struct Comparison {
    challenger: f64,
    champion: f64,
    difference: f64,
    interval: Option<(f64, f64)>,
    p_value: Option<f64>,
    rows: Option<u64>,
}

fn measured(
    gate: &GateSettings,
    challenger: &SavedModel,
    champion: &Champion<'_>,
    data: &DataSet,
    held_out: &[usize],
) -> Result<Comparison, String> {
    let version = champion.version;
    let model =
        champion.model.clone().map_err(|reason| format!("model {version}, the champion, cannot be used: {reason}"))?;
    let common = rows::common(challenger, model, data, held_out)
        .map_err(|reason| format!("model {version}, the champion, cannot be compared with: {reason}"))?;
    if common.len() < FEWEST_ROWS {
        return Err(format!(
            "only {} held-out rows are new to model {version}, the champion, too; {FEWEST_ROWS} are needed",
            common.len()
        ));
    }
    let [new, old] = Answers::of_both(challenger, model, data, &common)?;
    let all: Vec<usize> = (0..common.len()).collect();
    let metric = gate.metric.as_str();
    let value = |answers: &Answers| answers.value(metric, &all).filter(|value| value.is_finite());
    let (Some(challenger_value), Some(champion_value)) = (value(&new), value(&old)) else {
        return Err(format!("{metric} is not defined on the {} held-out rows of both models", common.len()));
    };
    let sign = if lower_is_better(metric) { -1.0 } else { 1.0 };
    let interval =
        paired::interval(common.len(), |drawn| Some(sign * (new.value(metric, drawn)? - old.value(metric, drawn)?)));
    Ok(Comparison {
        challenger: challenger_value,
        champion: champion_value,
        difference: sign * (challenger_value - champion_value),
        interval,
        p_value: (metric == "accuracy")
            .then(|| Answers::disagreements(&new, &old))
            .map(|(only, other)| paired::mcnemar(only, other)),
        rows: Some(common.len() as u64),
    })
}

fn reported(
    gate: &GateSettings,
    rule: ChampionRule,
    metrics: &Metrics,
    version: u64,
    of_champion: &Metrics,
) -> GateCheck {
    let metric = gate.metric.as_str();
    let Some(&challenger) = metrics.get(metric) else {
        return GateCheck::new("champion", GateVerdict::NoEvidence, unknown(metric, metrics));
    };
    let Some(&champion) = of_champion.get(metric) else {
        let sentence = format!("model {version}, the champion, has reported no {metric}");
        return GateCheck::new("champion", GateVerdict::NoEvidence, sentence);
    };
    let sign = if lower_is_better(metric) { -1.0 } else { 1.0 };
    let difference = sign * (challenger - champion);
    Comparison { challenger, champion, difference, interval: None, p_value: None, rows: None }
        .check(gate, rule, version)
}

impl Comparison {
    fn check(self, gate: &GateSettings, rule: ChampionRule, version: u64) -> GateCheck {
        let tolerance = gate.tolerance;
        let (passes, limit, lack) = match rule {
            ChampionRule::NoWorse if tolerance > 0.0 => {
                (self.difference >= -tolerance, Some(tolerance), format!(", beyond the tolerance of {tolerance}"))
            }
            ChampionRule::NoWorse => (self.difference >= 0.0, Some(0.0), String::new()),
            // Where there is no interval, the values are all there is.
            ChampionRule::Better => {
                let least = self.interval.map_or(self.difference, |(least, _)| least);
                (least > 0.0, None, ", which may be chance".to_owned())
            }
        };
        let lack = if passes { String::new() } else { lack };
        let verdict = if self.has_evidence() {
            if passes { GateVerdict::Pass } else { GateVerdict::Fail }
        } else {
            GateVerdict::NoEvidence
        };
        GateCheck {
            challenger: Some(self.challenger),
            champion: Some(self.champion),
            limit,
            difference: Some(self.difference),
            interval: self.interval,
            p_value: self.p_value,
            rows: self.rows,
            ..GateCheck::new("champion", verdict, format!("{}{lack}", self.told(&gate.metric, version)))
        }
    }

    /// Measured rows must give an interval: without one, too few resamples had a value at all.
    fn has_evidence(&self) -> bool {
        self.difference.is_finite() && (self.rows.is_none() || self.interval.is_some())
    }

    fn told(&self, metric: &str, version: u64) -> String {
        let side = if self.difference < 0.0 { "worse" } else { "better" };
        let by =
            if self.difference == 0.0 { "equal".to_owned() } else { format!("{:.3} {side}", self.difference.abs()) };
        let where_from = match self.rows {
            Some(rows) => format!(" on the same {rows} held-out rows"),
            None => ", as the stage reported both, not measured on equal rows".to_owned(),
        };
        let interval = match self.interval {
            Some((least, most)) => format!(" (95 % interval {least:+.3} to {most:+.3})"),
            None => String::new(),
        };
        format!(
            "{metric} {:.3} beside {:.3} of model {version}{where_from}: {by}{interval}",
            self.challenger, self.champion
        )
    }
}

#[cfg(test)]
mod tests;
