//! What a gate says of a model, and the ledger that says why. `model` makes it, it lies as `gate.json` beside the model, and
//! clients read it as it lies there.

use serde::{Deserialize, Serialize};

/// What the gate says; the worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateVerdict {
    /// It is shown that the model may go on.
    Pass,
    /// It cannot be told.
    NoEvidence,
    /// It is shown that it may not.
    Fail,
}

impl GateVerdict {
    /// The word for it, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NoEvidence => "no evidence",
            Self::Fail => "fail",
        }
    }
}

/// All that the gate looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateLedger {
    /// What follows from all checks.
    pub verdict: GateVerdict,
    /// The metric.
    pub metric: String,
    /// The version of the champion, if there was one.
    pub champion: Option<u64>,
    /// The checks.
    pub checks: Vec<GateCheck>,
    /// What can be done about it; empty when it passed.
    pub next: String,
}

impl GateLedger {
    /// What decided, in one sentence.
    pub fn sentence(&self) -> String {
        let deciding = self.checks.iter().filter(|check| check.verdict == self.verdict);
        deciding.map(|check| check.sentence.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// The ledger as a small table, a line each.
    pub fn lines(&self) -> Vec<String> {
        let heading = format!("gate: {}", self.verdict.word());
        std::iter::once(heading).chain(self.checks.iter().map(GateCheck::line)).collect()
    }
}

/// One thing that the gate looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateCheck {
    /// `minimum` or `champion`.
    pub name: String,
    /// What it says.
    pub verdict: GateVerdict,
    /// Why, in one sentence.
    pub sentence: String,
    /// The metric of the new model.
    pub challenger: Option<f64>,
    /// The metric of the champion, on the same rows.
    pub champion: Option<f64>,
    /// What must be reached, or the tolerance.
    pub limit: Option<f64>,
    /// By how much the challenger is better; below zero it is worse, whichever way the metric points.
    pub difference: Option<f64>,
    /// The 95 % interval of the difference.
    pub interval: Option<(f64, f64)>,
    /// The probability of so uneven a split of the rows that one of both predicts rightly, were both equally good
    /// (McNemar's exact test); for accuracy only.
    pub p_value: Option<f64>,
    /// The rows that were judged by.
    pub rows: Option<u64>,
}

impl GateCheck {
    /// A check of which no number is known yet.
    pub fn new(name: &str, verdict: GateVerdict, sentence: String) -> Self {
        Self {
            name: name.to_owned(),
            verdict,
            sentence,
            challenger: None,
            champion: None,
            limit: None,
            difference: None,
            interval: None,
            p_value: None,
            rows: None,
        }
    }

    /// Its line in the table of the ledger.
    pub fn line(&self) -> String {
        format!("  {:<9} {:<11}  {}", self.name, self.verdict.word(), self.sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_written_as_every_version_wrote_it() {
        let check = GateCheck {
            challenger: Some(0.75),
            interval: Some((-0.5, 0.25)),
            rows: Some(40),
            ..GateCheck::new("champion", GateVerdict::NoEvidence, "too few".to_owned())
        };
        let ledger = GateLedger {
            verdict: GateVerdict::NoEvidence,
            metric: "accuracy".to_owned(),
            champion: Some(2),
            checks: vec![check],
            next: "promote".to_owned(),
        };
        let written = r#"{"verdict":"no-evidence","metric":"accuracy","champion":2,"checks":[{"name":"champion","verdict":"no-evidence","sentence":"too few","challenger":0.75,"champion":null,"limit":null,"difference":null,"interval":[-0.5,0.25],"p_value":null,"rows":40}],"next":"promote"}"#;
        assert_eq!(serde_json::to_string(&ledger).unwrap(), written);
        assert_eq!(serde_json::from_str::<GateLedger>(written).unwrap(), ledger);
        assert!(GateVerdict::Pass < GateVerdict::NoEvidence && GateVerdict::NoEvidence < GateVerdict::Fail);
    }
}
