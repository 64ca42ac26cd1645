//! What each action does to the model, and what it asks for.

use super::{complain, enter, events, list, logs, metrics, models, mouse, palette, past, questions, selection, walk};
use crate::pipeline::{Selection, StageKind, StageName};
use crate::tui::alerts;
use crate::tui::app::{Model, Overlay, Pane, View};
use crate::tui::commands::Action;
use crate::tui::event_list;
use crate::tui::layout;
use crate::tui::list::Step;
use crate::tui::message::Cmd;
use crate::tui::metrics::RANGES;
use crate::tui::selection as selected;

/// Cells by which a long line moves sideways.
const SIDE_STEP: usize = 16;

/// Does an action.
pub(super) fn act(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) {
    if selection::takes(model, action, commands) {
        return;
    }
    if needs_a_row(model, action) && !list::has_row(model) {
        let why = list::why_empty(model);
        complain(model, why);
        return;
    }
    match action {
        Action::Show(view) => show(model, view),
        Action::Help => model.overlay = Some(Overlay::Help { scroll: 0, input: String::new() }),
        Action::Palette => palette::open(model, commands),
        Action::Search => model.overlay = Some(Overlay::Search { input: String::new() }),
        Action::SearchAgain { backward } => logs::search_again(model, backward, commands),
        Action::Log(action) => logs::act(model, action, commands),
        Action::Cycle { backward } => cycle(model, backward),
        Action::Zoom => zoom(model),
        Action::Freeze => model.is_frozen = !model.is_frozen,
        Action::Detach => commands.push(Cmd::Quit),
        Action::RunAll => questions::run(model, Selection::default(), commands),
        Action::RunFrom(kind) => run_from(model, kind, commands),
        Action::Cancel => questions::cancel(model),
        Action::Lock => model.overlay = Some(Overlay::Lock { why: String::new() }),
        Action::Unlock => model.overlay = Some(Overlay::ConfirmUnlock),
        Action::Approve => questions::holds::ask(model, true),
        Action::Decline => questions::holds::ask(model, false),
        Action::TimeLine => past::open(model, commands),
        Action::AsItWas => past::as_it_was(model, commands),
        Action::Now => past::back_to_now(model),
        Action::Operators => model.overlay = Some(Overlay::Operators),
        Action::Projects => questions::projects::list(model, commands),
        Action::FilterList => list::filter(model),
        Action::SortBy { backward } => list::step(model, Step::SortBy { backward }),
        Action::SortAround => list::step(model, Step::SortAround),
        Action::MarkRow => list::step(model, Step::Mark),
        Action::CompareRows => list::compare(model),
        Action::Walk { backward } => walk::step(model, backward),
        Action::Rollback => questions::roll_back(model, commands),
        Action::Silence => questions::silence(model),
        Action::Unsilence => questions::unsilence(model),
        Action::Follow => {
            let rows = layout::log_rows(model);
            model.log.toggle_follow(rows);
        }
        Action::Wrap => {
            model.log.wrap = !model.log.wrap;
            model.log.left = 0;
        }
        Action::Top => to_edge(model, true),
        Action::Bottom => to_edge(model, false),
        Action::Move(by) if goes_among_stages(model) => choose_stage(model, i64::from(by)),
        Action::Move(by) => move_by(model, i64::from(by)),
        Action::Page(by) if model.view == View::Metrics => page_of_charts(model, by),
        Action::Page(by) => {
            let rows = layout::log_rows(model).max(usize::from(model.size.1) / 2);
            move_by(model, i64::from(by) * i64::try_from(rows).unwrap_or(10));
        }
        Action::Sideways(by) => sideways(model, by),
        Action::Open => open(model),
        Action::Back => back(model),
        Action::Range(by) => {
            let (range, now) = (stepped(model.metrics.range, i64::from(by), RANGES.len()), model.now);
            model.metrics.zoom(range, now);
            // A frozen chart of another range would be a lie.
            model.is_frozen = false;
        }
        Action::Pan(by) => metrics::pan(model, by),
        Action::WholeHistory => metrics::whole_history(model),
        Action::Compare => metrics::compare(model),
        Action::PickReleases => metrics::pick(model),
        Action::ShowTab(tab) => models::show_tab(model, tab),
        Action::Promote => questions::models::promote(model),
        Action::Note => questions::models::note(model),
        Action::Explore => metrics::explore(model),
        Action::Drawing => metrics::next_drawing(model),
        Action::LogScale => model.metrics.scale.log = !model.metrics.scale.log,
        Action::ZeroBase => model.metrics.scale.zero = !model.metrics.scale.zero,
        Action::Demo(action) => commands.push(Cmd::Demo(action)),
        Action::SelectLines => selection::begin(model),
        // Without a selection there is nothing to copy, and the key is not offered.
        Action::CopyLines => {}
        Action::CopyThing => commands.extend(selected::thing(model).map(Cmd::Yank)),
        Action::Mouse => mouse::switch(model),
        Action::Suspend => commands.push(Cmd::Suspend),
        Action::Redraw => commands.push(Cmd::Redraw),
    }
}

