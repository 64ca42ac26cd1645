//! Addresses and headers that are secrets: read anew for each try, so that one that was renewed counts at once.

use std::env;
use std::path::Path;

use crate::config::{SecretSource, SecretText};

/// The most bytes of one.
const LARGEST: usize = 16 * 1024;

/// The text itself; files are relative to the project `folder`. An error is a sentence with the mend, without the text.
pub(super) async fn read(what: &str, text: &SecretText, folder: &Path) -> Result<String, String> {
    let source = match text {
        SecretText::Written(text) => return Ok(text.clone()),
        SecretText::From(source) => source,
    };
    match source {
        SecretSource::Environment(variable) => {
            let found = env::var(variable).ok().filter(|value| !value.trim().is_empty());
            found.map(|value| value.trim().to_owned()).ok_or_else(|| {
                format!(
                    "{what} is to come from the variable {variable}, which is not set here; set it where the daemon is \
                     started, and start it again"
                )
            })
        }
        SecretSource::File(path) => {
            let path = folder.join(path);
            let bytes = tokio::fs::read(&path)
                .await
                .map_err(|error| format!("{what} is to come from {}, which cannot be read: {error}", path.display()))?;
            let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= LARGEST);
            // An editor puts a line end behind the last line, which is no part of it.
            let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            text.ok_or_else(|| {
                format!("{what} is to come from {}, which holds no text of at most 16 KiB", path.display())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_cannot_be_had_is_told_with_where_it_should_come_from() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hook"), " https://hooks.test/x\n").unwrap();
        let from = |source| SecretText::From(source);
        let there = read("the address", &from(SecretSource::File("hook".into())), folder.path()).await;
        assert_eq!(there.as_deref(), Ok("https://hooks.test/x"));
        let gone = read("the address", &from(SecretSource::File("gone".into())), folder.path()).await.unwrap_err();
        assert!(gone.starts_with("the address is to come from ") && gone.contains("gone"), "{gone}");
        let unset = SecretSource::Environment("TRAINYARD_TEST_NOT_SET".to_owned());
        let unset = read("the address", &from(unset), folder.path()).await.unwrap_err();
        assert!(unset.contains("TRAINYARD_TEST_NOT_SET"), "{unset}");
    }
}
