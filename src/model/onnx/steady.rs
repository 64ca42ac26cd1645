//! `ReduceLogSumExp` written with its greatest number taken out first. The runtime adds exponentials as they are, which in
//! single precision are all zero below −104: naive Bayes of a few dozen columns would have no answer.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

const OPERATOR: &str = "ReduceLogSumExp";

/// Writes all of them otherwise; `version` is that of the usual operators.
pub(super) fn steady(graph: &mut GraphProto, version: i64) {
    let nodes = std::mem::take(&mut graph.node);
    for node in nodes {
        match axes(&node) {
            Some(axes) if node.op_type == OPERATOR => rewrite(graph, &node, &axes, version),
            _ => graph.node.push(node),
        }
    }
}

/// Over which axes a node goes.
enum Axes {
    /// The value that lists them, from version 18 on.
    Value(String),
    /// The list itself.
    List(Vec<i64>),
}

/// `None` for all axes.
fn axes(node: &NodeProto) -> Option<Axes> {
    let list = node.attribute.iter().find(|attribute| attribute.name == "axes");
    match (node.input.get(1).filter(|name| !name.is_empty()), list) {
        (Some(name), _) => Some(Axes::Value(name.clone())),
        (None, Some(list)) => Some(Axes::List(list.ints.clone())),
        (None, None) => None,
    }
}

/// `greatest + ln Σ exp(x − greatest)`, and then without the axes that are one long, if they are not to be kept.
fn rewrite(graph: &mut GraphProto, node: &NodeProto, axes: &Axes, version: i64) {
    let (Some(input), Some(output)) = (node.input.first(), node.output.first()) else { return };
    let keeps = node.attribute.iter().find(|attribute| attribute.name == "keepdims").is_none_or(|keeps| keeps.i != 0);
    let part = |name: &str| format!("{output}.{name}");
    let whole = if keeps { output.clone() } else { part("whole") };
    let (greatest, apart, powers, sum, logarithm) =
        (part("greatest"), part("apart"), part("powers"), part("sum"), part("logarithm"));
    over(graph, "ReduceMax", (input, &greatest), axes, version);
    graph.node.push(plain("Sub", &[input, &greatest], &apart));
    graph.node.push(plain("Exp", &[&apart], &powers));
    over(graph, "ReduceSum", (&powers, &sum), axes, version);
    graph.node.push(plain("Log", &[&sum], &logarithm));
    graph.node.push(plain("Add", &[&logarithm, &greatest], &whole));
    if !keeps {
        over(graph, "Squeeze", (&whole, output), axes, version);
    }
}

fn plain(operator: &str, inputs: &[&String], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|input| (*input).clone()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// A node that goes over axes, which older versions take as an attribute and newer ones as an input.
fn over(graph: &mut GraphProto, operator: &str, (input, output): (&String, &str), axes: &Axes, version: i64) {
    let takes_value = version >= if operator == "ReduceMax" { 18 } else { 13 };
    let mut node = plain(operator, &[input], output);
    match axes {
        Axes::Value(name) => node.input.push(name.clone()),
        Axes::List(list) if takes_value => {
            let name = format!("{output}.axes");
            graph.initializer.push(TensorProto {
                name: name.clone(),
                dims: i64::try_from(list.len()).into_iter().collect(),
                data_type: DataType::Int64 as i32,
                int64_data: list.clone(),
                ..TensorProto::default()
            });
            node.input.push(name);
        }
        Axes::List(list) => node.attribute.push(AttributeProto {
            name: "axes".to_owned(),
            r#type: AttributeType::Ints as i32,
            ints: list.clone(),
            ..AttributeProto::default()
        }),
    }
    graph.node.push(node);
}

#[cfg(test)]
mod tests {
    use super::{AttributeProto, AttributeType, GraphProto, NodeProto, steady};

    fn graph(inputs: &[&str], axes: Option<Vec<i64>>) -> GraphProto {
        let number = |name: &str, i| AttributeProto {
            name: name.to_owned(),
            r#type: AttributeType::Int as i32,
            i,
            ..AttributeProto::default()
        };
        let mut attribute = vec![number("keepdims", 0)];
        attribute.extend(axes.map(|ints| AttributeProto {
            name: "axes".to_owned(),
            r#type: AttributeType::Ints as i32,
            ints,
            ..AttributeProto::default()
        }));
        let node = NodeProto {
            op_type: "ReduceLogSumExp".to_owned(),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec!["y".to_owned()],
            attribute,
            ..NodeProto::default()
        };
        GraphProto { node: vec![node], ..GraphProto::default() }
    }

    fn operators(graph: &GraphProto) -> Vec<&str> {
        graph.node.iter().map(|node| node.op_type.as_str()).collect()
    }

    #[test]
    fn the_greatest_number_is_taken_out_first() {
        let mut graph = graph(&["x", "axes"], None);
        steady(&mut graph, 21);
        assert_eq!(operators(&graph), ["ReduceMax", "Sub", "Exp", "ReduceSum", "Log", "Add", "Squeeze"]);
        assert_eq!((graph.node[0].input[1].as_str(), graph.node[6].output[0].as_str()), ("axes", "y"));
    }

    #[test]
    fn axes_are_given_as_the_version_wants_them() {
        let mut older = graph(&["x"], Some(vec![1]));
        steady(&mut older, 15);
        assert_eq!(older.node[0].attribute[0].ints, [1], "ReduceMax has an attribute before 18");
        assert_eq!(older.node[3].input.len(), 2, "ReduceSum has an input from 13 on");
        assert_eq!(older.initializer.len(), 2);
        let mut oldest = graph(&["x"], Some(vec![1]));
        steady(&mut oldest, 11);
        assert!(oldest.initializer.is_empty());
    }

    #[test]
    fn what_goes_over_all_axes_stays() {
        let mut whole = graph(&["x"], None);
        steady(&mut whole, 21);
        assert_eq!(operators(&whole), ["ReduceLogSumExp"]);
    }
}
