//! The two last lines: what there is to say, and which keys work here and now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{cut, put, put_fitted, sanitize};
use super::{log_lines, overlay_keys, plan_line};
use crate::api::types::{LineState, WatchMode};
use crate::tui::announcement;
use crate::tui::app::{Connection, Model, Overlay, View};
use crate::tui::commands::{Action, COMMANDS, key_of};
use crate::tui::holds;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};

/// Draws the hint line from the table of commands.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = &model.theme;
    let width = usize::from(area.width);
    let hint =
        |key: String, word: &str| [Span::styled(key, theme.accent), Span::styled(format!(" {word}"), theme.text)];
    if let Some(overlay) = &model.overlay {
        // The keys of the view below do nothing now.
        let mut line = Line::from(" ");
        for (index, (key, word)) in overlay_keys::of(model, overlay).into_iter().enumerate() {
            let separator = if index == 0 { String::new() } else { format!(" {} ", model.glyphs.dot) };
            line.push_span(Span::styled(separator, theme.border));
            line.spans.extend(hint(key.to_owned(), word));
        }
        put_fitted(buffer, area, (0, 0), &line, model.glyphs.cut);
        return;
    }
    let mut all: Vec<_> = COMMANDS
        .iter()
        .filter(|command| command.is_available(model) && is_of_use(model, command.action))
        .filter_map(|command| {
            let is_last_resort = matches!(command.action, Action::Palette | Action::Help | Action::Detach);
            let key = model.keymap().keys(command).first()?.label();
            Some((is_last_resort, Some(command.action), hint(key, command.hinted(model)?)))
        })
        .collect();
    if let Some(keys) = keys_of_views(model) {
        let end = all.iter().position(|(is_kept, ..)| *is_kept).unwrap_or(all.len());
        all.insert(end, (true, None, hint(keys, "views")));
    }
    let separator = format!(" {} ", model.glyphs.dot);
    let width_of = |spans: &[Span]| spans.iter().map(Span::width).sum::<usize>() + 3;
    // The palette, help and the way out are always there; the others as far as there is room.
    let kept: usize = all.iter().filter(|(kept, ..)| *kept).map(|(.., spans)| width_of(spans)).sum();
    let mut room = width.saturating_sub(kept);
    let mut line = Line::from(" ");
    let mut is_first = true;
    for (is_kept, action, spans) in all {
        if !is_kept {
            let needed = width_of(&spans);
            if needed > room {
                continue;
            }
            room -= needed;
        }
        if !std::mem::take(&mut is_first) {
            line.push_span(Span::styled(separator.clone(), theme.border));
        }
        let begin = small(line.width());
        for span in spans {
            line.push_span(span);
        }
        let place = Rect { x: area.x.saturating_add(begin), width: small(line.width()).saturating_sub(begin), ..area };
        if let Some(action) = action {
            model.hits.add(place.intersection(area), Target::Act(action));
        }
    }
    put(buffer, area, 0, &line);
}

/// From the key of the first view to that of the last; none where the operator gave one of them no key.
fn keys_of_views(model: &Model) -> Option<String> {
    let (first, last) = (key_of(model, Action::Show(View::Board)), key_of(model, Action::Show(View::Events)));
    (!first.is_empty() && !last.is_empty()).then(|| format!("{first}-{last}"))
}

/// Whether a hint is worth its room: the demo's own keys work everywhere, and what they do is seen on the Board.
fn is_of_use(model: &Model, action: Action) -> bool {
    model.view == View::Board || !matches!(action, Action::Demo(_))
}

