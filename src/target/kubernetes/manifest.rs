//! The user's manifests as they are read: files in the order of their names, several documents a file.
//!
//! Numbers with a leading zero are octal and `yes` is true, as for `kubectl`, so that a manifest means the same here. What a
//! server writes into an object by itself is left out, for many manifests were once printed by `kubectl get -o yaml`.
//!
//! Known gaps: folders below the folder are not read; Kustomize and Helm are not run, so let them write their output there.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Endings of the files that are read.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// What a server writes by itself; applied back it would be a condition that soon does not hold.
const OF_SERVER: [&str; 6] = ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];

/// Why manifests cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// They cannot be read.
    #[error(
        "the manifests at {path} cannot be read: {reason}; `manifests` of the deploy stage is relative to the source"
    )]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is nothing.
    #[error("there is no manifest in {path}; put *.yaml, *.yml or *.json files there, or leave `manifests` out")]
    Empty {
        /// The folder or file.
        path: PathBuf,
    },
    /// It is no YAML or JSON.
    #[error("{file}, document {number}: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// Which of its documents.
        number: usize,
        /// What is wrong, with the line.
        reason: String,
    },
    /// It is no object of Kubernetes.
    #[error("{place}: is no object of Kubernetes, for it has no `{lacks}`")]
    NoObject {
        /// Which document.
        place: String,
        /// What it lacks.
        lacks: &'static str,
    },
    /// It is for another namespace.
    #[error(
        "{place}: {object} is for namespace {wanted}, but the target's namespace is {target}; take `namespace` out of it, or change `namespace` of the deploy stage"
    )]
    OtherNamespace {
        /// Which document.
        place: String,
        /// Kind and name.
        object: String,
        /// The namespace that it asks for.
        wanted: String,
        /// The namespace of the target.
        target: String,
    },
    /// It is not clear where the image goes.
    #[error("{0}")]
    Image(String),
    /// The pods of the app cannot be told from others.
    #[error("{place}: the Deployment has no usable `spec.selector`: {reason}")]
    Selector {
        /// Which document.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// Where a manifest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the source.
    pub file: String,
    /// Which of its documents, counted from 1.
    pub number: usize,
    /// The line in which the document begins.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, document {} (line {})", self.file, self.number, self.line)
    }
}

/// A manifest.
#[derive(Clone, PartialEq)]
pub struct Document {
    /// The object.
    pub body: Value,
    /// Where it stands.
    pub place: Place,
}

// A body may be a Secret.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Document {
    /// A text at the top of the object, such as `kind`.
    pub fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The name of the object.
    pub fn name(&self) -> &str {
        self.body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Puts the object into a namespace, unless it asks for another.
    pub fn put_into(&mut self, namespace: &str) -> Result<(), ManifestError> {
        let wanted = self.body.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(namespace);
        if wanted != namespace {
            return Err(ManifestError::OtherNamespace {
                place: self.place.to_string(),
                object: format!("{} {}", self.text("kind"), self.name()),
                wanted: wanted.to_owned(),
                target: namespace.to_owned(),
            });
        }
        if let Some(metadata) = self.body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), Value::from(namespace));
        }
        Ok(())
    }
}

/// Reads the manifests at `manifests`, a folder or a file below `source`.
pub fn read(source: &Path, manifests: &Path) -> Result<Vec<Document>, ManifestError> {
    let path = source.join(manifests);
    let unreadable =
        |path: &Path, error: &io::Error| ManifestError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let mut documents = Vec::new();
    for file in files(&path).map_err(|error| unreadable(&path, &error))? {
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        let shown = file.strip_prefix(source).unwrap_or(&file).display().to_string();
        documents.extend(parse(&text, &shown)?);
    }
    if documents.is_empty() { Err(ManifestError::Empty { path }) } else { Ok(documents) }
}

fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let is_manifest = file.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        if is_manifest && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Takes a file apart; `file` is how it is shown.
fn parse(text: &str, file: &str) -> Result<Vec<Document>, ManifestError> {
    let is_json = Path::new(file).extension().is_some_and(|ending| ending == "json");
    let bodies = if is_json { json(text, file)? } else { yaml(text, file)? };
    let mut documents = Vec::new();
    for (index, (line, body)) in bodies.into_iter().enumerate() {
        let place = Place { file: file.to_owned(), number: index + 1, line };
        for body in members(body) {
            documents.push(checked(body, place.clone())?);
        }
    }
    Ok(documents)
}

fn json(text: &str, file: &str) -> Result<Vec<(usize, Value)>, ManifestError> {
    let mut bodies = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        let before = text.get(..stream.byte_offset()).unwrap_or_default();
        // What stands behind the last object may be on the lines below it.
        let behind = text.get(stream.byte_offset()..).unwrap_or_default();
        let blank = behind.len() - behind.trim_start().len();
        let line = before.matches('\n').count() + behind.get(..blank).unwrap_or_default().matches('\n').count() + 1;
        match stream.next() {
            None => return Ok(bodies),
            Some(Ok(body)) => bodies.push((line, body)),
            Some(Err(error)) => return Err(syntax(file, bodies.len() + 1, &error.to_string())),
        }
    }
}

fn yaml(text: &str, file: &str) -> Result<Vec<(usize, Value)>, ManifestError> {
    let mut bodies = Vec::new();
    for (line, document) in split(text) {
        // Lines are put in front for those that were taken off, so that places in messages are those of the file.
        let padded = "\n".repeat(line - 1) + document;
        // A snippet around the fault could show a Secret.
        let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
        match serde_saphyr::from_str_with_options::<Value>(&padded, options) {
            Ok(Value::Null) => {}
            Ok(body) => bodies.push((line, body)),
            Err(error) => return Err(syntax(file, bodies.len() + 1, &error.without_snippet().to_string())),
        }
    }
    Ok(bodies)
}

fn syntax(file: &str, number: usize, reason: &str) -> ManifestError {
    ManifestError::Syntax { file: file.to_owned(), number, reason: super::text::one_line(reason) }
}

/// The documents of a file that hold anything, each with the line in which it begins. A line that begins with `---` cannot
/// be part of a value.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut documents = Vec::new();
    let (mut from, mut from_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let is_mark = line.strip_prefix("---").is_some_and(|rest| rest.trim_start() != rest || rest.is_empty());
        if is_mark {
            documents.push((from_line, text.get(from..at).unwrap_or_default()));
            (from, from_line) = (at, index + 1);
        }
        at += line.len();
    }
    documents.push((from_line, text.get(from..).unwrap_or_default()));
    documents.retain(|(_, document)| !document.lines().all(holds_nothing));
    documents
}

fn holds_nothing(line: &str) -> bool {
    let line = line.strip_prefix("---").unwrap_or(line).trim();
    line.is_empty() || line == "..." || line.starts_with('#') || line.starts_with('%')
}

/// The members of a list as `kubectl get` prints it, or the object itself.
fn members(body: Value) -> Vec<Value> {
    let is_list = body.get("kind").is_some_and(|kind| kind == "List");
    match body {
        Value::Object(mut list) if is_list => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        body => vec![body],
    }
}

fn checked(mut body: Value, place: Place) -> Result<Document, ManifestError> {
    let lacks = |lacks: &'static str| ManifestError::NoObject { place: place.to_string(), lacks };
    let is_text = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !is_text(body.get("apiVersion")) {
        return Err(lacks("apiVersion"));
    }
    if !is_text(body.get("kind")) {
        return Err(lacks("kind"));
    }
    if !is_text(body.pointer("/metadata/name")) {
        return Err(lacks("metadata.name"));
    }
    forget(&mut body);
    Ok(Document { body, place })
}

/// Leaves out what a server writes by itself.
pub fn forget(body: &mut Value) {
    if let Some(body) = body.as_object_mut() {
        body.remove("status");
    }
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        forget_each(metadata);
    }
}

fn forget_each(metadata: &mut Map<String, Value>) {
    for name in OF_SERVER {
        metadata.remove(name);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("deployment.kubernetes.io/revision");
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
