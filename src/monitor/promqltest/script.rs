//! The language of the test files: commands, one a paragraph, with what belongs to them in the lines below.

use promql_parser::util::unquote_string;
use regex::Regex;

use super::ScriptError;
use super::series::{Description, description};

/// One command of a file.
pub(super) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// Samples to be loaded.
pub(super) struct Load {
    /// From value to value, in milliseconds.
    pub(super) gap_ms: i64,
    /// Whether native histograms are to be made of classic ones.
    pub(super) makes_native_histograms: bool,
    pub(super) series: Vec<Description>,
}

/// An expression and what must come out.
pub(super) struct Eval {
    pub(super) expression: String,
    pub(super) when: When,
    /// The moments of a range of samples that is expected at one moment.
    pub(super) window: Option<Steps>,
    pub(super) is_ordered: bool,
    pub(super) failure: Option<Wording>,
    pub(super) warnings: Expectation,
    pub(super) remarks: Expectation,
    pub(super) expected: Expected,
}

/// When an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    At(i64),
    Over(Steps),
}

/// Moments at equal distances, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) step: i64,
}

/// What is expected of warnings or of remarks.
#[derive(Default)]
pub(super) struct Expectation {
    pub(super) none: bool,
    pub(super) some: Vec<Wording>,
}

/// How an error or a notice must be worded.
pub(super) enum Wording {
    Any,
    Exactly(String),
    Matching(Regex),
}

impl Wording {
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(expected) => expected == text,
            Self::Matching(pattern) => pattern.is_match(text),
        }
    }
}

/// The value that must come out.
pub(super) enum Expected {
    Series(Vec<Description>),
    Scalar(f64),
    Text(String),
}

/// Reads a file: its commands with the numbers of their lines.
pub(super) fn read(text: &str) -> Result<Vec<(usize, Command)>, ScriptError> {
    let mut lines = text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).zip(1..);
    let mut commands = Vec::new();
    while let Some((header, line)) = lines.next() {
        if header.is_empty() {
            continue;
        }
        let wrong = |reason: String| ScriptError { line, reason };
        let (command, rest) = word(header);
        let command = command.to_ascii_lowercase();
        if command == "clear" {
            commands.push((line, Command::Clear));
            continue;
        }
        let body: Vec<(&str, usize)> = lines.by_ref().take_while(|(below, _)| !below.is_empty()).collect();
        let read = if command.starts_with("load") {
            load(&command, rest, &body)
        } else if command.starts_with("eval") {
            eval(&command, rest).map_err(wrong).and_then(|eval| with_expectations(eval, &body))
        } else {
            Err(wrong(format!("`{command}` is no command")))
        };
        commands.push((line, read.map_err(|error| if error.line == 0 { wrong(error.reason) } else { error })?));
    }
    Ok(commands)
}

fn load(command: &str, rest: &str, body: &[(&str, usize)]) -> Result<Command, ScriptError> {
    let gap_ms = duration(rest).filter(|gap| *gap > 0).ok_or_else(|| ScriptError {
        line: 0,
        reason: format!("a step such as 30s is expected behind `load`, found `{rest}`"),
    })?;
    let series = |(text, line): &(&str, usize)| description(text).map_err(|reason| ScriptError { line: *line, reason });
    let series = body.iter().map(series).collect::<Result<_, _>>()?;
    Ok(Command::Load(Load { gap_ms, makes_native_histograms: command == "load_with_nhcb", series }))
}

/// What the first line of an evaluation says.
fn eval(command: &str, rest: &str) -> Result<Eval, String> {
    let (mode, rest) = word(rest);
    let (when, expression) = match mode {
        "instant" => {
            let rest = after(rest, "at")?;
            let (at, expression) = moment(rest)?;
            (When::At(at), expression)
        }
        "range" => {
            let (steps, expression) = steps(rest)?;
            (When::Over(steps), expression)
        }
        other => return Err(format!("`instant` or `range` is expected, found `{other}`")),
    };
    if expression.is_empty() {
        return Err("an expression is expected".to_owned());
    }
    let mut eval = Eval {
        expression: expression.to_owned(),
        when,
        window: None,
        is_ordered: command == "eval_ordered",
        failure: None,
        warnings: Expectation::default(),
        remarks: Expectation::default(),
        expected: Expected::Series(Vec::new()),
    };
    match command {
        "eval" | "eval_ordered" => {}
        "eval_fail" => eval.failure = Some(Wording::Any),
        "eval_warn" => eval.warnings.some.push(Wording::Any),
        "eval_info" => eval.remarks.some.push(Wording::Any),
        other => return Err(format!("`{other}` is no command")),
    }
    Ok(eval)
}

fn with_expectations(mut eval: Eval, body: &[(&str, usize)]) -> Result<Command, ScriptError> {
    for (text, line) in body {
        expectation(&mut eval, text).map_err(|reason| ScriptError { line: *line, reason })?;
    }
    Ok(Command::Eval(Box::new(eval)))
}

