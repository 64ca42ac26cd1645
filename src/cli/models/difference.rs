//! In what two model versions differ: what learned them, from what, and what came of it.

use std::io::Write;

use serde::Serialize;

use crate::api::types::ModelDetail;
use crate::cli::failure::Failure;
use crate::cli::table::{print, print_line};
use crate::tui::{ModelDifference, content_differences, metric_differences, origin_differences};

/// Two versions and what differs.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    one: ModelDetail,
    other: ModelDetail,
    differences: Vec<ModelDifference>,
}

impl Difference {
    /// What `one` and `other` differ in; metrics are told even when they are equal.
    pub(super) fn of(one: ModelDetail, other: ModelDetail) -> Self {
        let mut differences = origin_differences(&one, &other);
        differences.extend(metric_differences(&one.summary, &other.summary));
        differences.extend(content_differences(&one, &other));
        Self { one, other, differences }
    }

    /// Prints it as a table.
    pub(super) fn show(&self, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
        let (one, other) = (&self.one.summary, &self.other.summary);
        if one.digest.is_some() && one.digest == other.digest {
            print_line(&format!("models {} and {} are equal, byte for byte", one.version, other.version), width, out)?;
        }
        let rows: Vec<[String; 4]> = self
            .differences
            .iter()
            .map(|row| {
                let change = row.change.map(|change| format!("{change:+.4}")).unwrap_or_default();
                [row.what.clone(), row.one.clone(), row.other.clone(), change]
            })
            .collect();
        let (one, other) = (format!("model {}", one.version), format!("model {}", other.version));
        Ok(print(["", one.as_str(), other.as_str(), "change"], &rows, width, out)?)
    }
}
