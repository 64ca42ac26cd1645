//! Looking for lines in a log of any length, step by step.
//!
//! A step reads [`STEP`] bytes, give or take a block, and says where to go on: none holds the daemon up, whoever asks can
//! stop, and nobody keeps anything between two steps. A pattern alone is looked for in whole blocks of a megabyte; where a
//! line has escape sequences, or several logs are merged, or a level counts, each line is looked at as people see it.

use std::io;

use memchr::{memchr, memchr_iter, memchr2, memrchr};
use regex::bytes::{Regex, RegexBuilder};

use super::blocks::{self, BLOCK, Block, Blocks};
use super::reader::{WINDOW_LIMIT, shown_line};
use super::timeline::{Seen, Timeline};
use crate::api::types::{
    LogFilter, LogFind, LogLevel, LogPiece, LogRow, LogRowsRequest, LogScan, LogStretch, SPARSE, ignores_case, visible,
};
use crate::pipeline::Moment;

/// Bytes that one step looks at.
const STEP: u64 = 16 << 20;
/// Bytes of a stretch: as much is read to find one of its rows.
const STRETCH: u64 = 2 << 20;
/// Lines around one that passes.
const MOST_CONTEXT: u64 = 100;
/// From one line to the next that is wanted it is nearer to read on than to look it up.
const NEAR: u64 = 1_024;

/// Why a search cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The pattern is not a regular expression.
    #[error("`{pattern}` is not a regular expression: {source}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong.
        source: Box<regex::Error>,
    },
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// A filter, ready to be used.
#[derive(Debug)]
pub struct LogMatcher {
    patterns: Vec<Regex>,
    level: Option<LogLevel>,
    takes_blocks: bool,
}

impl LogMatcher {
    /// Compiles a filter.
    pub fn new(filter: &LogFilter) -> Result<Self, SearchError> {
        let mut patterns = Vec::new();
        let mut takes_blocks = filter.level.is_none();
        for pattern in filter.pattern.iter().chain(&filter.also) {
            let compiled = RegexBuilder::new(pattern).case_insensitive(ignores_case(pattern)).multi_line(true).build();
            patterns.push(
                compiled
                    .map_err(|source| SearchError::Pattern { pattern: pattern.clone(), source: Box::new(source) })?,
            );
            // In a block these would mean the block and not the line.
            takes_blocks &= !pattern.contains(r"\A") && !pattern.contains(r"\z") && !pattern.contains("(?");
        }
        takes_blocks &= patterns.len() == 1;
        Ok(Self { patterns, level: filter.level, takes_blocks })
    }

    /// Whether a line passes, as people see it.
    pub fn passes(&self, line: &[u8]) -> bool {
        let line = visible(line);
        let is_bad_enough =
            || self.level.is_none_or(|least| LogLevel::of_line(&line).is_some_and(|level| level >= least));
        self.patterns.iter().all(|pattern| pattern.is_match(&line)) && is_bad_enough()
    }
}

/// A line that passes, or stands around one that does, as it was written.
#[derive(Debug, Clone, Copy)]
pub struct WholeRow<'a> {
    /// Its number in the log, from 0.
    pub number: u64,
    /// Whether it passes itself.
    pub is_hit: bool,
    /// About when it came.
    pub at: Moment,
    /// Its text, without the line end.
    pub text: &'a [u8],
}

/// How far a look came.
struct Look {
    /// The first line that was not looked at.
    end: u64,
    /// What was read.
    bytes: u64,
}

impl Timeline {
    /// The nearest line at or behind `from` (or at or before it) that passes, as far as a step goes.
    pub fn find(&self, filter: &LogFilter, from: u64, backward: bool) -> Result<LogFind, SearchError> {
        let matcher = LogMatcher::new(filter)?;
        if backward { self.find_backward(&matcher, from) } else { self.find_forward(&matcher, from) }
    }

    fn find_forward(&self, matcher: &LogMatcher, from: u64) -> Result<LogFind, SearchError> {
        let total = self.total();
        let mut hit = None;
        let look = self.look(matcher, from, total, STEP, &mut |line| {
            hit = Some(line);
            false
        })?;
        let next = (hit.is_none() && look.end < total).then_some(look.end);
        Ok(LogFind { hit, next, total })
    }

    /// A log is read forward only: a part of it that ends at `from`, and of that the last line that passes.
    fn find_backward(&self, matcher: &LogMatcher, from: u64) -> Result<LogFind, SearchError> {
        let total = self.total();
        let end = from.saturating_add(1).min(total);
        // As many lines as a step has on average; fewer where they turn out to be longer.
        let mut lines = (STEP.saturating_mul(total) / self.bytes().max(1)).max(1);
        loop {
            let begin = end.saturating_sub(lines);
            let mut hit = None;
            let look = self.look(matcher, begin, end, STEP * 2, &mut |line| {
                hit = Some(line);
                true
            })?;
            if look.end < end && lines > 1 {
                lines /= 2;
                continue;
            }
            let next = begin.checked_sub(1).filter(|_| hit.is_none());
            return Ok(LogFind { hit, next, total });
        }
    }

