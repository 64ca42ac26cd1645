//! Lines of JSON as people read them: time, level, message, and then the rest.

use serde_json::{Map, Value};

use crate::api::types::LogLevel;

const TIMES: [&str; 6] = ["timestamp", "ts", "time", "@timestamp", "asctime", "t"];
const LEVELS: [&str; 5] = ["level", "levelname", "severity", "lvl", "log.level"];
const MESSAGES: [&str; 4] = ["message", "msg", "event", "@message"];

/// Beyond the year 5000 in seconds, and before 1973 in milliseconds.
const MILLISECONDS: f64 = 1e11;

/// What a part of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Part {
    /// When.
    Time,
    /// How bad it is.
    Level(Option<LogLevel>),
    /// What happened.
    Message,
    /// All else.
    Rest,
}

/// The parts of a line that is a JSON object; `None` if it is none. Numbers that count from the epoch are given to `clock`
/// in milliseconds.
pub(in crate::tui) fn readable(line: &str, clock: &dyn Fn(i64) -> String) -> Option<Vec<(String, Part)>> {
    let line = line.trim();
    if !line.starts_with('{') || !line.ends_with('}') {
        return None;
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else { return None };
    if fields.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if let Some(time) = take(&mut fields, &TIMES, |value| value.is_string() || value.is_number()) {
        parts.push((time_text(&time, clock), Part::Time));
    }
    if let Some(level) = take(&mut fields, &LEVELS, |value| value.is_string() || value.is_u64()) {
        let word = plain(&level);
        let known = LogLevel::from_word(word.as_bytes());
        let shown = known.map_or(word, |level| level.word().to_owned());
        parts.push((format!("{:<5}", shown.to_uppercase()), Part::Level(known)));
    }
    if let Some(message) = take(&mut fields, &MESSAGES, Value::is_string) {
        parts.push((plain(&message), Part::Message));
    }
    parts.extend(fields.iter().map(|(name, value)| (format!("{name}={}", plain(value)), Part::Rest)));
    Some(parts)
}

/// Takes out the first field of one of these names that can be what it is called.
fn take(fields: &mut Map<String, Value>, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<Value> {
    let name = names.iter().find(|name| fields.get(**name).is_some_and(&fits))?;
    fields.remove(*name)
}

/// Text without its quotes where nothing hangs on them, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since the epoch are told apart by their size.
fn time_text(value: &Value, clock: &dyn Fn(i64) -> String) -> String {
    let Some(number) = value.as_f64() else { return plain(value) };
    let milliseconds = if number < MILLISECONDS {
        number * 1e3
    } else if number < MILLISECONDS * 1e3 {
        number
    } else if number < MILLISECONDS * 1e6 {
        number / 1e3
    } else {
        number / 1e6
    };
    if !(MILLISECONDS..1e15).contains(&milliseconds) {
        return plain(value);
    }
    // Within fifteen digits, so nothing is lost but a part of a millisecond.
    format!("{milliseconds:.0}").parse().map_or_else(|_| plain(value), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let parts = readable(line, &|milliseconds| format!("<{milliseconds}>")).unwrap();
        let texts: Vec<_> = parts.into_iter().map(|(text, _)| text).collect();
        texts.join(" ")
    }

    #[test]
    fn a_line_of_structlog_is_readable() {
        let line = r#"{"event": "epoch done", "loss": 0.31, "level": "info", "timestamp": "2026-11-24T14:03:11Z"}"#;
        assert_eq!(told(line), "2026-11-24T14:03:11Z INFO  epoch done loss=0.31");
    }

    #[test]
    fn a_line_of_zap_is_readable() {
        let line = r#"{"level":"warn","ts":1795867200.125,"caller":"app/main.go:12","msg":"slow","took":{"ms":40}}"#;
        assert_eq!(told(line), r#"<1795867200125> WARN  slow caller=app/main.go:12 took={"ms":40}"#);
        let parts = readable(line, &|_| String::new()).unwrap();
        assert_eq!(parts[1].1, Part::Level(Some(LogLevel::Warn)));
    }

    #[test]
    fn the_levels_and_times_of_pino_are_numbers() {
        assert_eq!(told(r#"{"level":50,"time":1795867200125,"msg":"x"}"#), "<1795867200125> ERROR x");
    }

    #[test]
    fn what_is_no_object_or_not_whole_stays_as_it_is() {
        for line in ["", "{", "{}", "[1]", "{\"a\": 1", "{a}", "plain {text}"] {
            assert_eq!(readable(line, &|_| String::new()), None, "{line}");
        }
    }

    #[test]
    fn an_object_without_a_message_tells_its_fields() {
        assert_eq!(told(r#"{"step": 3, "time": 12}"#), "12 step=3");
    }
}
