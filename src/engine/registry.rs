//! The registry of models as clients see it: what the state remembers, joined with what lies in the folders of the models.
//!
//! Reading needs no daemon: a command does it with the state of the journal. What a folder holds may be of any stage, so
//! nothing of it is required and nothing of it is an error.

mod baseline;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::daemon::Daemon;
use super::lineage::{self, LEADERBOARD_FILE};
use crate::api::types::{
    ConfusionMatrix, GateLedger, LeaderboardRow, MetricValue, ModelCard, ModelDetail, ModelLineage, ModelSummary,
    TrialState, lower_is_better,
};
use crate::disk::Layout;
use crate::model::{CARD_FILE, PROFILE_FILE};
use crate::pipeline::{Fate, Model, ModelVersion, State};
use crate::stage::gate::LEDGER_FILE;

/// Bytes that are read of such a file at the most.
const LARGEST: u64 = 32 << 20;
/// The metric that counts where no gate says which: the first of these that was reported.
const USUAL: [&str; 4] = ["accuracy", "r2", "rmse", "f1"];

/// Asks the registry of a daemon, on a thread that may wait for the disk; `None` when the daemon is ending.
pub async fn ask<T: Send + 'static>(
    daemon: &Daemon,
    ask: impl FnOnce(&Layout, &State) -> T + Send + 'static,
) -> Option<T> {
    let state = daemon.core.look(|state, _| state.clone()).await?;
    let layout = daemon.layout.clone();
    tokio::task::spawn_blocking(move || ask(&layout, &state)).await.ok()
}

/// All versions, the newest first. Blocking: it reads files.
pub fn summaries(layout: &Layout, state: &State) -> Vec<ModelSummary> {
    state.registry.models.values().rev().map(|model| Files::of(layout, model.version).summary(state, model)).collect()
}

/// One version with all that is known of it; `None` when there is none of that number. Blocking: it reads files.
pub fn detail(layout: &Layout, state: &State, version: ModelVersion) -> Option<ModelDetail> {
    let model = state.registry.models.get(&version)?;
    let files = Files::of(layout, version);
    let promotions = state.registry.promotions.iter().filter(|promotion| promotion.model == version);
    Some(ModelDetail {
        summary: files.summary(state, model),
        notes: model.notes.clone(),
        promotions: promotions.cloned().collect(),
        has_profile: layout.model(version).join(PROFILE_FILE).is_file(),
        card: files.card(&model.outputs.metrics),
        ledger: files.ledger,
        lineage: files.lineage,
    })
}

/// The profile of the data that a version learned from.
pub fn profile(layout: &Layout, version: ModelVersion) -> Option<Value> {
    read(&layout.model(version).join(PROFILE_FILE))
}

/// Why a version cannot be promoted, before anything is done: its files are gone or damaged. Blocking: it digests.
pub fn obstacle(layout: &Layout, state: &State, version: ModelVersion) -> Option<String> {
    let model = state.registry.models.get(&version)?;
    let digest = lineage::digest(&layout.model(version)).ok();
    let is_whole = digest.is_some() && digest == model.outputs.digest;
    (!is_whole).then(|| {
        format!(
            "the files of model {version} are gone or damaged; nothing was touched (`trainyard models` lists others)"
        )
    })
}

/// What lies in the folder of a version.
struct Files {
    is_there: bool,
    card: Value,
    ledger: Option<GateLedger>,
    lineage: Option<ModelLineage>,
    /// What the stage told while it tried: all that is known of a command, and of built-in training how long each took.
    board: Vec<LeaderboardRow>,
}

impl Files {
    fn of(layout: &Layout, version: ModelVersion) -> Self {
        let folder = layout.model(version);
        Self {
            is_there: folder.is_dir(),
            card: read(&folder.join(CARD_FILE)).unwrap_or(Value::Null),
            ledger: read(&folder.join(LEDGER_FILE)),
            lineage: lineage::read(&folder),
            board: read(&folder.join(LEADERBOARD_FILE)).unwrap_or_default(),
        }
    }

