//! The Metrics view: what is asked of the daemon for it, what its answers change, and the keys of the explorer.

use crossterm::event::{KeyCode, KeyEvent};

use super::complain;
use crate::api::types::{
    Charts, ChartsRequest, Comparison, ComparisonRequest, CompletionRequest, Completions, ExpressionFault,
};
use crate::pipeline::{Moment, ReleaseId};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::layout;
use crate::tui::message::Cmd;
use crate::tui::metrics::explorer::{Due, Explorer};
use crate::tui::metrics::pick::{Pick, Picked, choices};
use crate::tui::metrics::{Asked, Compared, RANGES};

/// Charts are not asked for more often than this, in milliseconds.
const CHARTS_EVERY: u64 = 1_000;
/// ... and as a rule at least this often, for the last column is the present.
const CHARTS_LATEST: u64 = 2_000;
/// ... which over a day is no reason to evaluate that whole day every two seconds: then this often.
const CHARTS_RARELY: u64 = 10_000;
/// This part of a column is soon enough.
const PART: u64 = 20;
/// Candidates by which a page key moves.
const PAGE: isize = 10;

/// Asks for charts that are visible and not here, or out of date, and for the rows of the explorer's list.
pub(super) fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    let rows = layout::explorer_rows(model);
    if let Some(Overlay::Explorer(explorer)) = &mut model.overlay {
        commands.extend(explorer.next_request(rows).map(Cmd::FetchCompletions));
    }
    if let Some(asked) = due_charts(model) {
        model.metrics.is_pending = true;
        if let Some(compared) = &mut model.metrics.compared {
            // It grows with the later release.
            compared.asked = None;
        }
        commands.push(Cmd::FetchCharts(asked.request.clone()));
        model.metrics.asked = Some(asked);
    }
    let columns = layout::data_columns(model).filter(|_| model.view == View::Metrics);
    let range = model.metrics.range_ms();
    if let (Some(compared), Some(columns)) = (&mut model.metrics.compared, columns) {
        let Compared { expression, former, later, .. } = &*compared;
        let request =
            ComparisonRequest { expression: expression.clone(), former: *former, later: *later, range, columns };
        if compared.asked.as_ref() != Some(&request) {
            compared.asked = Some(request.clone());
            commands.push(Cmd::FetchComparison(request));
        }
    }
}

/// The charts that are to be fetched now.
fn due_charts(model: &Model) -> Option<Asked> {
    let columns = layout::data_columns(model)?;
    let metrics = &model.metrics;
    let until = match &model.live.scraped {
        Some(Ok(scraped)) => *scraped,
        // The app does not answer: the gap moves with time.
        Some(Err(_)) => model.now,
        None if model.watches_charts() => model.now,
        None => Moment::default(),
    };
    if metrics.is_pending {
        return None;
    }
    // The Board shows the present, and the panels of the configuration.
    let is_here = model.view == View::Metrics;
    let request = ChartsRequest {
        range: metrics.range_ms(),
        columns,
        end: metrics.end.filter(|_| is_here).or_else(|| model.past_moment()),
        expression: metrics.expression.clone().filter(|_| is_here),
    };
    let is_due = match &metrics.asked {
        None => true,
        Some(asked) if asked.request != request => true,
        Some(asked) => {
            let step = match request.range {
                // How much that is, the daemon has said.
                0 => metrics.charts.step,
                range => range / u64::try_from(columns).unwrap_or(1).max(1),
            };
            let step = step.clamp(CHARTS_EVERY, (step / PART).clamp(CHARTS_LATEST, CHARTS_RARELY));
            !model.is_frozen && request.end.is_none() && until.since(asked.until) >= step
        }
    };
    is_due.then_some(Asked { request, until })
}

/// Charts came.
pub(super) fn received(model: &mut Model, answer: Result<Charts, String>) {
    model.metrics.is_pending = false;
    match answer {
        // What was asked for in the present shows what came later.
        Ok(charts) if model.past_moment().is_some_and(|at| charts.end > at) => model.metrics.asked = None,
        // An answer that was under way when the screen was frozen must not move it.
        Ok(_) if model.is_frozen && !model.metrics.charts.panels.is_empty() => {}
        Ok(mut charts) => {
            if model.past.is_some() {
                // It is reckoned to the present.
                charts.delivery = None;
            }
            model.metrics.error = None;
            model.metrics.selected = model.metrics.selected.min(charts.panels.len().saturating_sub(1));
            model.metrics.charts = charts;
        }
        Err(error) => model.metrics.error = Some(error),
    }
}

