//! What stages need of each other: names that exist, no circles, an image before a deploy, a model before an image, a
//! port for each deploy, an image of the kind that the target runs; and what alerts need of them.
//!
//! What follows from it is settled here too: where each image is kept, and with that the definitions of the stages.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::{Graph, GraphError, Reaction, StageKind, StageName, StageSpec};

use super::alerts::Consequence;
use super::definition::definition;
use super::errors::Problems;
use super::names::{quoted, suggest};
use super::settings::{Action, DeploySettings, ImageSettings, ImageStore, StageSettings, TargetKind};
use super::stages::Draft;

/// Resolves `needs` and puts the stages into their order.
pub(super) fn connect(
    mut drafts: Vec<Draft>,
    consequences: &[Consequence],
    problems: &Problems,
) -> (Vec<StageSettings>, Graph) {
    let names: Vec<String> = drafts.iter().map(|draft| draft.settings.spec.name.0.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut certain = !drafts.iter().any(|draft| draft.uncertain);
    for draft in &mut drafts {
        certain &= resolve(draft, &names, problems);
    }
    let graph = order(&mut drafts, &mut certain, problems);
    check_ports(&drafts, problems);
    // A need that could not be resolved may be the very one that is missed below.
    if certain {
        check_lineage(&drafts, &graph, problems);
        check_targets(&drafts, &graph, problems);
        check_feedback(&drafts, problems);
        check_alerts(consequences, &graph, problems);
    }
    place_images(&mut drafts, &graph);
    for draft in &mut drafts {
        draft.settings.spec.definition = definition(&draft.settings);
    }
    // The same order again, now with the definitions.
    let graph = Graph::new(specs(&drafts)).unwrap_or(graph);
    let position = |stage: &StageSettings| graph.stages().iter().position(|spec| spec.name == stage.spec.name);
    let mut stages: Vec<StageSettings> = drafts.into_iter().map(|draft| draft.settings).collect();
    stages.sort_by_key(position);
    (stages, graph)
}

/// Turns the names that a stage needs into stages; whether all of them are.
fn resolve(draft: &mut Draft, names: &[&str], problems: &Problems) -> bool {
    let spec = &mut draft.settings.spec;
    let mut sound = true;
    for need in &draft.needs {
        let name = need.get_ref().as_str();
        if name == spec.name.as_str() {
            problems.add(need.span(), format!("stage `{name}` needs itself"), "remove it from `needs`");
            sound = false;
        } else if !names.contains(&name) {
            let others: Vec<&str> = names.iter().copied().filter(|other| *other != spec.name.as_str()).collect();
            let message = format!("stage `{}` needs `{name}`, which is not defined", spec.name);
            problems.add_absence(need.span(), message, suggest(name, &others, "defined stages"));
            sound = false;
        } else if !spec.needs.iter().any(|known| known.as_str() == name) {
            spec.needs.push(StageName::from(name));
        }
    }
    sound
}

/// The graph. Each circle is noted and cut at its first need, so that the next one is found too.
fn order(drafts: &mut [Draft], certain: &mut bool, problems: &Problems) -> Graph {
    loop {
        let error = match Graph::new(specs(drafts)) {
            Ok(graph) => return graph,
            Err(error) => error,
        };
        *certain = false;
        let GraphError::Circle(circle) = &error else { return Graph::default() };
        let (Some(stage), Some(need)) = (circle.first(), circle.get(1)) else { return Graph::default() };
        let Some(draft) = drafts.iter_mut().find(|draft| draft.settings.spec.name == *stage) else {
            return Graph::default();
        };
        let written = draft.needs.iter().find(|written| written.get_ref() == need.as_str());
        let span = written.map_or(draft.span.clone(), toml::Spanned::span);
        problems.add(span, error.to_string(), "remove one of these needs");
        draft.settings.spec.needs.retain(|kept| kept != need);
    }
}

fn specs(drafts: &[Draft]) -> Vec<StageSpec> {
    drafts.iter().map(|draft| draft.settings.spec.clone()).collect()
}

fn check_ports(drafts: &[Draft], problems: &Problems) {
    let mut taken: BTreeMap<u16, &StageName> = BTreeMap::new();
    for draft in drafts {
        let Action::Deploy(deploy) = &draft.settings.action else { continue };
        let name = &draft.settings.spec.name;
        if let Some(other) = taken.get(&deploy.port) {
            let span = draft.port_span.clone().unwrap_or_else(|| draft.span.clone());
            let message = format!("stages `{other}` and `{name}` deploy to the same port {}", deploy.port);
            problems.add(span, message, "give each a `port` of its own");
        } else {
            taken.insert(deploy.port, name);
        }
    }
}

/// A deploy needs an image, and an image needs the model if one is made.
fn check_lineage(drafts: &[Draft], graph: &Graph, problems: &Problems) {
    let named = |wanted: fn(&StageSpec) -> bool| -> BTreeSet<&StageName> {
        graph.stages().iter().filter(|spec| wanted(spec)).map(|spec| &spec.name).collect()
    };
    let images = named(|spec| spec.kind == StageKind::Image);
    let models = named(|spec| spec.produces_model);
    for draft in drafts {
        let spec = &draft.settings.spec;
        let ancestors = graph.ancestors(&spec.name);
        let lacks = |wanted: &BTreeSet<&StageName>| !wanted.iter().any(|name| ancestors.contains(*name));
        match spec.kind {
            StageKind::Deploy if lacks(&images) => {
                let message = format!("stage `{}` deploys, but no stage before it builds an image", spec.name);
                let hint = need_one_of(&images, "add a stage with `uses = \"image\"` and name it in `needs`");
                problems.add_absence(draft.span.clone(), message, hint);
            }
            StageKind::Image if !models.is_empty() && lacks(&models) => {
                let message = format!("stage `{}` builds an image, but no stage before it makes the model", spec.name);
                problems.add_absence(draft.span.clone(), message, need_one_of(&models, ""));
            }
            StageKind::Train | StageKind::Command | StageKind::Image | StageKind::Deploy => {}
        }
    }
}

/// A stage that deploys, and the image that it deploys.
struct Deployment<'d> {
    draft: &'d Draft,
    settings: &'d DeploySettings,
    image: &'d StageName,
}

