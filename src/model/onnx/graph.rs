//! What of a graph is served: one output, what leads to it, and the inputs that this needs.
//!
//! Exporters give labels beside probabilities, and put probabilities into a list of maps (`ZipMap`), for which the runtime has
//! no type. A server wants a table of numbers, so all the rest is cut off before the runtime sees the graph.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tract_onnx::Onnx;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use tract_onnx::prelude::Framework as _;

use super::classes::{self, Classes};
use super::onnx_error::OnnxError;
use super::steady::steady;
use super::value_types::{self, Elements};

/// The most bytes of a graph.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// The part that is served.
#[derive(Debug)]
pub(super) struct Graph {
    /// All of it that the runtime is to know.
    pub(super) nodes: GraphProto,
    /// What the file says beside it.
    shell: ModelProto,
    /// Inputs that the served output does not depend on.
    pub(super) unused: Vec<String>,
    /// The classes, where the graph names them.
    pub(super) classes: Option<Classes>,
    /// Whether it has an output of labels, or names classes.
    pub(super) is_classifier: bool,
}

impl Graph {
    /// As the runtime takes it.
    pub(super) fn into_model(self) -> ModelProto {
        ModelProto { graph: Some(self.nodes), ..self.shell }
    }
}

/// Reads a file.
pub(super) fn read(file: &Path, onnx: &Onnx) -> Result<ModelProto, OnnxError> {
    let failed = |source| OnnxError::File { file: file.to_owned(), source };
    let source = File::open(file).map_err(failed)?;
    let bytes = source.metadata().map_err(failed)?.len();
    if bytes > MOST_BYTES {
        return Err(OnnxError::TooLarge { file: file.to_owned(), bytes, limit: MOST_BYTES });
    }
    let not_a_graph = |reason: String| OnnxError::NotAGraph { file: file.to_owned(), reason };
    let model =
        onnx.proto_model_for_read(&mut source.take(MOST_BYTES)).map_err(|error| not_a_graph(format!("{error:#}")))?;
    match &model.graph {
        // Bytes of anything can be taken for a message without fields.
        Some(graph) if !graph.node.is_empty() && !graph.output.is_empty() => Ok(model),
        _ => Err(not_a_graph("there is no graph in it".to_owned())),
    }
}

/// Cuts off what is not served. `wanted` names the output, where somebody said so.
pub(super) fn cut(mut model: ModelProto, wanted: Option<&str>, onnx: &Onnx) -> Result<Graph, OnnxError> {
    let graph = model.graph.take().unwrap_or_default();
    let answer = answer(&graph, wanted)?;
    let label = graph.output.iter().find(|output| value_types::elements(output) == Elements::Labels);
    let classes = classes::find(&graph, label.map(|output| output.name.as_str()));
    let is_classifier = label.is_some() || classes.is_some();
    let (mut graph, unused) = prune(graph, answer);
    check_operators(&graph, onnx)?;
    let usual = model.opset_import.iter().find(|import| matches!(import.domain.as_str(), "" | "ai.onnx"));
    steady(&mut graph, usual.map_or(0, |import| import.version));
    Ok(Graph { nodes: graph, shell: model, unused, classes, is_classifier })
}

/// The value that is served.
fn answer(graph: &GraphProto, wanted: Option<&str>) -> Result<String, OnnxError> {
    let mapped =
        |name: &str| graph.node.iter().find(|node| is_map(node) && node.output.iter().any(|output| output == name));
    let table = |name: &str| mapped(name).and_then(|node| node.input.first()).map_or(name, String::as_str).to_owned();
    let names = || graph.output.iter().map(|output| output.name.as_str()).collect::<Vec<_>>().join("\", \"");
    if let Some(wanted) = wanted {
        let is_there = graph.output.iter().any(|output| output.name == wanted);
        return if is_there {
            Ok(table(wanted))
        } else {
            Err(super::settings::wrong("output", &format!("is \"{wanted}\"; the graph has \"{}\"", names())))
        };
    }
    let of_use: Vec<&ValueInfoProto> = graph
        .output
        .iter()
        .filter(|output| mapped(&output.name).is_some() || value_types::elements(output) == Elements::Numbers)
        .collect();
    match of_use.as_slice() {
        [one] => Ok(table(&one.name)),
        [] => Err(OnnxError::Output {
            reason: format!(
                "\"{}\" gives no probabilities and no numbers; export the model with its probabilities",
                names()
            ),
        }),
        _ => Err(OnnxError::Lacking {
            what: format!("which of its outputs \"{}\" is served", names()),
            key: "output = \"NAME\"".to_owned(),
        }),
    }
}

pub(super) fn is_map(node: &NodeProto) -> bool {
    node.op_type == "ZipMap"
}

/// Keeps the nodes that lead to `answer`, and the inputs and constants that these need; also the inputs that they do not.
fn prune(mut graph: GraphProto, answer: String) -> (GraphProto, Vec<String>) {
    let mut needed = BTreeSet::from([answer.clone()]);
    // Nodes come in the order of their values, so that those that are needed are known when a node is looked at.
    let mut kept = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node).into_iter().rev() {
        if node.output.iter().any(|output| needed.contains(output)) {
            take_inputs(&node, &mut needed);
            kept.push(node);
        }
    }
    kept.reverse();
    graph.node = kept;
    graph.initializer.retain(|tensor| needed.contains(&tensor.name));
    let constants: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let (inputs, others): (Vec<_>, Vec<_>) = std::mem::take(&mut graph.input)
        .into_iter()
        .filter(|input| !constants.contains(input.name.as_str()))
        .partition(|input| needed.contains(&input.name));
    graph.input = inputs;
    graph.output = vec![ValueInfoProto { name: answer, ..ValueInfoProto::default() }];
    // What exporters say of types in between is not needed, and not always true.
    graph.value_info.clear();
    (graph, others.into_iter().map(|input| input.name).collect())
}

/// What a node takes, itself and in the graphs inside of it.
fn take_inputs(node: &NodeProto, needed: &mut BTreeSet<String>) {
    needed.extend(node.input.iter().filter(|name| !name.is_empty()).cloned());
    for graph in inner(node) {
        needed.extend(graph.output.iter().map(|output| output.name.clone()));
        for node in &graph.node {
            take_inputs(node, needed);
        }
    }
}

/// The graphs inside of a node: bodies of loops and branches.
fn inner(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// The runtime would say of an operator that it lacks only that it cannot tell its types.
fn check_operators(graph: &GraphProto, onnx: &Onnx) -> Result<(), OnnxError> {
    for node in &graph.node {
        if !onnx.op_register.0.contains_key(&node.op_type) {
            let domain = if node.domain.is_empty() { String::new() } else { format!(" of {}", node.domain) };
            return Err(OnnxError::Operator { operator: format!("{}{domain}", node.op_type) });
        }
        for graph in inner(node) {
            check_operators(graph, onnx)?;
        }
    }
    Ok(())
}