    fn summary(&self, state: &State, model: &Model) -> ModelSummary {
        let lineage = self.lineage.as_ref();
        ModelSummary {
            version: model.version,
            stage: model.stage.clone(),
            run: model.run,
            made: model.made,
            took: model.took,
            learner: self.learner(),
            metric: self.metric(model),
            metrics: self.measured(model),
            verdict: model.fate.word().to_owned(),
            reason: match &model.fate {
                Fate::Passed => None,
                Fate::Held { reason } => Some(reason.clone()),
            },
            // A gate leaves its ledger; of files that are gone nobody knows.
            ungated: self.is_there && self.ledger.is_none() && model.fate == Fate::Passed,
            champion: state.registry.is_champion(model.version),
            live: state.live_release().and_then(|release| release.model) == Some(model.version),
            digest: model.outputs.digest.clone(),
            data: model.fingerprint.as_ref().and_then(|fingerprint| fingerprint.data.clone()),
            rows: lineage.map(|lineage| lineage.rows),
            commit: lineage.map(|lineage| lineage.source.clone()),
            parent: model.parent,
            note: model.notes.last().map(|note| note.text.clone()),
            has_files: self.is_there,
        }
    }

    /// What was measured of the model. The built-in training reports its rows for the board; they are no measure, and told
    /// beside these.
    fn measured(&self, model: &Model) -> BTreeMap<String, f64> {
        let mut metrics = model.outputs.metrics.clone();
        if !self.card.is_null() {
            metrics.remove("rows");
        }
        metrics
    }

    fn metric(&self, model: &Model) -> Option<MetricValue> {
        let reported = &model.outputs.metrics;
        let mut wanted = self.ledger.as_ref().map(|ledger| ledger.metric.as_str()).into_iter().chain(USUAL);
        let name = wanted.find(|name| reported.contains_key(*name))?;
        let interval = self.evaluation::<BTreeMap<String, (f64, f64)>>("intervals").remove(name);
        Some(MetricValue { name: name.to_owned(), value: *reported.get(name)?, interval })
    }

    /// The learner with its settings, or the name of the algorithm.
    fn learner(&self) -> Option<String> {
        let trials = self.card.get("search").and_then(|search| search.get("trials")).and_then(Value::as_array);
        let chosen = trials.into_iter().flatten().find(|trial| part::<String>(trial, "state") == "chosen");
        if let Some(description) = chosen.and_then(|trial| trial.get("description")).and_then(Value::as_str) {
            return Some(description.to_owned());
        }
        let described = match self.card.get("learner") {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Object(parts)) => {
                let settings = parts.iter().filter(|(name, _)| *name != "algorithm");
                let settings: Vec<String> = settings.map(|(name, value)| format!("{name} {value}")).collect();
                let algorithm = parts.get("algorithm").and_then(Value::as_str).unwrap_or("learner");
                let separator = if settings.is_empty() { "" } else { ": " };
                Some(format!("{algorithm}{separator}{}", settings.join(", ")))
            }
            _ => None,
        };
        described.or_else(|| part::<Option<String>>(&self.card, "algorithm"))
    }

    fn card(&self, metrics: &BTreeMap<String, f64>) -> ModelCard {
        let card = &self.card;
        let confusion: Option<ConfusionMatrix> = self.evaluation("confusion");
        ModelCard {
            task: part(card, "task"),
            target: part(card, "target"),
            classes: part(card, "classes"),
            seed: part(card, "seed"),
            rows: part(card, "rows"),
            features: part(card, "features"),
            remarks: part(card, "notes"),
            intervals: self.evaluation("intervals"),
            ignored: part(card, "ignored"),
            baseline: if card.is_null() { BTreeMap::new() } else { baseline::baseline(confusion.as_ref(), metrics) },
            confusion,
            calibration: self.evaluation("calibration"),
            importance: self.evaluation("importance"),
            slices: self.evaluation("slices"),
            trials: self.trials(),
        }
    }

    /// What was tried, as the card says or as a command told it; what the card tells, the best first.
    fn trials(&self) -> Vec<LeaderboardRow> {
        let Some(search) = self.card.get("search") else { return self.board.clone() };
        let criterion: String = self.evaluation("criterion");
        let rungs = search.get("rungs").and_then(Value::as_array).map_or(0, Vec::len);
        let trials = search.get("trials").unwrap_or(search).as_array().map(Vec::as_slice).unwrap_or_default();
        let rungs = u32::try_from(rungs).unwrap_or(u32::MAX);
        let mut rows: Vec<LeaderboardRow> = trials.iter().map(|trial| row(trial, &criterion, rungs)).collect();
        for row in rows.iter_mut().filter(|row| row.seconds <= 0.0) {
            let told = self.board.iter().find(|told| told.trial == row.trial);
            row.seconds = told.map_or(0.0, |told| told.seconds);
        }
        rows.sort_by(order);
        rows
    }

    fn evaluation<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        self.card.get("evaluation").map(|evaluation| part(evaluation, name)).unwrap_or_default()
    }
}

