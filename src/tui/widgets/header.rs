//! The first line: which project, where its releases run, which source, which data, who else is here, whether deploys are
//! locked, and whether all this is watched and heard.
//!
//! Where it is too narrow, what matters least goes first, and the place is shortened last: it says what a key would change.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{cut, put_at, put_fitted, put_right, sanitize};
use crate::api::types::{LineState, STORAGE, WatchHealth, WatchMode};
use crate::pipeline::{AlertState, Moment};
use crate::tui::announcement;
use crate::tui::app::{Connection, Model};
use crate::tui::commands::{Action, LISTS as VIEWS, key_of, view_name};
use crate::tui::holds::lock_text;
use crate::tui::mouse::Target;
use crate::tui::release_facts::place_text;
use crate::tui::run_facts::word;
use crate::tui::{past, quantity};

/// A silent watcher is worth a word from this age on, in milliseconds; before, the age would only make the line restless.
const QUIET_WATCH: u64 = 90_000;

/// From so many cells on, what went live by itself is told with who did it.
const WIDE: usize = 110;
/// Below so many, source and data have no room, and the last run stands in their place.
const NARROW: usize = 80;
/// Of a long project's name at least so many cells are shown, and of a long place.
const SHORTEST_NAME: usize = 8;
const SHORTEST_PLACE: usize = 12;
/// Cells for the name of an alert.
const LONGEST_ALERT: usize = 24;
/// Cells for who locked deploys, and why; all of it stands where a deploy is held.
const LONGEST_LOCK: usize = 44;

/// Draws the line.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect) {
    if let Some(at) = model.past_moment() {
        draw_past(model, at, buffer, area);
        return;
    }
    let width = usize::from(area.width);
    let mut facts = facts(model, width);
    let mut left = Left::new(model);
    let excess = |left: &Left, facts: &[(String, Style)]| {
        (left.line(model).width() + 3 + joined(model, facts).width()).saturating_sub(width)
    };
    // Where it is narrow, any fact is worth more than our own name.
    left.has_brand = width >= NARROW;
    while facts.len() > 1 && excess(&left, &facts) > 0 {
        facts.remove(0);
    }
    left.has_brand = true;
    left.has_brand = excess(&left, &facts) == 0;
    let sign = model.glyphs.cut;
    if let Some(width) = narrower(&left.project, excess(&left, &facts), SHORTEST_NAME) {
        left.project = cut(&left.project, width, sign);
    }
    if let Some(width) = narrower(&left.place, excess(&left, &facts), SHORTEST_PLACE) {
        left.place = shortened(&left.place, width, sign);
    }
    let left = left.line(model);
    let right = joined(model, &facts);
    put_at(buffer, area, 0, 0, &left);
    let from = left.width().min(width);
    let room = Rect { x: area.x + quantity::small(from), width: area.width - quantity::small(from), ..area };
    put_right(buffer, room, 0, &right);
}

/// Draws the names of all views with their keys; the present one stands in brackets, for that must be told without colour too.
pub(in crate::tui) fn draw_tabs(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = &model.theme;
    let mut line = Line::default();
    for view in VIEWS {
        let (open, close) = if *view == model.view { ("[", "]") } else { (" ", " ") };
        let style = if *view == model.view { theme.title } else { theme.dim };
        let key = key_of(model, Action::Show(*view));
        let begin = quantity::small(line.width());
        line.push_span(Span::styled(open, style));
        if !key.is_empty() {
            line.push_span(Span::styled(format!("{key} "), theme.accent));
        }
        line.push_span(Span::styled(view_name(*view), style));
        line.push_span(Span::styled(close, style));
        let width = quantity::small(line.width()).saturating_sub(begin);
        let place = Rect { x: area.x.saturating_add(begin), width, ..area };
        model.hits.add(place.intersection(area), Target::Act(Action::Show(*view)));
        line.push_span(Span::raw(" "));
    }
    put_fitted(buffer, area, (0, 0), &line, model.glyphs.cut);
}

