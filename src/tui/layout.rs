//! Where everything stands. Used by the views to draw and by [`super::update`] to know how many rows and columns of data
//! are worth asking for, so that both always agree.

pub(super) mod curves;

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::app::{Model, Pane, View};
use super::quantity::small;
use super::widgets::chart;
use super::widgets::text::sanitize;

/// Below this, only a hint is shown.
pub(super) const SMALLEST: (u16, u16) = (60, 15);
/// From this size on, the names of all views stand below the header.
const TABS: (u16, u16) = (120, 30);
/// From this width on, log and release stand side by side.
const SIDE_BY_SIDE: u16 = 110;
/// From this width on, a list of models, releases or events and the detail of one stand side by side.
const DETAIL_SIDE_BY_SIDE: u16 = 160;
/// Fifths of the rows that such a list may have above its detail, and that of events.
const MOST_OF_A_LIST: u16 = 2;
const MOST_OF_EVENTS: u16 = 3;
/// Fewest rows of such a list, frame and headings included.
const LOWEST_LIST: u16 = 5;
/// Rows of the Metrics view from which on there is room for alerts and the figures of delivery.
const METRICS_ROWS: u16 = 19;
/// Rows for alerts that no panel is about, at most.
const MOST_ALONE: u16 = 2;
/// A stage needs this many columns beside the others, arrow included.
const STAGE_CELL: u16 = 24;
/// From this many on, most of what is told of it fits in a row.
const WIDE_STAGE: u16 = 44;
/// Rows of the body from which on the Board has some to spare: a screen of 36 rows has them.
const ROOMY: u16 = 32;

/// Rows of a pane, frame included, in which stages can stand beside each other.
pub(super) const LOWEST_SIDE_BY_SIDE: u16 = 6;

/// The parts of every view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) header: Rect,
    /// The names of all views, where there is room for a row of them.
    pub(super) tabs: Option<Rect>,
    pub(super) body: Rect,
    pub(super) message: Rect,
    pub(super) hints: Rect,
}

/// Header, names of the views, body, message line, hint line.
pub(super) fn parts(area: Rect) -> Parts {
    let bare = bare_parts(area);
    if area.width < TABS.0 || area.height < TABS.1 {
        return bare;
    }
    let body = Rect { y: bare.body.y + 1, height: bare.body.height.saturating_sub(1), ..bare.body };
    Parts { tabs: Some(Rect { y: area.y + 1, height: 1, ..area }), body, ..bare }
}

/// As [`parts`], of a screen that has one view.
pub(super) fn bare_parts(area: Rect) -> Parts {
    let row = |y: u16| Rect { x: area.x, y, width: area.width, height: 1 };
    let bottom = area.y + area.height;
    Parts {
        header: row(area.y),
        tabs: None,
        body: Rect { y: area.y + 1, height: area.height.saturating_sub(3), ..area },
        message: row(bottom.saturating_sub(2)),
        hints: row(bottom.saturating_sub(1)),
    }
}

/// The panes of the Board; what has no room is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BoardPanes {
    pub(super) pipeline: Option<Rect>,
    pub(super) log: Option<Rect>,
    pub(super) release: Option<Rect>,
}

/// Whether the stages stand beside each other, and not below.
pub(super) fn stages_stand_side_by_side(width: u16, stages: usize) -> bool {
    stage_width(width, stages) >= STAGE_CELL
}

/// Columns of a stage beside the others, arrow included.
fn stage_width(width: u16, stages: usize) -> u16 {
    width.saturating_sub(4) / small(stages.max(1))
}

/// Rows of the pane of the stages, frame included, so that where there are rows to spare reasons are whole.
fn pipeline_height(body: Rect, stages: usize) -> u16 {
    let is_roomy = body.height >= ROOMY;
    let wanted = if stages_stand_side_by_side(body.width, stages) {
        match (is_roomy, stage_width(body.width, stages) >= WIDE_STAGE) {
            (false, _) => 7,
            (true, true) => 8,
            (true, false) => 9,
        }
    } else {
        let rows = small(stages).max(3);
        let doubled = rows.saturating_mul(2).saturating_add(2);
        if is_roomy && doubled <= body.height / 2 { doubled } else { rows.saturating_add(2) }
    };
    wanted.min(body.height / 2).max(5)
}