/// Whether it goes into the chosen row of a list, so that there must be one.
fn needs_a_row(model: &Model, action: Action) -> bool {
    match action {
        Action::Open => true,
        Action::Zoom => !model.is_zoomed,
        Action::Cycle { .. } | Action::Sideways(_) => model.view == View::Runs && !model.is_in_detail,
        _ => false,
    }
}

pub(super) fn show(model: &mut Model, view: View) {
    if view == View::Logs {
        // Of a stage that has no log, the view says why; it never shows that of another.
        if let Some((run, stage)) = model.subject_run().zip(model.subject_stage()) {
            let address = model.log_of(run, stage);
            model.log.open(address);
        }
        if model.view != View::Logs && model.log.is_led() {
            model.log.lead_again();
        }
    }
    if view == View::Runs {
        model.runs.open();
    }
    if view == View::Releases {
        // Nobody asked for them while they were hidden.
        model.release_log.invalidate();
    }
    if view == View::Models {
        // What happened meanwhile may not have been told of models, such as files that were removed.
        model.models.invalidate();
    }
    let was_on_board = model.view == View::Board;
    model.view = view;
    model.turn_stage(was_on_board);
    model.came_from.clear();
    model.walk = None;
    model.is_zoomed = false;
    model.is_in_detail = false;
    choose_alert(model, None);
}

/// Chooses an alert, or none; Events then begins at the newest of what it shows.
pub(super) fn choose_alert(model: &mut Model, alert: Option<String>) {
    if model.alert != alert {
        model.alert = alert;
        model.event_list.chosen = None;
    }
}

fn zoom(model: &mut Model) {
    model.is_zoomed = !model.is_zoomed;
    if model.view == View::Events {
        // Whoever reads one event is not led on to the next that comes.
        model.event_list.chosen = event_list::chosen(model).map(|recorded| recorded.sequence);
    }
}

fn run_from(model: &mut Model, kind: StageKind, commands: &mut Vec<Cmd>) {
    if let Some(stage) = model.stage_of_kind(kind).cloned() {
        questions::run(model, Selection { from: Some(stage), only: false, force: false }, commands);
    }
}

fn cycle(model: &mut Model, backward: bool) {
    let by = if backward { -1 } else { 1 };
    match model.view {
        View::Board => {
            model.focus = match (model.focus, backward) {
                (Pane::Pipeline, false) | (Pane::Release, true) => Pane::Log,
                (Pane::Log, false) | (Pane::Pipeline, true) => Pane::Release,
                (Pane::Release, false) | (Pane::Log, true) => Pane::Pipeline,
            };
        }
        View::Runs => model.is_in_detail = !model.is_in_detail,
        View::Logs => next_log(model, by),
        View::Metrics => select_chart(model, by, true),
        View::Events => next_alert(model, by),
        View::Models => models::next_tab(model, backward),
        View::Releases => {}
    }
}

/// In Events: the next alert of the strip, and behind the last one all events again.
fn next_alert(model: &mut Model, by: i64) {
    let names: Vec<String> = alerts::ordered(model).into_iter().map(|alert| alert.name.clone()).collect();
    let current = model.alert.as_ref().and_then(|chosen| names.iter().position(|name| name == chosen));
    // The first place is that of all events.
    let next = wrapped(current.map_or(0, |index| index + 1), by, names.len() + 1);
    choose_alert(model, next.checked_sub(1).and_then(|index| names.get(index).cloned()));
}

/// In Logs: the log of the stage beside, in the same run.
fn next_log(model: &mut Model, by: i64) {
    let Some(current) = model.log.address.clone() else { return };
    let Some(run) = model.state.runs.get(&current.run).cloned() else { return };
    let logs: Vec<_> = model.state.graph.stages().iter().filter_map(|spec| model.log_of(&run, &spec.name)).collect();
    let index = logs.iter().position(|log| log.stage == current.stage).unwrap_or(0);
    let next = wrapped(index, by, logs.len());
    if let Some(log) = logs.get(next) {
        model.stage = Some(log.stage.clone());
        model.log.open(Some(log.clone()));
    }
}

fn to_edge(model: &mut Model, is_top: bool) {
    match model.view {
        View::Board | View::Logs if is_top => model.log.go_to_top(),
        View::Board | View::Logs => model.log.go_to_last(),
        View::Runs if model.is_in_detail => {
            let stages = model.state.graph.stages();
            model.stage = if is_top { stages.first() } else { stages.last() }.map(|spec| spec.name.clone());
        }
        View::Runs | View::Models | View::Releases | View::Events => list::to_edge(model, is_top),
        View::Metrics => {
            choose_alert(model, None);
            model.metrics.selected = if is_top { 0 } else { model.metrics.charts.panels.len().saturating_sub(1) };
        }
    }
}

fn move_by(model: &mut Model, lines: i64) {
    match model.view {
        View::Board | View::Logs => scroll_log(model, lines),
        View::Runs if model.is_in_detail => choose_stage(model, lines),
        View::Runs | View::Models | View::Releases | View::Events => list::move_by(model, lines),
        View::Metrics => select_chart(model, lines, false),
    }
}

