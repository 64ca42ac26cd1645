//! Passwords and tokens: read anew for each scrape, so that one that was renewed counts at once, and never shown.

use std::env;
use std::fmt;
use std::path::Path;

use reqwest::RequestBuilder;

use crate::config::{Authentication, SecretSource};

/// The most bytes of a password or a token.
const LARGEST: usize = 64 * 1024;

/// Who asks, with the proof of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// A user with a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// Whoever has the token.
    Bearer {
        /// The token.
        token: String,
    },
}

impl Credentials {
    /// Reads what the configuration says; files are relative to the project `folder`. An error is a sentence with the mend.
    pub async fn read(authentication: &Authentication, folder: &Path) -> Result<Self, String> {
        Ok(match authentication {
            Authentication::None => Self::None,
            Authentication::Basic { user, password } => {
                Self::Basic { user: user.clone(), password: secret("password", password, folder).await? }
            }
            Authentication::Bearer { token } => Self::Bearer { token: secret("token", token, folder).await? },
        })
    }

    pub(super) fn put_on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic { user, password } => request.basic_auth(user, Some(password)),
            Self::Bearer { token } => request.bearer_auth(token),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic { user, .. } => f.debug_struct("Basic").field("user", user).finish_non_exhaustive(),
            Self::Bearer { .. } => f.debug_struct("Bearer").finish_non_exhaustive(),
        }
    }
}

async fn secret(what: &str, source: &SecretSource, folder: &Path) -> Result<String, String> {
    match source {
        SecretSource::Environment(variable) => env::var(variable).map_err(|_| {
            format!(
                "the {what} is to come from the variable {variable}, which is not set where the daemon was started; set it \
                 there and start the daemon again"
            )
        }),
        SecretSource::File(path) => {
            let path = folder.join(path);
            let read = tokio::fs::read(&path).await;
            let bytes = read.map_err(|error| {
                format!("the {what} is to come from {}, which cannot be read: {error}", path.display())
            })?;
            let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= LARGEST);
            // An editor puts a line end behind the last line, which is no part of the secret.
            let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
            text.ok_or_else(|| format!("the {what} in {} is no text of at most 64 KiB", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_read_without_its_line_end_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "s3cret\n").unwrap();
        let source = Authentication::Bearer { token: SecretSource::File("token".into()) };
        let read = Credentials::read(&source, folder.path()).await.unwrap();
        assert_eq!(read, Credentials::Bearer { token: "s3cret".to_owned() });
        assert!(!format!("{read:?}").contains("s3cret"));
        let basic = Credentials::Basic { user: "me".to_owned(), password: "s3cret".to_owned() };
        assert_eq!(format!("{basic:?}"), "Basic { user: \"me\", .. }");
    }

    #[tokio::test]
    async fn one_that_cannot_be_had_is_told_with_where_it_should_come_from() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Authentication::Bearer { token: SecretSource::File("gone".into()) };
        let told = Credentials::read(&missing, folder.path()).await.unwrap_err();
        assert!(told.starts_with("the token is to come from ") && told.contains("gone"), "{told}");
        let unset = SecretSource::Environment("TRAINYARD_TEST_NOT_SET".to_owned());
        let unset = Authentication::Basic { user: "me".to_owned(), password: unset };
        let told = Credentials::read(&unset, folder.path()).await.unwrap_err();
        assert!(told.contains("TRAINYARD_TEST_NOT_SET"), "{told}");
    }
}
