//! What the engine says while it builds, made into lines of the log and steps of the board.
//!
//! The classic builder gives text in fragments, which are joined up to the ends of lines, and for each layer that it
//! pulls a message for every few kilobytes, of which only a change of state is told. [`super::steps`] does the same for
//! `BuildKit`.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use bollard::models::BuildInfo;

/// Lines that are kept for a failure.
const TAIL: usize = 20;
/// Bytes after which a line that does not end is told all the same: a progress bar may go on for hours.
const LONGEST: usize = 1 << 16;
/// The share that is left for what comes after the last step.
const MOST: f64 = 0.99;

/// What is to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A line of the log.
    Line(String),
    /// How far the build is, and what it does now.
    Step {
        /// Between 0 and 1.
        share: f64,
        /// `step 3/7: COPY . .`
        message: String,
    },
}

/// A step of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// `COPY . .`
    pub instruction: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}/{}: {}", self.number, self.count, self.instruction)
    }
}

/// The last lines of the log.
#[derive(Debug, Default)]
pub struct Tail(VecDeque<String>);

impl Tail {
    /// One more line.
    pub fn push(&mut self, line: &str) {
        if self.0.len() == TAIL {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    /// The lines, the newest last.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

/// Text that comes in fragments.
#[derive(Debug, Default)]
pub struct Fragments(String);

impl Fragments {
    /// One more fragment; the lines that are whole now.
    pub fn push(&mut self, fragment: &str) -> Vec<String> {
        self.0.push_str(fragment);
        let mut lines = Vec::new();
        if let Some((whole, open)) = self.0.rsplit_once('\n') {
            lines.extend(whole.split('\n').map(|line| line.trim_end_matches('\r').to_owned()));
            self.0 = open.to_owned();
        }
        if self.0.len() > LONGEST {
            lines.push(std::mem::take(&mut self.0));
        }
        lines
    }

    /// What never came to its end.
    pub fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.0);
        (!rest.trim().is_empty()).then_some(rest)
    }
}

/// Reads what the classic builder says.
#[derive(Debug, Default)]
pub struct Classic {
    text: Fragments,
    layers: HashMap<String, String>,
    last_status: String,
    step: Option<Step>,
}

impl Classic {
    /// One message of the engine.
    pub fn take(&mut self, info: &BuildInfo) -> Vec<Said> {
        let mut said = Vec::new();
        if let Some(fragment) = &info.stream {
            for line in self.text.push(fragment) {
                self.line(line, &mut said);
            }
        }
        if let Some(status) = &info.status {
            said.extend(self.status(info.id.as_deref(), status).map(Said::Line));
        }
        said
    }

    /// What was left open.
    pub fn end(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        if let Some(line) = self.text.rest() {
            self.line(line, &mut said);
        }
        said
    }

    /// The step at which it is.
    pub fn step(&self) -> Option<&Step> {
        self.step.as_ref()
    }

    fn line(&mut self, line: String, said: &mut Vec<Said>) {
        // Each step is followed by an empty line.
        if line.trim().is_empty() {
            return;
        }
        if let Some(step) = step_of(&line) {
            said.push(Said::Step { share: share(step.number, step.count), message: step.to_string() });
            self.step = Some(step);
        }
        said.push(Said::Line(line));
    }