/// The chosen one comes first, then by the rung that was reached and by what was reached there.
fn order(one: &LeaderboardRow, other: &LeaderboardRow) -> Ordering {
    let is_chosen = |row: &LeaderboardRow| row.state == TrialState::Chosen;
    let merit = |row: &LeaderboardRow| {
        let sign = if lower_is_better(&row.metric) { -1.0 } else { 1.0 };
        row.mean.map_or(f64::NEG_INFINITY, |mean| sign * mean)
    };
    is_chosen(other)
        .cmp(&is_chosen(one))
        .then(other.rung.cmp(&one.rung))
        .then(merit(other).total_cmp(&merit(one)))
        .then(one.trial.cmp(&other.trial))
}

/// One trial. Its learner and its mean may be documents of their own, of which a person is told the short form. Whoever
/// writes another word for its state gets one that promises nothing.
fn row(trial: &Value, criterion: &str, rungs: u32) -> LeaderboardRow {
    let learner = ["description", "learner"].iter().find_map(|name| trial.get(name)?.as_str());
    let mean = match trial.get("mean") {
        Some(Value::Object(means)) => means.get(criterion).and_then(Value::as_f64),
        mean => mean.and_then(Value::as_f64),
    };
    let metric: String = part(trial, "metric");
    let of: u32 = part(trial, "of");
    LeaderboardRow {
        trial: part(trial, "trial"),
        learner: learner.unwrap_or_default().to_owned(),
        metric: if metric.is_empty() { criterion.to_owned() } else { metric },
        mean,
        deviation: part(trial, "deviation"),
        rung: part(trial, "rung"),
        of: if of == 0 { rungs } else { of },
        state: part::<Option<TrialState>>(trial, "state").unwrap_or(TrialState::Kept),
        seconds: part(trial, "seconds"),
    }
}

