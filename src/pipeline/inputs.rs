//! What a run works on: the registered data, the source, and for each stage the part of the source it depends on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::graph::{Graph, StageSpec};
use super::ids::{Digest, StageName};

/// A registered data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Relative to the data folder.
    pub path: String,
    /// Of its content.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows below the header, where the format has rows.
    pub rows: u64,
}

/// All registered data files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSet {
    /// Of all names and contents together.
    pub digest: Digest,
    /// How many files.
    pub count: u64,
    /// Rows of all files together.
    pub rows: u64,
    /// The files in the order of their names; dropped from a run once it is finished.
    pub files: Vec<DataFile>,
}

/// The source at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Of all files that count.
    pub digest: Digest,
    /// The commit that HEAD points to.
    pub commit: Option<String>,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Whether the work tree differs from that commit.
    pub dirty: bool,
}

impl SourceState {
    /// The commit as a person reads it: seven characters and `+` for changes on top of it.
    pub fn label(&self) -> String {
        match &self.commit {
            Some(commit) => {
                let short = commit.get(..7).unwrap_or(commit);
                format!("{short}{}", if self.dirty { "+" } else { "" })
            }
            None => "no commit".to_owned(),
        }
    }
}

/// Everything a run works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The registered data.
    pub data: DataSet,
    /// The source.
    pub source: SourceState,
    /// Of that part of the source on which each stage depends.
    pub stage_sources: BTreeMap<StageName, Digest>,
}

impl Inputs {
    /// Whether some stage of `graph` would see a difference between these inputs and `other`.
    pub fn matter_differently(&self, other: &Self, graph: &Graph) -> bool {
        graph.stages().iter().any(|stage| {
            (stage.uses_data && self.data.digest != other.data.digest)
                || (stage.uses_source && self.stage_sources.get(&stage.name) != other.stage_sources.get(&stage.name))
        })
    }
}

/// All that decides whether a stage's earlier result still holds, kept in parts so that a difference can be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of the stage's settings.
    pub definition: Digest,
    /// Of the data, where the stage uses it.
    pub data: Option<Digest>,
    /// Of its part of the source, where the stage uses it.
    pub source: Option<Digest>,
    /// What each needed stage gave.
    pub needs: BTreeMap<StageName, Digest>,
}

impl Fingerprint {
    /// The fingerprint of `stage` on `inputs`, when the needed stages gave `needs`.
    pub fn of(stage: &StageSpec, inputs: &Inputs, needs: BTreeMap<StageName, Digest>) -> Self {
        Self {
            definition: stage.definition.clone(),
            data: stage.uses_data.then(|| inputs.data.digest.clone()),
            source: stage.uses_source.then(|| inputs.stage_sources.get(&stage.name)).flatten().cloned(),
            needs,
        }
    }

    /// One digest of all its parts, each with its length before it, so that no two fingerprints can read the same.
    pub fn digest(&self) -> Digest {
        use sha2::Digest as _;
        let mut hasher = sha2::Sha256::new();
        let mut part = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(&self.definition.0);
        part(self.data.as_ref().map_or("", |digest| &digest.0));
        part(self.source.as_ref().map_or("", |digest| &digest.0));
        for (need, digest) in &self.needs {
            part(need.as_str());
            part(&digest.0);
        }
        Digest(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
