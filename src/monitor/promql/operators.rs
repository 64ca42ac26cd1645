//! Operators between numbers, between series and a number, and between series and series.
//!
//! Matching follows Prometheus 3 (`promql/engine.go`, `VectorBinop` and its kin): at each moment, elements of two sides
//! belong together when the labels chosen by `on` or `ignoring` are equal, and only one side may have several of them. The
//! labels are compared once for all moments: each line gets the number of its group.

use std::collections::{HashMap, HashSet};

use crate::monitor::Labels;

use super::error::PromqlError;
use super::line::{Line, merged};
use super::plan::{Arithmetic, Cardinality, Comparison, LabelChoice, Operator, SetOperator};

impl Arithmetic {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Remainder => left % right,
            Self::Power => left.powf(right),
            Self::ArcTangent => left.atan2(right),
        }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "the language compares exactly")]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Operator {
    /// The result; none if a filter drops the element, and `kept` if it does not.
    pub(super) fn apply(self, left: f64, right: f64, kept: f64) -> Option<f64> {
        match self {
            Self::Arithmetic(arithmetic) => Some(arithmetic.apply(left, right)),
            Self::Filter(comparison) => comparison.holds(left, right).then_some(kept),
            Self::Truth(comparison) => Some(if comparison.holds(left, right) { 1.0 } else { 0.0 }),
        }
    }

    /// The labels of an element after this operator: what is calculated no longer bears the name of the metric.
    fn relabel(self, labels: &Labels) -> Labels {
        match self {
            Self::Arithmetic(_) | Self::Truth(_) => labels.without_name(),
            Self::Filter(_) => labels.clone(),
        }
    }
}

/// Each series with the number of the moment. A filter keeps the value of the series, whichever side it stands on.
pub(super) fn with_scalar(operator: Operator, lines: Vec<Line>, numbers: &[f64], scalar_on_left: bool) -> Vec<Line> {
    let calculate = |mut line: Line| {
        line.labels = operator.relabel(&line.labels);
        line.change(|step, value| {
            let number = numbers.get(step).copied().unwrap_or(f64::NAN);
            let (left, right) = if scalar_on_left { (number, value) } else { (value, number) };
            operator.apply(left, right, value)
        });
        line
    };
    lines.into_iter().map(calculate).collect()
}

/// The groups in which lines of two sides match, by number.
#[derive(Default)]
struct Groups(HashMap<Labels, usize>);

impl Groups {
    /// The group of each line.
    fn of(&mut self, lines: &[Line], matching: &LabelChoice) -> Vec<usize> {
        let group = |line: &Line| {
            let next = self.0.len();
            *self.0.entry(matching.of(&line.labels)).or_insert(next)
        };
        lines.iter().map(group).collect()
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

/// `and`, `or`, `unless`.
pub(super) fn set(
    operator: SetOperator,
    mut left: Vec<Line>,
    mut right: Vec<Line>,
    matching: &LabelChoice,
    steps: usize,
) -> Vec<Line> {
    let mut groups = Groups::default();
    let (left_groups, right_groups) = (groups.of(&left, matching), groups.of(&right, matching));
    match operator {
        SetOperator::And => {
            let present = Presence::of(&right, &right_groups, groups.count(), steps);
            present.keep(&mut left, &left_groups, true);
            left
        }
        SetOperator::Unless => {
            let present = Presence::of(&right, &right_groups, groups.count(), steps);
            present.keep(&mut left, &left_groups, false);
            left
        }
        SetOperator::Or => {
            let present = Presence::of(&left, &left_groups, groups.count(), steps);
            present.keep(&mut right, &right_groups, false);
            left.append(&mut right);
            left
        }
    }
}

/// Which group has an element at which step.
struct Presence {
    by_group: Vec<Vec<bool>>,
}

impl Presence {
    fn of(lines: &[Line], groups: &[usize], count: usize, steps: usize) -> Self {
        let mut by_group = vec![Vec::new(); count];
        for (line, group) in lines.iter().zip(groups) {
            let Some(present) = by_group.get_mut(*group) else { continue };
            present.resize(steps, false);
            for (is_present, value) in present.iter_mut().zip(&line.values) {
                *is_present |= value.is_some();
            }
        }
        Self { by_group }
    }

    /// Keeps the values of lines where their group is present, or where it is not.
    fn keep(&self, lines: &mut [Line], groups: &[usize], where_present: bool) {
        for (line, group) in lines.iter_mut().zip(groups) {
            let present = self.by_group.get(*group).map(Vec::as_slice).unwrap_or_default();
            line.change(|step, value| {
                let is_present = present.get(step).copied().unwrap_or(false);
                (is_present == where_present).then_some(value)
            });
        }
    }
}

/// Elements of both sides that match.
pub(super) fn pairwise(
    operator: Operator,
    left: Vec<Line>,
    right: Vec<Line>,
    matching: &LabelChoice,
    cardinality: &Cardinality,
    steps: usize,
) -> Result<Vec<Line>, PromqlError> {
    let many_on_right = matches!(cardinality, Cardinality::OneToMany(_));
    let (many, one) = if many_on_right { (right, left) } else { (left, right) };
    let mut groups = Groups::default();
    let (many_groups, one_groups) = (groups.of(&many, matching), groups.of(&one, matching));
    let count = groups.count();
    let pairing = Pairing { operator, matching, cardinality, many_on_right, many: &many, one: &one };
    let mut results = Results::new(steps);
    let mut partners: Vec<Option<usize>> = vec![None; count];
    for step in 0..steps {
        if many.iter().all(|line| line.at(step).is_none()) {
            continue;
        }
        partners.fill(None);
        for (index, (line, group)) in one.iter().zip(&one_groups).enumerate() {
            let Some(partner) = partners.get_mut(*group).filter(|_| line.at(step).is_some()) else { continue };
            if let Some(earlier) = partner.replace(index) {
                return Err(pairing.several_of_one(earlier, index));
            }
        }
        results.begin(step);
        for (index, (line, group)) in many.iter().zip(&many_groups).enumerate() {
            let Some(partner) = partners.get(*group).copied().flatten() else { continue };
            let (Some(element), Some(other)) = (line.at(step), one.get(partner).and_then(|line| line.at(step))) else {
                continue;
            };
            let (left, right) = if many_on_right { (other, element) } else { (element, other) };
            results.add(&pairing, (index, partner), *group, operator.apply(left, right, left))?;
        }
    }
    merged(results.lines)
}

/// What is the same for all moments of a binary operation.
struct Pairing<'a> {
    operator: Operator,
    matching: &'a LabelChoice,
    cardinality: &'a Cardinality,
    many_on_right: bool,
    many: &'a [Line],
    one: &'a [Line],
}

impl Pairing<'_> {
    fn is_one_to_one(&self) -> bool {
        matches!(self.cardinality, Cardinality::OneToOne)
    }

