//! What a daemon answers about the log of forty lines that the screens of tests show.

use super::fixtures;
use super::log_view::LogPart;
use super::log_view::question::{Kept, LogAnswer, LogQuestion, Purpose};
use super::log_view::search::shown_as;
use crate::api::types::{LogFilter, LogLevel, LogLine, LogPiece, LogRow, LogScan, LogStretch, LogWindow, visible};

/// The answer to a question.
pub(super) fn answer(question: &LogQuestion) -> LogAnswer {
    let whole = fixtures::log(LogPart::Window { first: 0, count: 1_000 }, fixtures::LOG_LINES);
    match question {
        LogQuestion::Rows { request, .. } => {
            let numbers = request.pieces.iter().flat_map(|piece| match piece {
                LogPiece::Numbers(numbers) => numbers.clone(),
                LogPiece::Part { .. } => Vec::new(),
            });
            LogAnswer::Rows(numbers.filter_map(|number| row(&whole, number, &request.filter)).collect())
        }
        LogQuestion::Scan { filter, from, .. } => {
            let numbers: Vec<u64> = shown(&whole, filter).into_iter().filter(|number| number >= from).collect();
            let rows = u64::try_from(numbers.len()).unwrap();
            let stretches = vec![LogStretch { first: *from, end: whole.total, rows, numbers }];
            LogAnswer::Scan(LogScan { stretches, next: None, total: whole.total })
        }
        LogQuestion::Count { filter, from, until, .. } => {
            let within = shown(&whole, filter).into_iter().filter(|number| (from..until).contains(&number));
            LogAnswer::Count(u64::try_from(within.count()).unwrap())
        }
        LogQuestion::LineAt { moment, .. } => {
            let line = (0..).zip(&whole.lines).find(|(_, line)| line.at >= *moment).map(|(number, _)| number);
            LogAnswer::Line(line.unwrap_or(whole.total))
        }
        LogQuestion::Keep { purpose, .. } => {
            let file = match purpose {
                Purpose::Save(file) => file.clone(),
                Purpose::Show(_) => "/tmp/log".into(),
            };
            LogAnswer::Kept(Kept { file, bytes: 4_096, cut: 0 })
        }
    }
}

fn row(whole: &LogWindow, number: u64, filter: &LogFilter) -> Option<LogRow> {
    let line = whole.lines.get(usize::try_from(number).unwrap())?.clone();
    Some(LogRow { number, is_hit: passes(&line, filter), line })
}

fn shown(whole: &LogWindow, filter: &LogFilter) -> Vec<u64> {
    let hits: Vec<u64> = (0..).zip(&whole.lines).filter(|(_, line)| passes(line, filter)).map(|(at, _)| at).collect();
    (0..whole.total).filter(|number| hits.iter().any(|hit| hit.abs_diff(*number) <= filter.context)).collect()
}

fn passes(line: &LogLine, filter: &LogFilter) -> bool {
    let seen = visible(line.text.as_bytes());
    let text = String::from_utf8_lossy(&seen);
    let patterns = filter.pattern.iter().chain(&filter.also);
    let mut patterns = patterns.map(|pattern| shown_as(pattern).unwrap());
    let is_bad_enough = filter.level.is_none_or(|least| LogLevel::of_line(&seen).is_some_and(|level| level >= least));
    patterns.all(|pattern| pattern.is_match(&text)) && is_bad_enough
}
