//! The questions before something that serves is changed by hand: what comes, what goes, and, in production, the name of
//! the project; and those about the silence of an alert. Those about models stand in [`models`], those about what is
//! cancelled, locked or approved in [`holds`].

pub(super) mod holds;
pub(super) mod models;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::api::types::RollbackPlan;
use crate::pipeline::{ReleaseId, Selection, brings_back, explain};
use crate::tui::alerts::SilencePrompt;
use crate::tui::app::Model;
use crate::tui::holds::{Remark, lock_sentence};
use crate::tui::quantity::small;
use crate::tui::release_facts::{place_text, why_rejected};
use crate::tui::widgets::alert_line;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut_front, paragraph, put_at, sanitize};

/// Columns of a window, where there are so many.
const WIDTH: u16 = 72;
/// Rows that one text may take.
const ROWS: usize = 3;
/// Changes beyond this many are counted.
const CHANGES: usize = 6;

/// The question before a rollback: what would change by the daemon's word, or why it cannot be done.
pub(super) fn before_rollback(
    model: &Model,
    frame: &mut Frame,
    area: Rect,
    to: ReleaseId,
    plan: Option<&Result<RollbackPlan, String>>,
    (typed, remark): (&str, &Remark),
) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    match plan {
        None => {
            window.text(&format!("Go back to release {to}?"), theme.title);
            window.text("asking the daemon what that would change", theme.dim);
        }
        Some(Err(error)) => window.text(&sanitize(error), theme.bad),
        Some(Ok(plan)) => changes(model, &mut window, plan),
    }
    let is_possible = plan.is_some_and(|plan| plan.as_ref().is_ok_and(|plan| plan.obstacle.is_none()));
    window.gap();
    if plan.is_some() && !is_possible {
        window.text("Nothing was touched.", theme.text);
        window.line(answers(model, &[("Esc", "leaves")]));
    } else if is_possible || model.is_production() {
        let typed = model.is_production().then_some(typed);
        confirmation(model, &mut window, (typed, remark), [("y", "go back"), ("n", "stay")]);
    } else {
        window.line(answers(model, &[("n", "stay")]));
    }
    window.draw(frame, "Rollback");
}

fn changes(model: &Model, window: &mut Window<'_>, plan: &RollbackPlan) {
    let theme = &model.theme;
    if let Some(obstacle) = &plan.obstacle {
        window.text(&sanitize(obstacle), theme.bad);
        return;
    }
    window.text(&format!("Go back to release {}?", plan.to), theme.title);
    for change in plan.changes.iter().take(CHANGES) {
        window.text(&sanitize(change), theme.text);
    }
    let more = plan.changes.len().saturating_sub(CHANGES);
    if more > 0 {
        window.text(&format!("and {more} more"), theme.dim);
    }
    if plan.changes.is_empty() {
        window.text("image, model and commit are the same", theme.dim);
    }
    let place = match plan.from {
        Some(live) => format!(
            "It takes the place of release {live}, which automation will not deploy again until an input changes or somebody \
             deploys it by hand."
        ),
        None => "No release is live now.".to_owned(),
    };
    window.text(&place, theme.text);
}

/// The question before a run that may deploy to production, past a lock, or what was rejected.
pub(super) fn before_run(
    model: &Model,
    frame: &mut Frame,
    area: Rect,
    selection: &Selection,
    (typed, remark): (&str, &Remark),
) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    let what = match &selection.from {
        Some(stage) => format!("A run from {} on may deploy. Run it?", sanitize(stage.as_str())),
        None => "A run of all that is not up to date may deploy. Run it?".to_owned(),
    };
    match brings_back(&model.state, selection) {
        Some(release) => rejected(model, &mut window, release),
        None => window.text(&what, theme.title),
    }
    if let Some(lock) = &model.state.lock {
        window.text(&sanitize(&lock_sentence(lock, model.now)), theme.warn);
        window.text("The lock holds automation; a run by hand deploys all the same.", theme.text);
    }
    window.gap();
    let typed = model.is_production().then_some(typed);
    confirmation(model, &mut window, (typed, remark), [("y", "run it"), ("n", "leave it")]);
    window.draw(frame, "Deploy");
}

