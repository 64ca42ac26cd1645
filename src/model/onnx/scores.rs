//! Whether a graph gives scores. Of a number by itself nobody can say whether it is a probability: a score lies between 0 and
//! 1 too, now and then, and taken for a probability in one record and for a score in the next it would name the wrong class.

use tract_onnx::pb::{GraphProto, NodeProto};

/// Operators that give the same numbers in another shape.
const CARRIERS: [&str; 6] = ["Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"];
/// Layers of networks whose sums are scores.
const LAYERS: [&str; 3] = ["Conv", "Gemm", "MatMul"];
/// How many operators of the first kind are followed.
const STEPS: usize = 16;

/// Whether what the graph gives comes from a layer of a network as it is, before anything made it probabilities.
pub(super) fn gives_scores(graph: &GraphProto) -> bool {
    let by = |wanted: &str| graph.node.iter().rev().find(|node| node.output.iter().any(|output| output == wanted));
    let mut last = graph.output.first().and_then(|output| by(output.name.as_str()));
    // Exporters need one or two; a file may lead in a circle.
    for _ in 0..STEPS {
        match last {
            Some(node) if CARRIERS.contains(&node.op_type.as_str()) => {
                last = node.input.first().and_then(|input| by(input.as_str()));
            }
            _ => break,
        }
    }
    let is_layer = |node: &NodeProto| LAYERS.contains(&node.op_type.as_str());
    last.is_some_and(|node| {
        // Exporters write some layers as a product and the sum with its constants.
        let is_sum = node.op_type == "Add" && node.input.iter().filter_map(|input| by(input.as_str())).any(is_layer);
        is_layer(node) || is_sum
    })
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

    use super::gives_scores;

    /// Nodes by operator, inputs and output; the last output is that of the graph.
    fn graph(nodes: &[(&str, &[&str], &str)]) -> GraphProto {
        let node = |(operator, inputs, output): &(&str, &[&str], &str)| NodeProto {
            op_type: (*operator).to_owned(),
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![(*output).to_owned()],
            ..NodeProto::default()
        };
        let name = nodes.last().unwrap().2.to_owned();
        GraphProto {
            node: nodes.iter().map(node).collect(),
            output: vec![ValueInfoProto { name, ..ValueInfoProto::default() }],
            ..GraphProto::default()
        }
    }

    #[test]
    fn a_layer_at_the_end_gives_scores_in_any_shape() {
        assert!(gives_scores(&graph(&[("Gemm", &["x", "w", "b"], "y")])));
        assert!(gives_scores(&graph(&[
            ("MatMul", &["x", "w"], "p"),
            ("Add", &["b", "p"], "s"),
            ("Squeeze", &["s"], "y")
        ])));
    }

    #[test]
    fn what_made_probabilities_of_scores_or_adds_up_probabilities_gives_none() {
        assert!(!gives_scores(&graph(&[("Gemm", &["x", "w"], "s"), ("Sigmoid", &["s"], "y")])));
        assert!(!gives_scores(&graph(&[("Mul", &["p", "a"], "one"), ("Add", &["one", "other"], "y")])));
        assert!(!gives_scores(&graph(&[("Identity", &["y"], "y")])), "a circle leads nowhere");
    }
}