    /// What passes from line `from` on, up to line `until` if there is one, as far as a step goes.
    pub fn scan(&self, filter: &LogFilter, from: u64, until: Option<u64>) -> Result<LogScan, SearchError> {
        let matcher = LogMatcher::new(filter)?;
        let total = self.total();
        let end = until.unwrap_or(total).min(total);
        let mut scan = LogScan { stretches: Vec::new(), next: None, total };
        let (mut at, mut read) = (from, 0);
        while at < end && read < STEP {
            let (shown, bytes) = self.shown(&matcher, filter.context, Shown::new(at, end, 0, SPARSE))?;
            let Shown { first, end, rows, numbers, .. } = shown;
            let numbers = if rows <= SPARSE { numbers } else { Vec::new() };
            scan.stretches.push(LogStretch { first, end, rows, numbers });
            (at, read) = (end, read + bytes);
        }
        scan.next = (at < end).then_some(at);
        Ok(scan)
    }

    /// Rows of what passes, at most a window of them.
    pub fn rows(&self, request: &LogRowsRequest) -> Result<Vec<LogRow>, SearchError> {
        let matcher = LogMatcher::new(&request.filter)?;
        let limit = usize::try_from(WINDOW_LIMIT).unwrap_or(usize::MAX);
        let mut numbers: Vec<u64> = Vec::new();
        for piece in &request.pieces {
            match piece {
                LogPiece::Numbers(known) => numbers.extend(known.iter().take(limit)),
                LogPiece::Part { first, end, skip, count } => {
                    let wanted = Shown::new(*first, (*end).min(self.total()), *skip, (*count).min(WINDOW_LIMIT));
                    numbers.extend(self.shown(&matcher, request.filter.context, wanted)?.0.numbers);
                }
            }
            if numbers.len() >= limit {
                break;
            }
        }
        numbers.truncate(limit);
        self.lines_of(&matcher, &numbers)
    }

    fn lines_of(&self, matcher: &LogMatcher, numbers: &[u64]) -> Result<Vec<LogRow>, SearchError> {
        let mut rows = Vec::new();
        self.each_line(numbers, &mut |seen, text| {
            let line = shown_line(text, seen.cut, seen.at, self.stage_of(seen));
            rows.push(LogRow { number: seen.number, is_hit: matcher.passes(text), line });
            Ok(())
        })?;
        Ok(rows)
    }

