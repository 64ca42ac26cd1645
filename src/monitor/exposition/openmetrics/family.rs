//! What `OpenMetrics` rules about the lines of one metric, and about metrics beside each other.
//!
//! A metric family is its metadata followed by its samples, all in one piece. The samples of a family bear its name
//! with the suffixes of its type, and no two families may lay claim to one name. A sample that belongs to no family
//! begins one of its own, of unknown type.

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem;

use super::super::error::{Fault, excerpt};
use super::super::metadata::MetricKind;
use super::super::number;
use super::super::sample::SampleLine;
use super::groups::Groups;
use super::histogram::Histogram;

/// Something that a comment says about a metric.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fact<'page> {
    /// What it is.
    Help,
    /// Its type.
    Kind(MetricKind),
    /// Its unit.
    Unit(&'page str),
}

/// The bytes at which the parts of a sample stand.
#[derive(Debug)]
pub(super) struct Places {
    pub series: usize,
    pub value: usize,
    pub exemplar: usize,
}

/// A label and its value.
pub(super) type Pair<'page> = (Cow<'page, str>, Cow<'page, str>);

/// The families of a page: the present one, and the names of all.
#[derive(Debug, Default)]
pub(super) struct Families<'page> {
    taken: HashSet<String>,
    current: Option<Family<'page>>,
    /// Kept only for its memory.
    pairs: Vec<Pair<'page>>,
}

impl<'page> Families<'page> {
    /// Takes in a comment about a metric, whose name stands at `at`.
    pub(super) fn learn(&mut self, at: usize, name: &str, fact: Fact<'page>) -> Result<(), Fault> {
        if self.current.as_ref().is_none_or(|family| family.name != name) {
            self.begin(at, name)?;
        }
        if let Some(family) = &mut self.current {
            family.learn(at, fact)?;
        }
        if let Fact::Kind(kind) = fact {
            for suffix in suffixes(kind) {
                self.take_name(at, format!("{name}{suffix}"))?;
            }
        }
        Ok(())
    }

    /// Takes in a sample.
    pub(super) fn sample(
        &mut self,
        line: &SampleLine<'page>,
        seconds: Option<f64>,
        places: &Places,
    ) -> Result<(), Fault> {
        let name = line.name();
        let role = match self.current.as_ref().and_then(|family| family.role_of(&name)) {
            Some(role) => role,
            None => {
                self.begin(places.series, &name)?;
                Role::Plain
            }
        };
        self.pairs.clear();
        self.pairs.extend(line.labels_as_written());
        // Names differ, so the order of values does not matter.
        self.pairs.sort_unstable();
        match &mut self.current {
            Some(family) => family.sample(role, line, &self.pairs, seconds, places),
            None => Ok(()),
        }
    }

    /// Ends the last family.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.current.take().map_or(Ok(()), |family| family.histogram.end())
    }

    fn begin(&mut self, at: usize, name: &str) -> Result<(), Fault> {
        self.end()?;
        self.take_name(at, name.to_owned())?;
        self.current = Some(Family::new(name));
        Ok(())
    }

    fn take_name(&mut self, at: usize, name: String) -> Result<(), Fault> {
        if self.taken.contains(&name) {
            let reason = "its lines must stand together, and no other metric may have names in common with it";
            return Err(Fault::new(at, format!("`{}` belongs to a metric further up: {reason}", excerpt(&name))));
        }
        self.taken.insert(name);
        Ok(())
    }
}

/// The suffixes that samples of this type may have, beside none.
fn suffixes(kind: MetricKind) -> &'static [&'static str] {
    match kind {
        MetricKind::Counter => &["_total", "_created"],
        MetricKind::Summary => &["_count", "_sum", "_created"],
        MetricKind::Histogram => &["_count", "_sum", "_bucket", "_created"],
        MetricKind::GaugeHistogram => &["_gcount", "_gsum", "_bucket"],
        MetricKind::Info => &["_info"],
        MetricKind::Gauge | MetricKind::StateSet | MetricKind::Unknown => &[],
    }
}

/// What a sample is within its family, by its suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Total,
    Created,
    Bucket,
    Count,
    Sum,
    GaugeCount,
    GaugeSum,
    Info,
}

impl Role {
    fn of_suffix(suffix: &str) -> Option<Self> {
        match suffix {
            "" => Some(Self::Plain),
            "_total" => Some(Self::Total),
            "_created" => Some(Self::Created),
            "_bucket" => Some(Self::Bucket),
            "_count" => Some(Self::Count),
            "_sum" => Some(Self::Sum),
            "_gcount" => Some(Self::GaugeCount),
            "_gsum" => Some(Self::GaugeSum),
            "_info" => Some(Self::Info),
            _ => None,
        }
    }
}

/// One family, from its first line to the present one.
#[derive(Debug)]
struct Family<'page> {
    name: String,
    kind: Option<MetricKind>,
    unit: Option<&'page str>,
    has_help: bool,
    has_samples: bool,
    groups: Groups,
    histogram: Histogram,
}

