//! The labels by which images, containers, pods and Jobs of ours are told from all others.
//!
//! Only what carries [`PROJECT`] and [`FOLDER`] of this very project is ever adopted, replaced or removed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::disk::digest_bytes;

/// The project's name, made fit for a label.
pub const PROJECT: &str = "com.trainyard.project";
/// A short digest of the project folder, for two folders may hold projects of one name.
pub const FOLDER: &str = "com.trainyard.folder";
/// The number of the release.
pub const RELEASE: &str = "com.trainyard.release";
/// The model version.
pub const MODEL: &str = "com.trainyard.model";
/// The number of the run.
pub const RUN: &str = "com.trainyard.run";
/// The name of the stage.
pub const STAGE: &str = "com.trainyard.stage";
/// The number of the attempt.
pub const ATTEMPT: &str = "com.trainyard.attempt";
/// `stable` or `canary`.
pub const TRACK: &str = "com.trainyard.track";
/// The digest of the registered data.
pub const DATA: &str = "com.trainyard.data";

/// The longest value of a label of Kubernetes, and the longest name of most of its objects.
pub const LONGEST: usize = 63;

/// A short digest of the project folder.
pub fn folder(project: &Path) -> String {
    digest_bytes(project.as_os_str().as_encoded_bytes()).short().to_owned()
}

/// `text` as the value of a label: letters, digits, `-`, `_` and `.`, at most [`LONGEST`], with a letter or digit at both
/// ends. Two texts that had to be cut stay apart by a digest at the end.
pub fn value(text: &str) -> String {
    fit(text, |letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'), LONGEST)
}

/// `text` as the name of an object (RFC 1123): small letters, digits and `-`, at most `longest`.
pub fn name(text: &str, longest: usize) -> String {
    let name = fit(
        &text.to_lowercase(),
        |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-',
        longest,
    );
    if name.is_empty() { "app".to_owned() } else { name }
}

/// The labels of all that belongs to a project.
pub fn of_project(project: &str, folder_digest: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(PROJECT.to_owned(), value(project)), (FOLDER.to_owned(), folder_digest.to_owned())])
}

fn fit(text: &str, valid: impl Fn(char) -> bool, longest: usize) -> String {
    let replaced: String = text.chars().map(|letter| if valid(letter) { letter } else { '-' }).collect();
    let is_end = |letter: char| !letter.is_ascii_alphanumeric();
    let trimmed = replaced.trim_matches(is_end);
    let is_faithful = trimmed == text || trimmed.len() == text.len();
    if trimmed.len() <= longest && (is_faithful || !trimmed.is_empty() && text.is_ascii()) {
        return trimmed.to_owned();
    }
    // What was lost is kept apart by a digest: `모델-a` and `모델-b` must not meet.
    let digest = digest_bytes(text.as_bytes());
    let mark = digest.0.get(..8).unwrap_or_default();
    let kept: String = trimmed.chars().take(longest.saturating_sub(mark.len() + 1)).collect();
    let kept = kept.trim_matches(is_end);
    if kept.is_empty() { format!("x{mark}") } else { format!("{kept}-{mark}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_or_foreign_is_made_fit_and_stays_apart_from_others() {
        let long = |end: &str| value(&format!("{}{end}", "wine".repeat(30)));
        assert!(long("a").len() <= LONGEST);
        assert_ne!(long("a"), long("b"));
        assert_eq!(value("wine-quality"), "wine-quality");
        assert_eq!(name("Wine Quality", 63), "wine-quality");
        assert_ne!(name("와인-가", 63), name("와인-나", 63));
        assert!(
            name("와인", 63)
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
        );
        assert!(!name("", 63).is_empty());
    }
}
