//! Words of a cluster in the form in which they are told on: one line, of bounded length, with what lies beneath an error.

use std::error::Error;

use crate::target::causes::told;

/// The longest message that is told on, in characters.
const LONGEST: usize = 400;

/// `text` in one line and not without end.
pub fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let mut cut: String = line.chars().take(LONGEST).collect();
    cut.push('…');
    cut
}

/// An error with what caused it.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let text = told(error);
    let text = ["ServiceError: ", "HyperError: "]
        .iter()
        .fold(text.as_str(), |rest, layer| rest.strip_prefix(*layer).unwrap_or(rest));
    one_line(text)
}

/// A page of HTML, as proxies answer, without its tags.
pub fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in page.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            _ if !is_tag => text.push(letter),
            _ => {}
        }
    }
    one_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("ServiceError: client error (Connect)")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn an_error_is_told_with_its_cause_in_one_line() {
        let error = Outer(std::io::Error::other("Connection\nrefused"));
        assert_eq!(causes(&error), "client error (Connect): Connection refused");
    }

    #[test]
    fn a_page_is_told_without_its_tags() {
        let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n</html>";
        assert_eq!(without_tags(page), "502 Bad Gateway");
    }

    #[test]
    fn a_message_has_an_end() {
        assert_eq!(one_line(&"x ".repeat(4_000)).chars().count(), LONGEST + 1);
    }
}
