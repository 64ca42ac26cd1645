//! Calls of functions.

use std::collections::BTreeSet;

use promql_parser::label::MatchOp;
use promql_parser::parser::{Call, Expr, VectorSelector};

use crate::monitor::{Labels, METRIC_NAME};

use super::super::error::PromqlError;
use super::super::plan::{ElementFunction, Node, RangeFunction, Relabeling, ScalarNode, VectorNode};
use super::super::regular_expression;
use super::{Compiler, label, names, unwrapped};

impl Compiler<'_> {
    pub(super) fn call(&mut self, call: &Call, depth: usize) -> Result<Node, PromqlError> {
        let name = call.func.name;
        if call.func.experimental {
            return Err(PromqlError::Experimental { what: format!("function `{name}`") });
        }
        if names::is_of_native_histograms(name) {
            let what = format!("function `{name}`, which is of native histograms alone (divide _sum by _count),");
            return Err(PromqlError::Unsupported { what });
        }
        match name {
            "time" => Ok(Node::Scalar(ScalarNode::Time)),
            "pi" => Ok(Node::Scalar(ScalarNode::Number(std::f64::consts::PI))),
            "scalar" => {
                let argument = self.vector_of_floats(self.argument(call, 0)?, depth)?;
                Ok(Node::Scalar(ScalarNode::FromVector(argument)))
            }
            _ => self.vector_call(call, depth).map(Node::Vector),
        }
    }

    fn vector_call(&mut self, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let name = call.func.name;
        if let Some(function) = names::range_function(name) {
            return self.over_range(function, call, depth);
        }
        if let Some(function) = names::element_function(name) {
            return self.map(function, call, depth);
        }
        if let Some(part) = names::date_part(name) {
            let argument = match call.args.args.first() {
                Some(argument) => Some(self.vector_of_floats(argument, depth)?),
                None => None,
            };
            return Ok(VectorNode::Date { part, argument });
        }
        match name {
            "absent" | "absent_over_time" => self.absent(call, depth),
            "clamp" | "clamp_min" | "clamp_max" => self.clamp(call, depth),
            "histogram_quantile" | "histogram_fraction" => self.histogram(call, depth),
            "label_replace" | "label_join" => self.relabel(call, depth),
            "sort" | "sort_desc" => {
                let argument = self.vector_of_floats(self.argument(call, 0)?, depth)?;
                Ok(VectorNode::Sort { argument, is_descending: name == "sort_desc", place: self.place(name) })
            }
            "timestamp" => match unwrapped(self.argument(call, 0)?) {
                Expr::VectorSelector(selector) => {
                    Ok(VectorNode::SelectTimestamps(self.selector(selector, None, false)?))
                }
                other => Ok(VectorNode::Timestamps(self.vector(other, depth)?)),
            },
            "vector" => Ok(VectorNode::FromScalar(self.scalar(self.argument(call, 0)?, depth)?)),
            _ => Err(PromqlError::UnsupportedFunction { name: name.to_owned() }),
        }
    }

    fn argument<'call>(&self, call: &'call Call, index: usize) -> Result<&'call Expr, PromqlError> {
        let argument = call.args.args.get(index);
        argument.map(|boxed| &**boxed).ok_or_else(|| self.wrong(&format!("`{}` lacks an argument", call.func.name)))
    }

    fn over_range(&mut self, function: RangeFunction, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let (range, parameter) = match function {
            RangeFunction::Quantile => (1, Some(0)),
            RangeFunction::PredictLinear => (0, Some(1)),
            _ => (0, None),
        };
        let parameter = match parameter {
            Some(index) => *self.scalar(self.argument(call, index)?, depth)?,
            None => ScalarNode::Number(0.0),
        };
        let argument = self.range(self.argument(call, range)?, depth)?;
        Ok(VectorNode::OverRange { function, argument, parameter })
    }

    fn map(&mut self, function: ElementFunction, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let argument = self.vector_of_floats(self.argument(call, 0)?, depth)?;
        let parameter = match call.args.args.get(1) {
            Some(parameter) => self.scalar(parameter, depth)?,
            None => Box::new(ScalarNode::Number(1.0)),
        };
        Ok(VectorNode::Map { function, argument, parameter })
    }

    fn absent(&mut self, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let argument = unwrapped(self.argument(call, 0)?);
        if call.func.name == "absent" {
            let labels = match argument {
                Expr::VectorSelector(selector) => fixed_labels(selector),
                _ => Labels::default(),
            };
            return Ok(VectorNode::Absent { argument: self.vector(argument, depth)?, labels });
        }
        let labels = match argument {
            Expr::MatrixSelector(matrix) => fixed_labels(&matrix.vs),
            _ => Labels::default(),
        };
        Ok(VectorNode::AbsentOverRange { argument: self.range(argument, depth)?, labels })
    }

    fn clamp(&mut self, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let argument = self.vector_of_floats(self.argument(call, 0)?, depth)?;
        let first = self.scalar(self.argument(call, 1)?, depth)?;
        let number = |value| Box::new(ScalarNode::Number(value));
        Ok(match call.func.name {
            "clamp_min" => VectorNode::Clamp { argument, least: first, most: number(f64::INFINITY) },
            "clamp_max" => VectorNode::Clamp { argument, least: number(f64::NEG_INFINITY), most: first },
            _ => VectorNode::Clamp { argument, least: first, most: self.scalar(self.argument(call, 2)?, depth)? },
        })
    }

    fn histogram(&mut self, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let first = self.scalar(self.argument(call, 0)?, depth)?;
        if call.func.name == "histogram_quantile" {
            return Ok(VectorNode::HistogramQuantile {
                quantile: first,
                buckets: self.vector(self.argument(call, 1)?, depth)?,
            });
        }
        let upper = self.scalar(self.argument(call, 1)?, depth)?;
        let buckets = self.vector(self.argument(call, 2)?, depth)?;
        Ok(VectorNode::HistogramFraction { lower: first, upper, buckets })
    }

    fn relabel(&mut self, call: &Call, depth: usize) -> Result<VectorNode, PromqlError> {
        let argument = self.vector(self.argument(call, 0)?, depth)?;
        let text = |index: usize| self.literal(self.argument(call, index)?);
        let change = if call.func.name == "label_replace" {
            Relabeling::Replace {
                target: label("label_replace", text(1)?)?,
                replacement: text(2)?,
                source: text(3)?,
                pattern: regular_expression::whole(&text(4)?)?,
            }
        } else {
            let sources = (3..call.args.len()).map(|index| label("label_join", text(index)?));
            Relabeling::Join {
                target: label("label_join", text(1)?)?,
                separator: text(2)?,
                sources: sources.collect::<Result<_, _>>()?,
            }
        };
        Ok(VectorNode::Relabel { argument, change: Box::new(change) })
    }

    /// Line and column of the first call of a function in the text; the parser keeps no places.
    fn place(&self, function: &str) -> String {
        let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | ':');
        let is_call = |at: usize| {
            let before = self.text.get(..at).unwrap_or_default();
            let after = self.text.get(at + function.len()..).unwrap_or_default();
            !before.ends_with(is_name) && after.trim_start().starts_with('(')
        };
        let at = self.text.match_indices(function).map(|(at, _)| at).find(|at| is_call(*at)).unwrap_or(0);
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{line}:{column}")
    }
}

/// The labels that a selector asks for by `=`, for the result of `absent`. A label that is asked for twice is left out, as in
/// Prometheus.
fn fixed_labels(selector: &VectorSelector) -> Labels {
    let mut seen = BTreeSet::new();
    let mut fixed: Vec<(&str, &str)> = Vec::new();
    for matcher in selector.matchers.matchers.iter().filter(|matcher| matcher.name != METRIC_NAME) {
        if matches!(matcher.op, MatchOp::Equal) && seen.insert(matcher.name.as_str()) {
            fixed.push((matcher.name.as_str(), matcher.value.as_str()));
        } else {
            fixed.retain(|(name, _)| *name != matcher.name);
        }
    }
    Labels::new(fixed)
}
