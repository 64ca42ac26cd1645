//! Which variables are secrets by their names, and which values are none whatever the name.

use std::path::Path;

use crate::api::types::percent_decoded;

/// Words of which one makes the name of a variable that of a secret, alone or between `_`; also with an `S` behind.
const WORDS: [&str; 12] = [
    "PASSWORD",
    "PASSWD",
    "PGPASSWORD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "AUTH",
];
/// Ends of the names of variables that hold an address, in which a password may stand.
const ADDRESSES: [&str; 4] = ["_URL", "_URI", "_DSN", "_PROXY"];
/// What is said by many and secret to nobody.
const PLAIN: [&str; 16] = [
    "true", "false", "enabled", "disabled", "default", "always", "never", "auto", "none", "null", "optional",
    "required", "password", "secret", "token", "bearer",
];
/// Letters below which a value that only its name makes a secret is none.
const SHORTEST: usize = 6;
/// Digits below which a number is a port, a size or a time.
const DIGITS: usize = 10;
/// Bytes of a password in an address below which it is none.
const PASSWORD: usize = super::LEAST;

/// The secret in a variable, if its name says that there is one.
pub(super) fn secret_in<'a>(name: &str, value: &'a str) -> Option<&'a str> {
    let name = format!("_{}_", name.to_ascii_uppercase().replace(['-', '.'], "_"));
    let value = value.trim();
    if ADDRESSES.iter().any(|end| name.strip_suffix('_').is_some_and(|name| name.ends_with(end))) {
        return password_in(value).filter(|password| password.len() >= PASSWORD);
    }
    let is_secret = |word: &&str| name.contains(&format!("_{word}_")) || name.contains(&format!("_{word}S_"));
    (WORDS.iter().any(is_secret) && !is_plain(value)).then_some(value)
}

/// Whether a value is no secret, for it would be found everywhere or is known to everybody.
fn is_plain(value: &str) -> bool {
    let mut letters = value.chars();
    let first = letters.next();
    let is_number = value.chars().all(|letter| letter.is_ascii_digit() || letter == '.' || letter == '-');
    value.chars().count() < SHORTEST
        || letters.all(|letter| Some(letter) == first)
        || (is_number && value.chars().filter(char::is_ascii_digit).count() < DIGITS)
        || PLAIN.iter().any(|word| word.eq_ignore_ascii_case(value))
        || (value.contains('/') && Path::new(value).exists())
}

/// The password in an address: `scheme://user:PASSWORD@host`, `user:PASSWORD@tcp(host)/name` or `host=… password=PASSWORD`.
fn password_in(address: &str) -> Option<&str> {
    let authority = match address.split_once("://") {
        // A password may hold `/` in spite of the rules, so the last `@` counts.
        Some((_, rest)) => rest,
        None => address,
    };
    if let Some((user, _)) = authority.rsplit_once('@') {
        let (_, password) = user.split_once(':')?;
        // `host:8080/path@here` has a port there.
        let is_port = |(port, _): (&str, &str)| port.chars().all(|digit| digit.is_ascii_digit());
        return (!password.split_once('/').is_some_and(is_port)).then_some(password);
    }
    let (_, password) = authority.split_once("password=")?;
    password.split([' ', ';', '&']).next().map(|password| password.trim_matches(['\'', '"']))
}

/// The text behind `%40` and the like, as programs take it out of an address; `None` if it is the same.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes = percent_decoded(text.as_bytes());
    (bytes != text.as_bytes()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decoded, secret_in};

    #[test]
    fn names_give_secrets_away_at_the_borders_of_words_only() {
        for name in ["API_TOKEN", "token", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "X_CREDENTIALS_2"]
        {
            assert_eq!(secret_in(name, "s3cret-value"), Some("s3cret-value"), "{name}");
        }
        for name in ["AUTHOR", "TOKENIZER", "SECRETARY", "MONKEY", "PATH"] {
            assert_eq!(secret_in(name, "s3cret-value"), None, "{name}");
        }
    }

    #[test]
    fn what_everybody_says_is_no_secret() {
        for value in ["", "short", "aaaaaaaaaa", "true", "Enabled", "123456789", "/usr/bin", "password"] {
            assert_eq!(secret_in("API_TOKEN", value), None, "{value}");
        }
        assert_eq!(secret_in("API_TOKEN", "1234567890"), Some("1234567890"));
        assert_eq!(secret_in("API_TOKEN", "/usr/bin/not-there-at-all"), Some("/usr/bin/not-there-at-all"));
    }

    #[test]
    fn of_an_address_the_password_alone_is_one() {
        assert_eq!(secret_in("DATABASE_URL", "postgres://me:hun/ter@2@db:5432/wine?x=1"), Some("hun/ter@2"));
        assert_eq!(secret_in("MYSQL_DSN", "me:hunter2@tcp(db)/wine"), Some("hunter2"));
        assert_eq!(secret_in("PG_DSN", "host=db user=me password='hunter2' sslmode=off"), Some("hunter2"));
        assert_eq!(secret_in("AUTH_URL", "https://login.example.org/"), None);
        assert_eq!(secret_in("https_proxy", "http://proxy:3128"), None);
        assert_eq!(secret_in("MODEL_URL", "https://models:8080/wine@latest"), None);
        assert_eq!(decoded("p%40ss%2Fword%").as_deref(), Some(b"p@ss/word%".as_slice()));
        assert_eq!(decoded("plain"), None);
    }
}
