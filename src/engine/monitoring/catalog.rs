//! What expressions can be made of, for whoever types one.

use std::collections::BTreeMap;

use super::{Monitoring, Source};
use crate::api::types::{Catalog, ExpressionFault, MetricInformation};
use crate::monitor::{
    KnownMetric, METRIC_NAME, Metadata, MetricKind, expression_fault, expression_of, expression_words,
};
use crate::pipeline::Moment;

/// What a histogram or a summary has behind its name.
const PARTS: [&str; 4] = ["_bucket", "_sum", "_count", "_created"];

type Told = BTreeMap<String, Metadata>;

impl Monitoring {
    /// Metrics, labels and functions.
    pub async fn catalog(&self) -> Catalog {
        let metrics = self.metrics().await.unwrap_or_default();
        let labels = self.store().label_names().into_iter().filter(|name| name != METRIC_NAME).collect();
        let functions = expression_words().into_iter().map(str::to_owned).collect();
        Catalog { metrics, labels, functions }
    }

    /// All that is known of each metric, by name.
    pub(super) async fn metrics(&self) -> Result<Vec<MetricInformation>, String> {
        let counts = self.series_of_each().await?;
        let told = self.metadata().await.unwrap_or_default();
        Ok(counts.into_iter().map(|(name, series)| information(&told, name, series)).collect())
    }

    /// What is wrong with an expression, if anything is.
    pub fn expression_fault(&self, expression: &str) -> Option<ExpressionFault> {
        let fault = expression_fault(expression)?;
        Some(ExpressionFault { error: fault.error, from: fault.place.start, to: fault.place.end })
    }

    /// The metrics that are there, with the types that the app tells.
    pub(super) async fn names_and_kinds(&self) -> Vec<(String, String)> {
        let told = self.metadata().await.unwrap_or_default();
        let names = match self.source() {
            Ok(Source::Own) => {
                let store = self.store();
                store.metric_names()
            }
            Ok(Source::Prometheus(client)) => client.metric_names().await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        names.into_iter().map(|name| (name.clone(), kind_of(&told, &name))).collect()
    }

    /// How many series each metric has; of an existing Prometheus that is not asked.
    async fn series_of_each(&self) -> Result<BTreeMap<String, usize>, String> {
        if let Source::Prometheus(client) = self.source()? {
            let names = client.metric_names().await.map_err(|error| error.to_string())?;
            return Ok(names.into_iter().map(|name| (name, 0)).collect());
        }
        Ok(self.store().series_of_each_metric().into_iter().collect())
    }

    /// The moment of the oldest sample here.
    pub(super) fn oldest(&self) -> Option<Moment> {
        match self.source() {
            Ok(Source::Own) => self.store().oldest(),
            Ok(Source::Prometheus(_)) | Err(_) => None,
        }
    }
}

fn information(told: &Told, name: String, series: usize) -> MetricInformation {
    let kind = kind_of(told, &name);
    let expression = expression_of(KnownMetric { name: &name, kind: &kind });
    let (help, unit) = told_of(told, &name).map(|told| (told.help.clone(), told.unit.clone())).unwrap_or_default();
    MetricInformation { name, kind, help, unit, series, expression }
}

fn kind_of(told: &Told, name: &str) -> String {
    match told_of(told, name).map(|told| told.kind) {
        None | Some(MetricKind::Unknown) => String::new(),
        Some(kind) => kind.to_string(),
    }
}

/// What the app says of a metric; of `x_bucket` what it says of `x`.
fn told_of<'a>(told: &'a Told, name: &str) -> Option<&'a Metadata> {
    let family = || PARTS.iter().find_map(|part| name.strip_suffix(part));
    // OpenMetrics says `x` of the counter `x_total`.
    let own = told.get(name).or_else(|| told.get(family()?));
    own.or_else(|| told.get(name.strip_suffix("_total")?))
}