/// Whether the keys are in the Board's stages, and these stand one below the other.
fn goes_among_stages(model: &Model) -> bool {
    model.view == View::Board && model.focus == Pane::Pipeline && layout::stages_are_rows(model)
}

/// Scrolls the log, whichever pane of the Board has the keys.
pub(super) fn scroll_log(model: &mut Model, lines: i64) {
    let rows = layout::log_rows(model);
    model.log.scroll(lines, rows);
}

fn sideways(model: &mut Model, by: i8) {
    match model.view {
        View::Logs if by < 0 => model.log.left = model.log.left.saturating_sub(SIDE_STEP),
        View::Logs => {
            if !model.log.wrap {
                model.log.left = (model.log.left + SIDE_STEP).min(crate::api::types::LINE_LIMIT);
            }
        }
        View::Board => choose_stage(model, i64::from(by)),
        View::Runs => model.is_in_detail = by > 0,
        View::Models => models::next_tab(model, by < 0),
        View::Metrics => model.metrics.move_cursor(by),
        View::Releases | View::Events => {}
    }
}

fn choose_stage(model: &mut Model, by: i64) {
    let names: Vec<StageName> = model.state.graph.stages().iter().map(|spec| spec.name.clone()).collect();
    let index = names.iter().position(|name| Some(name) == model.subject_stage()).unwrap_or(0);
    model.stage = names.get(stepped(index, by, names.len())).cloned();
}

/// The panel before or after, and behind the panels the alerts of the strip, where it is on the screen.
fn select_chart(model: &mut Model, by: i64, goes_round: bool) {
    let panels = model.metrics.charts.panels.len();
    let names: Vec<String> = if layout::shows_alerts(model) {
        alerts::ordered(model).into_iter().map(|alert| alert.name.clone()).collect()
    } else {
        Vec::new()
    };
    let step = if goes_round { wrapped } else { stepped };
    let chosen = model.alert.as_ref().and_then(|chosen| names.iter().position(|name| name == chosen));
    let current = chosen.map_or(model.metrics.selected, |index| panels + index);
    let next = step(current, by, panels + names.len());
    choose_alert(model, next.checked_sub(panels).and_then(|index| names.get(index).cloned()));
    if next < panels {
        model.metrics.selected = next;
    }
}

/// As many charts further as are on the screen. The alerts behind the last one are no page of charts.
fn page_of_charts(model: &mut Model, by: i8) {
    let page = i64::try_from(layout::shown_charts(model).len().max(1)).unwrap_or(1);
    choose_alert(model, None);
    model.metrics.selected = stepped(model.metrics.selected, i64::from(by) * page, model.metrics.charts.panels.len());
}

fn open(model: &mut Model) {
    match model.view {
        View::Board if model.focus == Pane::Release => enter::into(model, |model| show(model, View::Metrics)),
        View::Board => enter::into(model, |model| show(model, View::Logs)),
        View::Runs if !model.is_in_detail => model.is_in_detail = true,
        View::Runs => {
            // However the list grows meanwhile, the way back leads to this run.
            model.runs.list.chosen = model.chosen_run().map(|run| run.id);
            enter::into(model, |model| show(model, View::Logs));
        }
        View::Metrics if model.alert.is_some() => {
            let alert = model.alert.clone();
            enter::into(model, |model| {
                show(model, View::Events);
                choose_alert(model, alert);
            });
        }
        View::Models | View::Releases | View::Metrics => model.is_zoomed = !model.is_zoomed,
        View::Events => events::open(model),
        View::Logs => {}
    }
}

/// One step back: out of a zoom, a detail, a search, a filter; then a choice; then to where one came from by Enter, else to the
/// Board; from there, in the past, to the present.
fn back(model: &mut Model) {
    model.walk = None;
    if model.view == View::Events && events::back(model) {
        return;
    }
    if model.view != View::Events && model.alert.is_some() {
        choose_alert(model, None);
        return;
    }
    if model.view == View::Metrics && metrics::back(model) {
        return;
    }
    if model.is_zoomed {
        model.is_zoomed = false;
    } else if list::leave_comparison(model) {
    } else if model.is_in_detail {
        model.is_in_detail = false;
    } else if list::leave_filter(model) {
        // All rows are there again; that is one step.
    } else if model.view == View::Logs && model.log.search.as_ref().is_some_and(|search| !search.is_for_failure) {
        model.log.search = None;
    } else if model.view == View::Board && model.past.is_some() {
        past::back_to_now(model);
    } else if model.view == View::Logs && model.log.filter.is_some() {
        let rows = layout::log_rows(model);
        model.log.show_only(None, rows);
    } else if model.view == View::Board {
        model.stage = None;
        model.log.go_to_end();
    } else if !enter::back(model) {
        show(model, View::Board);
    }
}

pub(super) fn stepped(index: usize, by: i64, count: usize) -> usize {
    let by = isize::try_from(by).unwrap_or(0);
    index.saturating_add_signed(by).min(count.saturating_sub(1))
}

fn wrapped(index: usize, by: i64, count: usize) -> usize {
    if count == 0 {
        return 0;
    }
    if by < 0 { (index + count - 1) % count } else { (index + 1) % count }
}