/// What one line below an evaluation says.
fn expectation(eval: &mut Eval, text: &str) -> Result<(), String> {
    if let Some(words) = text.strip_prefix("expected_fail_message") {
        eval.failure = Some(Wording::Exactly(words.trim().to_owned()));
    } else if let Some(pattern) = text.strip_prefix("expected_fail_regexp") {
        eval.failure = Some(Wording::Matching(pattern_of(pattern)?));
    } else if let Some(range) = text.strip_prefix("expect range vector") {
        eval.window = Some(steps(range.trim())?.0);
    } else if let Some(literal) = text.strip_prefix("expect string") {
        let literal = literal.trim();
        let text = unquote_string(literal).map_err(|_| format!("`{literal}` is not a text in quotes"))?;
        eval.expected = Expected::Text(text);
    } else if let ("expect", rest) = word(text) {
        expect(eval, rest)?;
    } else if let Some(number) = number(text) {
        eval.expected = Expected::Scalar(number);
    } else {
        let described = description(text)?;
        if described.points.len() > 1 && matches!(eval.when, When::At(_)) && eval.window.is_none() {
            return Err("at one moment a series has one value".to_owned());
        }
        match &mut eval.expected {
            Expected::Series(series) => series.push(described),
            Expected::Scalar(_) | Expected::Text(_) => return Err("a number and series are both expected".to_owned()),
        }
    }
    Ok(())
}

/// `expect KIND`, `expect KIND msg: TEXT` or `expect KIND regex: PATTERN`.
fn expect(eval: &mut Eval, text: &str) -> Result<(), String> {
    let (kind, rest) = word(text);
    let wording = match (rest.strip_prefix("msg:"), rest.strip_prefix("regex:")) {
        (Some(words), _) => Wording::Exactly(words.trim().to_owned()),
        (_, Some(pattern)) => Wording::Matching(pattern_of(pattern)?),
        _ if rest.is_empty() => Wording::Any,
        _ => return Err(format!("`msg:` or `regex:` is expected, found `{rest}`")),
    };
    match kind {
        "fail" => eval.failure = Some(wording),
        "ordered" => eval.is_ordered = true,
        "warn" => eval.warnings.some.push(wording),
        "no_warn" => eval.warnings.none = true,
        "info" => eval.remarks.some.push(wording),
        "no_info" => eval.remarks.none = true,
        other => return Err(format!("`{other}` is nothing that can be expected")),
    }
    Ok(())
}

fn pattern_of(text: &str) -> Result<Regex, String> {
    Regex::new(text.trim()).map_err(|error| error.to_string())
}

/// The first word and what follows it.
fn word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

/// What follows a word that must stand here.
fn after<'text>(text: &'text str, expected: &str) -> Result<&'text str, String> {
    match word(text) {
        (found, rest) if found == expected => Ok(rest),
        (found, _) => Err(format!("`{expected}` is expected, found `{found}`")),
    }
}

fn moment(text: &str) -> Result<(i64, &str), String> {
    let (found, rest) = word(text);
    let moment = duration(found).ok_or_else(|| format!("a time such as 5m is expected, found `{found}`"))?;
    Ok((moment, rest))
}

/// `from A to B step C`.
fn steps(text: &str) -> Result<(Steps, &str), String> {
    let (start, rest) = moment(after(text, "from")?)?;
    let (end, rest) = moment(after(rest, "to")?)?;
    let (step, rest) = moment(after(rest, "step")?)?;
    if end < start || step < 1 {
        return Err("a range must go forwards in steps".to_owned());
    }
    Ok((Steps { start, end, step }, rest))
}

/// A duration such as `1m30s` in milliseconds.
fn duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|character: char| character.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let (unit, milliseconds) = UNITS.iter().find(|(unit, _)| behind.starts_with(*unit))?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*milliseconds)?)?;
        rest = behind.get(unit.len()..)?;
    }
    (!text.is_empty()).then_some(total)
}

/// A number that stands alone.
fn number(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|character: char| character.is_ascii_digit() || "+-.".contains(character))
        || text.eq_ignore_ascii_case("inf")
        || text.eq_ignore_ascii_case("nan");
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units() {
        assert_eq!(duration("10s53ms"), Some(10_053));
        assert_eq!(duration("1h1m500ms"), Some(3_660_500));
        assert_eq!(duration("0"), Some(0));
        for text in ["", "5", "m", "5x", "1.5h"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_no_series() {
        assert_eq!(number("12340000"), Some(12_340_000.0));
        assert_eq!(number("+Inf"), Some(f64::INFINITY));
        assert_eq!(number("-0.5"), Some(-0.5));
        assert_eq!(number("infinite_series 1"), None);
        assert_eq!(number("1 2"), None);
    }
}
