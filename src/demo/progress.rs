//! Events in plain words, one line each. Reasons are worded by [`explain`], as everywhere.

use crate::pipeline::quantity::counted;
use crate::pipeline::{
    Digest, Event, Failure, Inputs, Outcome, Outputs, StageName, Stopping, TestReport, explain, narrate,
};

/// Milliseconds as seconds with one decimal.
pub(super) fn seconds(milliseconds: u64) -> String {
    format!("{}.{}", milliseconds / 1_000, milliseconds % 1_000 / 100)
}

/// What has happened.
pub(super) fn line(event: &Event) -> String {
    match event {
        Event::Configured { graph } => {
            let names: Vec<&str> = graph.stages().iter().map(|stage| stage.name.as_str()).collect();
            format!("the stages are {}", names.join(", "))
        }
        Event::InputsObserved { inputs } => seen(inputs),
        Event::DataRefused { file, reason } => format!("{file} was held back: {reason}"),
        Event::DataRefusalEnded { file } => format!("{file} is held back no longer"),
        Event::RunCreated { run, trigger, .. } => format!("run {run} was asked for: {}", explain::trigger(trigger)),
        Event::RunStarted { run } => format!("run {run} started"),
        Event::RunStopping { run, reason } => format!("run {run} is told to stop: {}", explain::stop(reason)),
        Event::RunFinished { run, result } => format!("run {run} {}", explain::result(*result)),
        Event::StageChecking { stage, earlier, .. } => format!("{stage}: verifying what run {earlier} made"),
        Event::StageSkipped { stage, reason, .. } => format!("{stage} skipped: {}", explain::skip(reason)),
        Event::StageNotRun { stage, obstacle, .. } => format!("{stage} did not run: {}", explain::obstacle(obstacle)),
        Event::StageStarted { stage, attempt, why, .. } if attempt.0 > 1 => {
            format!("{stage} started, attempt {attempt}: {}", explain::why(why))
        }
        Event::StageStarted { stage, why, .. } => format!("{stage} started: {}", explain::why(why)),
        Event::StageStopping { stage, why: Stopping::TimedOut, .. } => format!("{stage} is stopped: its time is over"),
        Event::StageStopping { stage, why: Stopping::WithRun, .. } => format!("{stage} is stopped with its run"),
        Event::StageFinished { stage, outcome, outputs, .. } => ended(stage, outcome, outputs),
        Event::StageRetrying { stage, .. } => format!("{stage} will be tried again"),
        Event::StageDropped { stage, .. } => format!("{stage} is dropped with its run"),
        Event::ReleaseRejected { release } => format!("release {release} was rejected"),
        Event::QuarantineLifted { release, by } => format!("{} is allowed by {by}", explain::rejected(*release)),
        Event::Noted { text, .. } => text.clone(),
        Event::AlertFired { .. }
        | Event::AlertResolved { .. }
        | Event::AlertSilenced { .. }
        | Event::SilenceLifted { .. }
        | Event::ModelPromoted { .. }
        | Event::ModelNoted { .. }
        | Event::Commanded { .. }
        | Event::Locked { .. }
        | Event::Unlocked { .. }
        | Event::ApprovalWanted { .. }
        | Event::Approved { .. }
        | Event::DaemonEnded { .. } => narrate(event),
    }
}

fn seen(inputs: &Inputs) -> String {
    let data = &inputs.data;
    let (files, rows) = (counted(data.count, "data file"), counted(data.rows, "row"));
    format!("{files} with {rows}, source {}", inputs.source.label())
}

fn ended(stage: &StageName, outcome: &Outcome, outputs: &Outputs) -> String {
    match outcome {
        Outcome::Passed => {
            let gave = gave(outputs);
            let colon = if gave.is_empty() { "" } else { ": " };
            format!("{stage} passed{colon}{gave}")
        }
        Outcome::Failed(failure) => format!("{stage} failed: {}", reason(failure, outputs.tests.as_ref())),
        Outcome::Cancelled => format!("{stage} was cancelled"),
        Outcome::Interrupted => format!("{stage} was interrupted: nobody saw how it ended"),
    }
}

/// Why a stage failed, with the first failing test if tests failed.
pub(super) fn reason(failure: &Failure, tests: Option<&TestReport>) -> String {
    let said = explain::failure(failure);
    match tests.and_then(|tests| tests.failing.first()) {
        Some(test) if test.message.is_empty() => format!("{said}: {}", test.name),
        Some(test) => format!("{said}: {}: {}", test.name, test.message),
        None => said,
    }
}

fn gave(outputs: &Outputs) -> String {
    if let Some(model) = outputs.model {
        return match outputs.metrics.get("accuracy") {
            Some(accuracy) => format!("accuracy {accuracy:.3} (model {model})"),
            None => format!("model {model}"),
        };
    }
    if let Some(tests) = &outputs.tests {
        return format!("{} of {} tests", tests.passed, tests.total());
    }
    if outputs.image.is_some() {
        let digest = outputs.digest.as_ref().map_or("", Digest::short);
        return format!("image sha256:{digest}");
    }
    match (&outputs.address, outputs.live) {
        (Some(address), Some(release)) => format!("release {release} answers at {address}"),
        (Some(address), None) => format!("it answers at {address}"),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::pipeline::{Attempt, FailingTest, ModelVersion, ReleaseId, RunId};

    fn finished(stage: &str, outcome: Outcome, outputs: Outputs) -> String {
        let (run, attempt) = (RunId(1), Attempt(1));
        line(&Event::StageFinished { run, stage: stage.into(), attempt, outcome, outputs, output_held: false })
    }

    #[test]
    fn a_passed_stage_says_what_it_gave() {
        let metrics = BTreeMap::from([("accuracy".to_owned(), 0.5814), ("rows".to_owned(), 640.0)]);
        let trained = Outputs { model: Some(ModelVersion(1)), metrics, ..Outputs::default() };
        assert_eq!(finished("train", Outcome::Passed, trained), "train passed: accuracy 0.581 (model 1)");
        let report = TestReport { passed: 8, ..TestReport::default() };
        let tested = Outputs { tests: Some(report), ..Outputs::default() };
        assert_eq!(finished("test", Outcome::Passed, tested), "test passed: 8 of 8 tests");
        let address = Some("http://127.0.0.1:1".to_owned());
        let deployed = Outputs { address, live: Some(ReleaseId(2)), ..Outputs::default() };
        let said = finished("deploy", Outcome::Passed, deployed);
        assert_eq!(said, "deploy passed: release 2 answers at http://127.0.0.1:1");
        assert_eq!(finished("other", Outcome::Passed, Outputs::default()), "other passed");
    }

    #[test]
    fn a_failed_stage_names_its_first_failing_test() {
        let failing = vec![FailingTest { name: "page".to_owned(), message: "takes text for markup".to_owned() }];
        let report = TestReport { passed: 7, failed: 1, failing, ..TestReport::default() };
        let outputs = Outputs { tests: Some(report), ..Outputs::default() };
        let said = finished("test", Outcome::Failed(Failure::TestsFailed { failed: 1 }), outputs);
        assert_eq!(said, "test failed: 1 test failed: page: takes text for markup");
    }

    #[test]
    fn seconds_have_one_decimal_and_are_not_rounded_up() {
        assert_eq!([0, 99, 100, 12_349].map(seconds), ["0.0", "0.0", "0.1", "12.3"]);
    }
}