    /// The labels of a pair: what was matched on, or all of the side with many and what it takes over from the other.
    fn labels(&self, many: usize, one: usize) -> Labels {
        let labels =
            |lines: &[Line], index: usize| lines.get(index).map(|line| line.labels.clone()).unwrap_or_default();
        let base = self.operator.relabel(&labels(self.many, many));
        match self.cardinality {
            Cardinality::OneToOne => match self.matching {
                LabelChoice::Only(_) => self.matching.of(&base),
                // Unlike the group, the result keeps the name where the operator does.
                LabelChoice::AllBut(ignored) => base.keep(|label| ignored.iter().all(|name| name != label)),
            },
            Cardinality::ManyToOne(taken_over) | Cardinality::OneToMany(taken_over) => {
                let one = labels(self.one, one);
                taken_over.iter().fold(base, |labels, label| labels.with(label, one.get(label).unwrap_or_default()))
            }
        }
    }

    /// The labels by which a line of the side with many is matched.
    fn group(&self, many: usize) -> String {
        self.many.get(many).map(|line| in_braces(&self.matching.of(&line.labels))).unwrap_or_default()
    }

    fn several_of_one(&self, earlier: usize, later: usize) -> PromqlError {
        let labels = |index: usize| self.one.get(index).map(|line| &line.labels).cloned().unwrap_or_default();
        let mut found = [in_braces(&labels(earlier)), in_braces(&labels(later))];
        found.sort();
        let [one, other] = found;
        let side = if self.many_on_right { "left" } else { "right" };
        PromqlError::ManyMatches { group: in_braces(&self.matching.of(&labels(later))), side, one, other }
    }
}

/// The lines that come out of a binary operation.
struct Results {
    steps: usize,
    lines: Vec<Line>,
    by_labels: HashMap<Labels, usize>,
    by_pair: HashMap<(usize, usize), usize>,
    step: usize,
    /// What has come out at the present step: groups, with the line where one group may give several.
    taken: HashSet<(usize, usize)>,
}

impl Results {
    fn new(steps: usize) -> Self {
        Self {
            steps,
            lines: Vec::new(),
            by_labels: HashMap::new(),
            by_pair: HashMap::new(),
            step: 0,
            taken: HashSet::new(),
        }
    }

    fn begin(&mut self, step: usize) {
        self.step = step;
        self.taken.clear();
    }

    /// The line of a pair, whose labels are made once.
    fn place(&mut self, pairing: &Pairing<'_>, pair: (usize, usize)) -> usize {
        if let Some(place) = self.by_pair.get(&pair) {
            return *place;
        }
        let labels = pairing.labels(pair.0, pair.1);
        let next = self.lines.len();
        let place = *self.by_labels.entry(labels.clone()).or_insert(next);
        if place == next {
            self.lines.push(Line { labels, values: vec![None; self.steps] });
        }
        self.by_pair.insert(pair, place);
        place
    }

    /// Adds the result of a pair. That it is not the only one of its group is an error even where a filter drops it.
    fn add(
        &mut self,
        pairing: &Pairing<'_>,
        pair: (usize, usize),
        group: usize,
        value: Option<f64>,
    ) -> Result<(), PromqlError> {
        let place = self.place(pairing, pair);
        if pairing.is_one_to_one() {
            if !self.taken.insert((group, 0)) {
                return Err(PromqlError::ManyToOne { group: pairing.group(pair.0) });
            }
        } else if !self.taken.insert((group, place)) {
            let labels = pairing.labels(pair.0, pair.1).to_string();
            return Err(PromqlError::AmbiguousGroup { labels });
        }
        let Some(line) = self.lines.get_mut(place) else { return Ok(()) };
        if let (Some(slot), Some(value)) = (line.values.get_mut(self.step), value)
            && slot.replace(value).is_some()
        {
            return Err(PromqlError::DuplicateSeries { labels: line.labels.to_string() });
        }
        Ok(())
    }
}

/// Labels as Prometheus writes them in its errors, the name among the others.
fn in_braces(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.pairs().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