/// Whether the Board tells of the stages one below the other, in rows among which Up and Down go.
pub(super) fn stages_are_rows(model: &Model) -> bool {
    let pipeline = board(model, parts(whole(model)).body).pipeline;
    pipeline.is_some_and(|pane| {
        !stages_stand_side_by_side(pane.width, model.state.graph.stages().len()) || pane.height < LOWEST_SIDE_BY_SIDE
    })
}

/// The panes of the Board in `body`.
pub(super) fn board(model: &Model, body: Rect) -> BoardPanes {
    let none = BoardPanes { pipeline: None, log: None, release: None };
    if model.is_zoomed {
        return match model.focus {
            Pane::Pipeline => BoardPanes { pipeline: Some(body), ..none },
            Pane::Log => BoardPanes { log: Some(body), ..none },
            Pane::Release => BoardPanes { release: Some(body), ..none },
        };
    }
    let height = pipeline_height(body, model.state.graph.stages().len());
    let pipeline = Rect { height, ..body };
    let rest = Rect { y: body.y + height, height: body.height.saturating_sub(height), ..body };
    if rest.width >= SIDE_BY_SIDE {
        let width = rest.width / 5 * 3;
        let log = Rect { width, ..rest };
        let release = Rect { x: rest.x + width, width: rest.width - width, ..rest };
        return BoardPanes { pipeline: Some(pipeline), log: Some(log), release: Some(release) };
    }
    if rest.height < 9 {
        let (log, release) = if model.focus == Pane::Release { (None, Some(rest)) } else { (Some(rest), None) };
        return BoardPanes { pipeline: Some(pipeline), log, release };
    }
    let panels = small(model.metrics.charts.panels.len());
    // Where there are rows to spare, curves are worth half of them.
    let wanted = if panels > 0 && rest.height >= ROOMY { rest.height / 2 } else { panels.max(1).saturating_add(4) };
    let release_height = wanted.min(rest.height / 2).max(5);
    let log = Rect { height: rest.height - release_height, ..rest };
    let release = Rect { y: rest.y + log.height, height: release_height, ..rest };
    BoardPanes { pipeline: Some(pipeline), log: Some(log), release: Some(release) }
}

/// The panes of Models, Releases and Events; a zoomed detail stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DetailPanes {
    pub(super) list: Option<Rect>,
    pub(super) detail: Rect,
}

/// The panes of Releases in `body`.
pub(super) fn releases(model: &Model, body: Rect) -> DetailPanes {
    list_and_detail(model, body, model.state.releases.len(), (body.width / 5 * 3, MOST_OF_A_LIST))
}

/// The panes of Models in `body`. The detail has more to show than that of a release.
pub(super) fn models(model: &Model, body: Rect) -> DetailPanes {
    list_and_detail(model, body, super::models::entries(model).len(), (body.width / 20 * 11, MOST_OF_A_LIST))
}

/// The panes of Events in `body`. Of events there are many, and each is told in few rows.
pub(super) fn events(model: &Model, body: Rect) -> DetailPanes {
    // The alerts have a row of their own.
    let count = model.shown_events().count() + 1;
    list_and_detail(model, body, count, (body.width / 5 * 3, MOST_OF_EVENTS))
}

/// A list of `count` rows, which is `width` wide where there is room for a detail beside it; where it stands above, it has at
/// most so many fifths of the rows.
fn list_and_detail(model: &Model, body: Rect, count: usize, (width, fifths): (u16, u16)) -> DetailPanes {
    if model.is_zoomed {
        return DetailPanes { list: None, detail: body };
    }
    if body.width >= DETAIL_SIDE_BY_SIDE {
        let detail = Rect { x: body.x + width, width: body.width - width, ..body };
        return DetailPanes { list: Some(Rect { width, ..body }), detail };
    }
    // A short list leaves its rows to the detail.
    let wanted = small(count.saturating_add(3));
    let height = wanted.min(body.height / 5 * fifths).max(LOWEST_LIST).min(body.height);
    let detail = Rect { y: body.y + height, height: body.height - height, ..body };
    DetailPanes { list: Some(Rect { height, ..body }), detail }
}

/// The widths in a row of the release pane: label, sparkline, value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SparkColumns {
    pub(super) label: usize,
    pub(super) curve: usize,
    pub(super) value: usize,
}

