//! What `BuildKit` says while it builds: a graph of pieces of work of which several go on at once.
//!
//! It is told as `docker build --progress=plain` tells it: each piece of work has a number, `#7`, and its lines begin
//! with that. Of what it moves, only that it is done.

use std::collections::{HashMap, HashSet};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexStatus};

use super::progress::{Fragments, Said, Step, share};

/// Why a piece of work ended that had no fault itself.
const CANCELED: &str = "context canceled";

/// Reads what `BuildKit` says.
#[derive(Debug, Default)]
pub struct Graph {
    works: HashMap<String, Work>,
    /// What was moved: by the piece of work and a name.
    seen: HashSet<(String, String)>,
    failed: Option<Step>,
}

#[derive(Debug, Default)]
struct Work {
    number: usize,
    step: Option<Step>,
    is_begun: bool,
    is_ended: bool,
    text: Fragments,
}

impl Graph {
    /// One message of the engine.
    pub fn take(&mut self, status: &StatusResponse) -> Vec<Said> {
        let mut said = Vec::new();
        for vertex in &status.vertexes {
            self.vertex(vertex, &mut said);
        }
        said.extend(status.statuses.iter().filter_map(|status| self.moved(status)).map(Said::Line));
        for log in &status.logs {
            let work = self.work(&log.vertex);
            let number = work.number;
            let lines = work.text.push(&String::from_utf8_lossy(&log.msg));
            said.extend(lines.into_iter().map(|line| Said::Line(format!("#{number} {line}"))));
        }
        for warning in &status.warnings {
            let number = self.work(&warning.vertex).number;
            let text = String::from_utf8_lossy(&warning.short).into_owned();
            said.push(Said::Line(format!("#{number} warning: {text}")));
        }
        said
    }

    /// What was left open.
    pub fn end(&mut self) -> Vec<Said> {
        let mut works: Vec<&mut Work> = self.works.values_mut().collect();
        works.sort_by_key(|work| work.number);
        let rest = |work: &mut Work| work.text.rest().map(|rest| Said::Line(format!("#{} {rest}", work.number)));
        works.into_iter().filter_map(rest).collect()
    }

    /// The step that failed.
    pub fn failed(&self) -> Option<&Step> {
        self.failed.as_ref()
    }

    fn vertex(&mut self, vertex: &Vertex, said: &mut Vec<Said>) {
        let step = step_of(&vertex.name);
        let work = self.work(&vertex.digest);
        let number = work.number;
        if work.step.is_none() {
            work.step.clone_from(&step);
        }
        let begins = vertex.started.is_some() && !work.is_begun;
        let ends = vertex.completed.is_some() && !work.is_ended;
        work.is_begun |= begins;
        work.is_ended |= ends;
        let rest = if ends { work.text.rest() } else { None };
        if begins {
            said.push(Said::Line(format!("#{number} {}", vertex.name)));
            if let Some(step) = &step {
                said.push(Said::Step { share: self.share(), message: step.to_string() });
            }
        }
        said.extend(rest.map(|rest| Said::Line(format!("#{number} {rest}"))));
        if vertex.error.is_empty() {
            if ends {
                said.push(Said::Line(format!("#{number} {}", if vertex.cached { "CACHED" } else { "DONE" })));
            }
            return;
        }
        if ends {
            said.push(Said::Line(format!("#{number} ERROR: {}", vertex.error.trim())));
        }
        if !vertex.error.contains(CANCELED) {
            self.failed = step.or(self.failed.take());
        }
    }

    /// How many of the steps that are known ended.
    fn share(&self) -> f64 {
        let steps = || self.works.values().filter(|work| work.step.is_some());
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        share(count(steps().filter(|work| work.is_ended).count()), count(steps().count()))
    }

    fn moved(&mut self, status: &VertexStatus) -> Option<String> {
        status.completed.as_ref()?;
        let is_new = self.seen.insert((status.vertex.clone(), status.id.clone()));
        let number = self.work(&status.vertex).number;
        let size = if status.total > 0 { format!(", {} bytes", status.total) } else { String::new() };
        is_new.then(|| format!("#{number} {}{size}", status.id))
    }

    fn work(&mut self, digest: &str) -> &mut Work {
        let number = self.works.len() + 1;
        self.works.entry(digest.to_owned()).or_insert_with(|| Work { number, ..Work::default() })
    }
}