impl<'page> Family<'page> {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            unit: None,
            has_help: false,
            has_samples: false,
            groups: Groups::default(),
            histogram: Histogram::default(),
        }
    }

    fn kind(&self) -> MetricKind {
        self.kind.unwrap_or_default()
    }

    fn learn(&mut self, at: usize, fact: Fact<'page>) -> Result<(), Fault> {
        if self.has_samples {
            let shown = excerpt(&self.name);
            return Err(Fault::new(at, format!("HELP, TYPE and UNIT of `{shown}` are expected before its samples")));
        }
        let (word, is_repeated) = match fact {
            Fact::Help => ("HELP", mem::replace(&mut self.has_help, true)),
            Fact::Kind(kind) => ("TYPE", self.kind.replace(kind).is_some()),
            Fact::Unit(unit) => ("UNIT", self.unit.replace(unit).is_some()),
        };
        if is_repeated {
            return Err(Fault::new(at, format!("`{}` has a second {word}: one is expected", excerpt(&self.name))));
        }
        let unit = self.unit.unwrap_or_default();
        if unit.is_empty() {
            return Ok(());
        }
        if self.name.strip_suffix(unit).is_none_or(|rest| !rest.ends_with('_')) {
            let reason = format!("the name of a metric in `{0}` is expected to end in `_{0}`", excerpt(unit));
            return Err(Fault::new(at, format!("{reason}, found `{}`", excerpt(&self.name))));
        }
        if matches!(self.kind(), MetricKind::Info | MetricKind::StateSet) {
            return Err(Fault::new(at, format!("a metric of type {} has no unit", self.kind())));
        }
        Ok(())
    }

    /// What a sample of this name is in this family; `None` if it belongs to another.
    fn role_of(&self, name: &str) -> Option<Role> {
        let suffix = name.strip_prefix(self.name.as_str())?;
        let role = Role::of_suffix(suffix)?;
        let kind = self.kind();
        let belongs = match role {
            // A counter, a histogram or an info has no sample of its bare name.
            Role::Plain => {
                matches!(kind, MetricKind::Gauge | MetricKind::StateSet | MetricKind::Summary | MetricKind::Unknown)
            }
            _ => suffixes(kind).contains(&suffix),
        };
        belongs.then_some(role)
    }

    fn sample(
        &mut self,
        role: Role,
        line: &SampleLine<'page>,
        pairs: &[Pair<'page>],
        seconds: Option<f64>,
        places: &Places,
    ) -> Result<(), Fault> {
        self.has_samples = true;
        let kind = self.kind();
        let bound = self.check_own_label(role, pairs).map_err(|reason| Fault::new(places.series, reason))?;
        check_value(kind, role, line.value).map_err(|reason| Fault::new(places.value, reason))?;
        if line.exemplar.is_some() && !matches!(role, Role::Bucket | Role::Total) {
            let reason = "only buckets and the totals of counters have exemplars: the end of the line is expected";
            return Err(Fault::new(places.exemplar, reason));
        }
        let own = own_label(kind, role, &self.name);
        let others = pairs.iter().filter(|(name, _)| kind != MetricKind::Info && own != Some(&**name));
        let has_moved = self
            .groups
            .enter(others, seconds, kind != MetricKind::Info)
            .map_err(|reason| Fault::new(places.series, reason))?;
        if !matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram) {
            return Ok(());
        }
        if has_moved {
            mem::take(&mut self.histogram).end()?;
        }
        self.histogram.add(role, bound, line.value, places.series)
    }

    /// Checks the label that a sample must have by its type; gives the bound of a bucket.
    fn check_own_label(&self, role: Role, pairs: &[Pair<'page>]) -> Result<Option<f64>, String> {
        let Some(own) = own_label(self.kind(), role, &self.name) else { return Ok(None) };
        let value = pairs.iter().find(|(name, _)| *name == own).map(|(_, value)| &**value);
        let shown = || excerpt(value.unwrap_or_default());
        let number = value.and_then(|value| number::float(value).ok()).filter(|number| !number.is_nan());
        match (self.kind(), value, number) {
            (MetricKind::StateSet, Some(_), _) => Ok(None),
            (MetricKind::StateSet, None, _) => {
                Err(format!("a label `{}` is expected, which names the state", excerpt(own)))
            }
            (MetricKind::Summary, Some(_), Some(0.0..=1.0)) => Ok(None),
            (MetricKind::Summary, Some(_), _) => {
                Err(format!("a `quantile` from 0 to 1 is expected, found `{}`", shown()))
            }
            (_, None, _) => Err(format!("a label `{own}` with a number is expected")),
            (_, Some(written), Some(f64::INFINITY)) if written != "+Inf" => {
                Err(format!("the highest bucket is expected to be written `+Inf`, found `{}`", shown()))
            }
            (_, Some(_), Some(bound)) => Ok(Some(bound)),
            (_, Some(_), None) => Err(format!("a number is expected in `{own}`, found `{}`", shown())),
        }
    }
}

/// The label that tells the samples of one group apart, if samples of this kind have one.
fn own_label(kind: MetricKind, role: Role, name: &str) -> Option<&str> {
    match (kind, role) {
        (_, Role::Bucket) => Some("le"),
        (MetricKind::Summary, Role::Plain) => Some("quantile"),
        (MetricKind::StateSet, Role::Plain) => Some(name),
        _ => None,
    }
}

fn check_value(kind: MetricKind, role: Role, value: f64) -> Result<(), &'static str> {
    let is_whole = value.is_finite() && value.fract().abs() <= 0.0;
    match (kind, role) {
        (_, Role::Total | Role::Sum | Role::GaugeSum) if value.is_nan() => Err("a number is expected, found NaN"),
        (_, Role::Total | Role::Sum) if value < 0.0 => Err("a total or sum of 0 or more is expected"),
        (_, Role::Bucket | Role::Count | Role::GaugeCount) if !is_whole || value < 0.0 => {
            Err("a count is expected: a whole number of 0 or more")
        }
        (MetricKind::Summary, Role::Plain) if value < 0.0 => Err("a quantile of 0 or more is expected"),
        (MetricKind::Info, _) if !is(value, 1.0) => Err("the value 1 is expected, as of every info"),
        (MetricKind::StateSet, _) if !is(value, 0.0) && !is(value, 1.0) => Err("a state is expected to be 0 or 1"),
        _ => Ok(()),
    }
}

fn is(value: f64, other: f64) -> bool {
    (value - other).abs() <= 0.0
}