/// A comparison came; one that was not asked for last is dropped.
pub(super) fn compared(model: &mut Model, request: &ComparisonRequest, answer: Result<Comparison, String>) {
    if let Some(compared) = &mut model.metrics.compared
        && compared.asked.as_ref() == Some(request)
        && !(model.is_frozen && matches!(compared.answer, Some(Ok(_))))
    {
        compared.answer = Some(answer);
    }
}

/// The daemon's word on an expression came: it is drawn, or the line says what is wrong with it.
pub(super) fn checked(model: &mut Model, expression: String, answer: Result<Option<ExpressionFault>, String>) {
    let Some(Overlay::Explorer(explorer)) = &mut model.overlay else { return };
    if explorer.checked.as_ref() != Some(&expression) {
        return;
    }
    explorer.checked = None;
    match answer {
        Ok(None) => draw(model, Some(expression)),
        Ok(Some(fault)) => explorer.fault = Some(Ok(fault)),
        Err(error) => explorer.fault = Some(Err(error)),
    }
}

/// Draws an expression before the panels, or only the panels again.
fn draw(model: &mut Model, expression: Option<String>) {
    model.overlay = None;
    model.view = View::Metrics;
    model.alert = None;
    model.is_frozen = false;
    model.is_zoomed = expression.is_some();
    model.metrics.selected = 0;
    model.metrics.compared = None;
    model.metrics.expression = expression;
}

/// Opens the explorer.
pub(super) fn explore(model: &mut Model) {
    let explorer = Explorer::new(model.metrics.expression.as_deref());
    model.overlay = Some(Overlay::Explorer(Box::new(explorer)));
}

/// A key while the explorer is open.
pub(super) fn in_explorer(model: &mut Model, key: &KeyEvent, mut explorer: Box<Explorer>, commands: &mut Vec<Cmd>) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Tab => explorer.complete(),
        KeyCode::Down => explorer.select(1),
        KeyCode::Up | KeyCode::BackTab => explorer.select(-1),
        KeyCode::PageDown => explorer.select(PAGE),
        KeyCode::PageUp => explorer.select(-PAGE),
        KeyCode::Enter => {
            if enter(model, &mut explorer, commands) {
                return;
            }
        }
        _ => {
            let before = explorer.line.text.clone();
            explorer.line.press(key);
            if explorer.line.text == before {
                explorer.moved();
            } else {
                explorer.changed();
            }
        }
    }
    model.overlay = Some(Overlay::Explorer(explorer));
}

/// Asks the daemon whether the expression can be drawn, once it is known which that is; an empty line brings the panels back
/// at once: then it is true.
fn enter(model: &mut Model, explorer: &mut Explorer, commands: &mut Vec<Cmd>) -> bool {
    let Some(expression) = explorer.drawn() else {
        explorer.due = Some(Due::Draw);
        return false;
    };
    if expression.is_empty() {
        draw(model, None);
        return true;
    }
    explorer.due = None;
    explorer.fault = None;
    explorer.checked = Some(expression.clone());
    commands.push(Cmd::CheckExpression(expression));
    false
}

/// A window of the list came, and with it the turn of a key that waited for it.
pub(super) fn completed(
    model: &mut Model,
    request: CompletionRequest,
    answer: Result<Completions, String>,
    commands: &mut Vec<Cmd>,
) {
    let Some(Overlay::Explorer(mut explorer)) =
        model.overlay.take_if(|overlay| matches!(overlay, Overlay::Explorer(_)))
    else {
        return;
    };
    explorer.receive(request, answer);
    if explorer.is_answered() {
        match explorer.due.take() {
            Some(Due::Complete) => explorer.complete(),
            Some(Due::Draw) if enter(model, &mut explorer, commands) => return,
            Some(Due::Draw) | None => {}
        }
    }
    model.overlay = Some(Overlay::Explorer(explorer));
}

/// Begins or ends a comparison of the selected panel.
pub(super) fn compare(model: &mut Model) {
    model.metrics.cursor = None;
    model.is_frozen = false;
    if model.metrics.compared.take().is_some() {
        return;
    }
    let Some(panel) = model.metrics.charts.panels.get(model.metrics.selected) else { return };
    let expression = panel.expression.clone();
    model.metrics.compared = Some(Compared { expression, later: None, former: None, answer: None, asked: None });
}

