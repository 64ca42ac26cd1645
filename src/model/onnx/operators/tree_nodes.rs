//! The trees of an ensemble as one flat list of nodes, and the way from a row to a leaf.
//!
//! **Invariant.** Each node is the child of one other at most, so every way from a root ends, whatever the file says.

use std::collections::BTreeMap;

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{TractResult, bail};

use super::attributes::{integers, numbers, places};

/// What is said at a leaf: amounts, each for a class or target.
pub(super) type Weights = Vec<(usize, f64)>;

/// All trees.
#[derive(Debug)]
pub(super) struct Trees {
    roots: Vec<usize>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Split { feature: usize, rule: Rule, value: f64, missing_is_true: bool, yes: usize, no: usize },
    Leaf(Weights),
}

/// When a row goes the way of "true".
#[derive(Debug, Clone, Copy)]
enum Rule {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
}

impl Rule {
    fn holds(self, number: f64, value: f64) -> bool {
        match self {
            Self::AtMost => number <= value,
            Self::Below => number < value,
            Self::AtLeast => number >= value,
            Self::Above => number > value,
            // The specification asks for equality, of numbers that were written by the same program.
            Self::Equal => number.partial_cmp(&value).is_some_and(std::cmp::Ordering::is_eq),
            Self::Unequal => !number.partial_cmp(&value).is_some_and(std::cmp::Ordering::is_eq),
        }
    }
}

impl Trees {
    /// How many trees there are.
    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    /// The leaf of each tree that a row comes to.
    pub(super) fn leaves<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = &'a Weights> {
        self.roots.iter().filter_map(move |root| self.leaf(*root, row))
    }

    fn leaf(&self, root: usize, row: &[f64]) -> Option<&Weights> {
        let mut at = root;
        loop {
            match self.nodes.get(at)? {
                Node::Leaf(weights) => return Some(weights),
                Node::Split { feature, rule, value, missing_is_true, yes, no } => {
                    let number = *row.get(*feature)?;
                    let goes = rule.holds(number, *value) || (*missing_is_true && number.is_nan());
                    at = if goes { *yes } else { *no };
                }
            }
        }
    }

    /// The greatest class or target of any leaf.
    pub(super) fn greatest(&self) -> Option<usize> {
        self.weights().map(|(target, _)| target).max()
    }

    /// All amounts of all leaves.
    pub(super) fn weights(&self) -> impl Iterator<Item = (usize, f64)> {
        self.nodes
            .iter()
            .flat_map(|node| match node {
                Node::Leaf(weights) => weights.as_slice(),
                Node::Split { .. } => &[],
            })
            .copied()
    }
}

/// Reads the trees of a node; `leaf` is how attributes of leaves begin: `class` or `target`.
pub(super) fn read(context: &ParsingContext<'_>, node: &NodeProto, leaf: &str) -> TractResult<Trees> {
    let index = index(node)?;
    let mut weights = leaves(context, node, leaf, &index)?;
    let features = places(node, "nodes_featureids")?;
    let values = numbers(context, node, "nodes_values")?;
    let modes = node.get_attr_vec::<&str>("nodes_modes")?;
    let trees = integers(node, "nodes_treeids")?;
    let (yes, no) = (integers(node, "nodes_truenodeids")?, integers(node, "nodes_falsenodeids")?);
    let missing = integers(node, "nodes_missing_value_tracks_true")?;
    let count = modes.len();
    if [features.len(), trees.len(), yes.len(), no.len()].iter().any(|length| *length != count) || values.len() < count
    {
        return node.bail("expected lists of nodes of one length");
    }
    let mut nodes = Vec::with_capacity(count);
    let mut is_child = vec![false; count];
    let ways = trees.into_iter().zip(yes.into_iter().zip(no));
    let splits = modes.into_iter().zip(features.into_iter().zip(values)).zip(ways).enumerate();
    for (place, ((mode, (feature, value)), (tree, (yes, no)))) in splits {
        let Some(rule) = rule(mode)? else {
            nodes.push(Node::Leaf(weights.get_mut(place).map(std::mem::take).unwrap_or_default()));
            continue;
        };
        let (yes, no) = (child(&index, &mut is_child, tree, yes)?, child(&index, &mut is_child, tree, no)?);
        let missing_is_true = missing.get(place).is_some_and(|flag| *flag != 0);
        nodes.push(Node::Split { feature, rule, value, missing_is_true, yes, no });
    }
    let roots = is_child.iter().enumerate().filter(|(_, is_child)| !**is_child).map(|(place, _)| place).collect();
    Ok(Trees { roots, nodes })
}

/// Where the node of a tree stands in the lists.
type Index = BTreeMap<(i64, i64), usize>;

fn index(node: &NodeProto) -> TractResult<Index> {
    let (trees, ids) = (integers(node, "nodes_treeids")?, integers(node, "nodes_nodeids")?);
    let mut index = Index::new();
    for (place, key) in trees.into_iter().zip(ids).enumerate() {
        if index.insert(key, place).is_some() {
            return node.bail(&format!("tree {} has two nodes {}", key.0, key.1));
        }
    }
    if index.is_empty() { node.bail("expected a node at least") } else { Ok(index) }
}

/// The amounts of each node, by its place.
fn leaves(context: &ParsingContext<'_>, node: &NodeProto, leaf: &str, index: &Index) -> TractResult<Vec<Weights>> {
    let trees = integers(node, &format!("{leaf}_treeids"))?;
    let ids = integers(node, &format!("{leaf}_nodeids"))?;
    let targets = places(node, &format!("{leaf}_ids"))?;
    let amounts = numbers(context, node, &format!("{leaf}_weights"))?;
    if [ids.len(), targets.len(), amounts.len()].iter().any(|length| *length != trees.len()) {
        return node.bail("expected lists of leaves of one length");
    }
    let mut weights = vec![Weights::new(); index.len()];
    for (key, amount) in trees.into_iter().zip(ids).zip(targets.into_iter().zip(amounts)) {
        match index.get(&key).and_then(|place| weights.get_mut(*place)) {
            Some(weights) => weights.push(amount),
            None => return node.bail(&format!("tree {} has no node {} for a leaf", key.0, key.1)),
        }
    }
    Ok(weights)
}

/// `None` for a leaf.
fn rule(mode: &str) -> TractResult<Option<Rule>> {
    Ok(Some(match mode {
        "LEAF" => return Ok(None),
        "BRANCH_LEQ" => Rule::AtMost,
        "BRANCH_LT" => Rule::Below,
        "BRANCH_GTE" => Rule::AtLeast,
        "BRANCH_GT" => Rule::Above,
        "BRANCH_EQ" => Rule::Equal,
        "BRANCH_NEQ" => Rule::Unequal,
        other => bail!("a tree has nodes of the mode {other}, which is not one of the specification"),
    }))
}

fn child(index: &Index, is_child: &mut [bool], tree: i64, id: i64) -> TractResult<usize> {
    let Some(place) = index.get(&(tree, id)).copied() else {
        bail!("tree {tree} has no node {id}, which is a child of another");
    };
    match is_child.get_mut(place) {
        Some(flag) if !*flag => *flag = true,
        _ => bail!("tree {tree} leads to node {id} on two ways, so it is no tree"),
    }
    Ok(place)
}