/// Draws the message line: a prompt, a question, a message, a trouble, or the plan.
pub(in crate::tui) fn draw_message(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = &model.theme;
    if let Some(Overlay::Search { input }) = &model.overlay {
        let mut line = Line::from(Span::styled(" search the whole log: ", theme.accent));
        line.push_span(Span::styled(sanitize(input), theme.title));
        line.push_span(Span::styled(" ", theme.selection));
        line.push_span(Span::styled("  Enter finds, Esc leaves, an empty one ends the search", theme.dim));
        put(buffer, area, 0, &line);
        return;
    }
    if let Some(Overlay::Log(prompt)) = &model.overlay
        && let Some(line) = log_lines::prompt(model, prompt)
    {
        put(buffer, area, 0, &line);
        return;
    }
    if let Some(Overlay::FilterList { input }) = &model.overlay {
        let (what, more) = match model.view {
            View::Runs => ("runs", "failed, by:NAME, stage:NAME"),
            View::Models => ("models", "held, champion, a learner"),
            View::Releases => ("releases", "rejected, by:NAME"),
            View::Events => ("events", "by:NAME kind:KIND run:N stage:NAME"),
            View::Board | View::Logs | View::Metrics => ("those", ""),
        };
        let mut line = Line::from(Span::styled(format!(" only {what} with: "), theme.accent));
        line.push_span(Span::styled(sanitize(input), theme.title));
        line.push_span(Span::styled(" ", theme.selection));
        line.push_span(Span::styled(format!("  {more}; Enter filters, empty shows all"), theme.dim));
        put_fitted(buffer, area, (0, 0), &line, model.glyphs.cut);
        return;
    }
    let room = usize::from(area.width).saturating_sub(2);
    let (text, style) = match (&model.message, announcement::told(model).filter(|_| !model.is_stale())) {
        (Some(message), _) => (sanitize(&message.text), if message.is_error { theme.bad } else { theme.good }),
        (None, Some(told)) => (told.text.clone(), if told.is_rollback { theme.warn } else { theme.good }),
        (None, None) => match trouble(model).or_else(|| waits(model)) {
            Some(text) => (text, theme.warn),
            None => (plan_line::text(model, room), theme.dim),
        },
    };
    let text = cut(&text, room, model.glyphs.cut);
    put(buffer, area, 0, &Line::from(Span::styled(format!(" {text}"), style)));
}

/// What is wrong and lasts.
fn trouble(model: &Model) -> Option<String> {
    if let Some(text) = line(model) {
        return Some(text);
    }
    if let Connection::Lost { reason, .. } = &model.connection {
        return Some(format!("the daemon is not heard: {}; what you see is its last word", sanitize(reason)));
    }
    if let Some((subject, problem)) = model.live.problems.iter().next() {
        return Some(format!("{}: {}", sanitize(subject), sanitize(problem)));
    }
    match model.live.watch.as_ref().map(|watch| &watch.mode) {
        Some(WatchMode::Blind { reason }) => return Some(format!("nothing is watched: {}", sanitize(reason))),
        Some(WatchMode::Polling { reason }) => return Some(format!("watching by polling: {}", sanitize(reason))),
        Some(WatchMode::Notified) | None => {}
    }
    if let Some((file, reason)) = model.state.refused.iter().next() {
        let more = model.state.refused.len() - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        return Some(format!("{} is held back: {}{more}", sanitize(file), sanitize(reason)));
    }
    if let Some((since, reason)) = model.target().and_then(|report| report.unreachable.as_ref()) {
        let kind = model.place().map_or_else(|| "the target".to_owned(), |place| sanitize(&place.kind));
        return Some(format!(
            "{kind} is not reachable since {}: {}",
            model.clock.when(*since, model.now),
            sanitize(reason)
        ));
    }
    match &model.live.scraped {
        Some(Err(error)) => Some(format!("the app was not scraped: {}", sanitize(error))),
        Some(Ok(_)) | None => None,
    }
}

/// What is wrong with the line to the daemon's machine.
fn line(model: &Model) -> Option<String> {
    let host = model.daemon.as_ref().map_or_else(|| "the machine".to_owned(), |daemon| sanitize(&daemon.host));
    match model.line.as_ref()? {
        LineState::Up => None,
        LineState::Lost { since, reason, next_try } => {
            let ago = quantity::whole_duration(model.present_now().since(*since));
            let left = next_try.map(|next| next.since(model.present_now())).filter(|left| *left >= 1_000);
            let next = match left {
                Some(left) => format!("next try in {}", quantity::whole_duration(left)),
                None => "trying now".to_owned(),
            };
            Some(format!("line to {host} lost {ago} ago: {}; {next}", sanitize(reason)))
        }
        LineState::Ended { reason } => Some(format!("line to {host} ended: {}", sanitize(reason))),
    }
}

/// Who is waited for, and how to answer.
fn waits(model: &Model) -> Option<String> {
    let sentence = sanitize(&holds::awaiting(model)?.sentence(model.now));
    if model.is_observer || model.past.is_some() {
        return Some(sentence);
    }
    // Where it is narrow, the end of the sentence is missed least.
    Some(format!("{}: {sentence}", answers_text(model)))
}

/// Which keys answer a stage that waits for a person.
pub(in crate::tui) fn answers_text(model: &Model) -> String {
    format!("{} approves, {} declines", key_of(model, Action::Approve), key_of(model, Action::Decline))
}
