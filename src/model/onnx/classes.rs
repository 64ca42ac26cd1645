//! The classes of a graph, where it names them: in the map of its probabilities, in a classifier, or in the list from which it
//! picks its labels.

use std::collections::BTreeSet;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::graph::is_map;
use super::settings::ClassName;

/// Classes in the order of their probabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Classes {
    pub(super) names: Vec<String>,
    /// Whether all of them are integers.
    pub(super) are_integers: bool,
}

impl From<Vec<ClassName>> for Classes {
    fn from(classes: Vec<ClassName>) -> Self {
        let are_integers = classes.iter().all(|class| matches!(class, ClassName::Integer(_)));
        let names = classes.into_iter().map(|class| match class {
            ClassName::Integer(integer) => integer.to_string(),
            ClassName::Text(text) => text,
        });
        Self { names: names.collect(), are_integers }
    }
}

/// The classes of a graph; `label` is its output of labels.
pub(super) fn find(graph: &GraphProto, label: Option<&str>) -> Option<Classes> {
    let mut maps = graph.node.iter().filter(|node| is_map(node));
    if let Some(classes) = maps.find_map(named) {
        return Some(classes);
    }
    // From the output of labels backwards, the nearest first.
    let mut wanted: BTreeSet<&str> = label.into_iter().collect();
    for node in graph.node.iter().rev() {
        if !node.output.iter().any(|output| wanted.contains(output.as_str())) {
            continue;
        }
        if let Some(classes) = named(node).or_else(|| picked(graph, node)) {
            return Some(classes);
        }
        wanted.extend(node.input.iter().map(String::as_str));
    }
    None
}

/// The classes in the attributes of a node.
fn named(node: &NodeProto) -> Option<Classes> {
    let list = node.attribute.iter().find(|attribute| attribute.name.starts_with("classlabels_"))?;
    if list.ints.is_empty() { texts(&list.strings) } else { Some(integers(&list.ints)) }
}

/// The constant list from which a node picks by place.
fn picked(graph: &GraphProto, node: &NodeProto) -> Option<Classes> {
    if !matches!(node.op_type.as_str(), "ArrayFeatureExtractor" | "Gather") {
        return None;
    }
    let name = node.input.first()?;
    let list = graph.initializer.iter().find(|tensor| tensor.name == *name)?;
    if list.data_type == DataType::String as i32 { texts(&list.string_data) } else { whole(list) }
}

fn whole(list: &TensorProto) -> Option<Classes> {
    let found: Vec<i64> = if list.data_type == DataType::Int64 as i32 {
        let raw = list.raw_data.chunks_exact(8).filter_map(|bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?)));
        list.int64_data.iter().copied().chain(raw).collect()
    } else if list.data_type == DataType::Int32 as i32 {
        let raw = list.raw_data.chunks_exact(4).filter_map(|bytes| Some(i32::from_le_bytes(bytes.try_into().ok()?)));
        list.int32_data.iter().copied().chain(raw).map(i64::from).collect()
    } else {
        return None;
    };
    (!found.is_empty()).then(|| integers(&found))
}

fn integers(classes: &[i64]) -> Classes {
    Classes { names: classes.iter().map(i64::to_string).collect(), are_integers: true }
}

fn texts(classes: &[Vec<u8>]) -> Option<Classes> {
    let names: Vec<String> = classes.iter().map(|class| String::from_utf8_lossy(class).into_owned()).collect();
    (!names.is_empty()).then_some(Classes { names, are_integers: false })
}