/// The columns of a release pane of `width` cells, frame included: titles are whole where the curves keep some room.
pub(super) fn spark_columns(model: &Model, width: u16) -> SparkColumns {
    /// A title is cut only beyond these cells.
    const LONGEST_LABEL: usize = 24;
    /// A curve of fewer points tells too little to give its cells to a title.
    const SHORTEST_CURVE: usize = 10;
    let inner = usize::from(width).saturating_sub(4);
    let values = model.metrics.charts.panels.iter().map(chart::newest_width).max().unwrap_or(0);
    let value = (inner / 5).clamp(9, 16).max(values.min(inner / 3));
    let titles = model.metrics.charts.panels.iter().map(|panel| sanitize(&panel.title).width());
    let longest = titles.max().unwrap_or(0).min(LONGEST_LABEL);
    let label = (inner / 4).clamp(10, 22);
    let label = longest.min(inner.saturating_sub(value + 2 + SHORTEST_CURVE)).max(label);
    SparkColumns { label, curve: inner.saturating_sub(label + value + 2).max(4), value }
}

/// Columns of the table of charts.
pub(super) fn chart_columns(width: u16) -> usize {
    match width {
        0..100 => 1,
        100..=180 => 2,
        _ => 3,
    }
}

/// The frames of `count` charts in `area`, of which `selected` must be visible; each with its index.
pub(super) fn charts(area: Rect, count: usize, selected: usize) -> Vec<(usize, Rect)> {
    const LOWEST: u16 = 9;
    let across = chart_columns(area.width).min(count.max(1));
    let rows_needed = count.div_ceil(across).max(1);
    let rows_possible = usize::from(area.height / LOWEST).max(1);
    let rows = rows_needed.min(rows_possible);
    let selected_row = selected / across;
    let first_row = (selected_row + 1).saturating_sub(rows);
    let (width, height) = (area.width / small(across), area.height / small(rows));
    let mut frames = Vec::new();
    for row in 0..rows {
        for column in 0..across {
            let index = (first_row + row) * across + column;
            if index < count {
                let x = area.x + width * small(column);
                let y = area.y + height * small(row);
                // The last ones take what division left.
                let width = if column + 1 == across { area.x + area.width - x } else { width };
                let height = if row + 1 == rows { area.y + area.height - y } else { height };
                frames.push((index, Rect { x, y, width, height }));
            }
        }
    }
    frames
}

/// The charts of the Metrics view that are on the screen, each with its place.
pub(super) fn shown_charts(model: &Model) -> Vec<(usize, Rect)> {
    let area = metrics(model, parts(whole(model)).body).charts;
    if model.is_zoomed {
        return vec![(model.metrics.selected, area)];
    }
    charts(area, model.metrics.charts.panels.len(), model.metrics.selected)
}

/// The whole terminal.
pub(super) fn whole(model: &Model) -> Rect {
    Rect::new(0, 0, model.size.0, model.size.1)
}

/// Rows of log lines on the screen; 0 if no log is shown.
pub(super) fn log_rows(model: &Model) -> usize {
    let body = parts(whole(model)).body;
    let pane = match model.view {
        View::Board => board(model, body).log,
        View::Logs => Some(body),
        View::Runs | View::Models | View::Releases | View::Metrics | View::Events => None,
    };
    pane.map_or(0, |pane| usize::from(pane.height.saturating_sub(2)))
}

/// The most rows that lines of the live release can have on the screen; 0 if they are not shown.
pub(super) fn release_log_rows(model: &Model) -> usize {
    if model.view != View::Releases {
        return 0;
    }
    let body = parts(whole(model)).body;
    usize::from(releases(model, body).detail.height.saturating_sub(2))
}

/// The parts of the Metrics view; what has no room is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MetricsParts {
    pub(super) head: Rect,
    pub(super) charts: Rect,
    /// A row for each alert that was on and that no panel is about, the fewest that say so.
    pub(super) alone: Rect,
    pub(super) alerts: Option<Rect>,
    pub(super) delivery: Option<Rect>,
}

/// The parts of the Metrics view in `body`.
pub(super) fn metrics(model: &Model, body: Rect) -> MetricsParts {
    let has_room = body.height >= METRICS_ROWS;
    let alone = small(chart::alerts_alone(model)).min(MOST_ALONE);
    let alone = if has_room { alone } else { 0 };
    let alerts = has_room && !model.live.alerts.is_empty();
    let delivery = has_room && model.metrics.charts.delivery.is_some();
    let (alerts_now, delivery_now) = model.rows_of_the_present();
    let alert_rows = u16::from(alerts || (has_room && alerts_now));
    let below = alone + alert_rows + u16::from(delivery || (has_room && delivery_now));
    let charts = Rect { y: body.y + 1, height: body.height.saturating_sub(1 + below), ..body };
    let row = |y: u16| Rect { y, height: 1, ..body };
    let bottom = charts.y + charts.height;
    MetricsParts {
        head: row(body.y),
        charts,
        alone: Rect { y: bottom, height: alone, ..body },
        alerts: alerts.then(|| row(bottom + alone)),
        delivery: delivery.then(|| row(bottom + alone + alert_rows)),
    }
}

