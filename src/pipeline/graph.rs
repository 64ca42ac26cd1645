//! The stages of a project and what each needs.
//!
//! A [`Graph`] is only made by [`Graph::new`], which refuses cycles and unknown names and puts the stages in an order in
//! which every stage stands behind all that it needs. Nothing here knows what a stage does.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ids::{Digest, StageName};

/// What a stage does, as far as the rules of the pipeline care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// Built-in training.
    Train,
    /// The user's own command.
    Command,
    /// Packs the app and its model into an image.
    Image,
    /// Puts an image into service.
    Deploy,
}

/// A stage, reduced to what decisions depend on.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts about a stage, none of which excludes another"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSpec {
    /// Unique in the graph.
    pub name: StageName,
    /// What it does.
    pub kind: StageKind,
    /// Stages that must have passed, or be up to date, before this one starts.
    pub needs: Vec<StageName>,
    /// Whether the registered data files are an input.
    pub uses_data: bool,
    /// Whether the source is an input; which part of it is the watcher's affair.
    pub uses_source: bool,
    /// Whether it writes a new model version.
    pub produces_model: bool,
    /// Whether a JUnit report with at least one test must be there afterwards.
    pub requires_report: bool,
    /// How many more times it is tried after a failure.
    pub retries: u32,
    /// Milliseconds after which it is stopped.
    pub timeout: Option<u64>,
    /// Digest of everything else in its configuration (command, environment, options).
    pub definition: Digest,
    /// Who must let it start: one of these, or anybody if there are none. Asking others makes nothing different, so it is no
    /// part of any fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Vec<String>>,
}

/// Why a list of stages is no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two stages have the same name.
    #[error("stage `{0}` is defined twice")]
    Duplicate(StageName),
    /// A stage needs one that is not there.
    #[error("stage `{stage}` needs `{missing}`, which is not defined")]
    UnknownNeed {
        /// The stage that needs it.
        stage: StageName,
        /// What is not there.
        missing: StageName,
    },
    /// Stages need each other in a circle.
    #[error("stages need each other in a circle: {}", .0.iter().map(StageName::as_str).collect::<Vec<_>>().join(" → "))]
    Circle(Vec<StageName>),
}

/// The stages in an order that honours `needs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Graph {
    stages: Vec<StageSpec>,
}

impl Graph {
    /// Orders `stages`; among those that could come next, the order given wins.
    pub fn new(stages: Vec<StageSpec>) -> Result<Self, GraphError> {
        let mut names = BTreeSet::new();
        for stage in &stages {
            if !names.insert(stage.name.clone()) {
                return Err(GraphError::Duplicate(stage.name.clone()));
            }
        }
        for stage in &stages {
            if let Some(missing) = stage.needs.iter().find(|need| !names.contains(*need)) {
                return Err(GraphError::UnknownNeed { stage: stage.name.clone(), missing: missing.clone() });
            }
        }
        let mut ordered: Vec<StageSpec> = Vec::with_capacity(stages.len());
        let mut left = stages;
        while !left.is_empty() {
            let ready = left
                .iter()
                .position(|stage| stage.needs.iter().all(|need| ordered.iter().any(|done| done.name == *need)));
            match ready {
                Some(index) => ordered.push(left.remove(index)),
                None => return Err(GraphError::Circle(circle(&left))),
            }
        }
        Ok(Self { stages: ordered })
    }

    /// All stages, each behind what it needs.
    pub fn stages(&self) -> &[StageSpec] {
        &self.stages
    }

    /// The stage of that name.
    pub fn get(&self, name: &StageName) -> Option<&StageSpec> {
        self.stages.iter().find(|stage| stage.name == *name)
    }

    /// Everything that `name` needs, directly or not, without itself.
    pub fn ancestors(&self, name: &StageName) -> BTreeSet<StageName> {
        let by_name: BTreeMap<_, _> = self.stages.iter().map(|stage| (&stage.name, stage)).collect();
        let mut found = BTreeSet::new();
        let mut open: Vec<&StageName> = by_name.get(name).map(|stage| stage.needs.iter().collect()).unwrap_or_default();
        while let Some(next) = open.pop() {
            if found.insert(next.clone())
                && let Some(stage) = by_name.get(next)
            {
                open.extend(&stage.needs);
            }
        }
        found
    }

    /// Whether `later` needs `earlier`, directly or not.
    pub fn depends(&self, later: &StageName, earlier: &StageName) -> bool {
        self.ancestors(later).contains(earlier)
    }
}

/// One circle among stages of which none can come first.
fn circle(stuck: &[StageSpec]) -> Vec<StageName> {
    let mut path: Vec<StageName> = Vec::new();
    let mut at = stuck.first();
    while let Some(stage) = at {
        if let Some(start) = path.iter().position(|seen| *seen == stage.name) {
            path.push(stage.name.clone());
            return path.split_off(start);
        }
        path.push(stage.name.clone());
        at = stage.needs.iter().find_map(|need| stuck.iter().find(|other| other.name == *need));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::samples;

    fn stage(name: &str, needs: &[&str]) -> StageSpec {
        samples::stage(name, StageKind::Command, needs)
    }

    #[test]
    fn a_stage_stands_behind_what_it_needs() {
        let graph =
            Graph::new(vec![stage("deploy", &["build"]), stage("build", &["test"]), stage("test", &[])]).unwrap();
        let order: Vec<_> = graph.stages().iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(order, ["test", "build", "deploy"]);
        assert!(graph.depends(&"deploy".into(), &"test".into()));
        assert!(!graph.depends(&"test".into(), &"deploy".into()));
    }

    #[test]
    fn a_circle_is_named_from_end_to_end() {
        let error = Graph::new(vec![stage("a", &["b"]), stage("b", &["c"]), stage("c", &["b"])]).unwrap_err();
        assert_eq!(error.to_string(), "stages need each other in a circle: b → c → b");
    }

    #[test]
    fn an_unknown_need_is_named() {
        let error = Graph::new(vec![stage("a", &["zebra"])]).unwrap_err();
        assert_eq!(error.to_string(), "stage `a` needs `zebra`, which is not defined");
    }
}
