//! What stages need of each other: names that exist, no circles, an image before a deploy, a model before an image, a
//! port for each deploy.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::{Graph, GraphError, StageKind, StageName, StageSpec};

use super::errors::Problems;
use super::names::{quoted, suggest};
use super::settings::{Action, StageSettings};
use super::stages::Draft;

/// Resolves `needs` and puts the stages into their order.
pub(super) fn connect(mut drafts: Vec<Draft>, problems: &Problems) -> (Vec<StageSettings>, Graph) {
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
    }
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
        let specs: Vec<StageSpec> = drafts.iter().map(|draft| draft.settings.spec.clone()).collect();
        let error = match Graph::new(specs) {
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

fn need_one_of(stages: &BTreeSet<&StageName>, none: &str) -> String {
    let names: Vec<&str> = stages.iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        [] => none.to_owned(),
        [name] => format!("let it need `{name}`, or a stage that does"),
        several => format!("let it need one of {}, or a stage that does", quoted(several)),
    }
}