/// Looks further back; in a comparison, at the pair of releases before or after.
pub(super) fn pan(model: &mut Model, by: i8) {
    model.is_frozen = false;
    let live = model.state.releases.values().filter(|release| release.live_since.is_some());
    let releases: Vec<ReleaseId> = live.map(|release| release.id).collect();
    let Some(compared) = &mut model.metrics.compared else {
        let now = model.now;
        model.metrics.pan(by, now);
        return;
    };
    let last = releases.len().saturating_sub(1);
    let index = compared.later.and_then(|later| releases.iter().position(|release| *release == later)).unwrap_or(last);
    // The first one has none before it.
    let index = index.saturating_add_signed(isize::from(by)).clamp(usize::from(last > 0), last);
    compared.later = releases.get(index).copied().filter(|_| index < last);
    compared.former = None;
}

/// Asks which two releases are to be compared; where nothing is compared yet, that of the selected panel begins.
pub(super) fn pick(model: &mut Model) {
    if model.metrics.compared.is_none() {
        compare(model);
    }
    let Some(compared) = &model.metrics.compared else { return };
    let newest: Vec<ReleaseId> = choices(&model.state).map(|release| release.id).take(2).collect();
    let [later, former] = newest.as_slice() else { return };
    let present = match &compared.answer {
        Some(Ok(comparison)) => (comparison.former, comparison.later),
        Some(Err(_)) | None => (compared.former.unwrap_or(*former), compared.later.unwrap_or(*later)),
    };
    model.overlay = Some(Overlay::PickReleases(Pick::new(present)));
}

/// A key while the releases are being picked.
pub(super) fn in_pick(model: &mut Model, key: &KeyEvent, mut pick: Pick) {
    match key.code {
        KeyCode::Esc | KeyCode::Char('q') => {
            // One step back: to the first of the two, then out.
            let Some(first) = pick.first.take() else { return };
            pick.selected = first;
        }
        KeyCode::Up | KeyCode::Char('k') => pick.select(-1, &model.state),
        KeyCode::Down | KeyCode::Char('j') => pick.select(1, &model.state),
        KeyCode::PageUp => pick.select(-PAGE, &model.state),
        KeyCode::PageDown => pick.select(PAGE, &model.state),
        KeyCode::Home | KeyCode::Char('g') => pick.select(isize::MIN, &model.state),
        KeyCode::End | KeyCode::Char('G') => pick.select(isize::MAX, &model.state),
        KeyCode::Enter => match pick.take() {
            Picked::One(other) => pick = other,
            Picked::Same => complain(model, "a release cannot be compared with itself; choose another one".to_owned()),
            Picked::Both(former, later) => {
                if let Some(compared) = &mut model.metrics.compared {
                    (compared.former, compared.later) = (Some(former), Some(later));
                }
                model.metrics.cursor = None;
                model.is_frozen = false;
                return;
            }
        },
        _ => {}
    }
    model.overlay = Some(Overlay::PickReleases(pick));
}

/// All that is kept, or the shortest range again.
pub(super) fn whole_history(model: &mut Model) {
    let whole = RANGES.iter().position(|(range, _)| *range == 0).unwrap_or(0);
    let range = if model.metrics.range == whole { 0 } else { whole };
    let now = model.now;
    model.metrics.zoom(range, now);
    model.is_frozen = false;
}

/// Draws the curves in another way.
pub(super) fn next_drawing(model: &mut Model) {
    let next = model.metrics.drawing.next(model.glyphs);
    if next == model.metrics.drawing {
        complain(model, "this terminal is told to write ASCII only; TRAINYARD_ASCII and the locale say so".to_owned());
        return;
    }
    model.metrics.drawing = next;
    super::say(model, format!("drawn in {}", next.word()));
}

/// One step back within the view; false if there is none.
pub(super) fn back(model: &mut Model) -> bool {
    let metrics = &mut model.metrics;
    if metrics.cursor.take().is_some() || metrics.compared.take().is_some() {
        return true;
    }
    if std::mem::take(&mut model.is_zoomed) {
        return true;
    }
    metrics.end.take().is_some() || metrics.expression.take().is_some()
}
