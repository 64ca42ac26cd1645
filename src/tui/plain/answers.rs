//! What was asked of the daemon, and what its answers tell.
//!
//! A search is the one question of several steps: from the end of a log back to some lines that match, then for these lines.

use super::sentences;
use super::words::Deed;
use crate::api::types::{ChartsRequest, LogAddress, LogFilter, LogFind, LogPiece, LogRowsRequest};
use crate::tui::app::Model;
use crate::tui::log_view::question::{LogAnswer, LogQuestion};
use crate::tui::log_view::search::SearchRequest;
use crate::tui::message::{Cmd, Msg};
use crate::tui::models::Question as AboutModels;

/// Points a curve: enough to tell whether it rises.
const POINTS: usize = 60;
/// Lines that match and are told at once.
const MATCHES: usize = 10;

/// What a message tells of what was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing was asked for.
    Nothing,
    /// The answer, in these lines.
    Lines(Vec<String>),
    /// The answer, of which the model has the words once it has taken it in.
    ByTheModel,
    /// Not all yet; this is to be asked next.
    Next(Cmd),
}

/// What is still to be answered.
#[derive(Debug, Default)]
pub(super) struct Asked {
    awaited: usize,
    /// What the panels that are to be told have in their titles.
    title: String,
    search: Option<Search>,
}

impl Asked {
    /// Whether every answer has come.
    pub(super) fn is_answered(&self) -> bool {
        self.awaited == 0
    }

    /// How a deed begins.
    pub(super) fn begin(&mut self, model: &Model, deed: Deed) -> Cmd {
        self.awaited += 1;
        match deed {
            Deed::Act(command) => command,
            Deed::Log(address, part) => Cmd::FetchLog(address, part),
            Deed::Models => Cmd::FetchModels(AboutModels::List),
            Deed::Model(version) => Cmd::FetchModels(AboutModels::Detail(version)),
            Deed::Events(filter) => Cmd::FetchEvents { filter, before: None },
            Deed::Metrics(title) => {
                self.title = title;
                let range = model.metrics.range_ms();
                Cmd::FetchCharts(ChartsRequest { range, columns: POINTS, end: None, expression: None })
            }
            Deed::Search(log, pattern) => {
                let filter = LogFilter { pattern: Some(pattern), ..LogFilter::default() };
                let mut search = Search { log, filter, asked: None, lines: Vec::new() };
                let command = search.step(u64::MAX);
                // One that is under way is given up, and with it its answer.
                if self.search.replace(search).is_some() {
                    self.awaited = self.awaited.saturating_sub(1);
                }
                command
            }
        }
    }

    /// What a message tells.
    pub(super) fn hear(&mut self, model: &Model, message: &Msg) -> Told {
        let told = match message {
            Msg::Log(_, answer) => lines(answer, "The log cannot be read", sentences::log),
            Msg::Models(answer) => lines(answer, "The models cannot be listed", |models| sentences::models(models)),
            Msg::ModelDetail(_, answer) => lines(answer, "The model cannot be told", |detail| sentences::model(detail)),
            Msg::Charts(answer) => {
                let told = |charts: &_| sentences::metrics(model, charts, &self.title);
                lines(answer, "The metrics cannot be told", told)
            }
            Msg::Events(_, answer) => {
                lines(answer, "The events cannot be told", |events| sentences::history(model, events))
            }
            Msg::Replied(..) | Msg::Noted(..) | Msg::Silenced(..) => Told::ByTheModel,
            Msg::Found(request, answer) => self.found(request, answer),
            Msg::AboutLog(question, answer) => self.matched(question, answer),
            _ => Told::Nothing,
        };
        if matches!(told, Told::Lines(_) | Told::ByTheModel) {
            self.awaited = self.awaited.saturating_sub(1);
        }
        told
    }

