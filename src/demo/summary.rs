//! What the headless demo has shown, as its last lines.

use std::fmt;

use super::progress::seconds;
use crate::pipeline::{Digest, ModelVersion, ReleaseId, RunId};

/// The proof that the whole chain works: each value comes from another part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The run that passed.
    pub run: RunId,
    /// How long it took, in milliseconds.
    pub took: u64,
    /// The model that serves.
    pub model: ModelVersion,
    /// Its accuracy on the held-out rows, between 0 and 1.
    pub accuracy: f64,
    /// How many rows were held out.
    pub held_out: u64,
    /// The digest of the image that serves.
    pub image: Digest,
    /// The release that serves.
    pub release: ReleaseId,
    /// Where it answers.
    pub address: String,
    /// Requests to `/predict` as the monitor scraped them.
    pub scraped: String,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "run        {} passed in {} s", self.run, seconds(self.took))?;
        let accuracy = self.accuracy;
        writeln!(f, "model      {}, accuracy {accuracy:.3} on {} held-out rows", self.model, self.held_out)?;
        writeln!(f, "image      sha256:{}", self.image)?;
        writeln!(f, "release    {} live", self.release)?;
        writeln!(f, "address    {}", self.address)?;
        writeln!(f, "scraped    predict_requests_total = {}", self.scraped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_name_every_part_of_the_chain() {
        let summary = Summary {
            run: RunId(1),
            took: 9_849,
            model: ModelVersion(1),
            accuracy: 0.649_6,
            held_out: 137,
            image: Digest("8c79".to_owned()),
            release: ReleaseId(1),
            address: "http://127.0.0.1:4321".to_owned(),
            scraped: "12".to_owned(),
        };
        let expected = "\
run        1 passed in 9.8 s
model      1, accuracy 0.650 on 137 held-out rows
image      sha256:8c79
release    1 live
address    http://127.0.0.1:4321
scraped    predict_requests_total = 12
";
        assert_eq!(summary.to_string(), expected);
    }
}