/// Whether alerts stand in the Metrics view, so that one can be chosen there.
pub(super) fn shows_alerts(model: &Model) -> bool {
    let body = parts(whole(model)).body;
    model.metrics.compared.is_none() && !model.metrics.charts.panels.is_empty() && metrics(model, body).alerts.is_some()
}

/// Rows of the explorer above its list: the line, its fault in two rows, the headings.
pub(super) const EXPLORER_HEAD: usize = 4;

/// Rows of the explorer's list on the screen: without the frame, what is above it, and the row of help below it.
pub(super) fn explorer_rows(model: &Model) -> usize {
    usize::from(model.size.1).saturating_sub(EXPLORER_HEAD + 5)
}

/// Points a curve that can be told apart on this screen; `None` if no curve is shown.
pub(super) fn data_columns(model: &Model) -> Option<usize> {
    let body = parts(whole(model)).body;
    match model.view {
        View::Board => board(model, body).release.map(|pane| {
            let is_tall = pane.height >= curves::TALL;
            if is_tall { chart::data_columns(pane.width) } else { spark_columns(model, pane.width).curve }
        }),
        View::Metrics if model.is_zoomed || model.metrics.compared.is_some() => Some(chart::data_columns(body.width)),
        View::Metrics => Some(chart::data_columns(body.width / small(chart_columns(body.width)))),
        View::Runs | View::Logs | View::Models | View::Releases | View::Events => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_fill_their_area_and_the_selected_one_is_visible() {
        let area = Rect::new(0, 1, 120, 37);
        let frames = charts(area, 5, 0);
        assert_eq!(frames.len(), 5);
        let few = charts(Rect::new(0, 1, 80, 20), 5, 4);
        assert!(few.iter().any(|(index, _)| *index == 4));
        assert!(few.iter().all(|(_, frame)| frame.height >= 9));
    }

    #[test]
    fn stages_get_more_rows_where_there_are_some_to_spare() {
        let height = |width, height, stages| pipeline_height(Rect::new(0, 0, width, height), stages);
        assert_eq!((height(120, 36, 4), height(200, 46, 4)), (9, 8), "wide ones need less");
        assert_eq!((height(120, 31, 4), height(200, 31, 4)), (7, 7));
        assert_eq!((height(80, 21, 4), height(80, 47, 4)), (6, 10), "a row for the reason of each");
        assert_eq!(height(80, 32, 12), 14, "of many each has one row");
    }

    #[test]
    fn the_curves_of_a_tall_board_are_asked_for_as_finely_as_charts_show_them() {
        let columns = |width, height| {
            let mut model = crate::tui::fixtures::idle();
            crate::tui::fixtures::send(&mut model, crate::tui::message::Msg::Resized(width, height));
            let pane = board(&model, parts(whole(&model)).body).release.unwrap();
            let fine = chart::data_columns(pane.width);
            (data_columns(&model) == Some(fine), data_columns(&model) == Some(spark_columns(&model, pane.width).curve))
        };
        assert_eq!((columns(120, 40), columns(80, 24)), ((true, false), (false, true)));
        assert_eq!(columns(100, 60), (true, false), "below the log, too");
    }

    #[test]
    fn nothing_has_a_negative_size_on_the_smallest_screen() {
        for (width, height) in [(0, 0), (1, 1), (60, 15), (80, 24)] {
            let parts = parts(Rect::new(0, 0, width, height));
            assert!(parts.body.height <= height);
            charts(parts.body, 3, 1);
            spark_columns(&crate::tui::fixtures::idle(), width);
            let panes = releases(&crate::tui::fixtures::idle(), parts.body);
            assert!(panes.detail.height <= height);
            assert!(models(&crate::tui::fixtures::idle(), parts.body).detail.height <= height);
            assert!(events(&crate::tui::fixtures::idle(), parts.body).detail.height <= height);
        }
    }
}