/// In the past: which moment, how long ago, and the way back; of all else only what would mislead if it were missing.
fn draw_past(model: &Model, at: Moment, buffer: &mut Buffer, area: Rect) {
    let style = model.theme.warn.add_modifier(Modifier::REVERSED);
    let (width, dot) = (usize::from(area.width), model.glyphs.dot);
    buffer.set_style(area, style);
    let ago = past::ago(model.present_now().since(at));
    let trouble = connection(model).map(|(text, _)| format!("{text} {dot} ")).unwrap_or_default();
    let told = format!(
        "{trouble}PAST {} {dot} {ago} {dot} {}: now ",
        model.clock.date_and_time(at),
        key_of(model, Action::Now)
    );
    let production = if model.is_production() { " PRODUCTION" } else { "" };
    let left = format!(" {}{production} {dot} {}", sanitize(model.project()), view_name(model.view));
    let left = cut(&left, width.saturating_sub(told.width() + 1), model.glyphs.cut);
    put_at(buffer, area, 0, 0, &Line::from(Span::styled(left, style)));
    put_right(buffer, area, 0, &Line::from(Span::styled(told, style.add_modifier(Modifier::BOLD))));
}

/// The width of a text that gives up `excess` cells but keeps `shortest`; `None` if it can stay as it is.
fn narrower(text: &str, excess: usize, shortest: usize) -> Option<usize> {
    (excess > 0).then(|| text.width().saturating_sub(excess).max(shortest))
}

/// What stands at the left.
struct Left {
    has_brand: bool,
    project: String,
    place: String,
}

impl Left {
    fn new(model: &Model) -> Self {
        Self { has_brand: true, project: sanitize(model.project()), place: place(model) }
    }

    fn line(&self, model: &Model) -> Line<'static> {
        let theme = &model.theme;
        let mut line = Line::from(Span::styled(if self.has_brand { " trainyard " } else { "" }, theme.accent));
        if model.daemon.is_some() {
            line.push_span(Span::styled(format!(" {}", self.project), theme.title));
            line.push_span(Span::styled(format!(" {} {}", model.glyphs.dot, self.place), theme.dim));
        }
        if model.is_production() {
            line.push_span(Span::styled(" PRODUCTION", theme.bad.add_modifier(Modifier::BOLD)));
        }
        if let Some(alerts) = alerts(model) {
            line.push_span(alerts);
        }
        line.push_span(Span::styled(format!("  {}", view_name(model.view)), theme.dim));
        line
    }
}

/// What fires, else what is pending; nobody wants to hear of what is silenced.
fn alerts(model: &Model) -> Option<Span<'static>> {
    let are = |state: AlertState| {
        let heard = model.live.alerts.iter().filter(move |alert| alert.state == state && alert.silence.is_none());
        heard.map(|alert| sanitize(&alert.name)).collect::<Vec<_>>()
    };
    let told = |names: Vec<String>, is: &str, are: &str, style: Style| match names.as_slice() {
        [] => None,
        [name] => Some(Span::styled(format!("  ! alert {} {is}", cut(name, LONGEST_ALERT, model.glyphs.cut)), style)),
        names => Some(Span::styled(format!("  ! {} alerts {are}", names.len()), style)),
    };
    let bad = model.theme.bad.add_modifier(Modifier::BOLD);
    told(are(AlertState::Firing), "fires", "fire", bad)
        .or_else(|| told(are(AlertState::Pending), "is pending", "are pending", model.theme.warn))
}

/// Where releases run: a cluster by its context and namespace, all else by this machine.
fn place(model: &Model) -> String {
    let Some(daemon) = &model.daemon else { return String::new() };
    let host = sanitize(&daemon.host);
    match (model.place(), &daemon.target) {
        (Some(place), _) if place.context.is_some() || place.namespace.is_some() => sanitize(&place_text(place)),
        (Some(place), _) => format!("{}@{host}", sanitize(&place.kind)),
        (None, Some(target)) => format!("{}@{host}", sanitize(target)),
        (None, None) => host,
    }
}

/// A place in `width` cells: of a long context the end is cut, for the namespace behind it tells more.
fn shortened(place: &str, width: usize, cut_sign: &str) -> String {
    let parts = place.split_once(':').and_then(|(kind, rest)| Some((kind, rest.rsplit_once('/')?)));
    if let Some((kind, (context, namespace))) = parts {
        let room = width.saturating_sub(kind.width() + namespace.width() + 2);
        if room >= 4 {
            return format!("{kind}:{}/{namespace}", cut(context, room, cut_sign));
        }
    }
    cut(place, width, cut_sign)
}

fn joined(model: &Model, facts: &[(String, Style)]) -> Line<'static> {
    let mut line = Line::default();
    for (index, (text, style)) in facts.iter().enumerate() {
        if index > 0 {
            line.push_span(Span::styled(format!(" {} ", model.glyphs.dot), model.theme.dim));
        }
        line.push_span(Span::styled(text.clone(), *style));
    }
    line.push_span(Span::raw(" "));
    line
}

