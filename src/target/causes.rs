//! An error and what lies beneath it: clients say "client error", and only the last cause says what happened.

use std::error::Error;
use std::iter::successors;

/// The error and its causes, the outermost first.
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// All of them in one text. Many layers already tell what is beneath them; that is told once.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for said in chain(error).map(ToString::to_string) {
        if text.is_empty() {
            text = said;
        } else if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
    }
    text
}

/// The last of them alone.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        source: io::Error,
    }

    #[test]
    fn causes_are_told_each_once_and_the_last_is_the_innermost() {
        let error = |text| Outer { text, source: io::Error::other("connection refused") };
        assert_eq!(told(&error("client error")), "client error: connection refused");
        assert_eq!(told(&error("connect: connection refused")), "connect: connection refused");
        assert_eq!(innermost(&error("client error")), "connection refused");
    }
}