    fn status(&mut self, layer: Option<&str>, status: &str) -> Option<String> {
        match layer {
            Some(layer) => {
                let before = self.layers.insert(layer.to_owned(), status.to_owned());
                (before.as_deref() != Some(status)).then(|| format!("{layer}: {status}"))
            }
            None if self.last_status == status => None,
            None => {
                status.clone_into(&mut self.last_status);
                Some(status.to_owned())
            }
        }
    }
}

/// The share that is done at a step of so many.
pub fn share(number: u32, count: u32) -> f64 {
    if count == 0 { 0.0 } else { (f64::from(number) / f64::from(count)).min(MOST) }
}

/// The step in `Step 3/7 : COPY . .`.
fn step_of(line: &str) -> Option<Step> {
    let (numbers, instruction) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (number, count) = numbers.split_once('/')?;
    let (number, count) = (number.trim().parse().ok()?, count.trim().parse().ok()?);
    Some(Step { number, count, instruction: instruction.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(text: &str) -> BuildInfo {
        BuildInfo { stream: Some(text.to_owned()), ..BuildInfo::default() }
    }

    fn status(id: Option<&str>, status: &str) -> BuildInfo {
        BuildInfo { id: id.map(str::to_owned), status: Some(status.to_owned()), ..BuildInfo::default() }
    }

    fn lines(said: &[Said]) -> Vec<&str> {
        let lines = said.iter().filter_map(|said| match said {
            Said::Line(line) => Some(line.as_str()),
            Said::Step { .. } => None,
        });
        lines.collect()
    }

    fn all(builder: &mut Classic, messages: &[BuildInfo]) -> Vec<Said> {
        let mut said: Vec<Said> = messages.iter().flat_map(|message| builder.take(message)).collect();
        said.extend(builder.end());
        said
    }

    #[test]
    fn fragments_become_lines_and_steps() {
        let mut builder = Classic::default();
        let messages = [
            stream("Step 1/2 : FROM a"),
            stream("\n"),
            stream(" ---> 9c6f07244728\n"),
            stream("Step 2/2 : RUN ma"),
            stream("ke all\n"),
            stream("one\r\ntw"),
            stream("o\nopen"),
        ];
        let said = all(&mut builder, &messages);
        let expected = ["Step 1/2 : FROM a", " ---> 9c6f07244728", "Step 2/2 : RUN make all", "one", "two", "open"];
        assert_eq!(lines(&said), expected);
        assert!(said.contains(&Said::Step { share: 0.5, message: "step 1/2: FROM a".to_owned() }));
        assert!(said.contains(&Said::Step { share: MOST, message: "step 2/2: RUN make all".to_owned() }));
        let step = Step { number: 2, count: 2, instruction: "RUN make all".to_owned() };
        assert_eq!(builder.step(), Some(&step));
    }

    #[test]
    fn a_layer_is_told_when_its_state_changes_and_not_for_each_byte() {
        let messages = [
            status(Some("ab"), "Downloading"),
            status(Some("cd"), "Downloading"),
            status(Some("ab"), "Downloading"),
            status(Some("ab"), "Pull complete"),
            status(None, "Digest: sha256:ef"),
            status(None, "Digest: sha256:ef"),
        ];
        let said = all(&mut Classic::default(), &messages);
        let expected = ["ab: Downloading", "cd: Downloading", "ab: Pull complete", "Digest: sha256:ef"];
        assert_eq!(lines(&said), expected);
    }

    #[test]
    fn a_line_without_an_end_is_not_held_for_ever() {
        let mut builder = Classic::default();
        let mut told = 0;
        for _ in 0..100 {
            told += lines(&builder.take(&stream(&"x".repeat(2000)))).iter().map(|line| line.len()).sum::<usize>();
        }
        assert!(told > 200_000 - LONGEST - 2000, "{told}");
    }

    #[test]
    fn only_a_step_is_a_step() {
        assert_eq!(step_of("Step 3/7 : COPY a : b").map(|step| step.instruction).as_deref(), Some("COPY a : b"));
        assert_eq!(step_of("Step by step : no"), None);
        assert_eq!(step_of("step 3/7 : COPY"), None);
    }

    #[test]
    fn the_tail_has_the_last_lines() {
        let mut tail = Tail::default();
        (0..30).for_each(|number| tail.push(&number.to_string()));
        assert_eq!(tail.lines().len(), TAIL);
        assert_eq!(tail.lines().last().map(String::as_str), Some("29"));
    }
}