impl Deployment<'_> {
    fn kind(&self) -> TargetKind {
        self.settings.target.kind()
    }
}

/// A run deploys the last image that was built before the deploy.
fn deployments<'d>(drafts: &'d [Draft], graph: &'d Graph) -> Vec<Deployment<'d>> {
    let mut found = Vec::new();
    for draft in drafts {
        let Action::Deploy(settings) = &draft.settings.action else { continue };
        let ancestors = graph.ancestors(&draft.settings.spec.name);
        let mut images = graph.stages().iter().rev().filter(|spec| spec.kind == StageKind::Image);
        if let Some(image) = images.find(|spec| ancestors.contains(&spec.name)) {
            found.push(Deployment { draft, settings, image: &image.name });
        }
    }
    found
}

/// A process is unpacked from an archive of the model server; what lies in Docker Engine is none.
fn check_targets(drafts: &[Draft], graph: &Graph, problems: &Problems) {
    let deployments = deployments(drafts, graph);
    for deployment in deployments.iter().filter(|deployment| deployment.kind() == TargetKind::Process) {
        let image = deployment.image;
        let Some(settings) = image_settings(drafts, image) else { continue };
        let stage = &deployment.draft.settings.spec.name;
        let other = deployments.iter().find(|other| other.image == image && other.kind() != TargetKind::Process);
        let (message, hint) = if settings.dockerfile.is_some() {
            (
                format!(
                    "stage `{stage}` runs a process, which needs an image of the model server and not of a Dockerfile"
                ),
                format!("write `target = \"docker\"`, or remove `dockerfile` from [stages.{image}]"),
            )
        } else if settings.push.is_some() {
            (
                format!("stage `{stage}` runs a process, but the image of `{image}` is pushed from Docker Engine"),
                format!("write `target = \"docker\"`, or remove `push` from [stages.{image}]"),
            )
        } else if let Some(other) = other {
            let (name, kind) = (&other.draft.settings.spec.name, other.kind().word());
            (
                format!("stage `{stage}` runs a process of the image that stage `{name}` deploys to {kind}"),
                "give each an image stage of its own, or the same kind of target".to_owned(),
            )
        } else {
            continue;
        };
        let span = deployment.draft.target_span.clone().unwrap_or_else(|| deployment.draft.span.clone());
        problems.add(span, message, hint);
    }
}