/// What a deploy by hand would put into service again, and what speaks against it.
fn rejected(model: &Model, window: &mut Window<'_>, id: ReleaseId) {
    let theme = &model.theme;
    window.text(&format!("Deploy again {}?", explain::rejected(id)), theme.title);
    let Some(release) = model.state.releases.get(&id) else { return };
    let parts = [
        release.model.map(|version| format!("model {version}")),
        release.image.as_ref().map(|image| format!("image {}", sanitize(image.short()))),
        (!release.commit.is_empty()).then(|| format!("commit {}", sanitize(&release.commit))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    window.text(&format!("It is {}.", parts.join(", ")), theme.text);
    let why = why_rejected(&model.state, release);
    let why = why.map_or_else(|| "its run is not kept any more".to_owned(), |why| sanitize(&why));
    window.text(&format!("Why it was rejected: {why}."), theme.warn);
    window.text("Automation does not deploy it; a run by hand does, and automation may from then on.", theme.text);
}

/// The line for a reason; then the project's name, where that is wanted, else the keys that answer.
fn confirmation(
    model: &Model,
    window: &mut Window<'_>,
    (typed, remark): (Option<&str>, &Remark),
    keys: [(&'static str, &'static str); 2],
) {
    if remark.is_open || !remark.text.is_empty() {
        let line = typed_line(model, window, "why (optional)", &remark.text, remark.is_open);
        window.line(line);
    }
    if let Some(typed) = typed {
        name(model, window, typed, !remark.is_open);
    }
    let [yes, no] = keys;
    let (_, does) = yes;
    let line = match (remark.is_open, typed) {
        (true, None) if remark.is_given() => {
            answers(model, &[("Enter", does), ("Tab", "closes the line"), ("Esc", "empties it")])
        }
        (true, _) => answers(model, &[("Enter", "closes the line"), ("Esc", "empties it")]),
        (false, Some(_)) => answers(model, &[("Tab", "says why")]),
        (false, None) => answers(model, &[yes, no, ("m", "says why")]),
    };
    window.line(line);
}

/// For how long an alert is silenced, and why.
pub(super) fn about_silence(model: &Model, frame: &mut Frame, area: Rect, prompt: &SilencePrompt) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    window.text(&format!("Silence alert {}?", sanitize(&prompt.alert)), theme.title);
    stands(model, &mut window, &prompt.alert);
    window.text(
        "Until then it is not called out, and nothing follows from it; it stands in the events all the same.",
        theme.text,
    );
    window.gap();
    let (milliseconds, length) = prompt.length();
    let until = model.clock.when(model.now.plus(milliseconds), model.now);
    let mut line = Line::from(Span::styled("for ", theme.dim));
    line.push_span(Span::styled(format!(" {length} "), theme.selection));
    line.push_span(Span::styled(format!("  until {until}"), theme.dim));
    window.line(line);
    let mut line = Line::from(Span::styled("why ", theme.dim));
    line.push_span(Span::styled("> ", theme.accent));
    let width = usize::from(window.width).saturating_sub(12);
    line.push_span(Span::styled(cut_front(&sanitize(&prompt.why), width, model.glyphs.cut), theme.title));
    line.push_span(Span::styled(" ", theme.selection));
    window.line(line);
    window.gap();
    window.line(answers(model, &[("Up, Down", "how long"), ("Enter", "silences"), ("Esc", "leaves")]));
    window.draw(frame, "Silence");
}

/// The question before the end of a silence.
pub(super) fn before_unsilence(model: &Model, frame: &mut Frame, area: Rect, alert: &str) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    window.text(&format!("Hear of alert {} again?", sanitize(alert)), theme.title);
    stands(model, &mut window, alert);
    window.text("What was held back because of the silence follows now, if the alert still fires.", theme.text);
    window.gap();
    window.line(answers(model, &[("y", "end the silence"), ("n", "leave it")]));
    window.draw(frame, "End silence");
}

/// Where the alert stands, and who silenced it.
fn stands(model: &Model, window: &mut Window<'_>, name: &str) {
    match model.live.alerts.iter().find(|alert| alert.name == name) {
        Some(alert) => {
            let (text, style) = alert_line::words(model, alert);
            window.text(&text, style);
        }
        None => window.text("It is not in the configuration any more.", model.theme.warn),
    }
}

/// The place, the project's name as it must be typed, and what was typed of it.
fn name(model: &Model, window: &mut Window<'_>, typed: &str, is_typed: bool) {
    let theme = &model.theme;
    let place = model.place().map(|place| sanitize(&place_text(place))).unwrap_or_default();
    window.text(&format!("PRODUCTION: {place}"), theme.bad);
    window.text(
        &format!("Type the name of the project, {}, and Enter. Esc leaves.", sanitize(model.project())),
        theme.text,
    );
    let mut prompt = Line::from(Span::styled("> ", theme.accent));
    prompt.push_span(Span::styled(sanitize(typed), theme.title));
    if is_typed {
        prompt.push_span(Span::styled(" ", theme.selection));
    }
    window.line(prompt);
}

/// A line in which something is typed, its end where it is too long.
fn typed_line(model: &Model, window: &Window<'_>, label: &str, text: &str, is_typed: bool) -> Line<'static> {
    let theme = &model.theme;
    let width = usize::from(window.width).saturating_sub(label.len() + 9);
    let mut line = Line::from(Span::styled(format!("{label} "), theme.dim));
    line.push_span(Span::styled("> ", theme.accent));
    line.push_span(Span::styled(cut_front(&sanitize(text), width, model.glyphs.cut), theme.title));
    if is_typed {
        line.push_span(Span::styled(" ", theme.selection));
    }
    line
}

fn answers(model: &Model, keys: &[(&'static str, &'static str)]) -> Line<'static> {
    let mut line = Line::default();
    for (key, word) in keys {
        line.push_span(Span::styled(*key, model.theme.accent));
        line.push_span(Span::styled(format!(" {word}   "), model.theme.text));
    }
    line
}

/// A window that grows with its rows.
struct Window<'a> {
    model: &'a Model,
    area: Rect,
    width: u16,
    rows: Vec<Line<'static>>,
}

impl<'a> Window<'a> {
    fn new(model: &'a Model, area: Rect) -> Self {
        Self { model, area, width: area.width.saturating_sub(4).min(WIDTH), rows: Vec::new() }
    }

    fn text(&mut self, text: &str, style: Style) {
        let width = usize::from(self.width).saturating_sub(4);
        let rows = paragraph(text, width, ROWS, self.model.glyphs.cut);
        self.rows.extend(rows.into_iter().map(|row| Line::from(Span::styled(row, style))));
    }

    fn line(&mut self, line: Line<'static>) {
        self.rows.push(line);
    }

    fn gap(&mut self) {
        self.rows.push(Line::default());
    }

    fn draw(self, frame: &mut Frame, heading: &str) {
        let height = small(self.rows.len()) + 2;
        let window = super::middle(self.area, self.width, height);
        let inner = pane::draw_over(self.model, frame.buffer_mut(), window, heading, "");
        // Where there is too little room, the answers are worth more than the reasons.
        let hidden = self.rows.len().saturating_sub(usize::from(inner.height));
        for (row, line) in self.rows.iter().skip(hidden).enumerate() {
            put_at(frame.buffer_mut(), inner, 1, row, line);
        }
    }
}
