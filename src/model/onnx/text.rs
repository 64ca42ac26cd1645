//! Text in a graph, made integers before the runtime sees it.
//!
//! Graphs of pipelines do one thing with text: they look for it in lists. So each text that the graph knows gets a code, text
//! inputs become inputs of codes, and lists of texts become lists of codes; what a record says that the graph does not know is
//! [`UNKNOWN`]. The runtime needs no text, and every operator that would do more with it is refused by its name: a code in the
//! place of a text would give wrong answers there, silently.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::onnx_error::OnnxError;

/// The code of a text that is not in the graph.
pub(super) const UNKNOWN: i64 = -1;

/// Operators that move text about, or tell equal from unequal.
const CARRIERS: [&str; 15] = [
    "ArrayFeatureExtractor",
    "Concat",
    "Constant",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
    "Where",
];
/// Operators that take text and give something else.
const READERS: [&str; 4] = ["Equal", "LabelEncoder", "OneHotEncoder", "Shape"];
/// Of a graph's own text type.
const TEXT: i32 = DataType::String as i32;

/// The texts that a graph knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Vocabulary {
    codes: BTreeMap<String, i64>,
    /// For each text input that goes into a list of categories as it is: that list.
    categories: BTreeMap<String, Vec<String>>,
}

impl Vocabulary {
    /// The code of a text.
    pub(super) fn code(&self, text: &str) -> i64 {
        self.codes.get(text).copied().unwrap_or(UNKNOWN)
    }

    /// The categories of a text input, where the graph shows them.
    pub(super) fn categories(&self, input: &str) -> Option<&[String]> {
        self.categories.get(input).map(Vec::as_slice)
    }

    fn intern(&mut self, text: &[u8]) -> i64 {
        let next = i64::try_from(self.codes.len()).unwrap_or(i64::MAX);
        *self.codes.entry(String::from_utf8_lossy(text).into_owned()).or_insert(next)
    }
}

/// Takes all text out of a graph.
pub(super) fn to_codes(graph: &mut GraphProto) -> Result<Vocabulary, OnnxError> {
    let mut vocabulary = Vocabulary::default();
    let mut carried = Carried::of(graph);
    for node in &graph.node {
        carried.follow(node, &mut vocabulary)?;
    }
    for input in &mut graph.input {
        if let Some(Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|kind| kind.value.as_mut())
            && tensor.elem_type == TEXT
        {
            tensor.elem_type = DataType::Int64 as i32;
        }
    }
    for tensor in &mut graph.initializer {
        recode(tensor, &mut vocabulary);
    }
    for node in &mut graph.node {
        let classes = if is_older(node) { "classlabels_ints" } else { "classlabels_int64s" };
        // What unknown text becomes is text itself only where all values are.
        let unknown = if has(node, "values_strings") { "default_int64" } else { "default_string" };
        for attribute in &mut node.attribute {
            recode_attribute(attribute, classes, unknown, &mut vocabulary);
        }
    }
    Ok(vocabulary)
}

/// Two operators have another name for their classes.
fn is_older(node: &NodeProto) -> bool {
    matches!(node.op_type.as_str(), "LinearClassifier" | "SVMClassifier")
}

/// Values of the graph that are text.
struct Carried {
    texts: BTreeSet<String>,
    /// The input that a text comes from, where it comes from one alone.
    origins: BTreeMap<String, String>,
}