/// Labelled rows are collected into a file of this machine, which only a process here can write.
fn check_feedback(drafts: &[Draft], problems: &Problems) {
    let collects = |draft: &&Draft| matches!(&draft.settings.action, Action::Train(train) if train.feedback);
    let Some(trains) = drafts.iter().find(collects) else { return };
    for draft in drafts {
        let Action::Deploy(deploy) = &draft.settings.action else { continue };
        let kind = deploy.target.kind();
        if kind != TargetKind::Process {
            let (stage, trains) = (&draft.settings.spec.name, &trains.settings.spec.name);
            let message = format!(
                "stage `{trains}` learns from feedback, which releases on {} cannot hand over: `{stage}` deploys there",
                kind.word()
            );
            let span = draft.target_span.clone().unwrap_or_else(|| draft.span.clone());
            let hint = format!("write `target = \"process\"`, or remove `feedback` from [stages.{trains}]");
            problems.add(span, message, hint);
        }
    }
}

/// An alert cannot go back where nothing is deployed, nor train again where nothing trains.
fn check_alerts(consequences: &[Consequence], graph: &Graph, problems: &Problems) {
    let has = |wanted: fn(&StageSpec) -> bool| graph.stages().iter().any(wanted);
    for consequence in consequences {
        let (lacks, message, hint) = match consequence.then {
            Reaction::Notify => continue,
            Reaction::Rollback => (
                !has(|stage| stage.kind == StageKind::Deploy),
                "goes back to an earlier release, but no stage deploys",
                "add a stage with `uses = \"deploy\"`, or write `then = \"notify\"`",
            ),
            Reaction::Retrain => (
                !has(|stage| stage.produces_model),
                "trains again, but no stage makes a model",
                "add a stage with `uses = \"train\"`, or write `then = \"notify\"`",
            ),
        };
        if lacks {
            problems.add_absence(consequence.span.clone(), format!("alert `{}` {message}", consequence.alert), hint);
        }
    }
}

fn image_settings<'d>(drafts: &'d [Draft], stage: &StageName) -> Option<&'d ImageSettings> {
    drafts.iter().find(|draft| draft.settings.spec.name == *stage).and_then(|draft| match &draft.settings.action {
        Action::Image(image) => Some(image),
        Action::Command(_) | Action::Train(_) | Action::Deploy(_) => None,
    })
}

/// Decides where each image is kept.
fn place_images(drafts: &mut [Draft], graph: &Graph) {
    let for_engines: BTreeSet<StageName> = deployments(drafts, graph)
        .iter()
        .filter(|deployment| deployment.kind() != TargetKind::Process)
        .map(|deployment| deployment.image.clone())
        .collect();
    for draft in drafts {
        let StageSettings { spec, action: Action::Image(image), .. } = &mut draft.settings else { continue };
        if image.dockerfile.is_some() || image.push.is_some() || for_engines.contains(&spec.name) {
            image.store = ImageStore::Docker;
        }
    }
}

fn need_one_of(stages: &BTreeSet<&StageName>, none: &str) -> String {
    let names: Vec<&str> = stages.iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        [] => none.to_owned(),
        [name] => format!("let it need `{name}`, or a stage that does"),
        several => format!("let it need one of {}, or a stage that does", quoted(several)),
    }
}
