//! Redaction of files that a stage wrote itself: rewritten whole, and only those that hold a secret.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::{RedactedStream, Redactor};

/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// Takes all secrets out of a file; whether there were any. A file that is not there holds none, and what a link leads to is
/// not ours to change.
pub fn redact_file(path: &Path, redactor: &Arc<Redactor>) -> io::Result<bool> {
    if redactor.is_empty() || !is_file(path)? || stream(path, redactor, &mut |_: &[u8]| Ok(()))? == 0 {
        return Ok(false);
    }
    let beside = beside(path);
    let mut file = File::create(&beside)?;
    let written = stream(path, redactor, &mut |bytes: &[u8]| file.write_all(bytes));
    let written = written.and_then(|_| file.sync_all());
    replace(path, &beside, written)?;
    Ok(true)
}

/// The same of a file of JSON lines, which stay JSON: within strings, in whatever way they are escaped.
pub fn redact_lines(path: &Path, redactor: &Redactor) -> io::Result<bool> {
    if redactor.is_empty() || !is_file(path)? {
        return Ok(false);
    }
    let bytes = fs::read(path)?;
    let mut clean = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        // Without a backslash, what a string says is what stands there.
        if !redactor.finds(line) && !line.contains(&b'\\') {
            clean.extend_from_slice(line);
            continue;
        }
        match serde_json::from_slice::<Value>(line) {
            Ok(mut value) => {
                if redact_value(&mut value, redactor) {
                    clean.extend_from_slice(&serde_json::to_vec(&value)?);
                    clean.push(b'\n');
                } else {
                    clean.extend_from_slice(line);
                }
            }
            Err(_) => clean.extend_from_slice(redactor.redact(&String::from_utf8_lossy(line)).as_bytes()),
        }
    }
    if clean == bytes {
        return Ok(false);
    }
    let beside = beside(path);
    let mut file = File::create(&beside)?;
    let written = file.write_all(&clean).and_then(|()| file.sync_all());
    replace(path, &beside, written)?;
    Ok(true)
}

/// Takes secrets out of all strings and names; whether there were any.
fn redact_value(value: &mut Value, redactor: &Redactor) -> bool {
    match value {
        Value::String(text) => {
            let is_found = redactor.finds(text.as_bytes());
            redactor.redact_in(text);
            is_found
        }
        Value::Array(items) => {
            let mut is_found = false;
            for item in items {
                is_found |= redact_value(item, redactor);
            }
            is_found
        }
        Value::Object(fields) => {
            let mut is_found = false;
            for (name, mut field) in std::mem::take(fields) {
                is_found |= redact_value(&mut field, redactor) || redactor.finds(name.as_bytes());
                fields.insert(redactor.redact(&name).into_owned(), field);
            }
            is_found
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_file(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Passes a file through a stream; how many secrets were in it.
fn stream(path: &Path, redactor: &Arc<Redactor>, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut stream = RedactedStream::new(redactor.clone());
    let (mut buffer, mut written) = (vec![0; PIECE], Ok(()));
    let mut out = |bytes: &[u8]| {
        if written.is_ok() {
            written = write(bytes);
        }
    };
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => stream.push(&buffer[..length], &mut out),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stream.finish(&mut out);
    written.map(|()| stream.found())
}

/// A name that no reader of reports takes for one of them.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.redacted"))
}

fn replace(path: &Path, beside: &Path, written: io::Result<()>) -> io::Result<()> {
    let replaced = written.and_then(|()| fs::rename(beside, path));
    if replaced.is_err() {
        // The disk may be full: leave nothing that takes more of it.
        let _ = fs::remove_file(beside);
    }
    replaced
}
