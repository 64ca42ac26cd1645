//! The sentence that says what an alert means: plain text with `{{ $value }}` and `{{ $labels.NAME }}` in it, as Prometheus
//! writes them. Nothing else of its template language is known here, and none of it is guessed.

/// A part of such a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SummaryPart {
    /// Text, as it is.
    Text(String),
    /// The value of the expression.
    Value,
    /// The value of a label.
    Label(String),
}

/// Takes a sentence apart; `Err` is the first placeholder that means nothing.
pub fn summary_parts(text: &str) -> Result<Vec<SummaryPart>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((inside, after)) = behind.split_once("}}") else { return Err(format!("{{{{{behind}")) };
        if !before.is_empty() {
            parts.push(SummaryPart::Text(before.to_owned()));
        }
        parts.push(placeholder(inside.trim()).ok_or_else(|| format!("{{{{{inside}}}}}"))?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(SummaryPart::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn placeholder(text: &str) -> Option<SummaryPart> {
    if text == "$value" {
        return Some(SummaryPart::Value);
    }
    let label = text.strip_prefix("$labels.")?;
    let is_name = !label.is_empty() && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| SummaryPart::Label(label.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_text_with_the_value_and_labels_in_it() {
        let parts = summary_parts("{{ $value }} on {{$labels.path}}!").unwrap();
        let text = |text: &str| SummaryPart::Text(text.to_owned());
        assert_eq!(parts, [SummaryPart::Value, text(" on "), SummaryPart::Label("path".to_owned()), text("!")]);
        assert_eq!(summary_parts("a } b { c").unwrap(), [text("a } b { c")]);
        assert!(summary_parts("").unwrap().is_empty());
    }

    #[test]
    fn what_means_nothing_is_named() {
        assert_eq!(summary_parts("a {{ $vlaue }} b").unwrap_err(), "{{ $vlaue }}");
        assert_eq!(summary_parts("{{ $value | humanize }}").unwrap_err(), "{{ $value | humanize }}");
        assert_eq!(summary_parts("{{ $labels. }}").unwrap_err(), "{{ $labels. }}");
        assert_eq!(summary_parts("a {{ $value").unwrap_err(), "{{ $value");
    }
}