    /// Shows every row of some lines, one after the other, a megabyte of each at the most.
    pub fn each_row(
        &self,
        filter: &LogFilter,
        lines: std::ops::Range<u64>,
        see: &mut dyn FnMut(&WholeRow<'_>) -> io::Result<()>,
    ) -> Result<(), SearchError> {
        let matcher = LogMatcher::new(filter)?;
        let end = lines.end.min(self.total());
        let mut at = lines.start;
        while at < end {
            let (shown, _) = self.shown(&matcher, filter.context, Shown::new(at, end, 0, u64::MAX))?;
            self.each_line(&shown.numbers, &mut |seen, text| {
                see(&WholeRow { number: seen.number, is_hit: matcher.passes(text), at: seen.at, text })
            })?;
            at = shown.end;
        }
        Ok(())
    }

    fn each_line(&self, numbers: &[u64], see: &mut dyn FnMut(Seen, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(first) = numbers.first() else { return Ok(()) };
        let mut text = Vec::new();
        let mut cursor = self.cursor(*first)?;
        for number in numbers {
            if *number < cursor.number() || *number - cursor.number() > NEAR {
                cursor = self.cursor(*number)?;
            }
            while let Some(seen) = cursor.next(BLOCK, &mut text)? {
                if seen.number == *number {
                    see(seen, &text)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Fills a stretch: as far as its bytes go, and the lines before and behind it whose surroundings reach into it.
    fn shown(&self, matcher: &LogMatcher, context: u64, mut shown: Shown) -> Result<(Shown, u64), SearchError> {
        let context = context.min(MOST_CONTEXT);
        let mut hits = Vec::new();
        let (first, most) = (shown.first, shown.end);
        let mut bytes = 0;
        if context > 0 {
            let before = first.saturating_sub(context);
            bytes += self.look(matcher, before, first, u64::MAX, &mut |line| keep(&mut hits, line))?.bytes;
        }
        let look = self.look(matcher, first, most, STRETCH, &mut |line| keep(&mut hits, line))?;
        bytes += look.bytes;
        // Where the stretch ends is known only now, and no step is without an end.
        shown.end = look.end.max(first + 1);
        if context > 0 {
            let behind = shown.end.saturating_add(context).min(self.total());
            bytes += self.look(matcher, shown.end, behind, u64::MAX, &mut |line| keep(&mut hits, line))?.bytes;
        }
        for hit in hits {
            shown.add(hit, context);
        }
        Ok((shown, bytes))
    }

    /// Shows `see` every line from `from` to before `end` that passes, until it wants no more or so many bytes were read.
    fn look(
        &self,
        matcher: &LogMatcher,
        from: u64,
        end: u64,
        budget: u64,
        see: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Look, SearchError> {
        match self.single() {
            Some(log) if matcher.takes_blocks => {
                let Some(blocks) = Blocks::from(log, log.record_before(from)?) else {
                    return Ok(Look { end: from, bytes: 0 });
                };
                look_at_blocks(blocks, matcher, from..end, budget, see)
            }
            _ => self.look_at_lines(matcher, from, end, budget, see),
        }
    }

    fn look_at_lines(
        &self,
        matcher: &LogMatcher,
        from: u64,
        end: u64,
        budget: u64,
        see: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Look, SearchError> {
        let mut look = Look { end: from, bytes: 0 };
        let mut cursor = self.cursor(from)?;
        let mut text = Vec::new();
        while look.end < end && look.bytes < budget {
            let Some(seen) = cursor.next(BLOCK, &mut text)? else { break };
            look.end = seen.number + 1;
            look.bytes += text.len() as u64 + seen.cut + 1;
            if matcher.passes(&text) && !see(seen.number) {
                break;
            }
        }
        Ok(look)
    }
}

fn keep(hits: &mut Vec<u64>, line: u64) -> bool {
    hits.push(line);
    true
}

fn look_at_blocks(
    mut blocks: Blocks,
    matcher: &LogMatcher,
    wanted: std::ops::Range<u64>,
    budget: u64,
    see: &mut dyn FnMut(u64) -> bool,
) -> Result<Look, SearchError> {
    let mut look = Look { end: wanted.start, bytes: 0 };
    let mut before = 0;
    while look.end < wanted.end && look.bytes < budget {
        let Some(block) = blocks.next_block()? else { break };
        let mut goes_on = true;
        hits_of_block(matcher, block, &mut |line| {
            goes_on = line < wanted.start || (line < wanted.end && see(line));
            goes_on
        });
        look.end = blocks.line().clamp(wanted.start, wanted.end);
        // What lies before the first line counts for nothing, or a look could end before it and never come on; what was passed
        // by within a long line counts, or a step could be of any length.
        if blocks.line() <= wanted.start {
            before = blocks.passed();
        }
        look.bytes = blocks.passed() - before;
        if !goes_on {
            break;
        }
    }
    Ok(look)
}

/// A pattern may match beyond the end of a line, so what is found in the block only says in which line to look.
fn hits_of_block(matcher: &LogMatcher, block: Block<'_>, see: &mut dyn FnMut(u64) -> bool) {
    let Block { first, bytes } = block;
    let pattern = match matcher.patterns.first() {
        Some(pattern) if memchr2(0x1b, b'\r', bytes).is_none() => pattern,
        _ => {
            for (line, number) in blocks::lines(bytes).zip(first..) {
                if matcher.passes(line) && !see(number) {
                    break;
                }
            }
            return;
        }
    };
    let (mut begin, mut number) = (0, first);
    while begin < bytes.len() {
        let Some(found) = pattern.find_at(bytes, begin) else { return };
        let line = memrchr(b'\n', &bytes[begin..found.start()]).map_or(begin, |end| begin + end + 1);
        if line >= bytes.len() {
            return;
        }
        number += memchr_iter(b'\n', &bytes[begin..line]).count() as u64;
        let end = memchr(b'\n', &bytes[line..]).map_or(bytes.len(), |end| line + end);
        if matcher.passes(&bytes[line..end]) && !see(number) {
            return;
        }
        (begin, number) = (end + 1, number + 1);
    }
}

/// The rows of a stretch, taken in by the lines that pass, in order.
struct Shown {
    first: u64,
    end: u64,
    /// The first line that is not shown yet.
    until: u64,
    rows: u64,
    /// Which of the rows are told by number.
    wanted: std::ops::Range<u64>,
    numbers: Vec<u64>,
}

impl Shown {
    fn new(first: u64, end: u64, skip: u64, count: u64) -> Self {
        Self { first, end, until: first, rows: 0, wanted: skip..skip.saturating_add(count), numbers: Vec::new() }
    }

    /// A line passes, and is shown with those around it.
    fn add(&mut self, hit: u64, context: u64) {
        let begin = hit.saturating_sub(context).max(self.until);
        let end = hit.saturating_add(context + 1).min(self.end);
        for line in begin..end {
            if self.wanted.contains(&self.rows) {
                self.numbers.push(line);
            }
            self.rows += 1;
        }
        self.until = self.until.max(end);
    }
}