    /// A step of the search was done.
    fn found(&mut self, request: &SearchRequest, answer: &Result<LogFind, String>) -> Told {
        let Some(search) = self.search.as_mut().filter(|search| search.asked.as_ref() == Some(request)) else {
            return Told::Nothing;
        };
        let nothing = match answer {
            Ok(find) => match search.take(find) {
                Some(next) => return Told::Next(next),
                None => format!("No line matches `{}`.", search.filter.pattern.as_deref().unwrap_or_default()),
            },
            Err(error) => format!("The log cannot be searched: {error}."),
        };
        self.search = None;
        Told::Lines(vec![nothing])
    }

    /// The lines that were found came.
    fn matched(&mut self, question: &LogQuestion, answer: &Result<LogAnswer, String>) -> Told {
        // One that still looks has not asked for lines; these are of the one that it took the place of.
        let is_ours =
            self.search.as_ref().is_some_and(|search| search.asked.is_none() && search.log == *question.log());
        let LogQuestion::Rows { .. } = question else { return Told::Nothing };
        if !is_ours {
            return Told::Nothing;
        }
        let is_all = self.search.take().is_some_and(|search| search.lines.len() < MATCHES);
        lines(answer, "The log cannot be searched", |answer| match answer {
            LogAnswer::Rows(rows) => sentences::matches(rows, is_all),
            _ => vec!["The daemon answered something else.".to_owned()],
        })
    }
}

/// A search in a log, from its end on.
#[derive(Debug)]
struct Search {
    log: LogAddress,
    filter: LogFilter,
    /// The step that is being done.
    asked: Option<SearchRequest>,
    /// What was found, the last first.
    lines: Vec<u64>,
}

impl Search {
    /// From this line back.
    fn step(&mut self, from: u64) -> Cmd {
        let (log, filter) = (self.log.clone(), self.filter.clone());
        let request = SearchRequest { log, filter, from, backward: true, has_wrapped: false };
        self.asked = Some(request.clone());
        Cmd::Search(request)
    }

    /// Takes a step in; what is to be asked next, nothing if there is no match at all.
    fn take(&mut self, find: &LogFind) -> Option<Cmd> {
        self.lines.extend(find.hit);
        let next = find.hit.map_or(find.next, |line| line.checked_sub(1));
        match next.filter(|_| self.lines.len() < MATCHES) {
            Some(from) => Some(self.step(from)),
            None if self.lines.is_empty() => None,
            None => Some(self.rows()),
        }
    }

    /// The lines that were found.
    fn rows(&mut self) -> Cmd {
        self.asked = None;
        let numbers = self.lines.iter().rev().copied().collect();
        let request = LogRowsRequest { filter: self.filter.clone(), pieces: vec![LogPiece::Numbers(numbers)] };
        Cmd::AskLog(LogQuestion::Rows { log: self.log.clone(), first: 0, request })
    }
}