/// The facts of the right side, the most important last.
fn facts(model: &Model, width: usize) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let mut facts = Vec::new();
    if let Some(inputs) = &model.state.inputs {
        let data = &inputs.data;
        let text = format!("data {}, {}", quantity::counted(data.count, "file"), quantity::counted(data.rows, "row"));
        facts.push((text, theme.text));
        let source = &inputs.source;
        let branch = source.branch.as_deref().map(|branch| format!("{} ", sanitize(branch))).unwrap_or_default();
        let commit = source.commit.as_deref().map(|commit| commit.get(..7).unwrap_or(commit));
        let (word, style) = if source.dirty { (" changed", theme.warn) } else { (" clean", theme.text) };
        match commit {
            Some(commit) => facts.push((format!("{branch}{}{word}", sanitize(commit)), style)),
            None => facts.push((format!("{branch}no commit"), theme.dim)),
        }
    }
    if model.live.operators.len() > 1 {
        facts.push((format!("{} operators", model.live.operators.len()), theme.text));
    }
    if let Some(watch) = &model.live.watch {
        facts.push(watch_fact(model, watch));
    }
    if width < NARROW {
        // Data and source have no room here; how the last run ended has.
        facts.extend(last_run(model));
    }
    if let Some(lock) = &model.state.lock {
        let text = sanitize(&lock_text(lock, model.now));
        facts.push((cut(&text, LONGEST_LOCK, model.glyphs.cut), theme.warn));
    }
    if model.live.problems.contains_key(STORAGE) {
        facts.push(("disk nearly full".to_owned(), theme.warn));
    }
    if model.target().is_some_and(|report| report.unreachable.is_some()) {
        facts.push(("target not reachable".to_owned(), theme.bad));
    } else if let Some(Err(_)) = &model.live.scraped {
        facts.push(("app does not answer".to_owned(), theme.warn));
    }
    if let Some((text, is_rollback)) = announcement::in_header(model, width >= WIDE) {
        facts.push((text, if is_rollback { theme.warn } else { theme.good }));
    }
    if model.is_frozen {
        facts.push((format!("{} frozen", model.glyphs.frozen), theme.mark));
    }
    if model.is_observer {
        facts.push(("observer".to_owned(), theme.mark));
    }
    facts.extend(connection(model));
    facts
}

/// How the run that the Board shows stands or ended.
fn last_run(model: &Model) -> Option<(String, Style)> {
    let run = model.board_run()?;
    let is_started = run.started.is_some();
    Some((format!("run {} {}", run.id, word(run)), model.theme.run(run.result, is_started)))
}

/// What is wrong with the way to the daemon: the line to its machine first.
fn connection(model: &Model) -> Option<(String, Style)> {
    let theme = &model.theme;
    match &model.line {
        Some(LineState::Lost { since, .. }) => {
            let ago = quantity::whole_duration(model.present_now().since(*since));
            return Some((format!("line lost {ago} ago"), theme.bad));
        }
        Some(LineState::Ended { .. }) => return Some(("line ended".to_owned(), theme.bad)),
        Some(LineState::Up) | None => {}
    }
    match &model.connection {
        Connection::Connected => None,
        Connection::Connecting => Some(("connecting".to_owned(), theme.warn)),
        Connection::Lost { since, .. } => Some((format!("reconnecting since {}", model.clock.time(*since)), theme.bad)),
    }
}

fn watch_fact(model: &Model, watch: &WatchHealth) -> (String, Style) {
    let theme = &model.theme;
    let pending = watch.pending.len();
    match &watch.mode {
        WatchMode::Blind { .. } => ("not watching".to_owned(), theme.bad),
        _ if pending > 0 => (format!("{} arriving", quantity::counted(pending, "file")), theme.running),
        mode => {
            let word = if matches!(mode, WatchMode::Polling { .. }) { "polling" } else { "watching" };
            let age = watch.last_seen.map(|seen| model.now.since(seen)).filter(|age| *age > QUIET_WATCH);
            match age {
                Some(age) => (format!("{word}, silent for {}", quantity::age(age)), theme.warn),
                None => (word.to_owned(), theme.good),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_context_the_end_is_cut_and_the_namespace_stays() {
        let place = "kubernetes:arn:aws:eks:eu-central-1:123456789012:cluster/models/wine";
        assert_eq!(shortened(place, 30, "…"), "kubernetes:arn:aws:eks:e…/wine");
        assert_eq!(shortened(place, 12, "…"), "kubernetes:…");
        assert_eq!(shortened("docker@ops-box", 10, "…"), "docker@op…");
        assert_eq!(shortened("docker@ops-box", 40, "…"), "docker@ops-box");
    }
}
