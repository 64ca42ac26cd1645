//! How bad a line of a log says it is: plain, bracketed, as logfmt, as JSON, and as the usual tools write it.

use serde::{Deserialize, Serialize};

/// No level stands further behind.
const LOOKED_AT: usize = 4 * 1024;
/// Among so many words at the beginning a level may stand; behind a time and a name it often does.
const WORDS: usize = 12;
/// The names under which JSON and logfmt tell a level.
const KEYS: [&[u8]; 5] = [b"level", b"lvl", b"severity", b"levelname", b"log.level"];

/// How bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What may go wrong.
    Warn,
    /// What went wrong.
    Error,
}

impl LogLevel {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// A name as any of the usual libraries writes it, or the number of pino and bunyan.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
        if is(&["error", "err", "fatal", "critical", "crit", "panic", "dpanic", "alert", "emergency", "50", "60"]) {
            Some(Self::Error)
        } else if is(&["warn", "warning", "wrn", "40"]) {
            Some(Self::Warn)
        } else if is(&["info", "inf", "information", "notice", "success", "30"]) {
            Some(Self::Info)
        } else if is(&["debug", "dbg", "20"]) {
            Some(Self::Debug)
        } else if is(&["trace", "trc", "verbose", "10"]) {
            Some(Self::Trace)
        } else {
            None
        }
    }

    /// The level that a line tells, if it tells one; the line without escape sequences.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        let line = line.get(..LOOKED_AT).unwrap_or(line).trim_ascii_start();
        match line.first()? {
            b'{' => keyed(line),
            _ => head(line).or_else(|| keyed(line)).or_else(|| worded(line)),
        }
    }
}

/// As the first word tells it: `error[E0425]: …`, `W1124 14:03:11 …`, `Traceback (…`, `ValueError: …`, `E   assert …`.
fn head(line: &[u8]) -> Option<LogLevel> {
    let end = line.iter().position(|byte| !is_word(*byte) && *byte != b'.').unwrap_or(line.len());
    let (word, behind) = line.split_at_checked(end)?;
    let is_followed = matches!(behind.first(), Some(b':' | b'['));
    if is_followed && (word.ends_with(b"Error") || word.ends_with(b"Exception")) {
        return Some(LogLevel::Error);
    }
    if word == b"Traceback" || word == b"FAILED" || (word == b"E" && behind.starts_with(b"   ")) {
        return Some(LogLevel::Error);
    }
    if let [letter, digits @ ..] = word
        && digits.len() == 4
        && digits.iter().all(u8::is_ascii_digit)
    {
        return match letter {
            b'I' => Some(LogLevel::Info),
            b'W' => Some(LogLevel::Warn),
            b'E' | b'F' => Some(LogLevel::Error),
            _ => None,
        };
    }
    let is_number = word.iter().all(u8::is_ascii_digit);
    if is_followed && !is_number { LogLevel::from_word(word) } else { None }
}

/// As a key tells it: `level=warn`, `"severity": "ERROR"`, `"level":30`.
fn keyed(line: &[u8]) -> Option<LogLevel> {
    KEYS.iter().find_map(|key| {
        memchr::memmem::find_iter(line, key).find_map(|at| {
            let before = at.checked_sub(1).and_then(|index| line.get(index));
            let is_quoted = before == Some(&b'"');
            if before.is_some_and(|byte| is_word(*byte) || *byte == b'.') {
                return None;
            }
            let behind = line.get(at + key.len()..)?;
            let value = if is_quoted {
                behind.strip_prefix(b"\"")?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start()
            } else {
                behind.strip_prefix(b"=")?
            };
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let end = value.iter().position(|byte| !is_word(*byte)).unwrap_or(value.len());
            LogLevel::from_word(value.get(..end)?)
        })
    })
}

/// As one of the first words tells it: in capitals, or in brackets.
fn worded(line: &[u8]) -> Option<LogLevel> {
    let mut begin = 0;
    for _ in 0..WORDS {
        begin += line.get(begin..)?.iter().position(|byte| is_word(*byte))?;
        let length = line.get(begin..)?.iter().position(|byte| !is_word(*byte)).unwrap_or(line.len() - begin);
        let word = line.get(begin..begin + length)?;
        let before = begin.checked_sub(1).and_then(|index| line.get(index));
        let is_bracketed =
            matches!(before, Some(b'[' | b'<' | b'(' | b'|')) || matches!(line.get(begin + length), Some(b']' | b'>'));
        let is_told = is_bracketed || (word.len() > 2 && word.iter().all(u8::is_ascii_uppercase));
        if is_told
            && word.iter().any(u8::is_ascii_alphabetic)
            && let Some(level) = LogLevel::from_word(word)
        {
            return Some(level);
        }
        begin += length;
    }
    None
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(level: Option<LogLevel>, lines: &[&str]) {
        for line in lines {
            assert_eq!(LogLevel::of_line(line.as_bytes()), level, "{line}");
        }
    }

    #[test]
    fn levels_are_recognised_as_the_usual_libraries_write_them() {
        is(
            Some(LogLevel::Error),
            &[
                "2026-11-24 14:03:11,482 ERROR trainer: loss is nan",
                "ERROR:root:cannot open file",
                "[error] no such column",
                r#"{"event": "no such column", "level": "error", "timestamp": "2026-11-24T14:03:11Z"}"#,
                r#"{"severity":"CRITICAL","message":"x"}"#,
                r#"{"time":1,"level":50,"msg":"pino"}"#,
                "ts=2026-11-24T14:03:11Z level=error msg=\"no such column\"",
                "error[E0425]: cannot find value `x` in this scope",
                "E1124 14:03:11.482 1 main.go:12] no such column",
                "Traceback (most recent call last):",
                "ValueError: could not convert string to float: 'x'",
                "sklearn.exceptions.NotFittedError: call fit first",
                "E       assert 0.4 > 0.5",
                "FAILED tests/test_app.py::test_schema - assert 0.4 > 0.5",
            ],
        );
        is(
            Some(LogLevel::Warn),
            &[
                "warning: unused variable: `x`",
                "  WARNING: Running pip as the 'root' user can break things",
                "14:03:11 | WARN | slow",
                r#"{"level":"warn","ts":1795867200.1,"logger":"app","msg":"slow"}"#,
                "time=14:03 lvl=warning msg=slow",
            ],
        );
        is(Some(LogLevel::Info), &["2026-11-24T14:03:11Z  INFO app: up", "<info> up", r#"{"levelname":"INFO"}"#]);
        is(Some(LogLevel::Debug), &["DEBUG up", "[2026-11-24 14:03] [debug] up"]);
        is(Some(LogLevel::Trace), &["TRACE app: in"]);
    }

    #[test]
    fn what_tells_no_level_has_none() {
        is(
            None,
            &[
                "",
                "epoch 3: no error so far",
                " 45%|████▌     | 45/100 [00:04<00:05, 10.02it/s]",
                "30: this is line thirty",
                "wrote error.log",
                r#"{"loss": 0.31, "step": 20}"#,
                "tests/test_app.py::test_schema PASSED [ 50%]",
                "sublevel=error",
            ],
        );
    }
}