/// The step in `[3/7] COPY . .` or `[builder 3/7] COPY . .`.
fn step_of(name: &str) -> Option<Step> {
    let (place, instruction) = name.strip_prefix('[')?.split_once(']')?;
    let (number, count) = place.split_whitespace().last()?.split_once('/')?;
    let (number, count) = (number.parse().ok()?, count.parse().ok()?);
    Some(Step { number, count, instruction: instruction.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use bollard::moby::buildkit::v1::VertexLog;

    use super::*;

    /// A piece of work; `state` has `s` once it began, `c` once it ended and `k` if it was in the cache.
    fn vertex(name: &str, state: &str, error: &str) -> Vertex {
        Vertex {
            digest: name.to_owned(),
            name: name.to_owned(),
            cached: state.contains('k'),
            started: state.contains('s').then(Default::default),
            completed: state.contains('c').then(Default::default),
            error: error.to_owned(),
            ..Vertex::default()
        }
    }

    fn vertexes(vertexes: &[Vertex]) -> StatusResponse {
        StatusResponse { vertexes: vertexes.to_vec(), ..StatusResponse::default() }
    }

    fn log(vertex: &str, text: &str) -> StatusResponse {
        let log = VertexLog { vertex: vertex.to_owned(), msg: text.as_bytes().to_vec(), ..VertexLog::default() };
        StatusResponse { logs: vec![log], ..StatusResponse::default() }
    }

    fn told(graph: &mut Graph, messages: &[StatusResponse]) -> Vec<String> {
        let said: Vec<Said> = messages.iter().flat_map(|message| graph.take(message)).collect();
        let text = |said| match said {
            Said::Line(line) => line,
            Said::Step { share, message } => format!("{share:.2} {message}"),
        };
        said.into_iter().chain(graph.end()).map(text).collect()
    }

    #[test]
    fn works_that_go_on_at_once_are_told_apart_by_their_numbers() {
        let (one, two) = ("[1/2] FROM a", "[2/2] RUN make");
        let messages = [
            vertexes(&[vertex(one, "", ""), vertex(two, "", "")]),
            vertexes(&[vertex(one, "s", "")]),
            vertexes(&[vertex(one, "sck", ""), vertex(two, "s", "")]),
            log(two, "he"),
            log(two, "llo\nop"),
            log(one, "late\n"),
            vertexes(&[vertex(two, "sc", "")]),
            vertexes(&[vertex(two, "sc", "")]),
        ];
        let expected = [
            "#1 [1/2] FROM a",
            "0.00 step 1/2: FROM a",
            "#1 CACHED",
            "#2 [2/2] RUN make",
            "0.50 step 2/2: RUN make",
            "#2 hello",
            "#1 late",
            "#2 op",
            "#2 DONE",
        ];
        assert_eq!(told(&mut Graph::default(), &messages), expected);
    }

    #[test]
    fn the_step_that_failed_is_known_and_those_stopped_with_it_are_not_blamed() {
        let mut graph = Graph::default();
        let failed = vertex("[builder 3/7] RUN false", "sc", "process \"/bin/sh -c false\" ended with exit code: 1");
        let stopped = vertex("[stage-1 2/4] COPY . .", "sc", "context canceled");
        let told = told(&mut graph, &[vertexes(&[failed, stopped])]);
        assert!(told.iter().any(|line| line.contains("ERROR: process")), "{told:?}");
        let step = Step { number: 3, count: 7, instruction: "RUN false".to_owned() };
        assert_eq!(graph.failed(), Some(&step));
    }

    #[test]
    fn what_is_moved_is_told_once_when_it_is_done() {
        let status = |is_done: bool| {
            let status = VertexStatus {
                id: "sha256:ab".to_owned(),
                vertex: "x".to_owned(),
                total: 12,
                completed: is_done.then(Default::default),
                ..VertexStatus::default()
            };
            StatusResponse { statuses: vec![status], ..StatusResponse::default() }
        };
        let told = told(&mut Graph::default(), &[status(false), status(true), status(true)]);
        assert_eq!(told, ["#1 sha256:ab, 12 bytes"]);
    }

    #[test]
    fn only_a_step_is_a_step() {
        assert_eq!(step_of("[linux/amd64 build 2/9] RUN x").map(|step| (step.number, step.count)), Some((2, 9)));
        assert_eq!(step_of("[internal] load build definition"), None);
        assert_eq!(step_of("exporting to image"), None);
    }
}