fn lines<T>(answer: &Result<T, String>, trouble: &str, told: impl FnOnce(&T) -> Vec<String>) -> Told {
    Told::Lines(match answer {
        Ok(value) => told(value),
        Err(error) => vec![format!("{trouble}: {error}.")],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::{LogLine, LogRow};
    use crate::pipeline::{Attempt, RunId};
    use crate::tui::fixtures;

    fn address() -> LogAddress {
        LogAddress { run: RunId(1), stage: "test".into(), attempt: Attempt(1) }
    }

    /// The question that is asked next.
    fn next(told: Told) -> Cmd {
        match told {
            Told::Next(command) => command,
            other => panic!("{other:?} asks nothing"),
        }
    }

    #[test]
    fn a_search_goes_back_from_the_end_and_tells_the_lines_in_their_order() {
        let (model, mut asked) = (fixtures::idle(), Asked::default());
        let Cmd::Search(first) = asked.begin(&model, Deed::Search(address(), "error".to_owned())) else {
            panic!("it is searched")
        };
        assert!(first.backward && first.from == u64::MAX);
        let find = |hit: Option<u64>, next: Option<u64>| Ok(LogFind { hit, next, total: 40 });
        let Cmd::Search(second) = next(asked.hear(&model, &Msg::Found(first.clone(), find(None, Some(30))))) else {
            panic!("it goes on")
        };
        assert_eq!(second.from, 30, "there was nothing so far");
        let Cmd::Search(third) = next(asked.hear(&model, &Msg::Found(second, find(Some(7), None)))) else {
            panic!("it goes on")
        };
        assert_eq!(third.from, 6);
        assert_eq!(asked.hear(&model, &Msg::Found(first, find(Some(1), None))), Told::Nothing, "that is over");
        let Cmd::AskLog(question) = next(asked.hear(&model, &Msg::Found(third, find(Some(0), None)))) else {
            panic!("the lines are asked for")
        };
        let LogQuestion::Rows { request, .. } = &question else { panic!("the lines are asked for") };
        assert_eq!(request.pieces, [LogPiece::Numbers(vec![0, 7])]);
        assert!(!asked.is_answered());
        let row = |number, text: &str| {
            let line = LogLine { text: text.to_owned(), ..LogLine::default() };
            LogRow { number, is_hit: true, line }
        };
        let rows = LogAnswer::Rows(vec![row(0, "an error"), row(7, "\u{1b}[31merror\u{1b}[0m again")]);
        let told = asked.hear(&model, &Msg::AboutLog(question, Ok(rows)));
        let expected = ["2 lines match.", "Line 1: an error", "Line 8: error again"].map(str::to_owned);
        assert_eq!(told, Told::Lines(expected.to_vec()));
        assert!(asked.is_answered());
    }

    #[test]
    fn a_search_without_a_match_or_without_a_sense_is_answered_too() {
        let (model, mut asked) = (fixtures::idle(), Asked::default());
        for answer in [Ok(LogFind { hit: None, next: None, total: 3 }), Err("unclosed group".to_owned())] {
            let Cmd::Search(request) = asked.begin(&model, Deed::Search(address(), "(".to_owned())) else {
                panic!("it is searched")
            };
            assert!(matches!(asked.hear(&model, &Msg::Found(request, answer)), Told::Lines(_)));
            assert!(asked.is_answered());
        }
    }

    #[test]
    fn a_new_search_takes_the_place_of_the_one_before() {
        let (model, mut asked) = (fixtures::idle(), Asked::default());
        let Cmd::Search(former) = asked.begin(&model, Deed::Search(address(), "a".to_owned())) else {
            panic!("it is searched")
        };
        let Cmd::Search(request) = asked.begin(&model, Deed::Search(address(), "b".to_owned())) else {
            panic!("it is searched")
        };
        let nothing = LogFind { hit: None, next: None, total: 3 };
        assert_eq!(asked.hear(&model, &Msg::Found(former, Ok(nothing))), Told::Nothing);
        assert!(!asked.is_answered());
        asked.hear(&model, &Msg::Found(request, Ok(nothing)));
        assert!(asked.is_answered());
    }

    #[test]
    fn lines_of_a_search_that_was_given_up_are_not_those_of_the_next() {
        let (model, mut asked) = (fixtures::idle(), Asked::default());
        let Cmd::Search(former) = asked.begin(&model, Deed::Search(address(), "a".to_owned())) else {
            panic!("it is searched")
        };
        let found = Ok(LogFind { hit: Some(0), next: None, total: 1 });
        let Cmd::AskLog(question) = next(asked.hear(&model, &Msg::Found(former, found))) else {
            panic!("the lines are asked for")
        };
        asked.begin(&model, Deed::Search(address(), "b".to_owned()));
        let rows = LogAnswer::Rows(Vec::new());
        assert_eq!(asked.hear(&model, &Msg::AboutLog(question, Ok(rows))), Told::Nothing);
        assert!(!asked.is_answered(), "the next still looks");
    }
}