impl Carried {
    fn of(graph: &GraphProto) -> Self {
        let is_text =
            |kind: Option<&Value>| matches!(kind, Some(Value::TensorType(tensor)) if tensor.elem_type == TEXT);
        let inputs =
            graph.input.iter().filter(|input| is_text(input.r#type.as_ref().and_then(|kind| kind.value.as_ref())));
        let inputs: Vec<String> = inputs.map(|input| input.name.clone()).collect();
        let constants = graph.initializer.iter().filter(|tensor| tensor.data_type == TEXT);
        Self {
            origins: inputs.iter().map(|name| (name.clone(), name.clone())).collect(),
            texts: inputs.into_iter().chain(constants.map(|tensor| tensor.name.clone())).collect(),
        }
    }

    /// Nodes come in the order of their values, so one look at each is enough.
    fn follow(&mut self, node: &NodeProto, vocabulary: &mut Vocabulary) -> Result<(), OnnxError> {
        let operator = node.op_type.as_str();
        let takes_text = node.input.iter().any(|name| self.texts.contains(name));
        let refused = || OnnxError::Text { operator: operator.to_owned() };
        if takes_text && !CARRIERS.contains(&operator) && !READERS.contains(&operator) {
            return Err(refused());
        }
        let makes_text = operator == "Cast"
            && node.attribute.iter().any(|attribute| attribute.name == "to" && attribute.i == i64::from(TEXT));
        if makes_text {
            return Err(refused());
        }
        let origin = node.input.first().and_then(|name| self.origins.get(name)).cloned();
        if let (Some(origin), Some(list)) = (&origin, categories(node)) {
            let mut sorted = list;
            sorted.sort();
            sorted.dedup();
            vocabulary.categories.entry(origin.clone()).or_insert(sorted);
        }
        let carries = takes_text && CARRIERS.contains(&operator);
        // Of a classifier only the first output is text: what it calls the class.
        let texts = if carries || holds_text(node) { node.output.len() } else { usize::from(names_classes(node)) };
        for output in node.output.iter().take(texts) {
            self.texts.insert(output.clone());
            if let (Some(origin), true) = (&origin, carries && operator != "Concat") {
                self.origins.insert(output.clone(), origin.clone());
            }
        }
        Ok(())
    }
}

/// The list in which an operator looks for text.
fn categories(node: &NodeProto) -> Option<Vec<String>> {
    let list =
        node.attribute.iter().find(|attribute| matches!(attribute.name.as_str(), "cats_strings" | "keys_strings"))?;
    Some(list.strings.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect())
}

fn has(node: &NodeProto, name: &str) -> bool {
    node.attribute.iter().any(|attribute| attribute.name == name)
}

fn names_classes(node: &NodeProto) -> bool {
    has(node, "classlabels_strings")
}

/// Whether what a node gives is text of its own: a constant, or what stands for something else.
fn holds_text(node: &NodeProto) -> bool {
    node.attribute.iter().any(|attribute| match attribute.name.as_str() {
        "values_strings" | "value_string" | "value_strings" => true,
        "value" | "values_tensor" => attribute.t.as_ref().is_some_and(|tensor| tensor.data_type == TEXT),
        _ => false,
    })
}

fn recode(tensor: &mut TensorProto, vocabulary: &mut Vocabulary) {
    if tensor.data_type == TEXT {
        tensor.data_type = DataType::Int64 as i32;
        tensor.int64_data =
            std::mem::take(&mut tensor.string_data).iter().map(|text| vocabulary.intern(text)).collect();
    }
}

fn recode_attribute(attribute: &mut AttributeProto, classes: &str, unknown: &str, vocabulary: &mut Vocabulary) {
    if let Some(tensor) = &mut attribute.t {
        recode(tensor, vocabulary);
    }
    let name = match attribute.name.as_str() {
        "cats_strings" => "cats_int64s",
        "keys_strings" => "keys_int64s",
        "values_strings" => "values_int64s",
        "value_strings" => "value_ints",
        "value_string" => "value_int",
        "classlabels_strings" => classes,
        "default_string" => unknown,
        _ => return,
    };
    if name == attribute.name {
        return;
    }
    name.clone_into(&mut attribute.name);
    if attribute.r#type == AttributeType::String as i32 {
        attribute.r#type = AttributeType::Int as i32;
        attribute.i = vocabulary.intern(&attribute.s);
    } else {
        attribute.r#type = AttributeType::Ints as i32;
        attribute.ints = std::mem::take(&mut attribute.strings).iter().map(|text| vocabulary.intern(text)).collect();
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::attribute_proto::AttributeType;
    use tract_onnx::pb::tensor_proto::DataType;
    use tract_onnx::pb::type_proto::{Tensor, Value};
    use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TypeProto, ValueInfoProto};

    use super::{OnnxError, UNKNOWN, to_codes};

    fn graph(nodes: Vec<NodeProto>) -> GraphProto {
        let text = Value::TensorType(Tensor { elem_type: DataType::String as i32, shape: None });
        let kind = TypeProto { value: Some(text), ..TypeProto::default() };
        let input = ValueInfoProto { name: "city".to_owned(), r#type: Some(kind), ..ValueInfoProto::default() };
        GraphProto { input: vec![input], node: nodes, ..GraphProto::default() }
    }

    fn node(operator: &str, input: &str, output: &str) -> NodeProto {
        NodeProto {
            op_type: operator.to_owned(),
            input: vec![input.to_owned()],
            output: vec![output.to_owned()],
            ..NodeProto::default()
        }
    }

    fn categories() -> AttributeProto {
        AttributeProto {
            name: "cats_strings".to_owned(),
            r#type: AttributeType::Strings as i32,
            strings: vec![b"Rome".to_vec(), b"Oslo".to_vec()],
            ..AttributeProto::default()
        }
    }

    #[test]
    fn lists_of_text_become_lists_of_codes() {
        let encoder = NodeProto { attribute: vec![categories()], ..node("OneHotEncoder", "same", "out") };
        let mut graph = graph(vec![node("Identity", "city", "same"), encoder]);
        let vocabulary = to_codes(&mut graph).unwrap();
        assert_eq!(vocabulary.categories("city").unwrap(), ["Oslo", "Rome"]);
        let attribute = &graph.node[1].attribute[0];
        assert_eq!((attribute.name.as_str(), attribute.ints.as_slice()), ("cats_int64s", &[0, 1][..]));
        assert_eq!((vocabulary.code("Oslo"), vocabulary.code("Bern")), (1, UNKNOWN));
        let Some(Value::TensorType(tensor)) = graph.input[0].r#type.as_ref().unwrap().value.as_ref() else {
            unreachable!("a tensor")
        };
        assert_eq!(tensor.elem_type, DataType::Int64 as i32);
    }

    #[test]
    fn what_computes_with_text_is_refused_by_its_name() {
        let mut graph = graph(vec![node("Identity", "city", "same"), node("Cast", "same", "number")]);
        assert!(matches!(to_codes(&mut graph), Err(OnnxError::Text { operator }) if operator == "Cast"));
    }
}