/// A part of a document, or nothing where it is absent or of another form.
fn part<T: DeserializeOwned + Default>(document: &Value, name: &str) -> T {
    document.get(name).and_then(|part| serde_json::from_value(part.clone()).ok()).unwrap_or_default()
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let length = fs::metadata(path).ok()?.len();
    if length > LARGEST {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::types::GateVerdict;
    use crate::pipeline::{Digest, Moment, Outputs, RunId, samples};

    fn state(digest: Digest) -> State {
        let mut state = State::default();
        let metrics = [("accuracy".to_owned(), 0.7), ("rows".to_owned(), 300.0)].into();
        let version = ModelVersion(3);
        let outputs = Outputs { model: Some(version), digest: Some(digest), metrics, ..Outputs::default() };
        let model = Model {
            run: RunId(5),
            made: Moment(1),
            took: 20,
            fate: Fate::Held { reason: "worse".to_owned() },
            outputs,
            parent: Some(ModelVersion(2)),
            ..samples::model(3)
        };
        state.registry.models.insert(version, Arc::new(model));
        state
    }

    const CARD: &str = r#"{
        "task": "classification", "target": "kind", "algorithm": "boosting", "classes": ["a", "b"], "seed": 42,
        "rows": { "total": 10, "train": 8, "held_out": 2 },
        "features": [{ "name": "x", "kind": "numeric", "minimum": 0, "maximum": 1, "categories": [], "missing": 0,
                       "typical": "0.5", "later": true }],
        "notes": ["column \"y\" is left out"],
        "learner": { "algorithm": "boosting", "rounds": 200 },
        "evaluation": { "intervals": { "accuracy": [0.6, 0.8] }, "confusion": { "classes": ["a", "b"], "counts": [[1, 0], [1, 0]] },
                        "importance": [{ "feature": "x", "loss": 0.1, "deviation": 0.02 }], "slices": "of another form" },
        "search": { "trials": [{ "trial": 1, "learner": "boosting", "mean": 0.7, "state": "chosen" }] }
    }"#;

    #[test]
    fn what_the_folder_holds_is_joined_with_what_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        let version = ModelVersion(3);
        let place = layout.model(version);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join(CARD_FILE), CARD).unwrap();
        let ledger = r#"{"verdict":"no-evidence","metric":"accuracy","champion":2,"checks":[],"next":"promote"}"#;
        fs::write(place.join(LEDGER_FILE), ledger).unwrap();
        let state = state(lineage::digest(&place).unwrap());

        let found = detail(&layout, &state, version).unwrap();
        let summary = &found.summary;
        assert_eq!((summary.verdict.as_str(), summary.reason.as_deref()), ("held", Some("worse")));
        assert_eq!(summary.learner.as_deref(), Some("boosting: rounds 200"));
        let metric = summary.metric.as_ref().unwrap();
        assert_eq!((metric.name.as_str(), metric.interval), ("accuracy", Some((0.6, 0.8))));
        assert_eq!(found.ledger.as_ref().unwrap().verdict, GateVerdict::NoEvidence);
        let card = &found.card;
        assert_eq!((card.features[0].name.as_str(), card.trials[0].state), ("x", TrialState::Chosen));
        assert_eq!(card.confusion.as_ref().unwrap().counts, [[1, 0], [1, 0]]);
        assert!(card.slices.is_empty(), "what has another form is left out and harms nothing");
        assert_eq!(obstacle(&layout, &state, version), None);

        fs::write(place.join(CARD_FILE), "{}").unwrap();
        assert!(obstacle(&layout, &state, version).unwrap().contains("gone or damaged"));
    }

    #[test]
    fn trials_of_the_built_in_training_are_told_in_their_short_form() {
        let card = serde_json::json!({
            "evaluation": { "criterion": "accuracy" },
            "search": { "folds": 3, "rungs": [0.2, 1.0], "in_time": true, "trials": [{
                "trial": 2, "learner": { "algorithm": "forest", "trees": 200 }, "description": "forest, 200 trees",
                "state": "chosen", "rung": 2, "mean": { "accuracy": 0.7, "f1": 0.6 }, "deviation": 0.01, "failure": null
            }, "of another form", { "trial": 3, "description": "svm", "state": "waiting" }] },
        });
        let told = LeaderboardRow { seconds: 2.35, ..row(&serde_json::json!({ "trial": 2 }), "accuracy", 2) };
        let files = Files { is_there: true, card, ledger: None, lineage: None, board: vec![told] };
        let trials = files.trials();
        assert!((trials[0].seconds - 2.35).abs() < 1e-9, "how long it took knows only what the stage told");
        assert_eq!(files.learner().as_deref(), Some("forest, 200 trees"));
        assert_eq!((trials[0].learner.as_str(), trials[0].metric.as_str()), ("forest, 200 trees", "accuracy"));
        assert_eq!((trials[0].mean, trials[0].rung, trials[0].of), (Some(0.7), 2, 2));
        assert_eq!((trials.len(), trials[1].learner.as_str()), (3, ""), "what has another form harms nothing");
        let states: Vec<TrialState> = trials.iter().map(|trial| trial.state).collect();
        assert_eq!(states, [TrialState::Chosen, TrialState::Kept, TrialState::Waiting]);
    }

    #[test]
    fn ungated_is_what_passed_and_has_no_ledger_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        let mut state = state(Digest("d".to_owned()));
        let mut model = Model::clone(&state.registry.models[&ModelVersion(3)]);
        model.fate = Fate::Passed;
        state.registry.models.insert(model.version, Arc::new(model));
        let is_ungated = || summaries(&layout, &state)[0].ungated;
        assert!(!is_ungated(), "of files that are gone nobody knows");
        let place = layout.model(ModelVersion(3));
        fs::create_dir_all(&place).unwrap();
        assert!(is_ungated());
        let ledger = r#"{"verdict":"pass","metric":"accuracy","champion":null,"checks":[],"next":""}"#;
        fs::write(place.join(LEDGER_FILE), ledger).unwrap();
        assert!(!is_ungated(), "a gate judged it");
    }

    #[test]
    fn a_model_without_files_is_listed_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        let listed = summaries(&layout, &state(Digest("d".to_owned())));
        assert_eq!((listed.len(), listed[0].has_files, &listed[0].learner), (1, false, &None));
        assert_eq!(detail(&layout, &State::default(), ModelVersion(3)), None);
    }
}
