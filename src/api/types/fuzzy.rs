//! How well some letters fit a name: the same for the palette of the screen and for the lists that the daemon searches.

/// How badly `input` fits as a subsequence of `name`: letters skipped before and between; `None` if it does not fit.
pub fn distance(name: &str, input: &str) -> Option<usize> {
    let mut rest = name.char_indices();
    let mut skipped = 0;
    for wanted in input.chars().filter(|character| !character.is_whitespace()) {
        loop {
            let (_, found) = rest.next()?;
            if found.eq_ignore_ascii_case(&wanted) {
                break;
            }
            skipped += 1;
        }
    }
    // Of two that fit equally well the shorter is meant.
    Some(skipped * 100 + name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_their_order_fit_and_the_shorter_name_is_meant() {
        assert!(distance("http_requests_total", "hrt").is_some());
        assert_eq!(distance("http_requests_total", "thx"), None);
        assert!(distance("run", "ru") < distance("runs", "ru"));
        assert_eq!(distance("", "a"), None);
        assert_eq!(distance("a", " "), Some(1));
    }
}
