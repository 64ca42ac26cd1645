//! What charts show of what was measured: gaps, extremes, scales, marks and figures.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::api::types::{AlertSpan, AlertStrip, Charts, Curve, Mark, PanelData, PanelKind, RunMark};
use crate::pipeline::{Moment, ReleaseId, RunId};
use crate::tui::app::Model;
use crate::tui::chart_fixtures::curve;
use crate::tui::fixtures;
use crate::tui::metrics::Drawing;

/// The rows of a panel drawn alone.
fn drawn(model: &mut Model, panel: &PanelData, width: u16, height: u16) -> Vec<String> {
    show(model, panel);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    super::draw(model, &mut buffer, area, panel, true);
    rows_of(&buffer)
}

/// The rows of a panel drawn in a few.
fn drawn_small(model: &mut Model, panel: &PanelData, width: u16, height: u16) -> Vec<String> {
    show(model, panel);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    super::draw_small(model, &mut buffer, area, panel);
    rows_of(&buffer)
}

/// Makes it the only panel of the last hundred seconds.
fn show(model: &mut Model, panel: &PanelData) {
    model.metrics.charts.panels = vec![panel.clone()];
    model.metrics.charts.end = Moment(100_000);
    model.metrics.charts.step = 1_000;
}

fn rows_of(buffer: &Buffer) -> Vec<String> {
    let cells = buffer.content().chunks(usize::from(buffer.area().width.max(1)));
    cells.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
}

fn panel(kind: PanelKind, points: &[Vec<Option<f64>>]) -> PanelData {
    let curves = points.iter().enumerate().map(|(index, points)| curve(&format!("c{index}"), points.clone())).collect();
    PanelData { title: "title".to_owned(), kind, curves, ..PanelData::default() }
}

fn model() -> Model {
    let mut model = fixtures::idle();
    model.metrics.charts = Charts::default();
    model
}

const KINDS: [PanelKind; 6] =
    [PanelKind::Line, PanelKind::Area, PanelKind::Stat, PanelKind::Gauge, PanelKind::Heatmap, PanelKind::Table];

#[test]
fn no_kind_breaks_at_any_size_or_on_any_values() {
    let strange = vec![Some(f64::NAN), None, Some(f64::INFINITY), Some(-1e300), Some(0.0), Some(1e300), Some(1.0)];
    let values = [vec![], vec![Some(1.0)], vec![None; 5], strange, vec![Some(-3.0); 200]];
    let resting = model();
    for kind in KINDS {
        for points in &values {
            for (width, height) in [(0, 0), (1, 1), (22, 6), (23, 7), (40, 9), (120, 30), (300, 5)] {
                for drawing in [Drawing::Braille, Drawing::Block, Drawing::Ascii] {
                    let mut model = resting.clone();
                    model.metrics.drawing = drawing;
                    model.metrics.cursor = Some(Moment(99_000));
                    drawn(&mut model, &panel(kind, &[points.clone(), points.clone()]), width, height);
                    model.metrics.scale.log = true;
                    drawn(&mut model, &panel(kind, std::slice::from_ref(points)), width, height);
                    drawn_small(&mut model, &panel(kind, &[points.clone(), points.clone()]), width, height);
                }
            }
        }
    }
}

#[test]
fn a_logarithmic_axis_has_gaps_where_nothing_is_above_zero() {
    let mut points = vec![Some(1.0); 20];
    points.extend(vec![Some(0.0); 20]);
    points.extend(vec![Some(1_000.0); 20]);
    let data = PanelData { log: true, ..panel(PanelKind::Line, &[points]) };
    let rows = drawn(&mut model(), &data, 60, 12);
    let text = rows.join("\n");
    assert!(text.contains("log scale") && text.contains("1000"), "{text}");
    let middle: String = rows.iter().flat_map(|row| row.chars().skip(28).take(10)).collect();
    assert!(middle.chars().all(|sign| !('\u{2801}'..='\u{28ff}').contains(&sign)), "{text}");
    let data = PanelData { log: true, ..panel(PanelKind::Line, &[vec![Some(0.0); 9]]) };
    assert!(drawn(&mut model(), &data, 110, 12).join("\n").contains("nothing was above zero"));
}

#[test]
fn a_stacked_area_keeps_its_peak_and_its_gap() {
    let mut one = vec![Some(1.0); 400];
    one[200] = Some(9.0);
    let mut two = vec![Some(1.0); 400];
    for points in [&mut one, &mut two] {
        points[300..360].fill(None);
    }
    let rows = drawn(&mut model(), &panel(PanelKind::Area, &[one, two]), 60, 12);
    let filled = |row: &String| row.chars().filter(|sign| "█▓▒░▁▂▃▄▅▆▇".contains(*sign)).count();
    assert!(rows[1..3].iter().any(|row| filled(row) > 0), "the peak is lost: {rows:#?}");
    let bottom: Vec<char> = rows[8].chars().skip(10).collect();
    assert!(bottom.windows(5).any(|cells| cells.iter().all(|cell| *cell == ' ')), "the gap is bridged: {rows:#?}");
}

#[test]
fn ascii_drawing_has_no_other_sign_than_ascii() {
    for kind in [PanelKind::Line, PanelKind::Area] {
        let mut model = model();
        model.metrics.drawing = Drawing::Ascii;
        let rows = drawn(&mut model, &panel(kind, &[vec![Some(1.0), Some(2.0)], vec![Some(3.0), Some(1.0)]]), 60, 12);
        let plot: String = rows[1..9].iter().flat_map(|row| row.chars().skip(9).take(49)).collect();
        assert!(plot.is_ascii(), "{rows:#?}");
    }
}

#[test]
fn the_thresholds_say_a_word_and_small_values_can_be_the_bad_ones() {
    let data = |thresholds| PanelData { thresholds, ..panel(PanelKind::Stat, &[vec![Some(0.2); 9]]) };
    let text = |thresholds| drawn(&mut model(), &data(thresholds), 60, 12).join("\n");
    assert!(text(Some((0.1, 0.25))).contains("0.2 · warn"));
    assert!(text(Some((0.05, 0.1))).contains("0.2 · bad"));
    assert!(text(Some((0.15, 0.1))).contains("0.2 · ok"));
    assert!(text(Some((0.5, 0.3))).contains("0.2 · bad"));
    assert!(!text(None).contains('·'));
}

#[test]
fn the_crosshair_tells_every_value_at_its_moment() {
    let mut model = model();
    let one: Vec<Option<f64>> = (0..40).map(|index| Some(f64::from(index))).collect();
    let two = vec![Some(7.5); 40];
    model.metrics.cursor = Some(Moment(80_000));
    let text = drawn(&mut model, &panel(PanelKind::Line, &[one, two]), 100, 24).join("\n");
    // The last column is at 100 s, this one twenty before it.
    assert!(text.contains("00:01:20 19") && text.contains("00:01:20 7.5"), "{text}");
}

#[test]
fn alerts_and_runs_stand_at_their_columns() {
    let mut model = model();
    let span = |from, to, firing| AlertSpan { from, to, firing };
    let alert = AlertStrip {
        name: "ErrorRate".to_owned(),
        panels: vec![0],
        spans: vec![span(10, 14, false), span(15, 30, true)],
    };
    model.metrics.charts.alerts = vec![alert];
    model.metrics.charts.runs = vec![RunMark { column: 20, run: RunId(1) }];
    let rows = drawn(&mut model, &panel(PanelKind::Line, &[vec![Some(1.0); 40]]), 60, 14);
    let strip = rows.iter().find(|row| row.contains("ErrorR")).unwrap();
    assert!(strip.contains("░") && strip.contains("█"), "{rows:#?}");
    assert!(strip.find('░') < strip.find('█'));
    assert!(rows.iter().any(|row| row.contains('▴')) && rows.iter().any(|row| row.contains('!')), "{rows:#?}");
}

#[test]
fn texts_in_a_plot_keep_clear_of_each_other() {
    let mut model = model();
    let mark = |column, number| Mark { column, release: ReleaseId(number) };
    model.metrics.charts.marks = vec![mark(37, 5), mark(38, 6)];
    let spans = vec![AlertSpan { from: 38, to: 39, firing: true }];
    model.metrics.charts.alerts = vec![AlertStrip { name: "ErrorRate".to_owned(), panels: vec![0], spans }];
    let line = panel(PanelKind::Line, &[vec![Some(0.5); 40]]);
    let data = PanelData { thresholds: Some((0.3, 0.8)), min: Some(0.0), max: Some(1.0), ..line };
    for cursor in [None, Some(Moment(98_000))] {
        model.metrics.cursor = cursor;
        let rows = drawn(&mut model, &data, 60, 14);
        for text in ["warn", "bad", "!", "┊6", "ErrorRate"] {
            // The heading says `warn` too.
            assert!(rows.iter().skip(1).any(|row| row.contains(text)), "{text}: {rows:#?}");
        }
        let axis = rows.iter().find(|row| row.contains("-2m") || row.contains("00:01:38")).unwrap();
        assert_eq!(axis.contains("now"), cursor.is_none(), "{rows:#?}");
        assert_eq!(axis.contains("ow"), cursor.is_none(), "nothing is left of what has no room: {rows:#?}");
    }
}

#[test]
fn a_quantile_of_no_requests_and_too_few_rows_say_so() {
    let quantile = PanelData {
        expression: "histogram_quantile(0.95, sum by (le) (rate(a_bucket[1m])))".to_owned(),
        ..panel(PanelKind::Line, &[vec![None; 40]])
    };
    let text = |data: &PanelData| drawn(&mut model(), data, 80, 14).join("\n");
    assert!(text(&quantile).contains("no requests in this time"));
    assert!(text(&panel(PanelKind::Line, &[vec![None; 40]])).contains("nothing was measured in this time"));
    let note = Some("too few rows yet: 12 of 100".to_owned());
    let few = PanelData { note, ..panel(PanelKind::Line, &[]) };
    assert!(text(&few).matches("too few rows yet: 12 of 100").count() >= 1, "{}", text(&few));
}

#[test]
fn a_legend_in_one_row_counts_the_curves_that_it_has_no_room_for() {
    let points: Vec<Vec<Option<f64>>> = (0..8).map(|index| vec![Some(f64::from(index)); 9]).collect();
    let rows = drawn(&mut model(), &panel(PanelKind::Area, &points), 60, 12);
    let legend = rows.iter().find(|row| row.contains("c0")).unwrap();
    assert!(legend.contains("c0 0") && legend.contains("more"), "{legend}");
    assert!(!legend.contains("c7"), "{legend}");
}

#[test]
fn an_alert_of_no_panel_stands_beside_all_of_them_and_below_none() {
    let mut model = model();
    let span = |from, to, firing| AlertSpan { from, to, firing };
    let alert = |name: &str, spans| AlertStrip { name: name.to_owned(), panels: Vec::new(), spans };
    model.metrics.charts.alerts = vec![alert("AppDown", vec![span(0, 9, true)])];
    let rows = drawn(&mut model, &panel(PanelKind::Line, &[vec![Some(1.0); 40]]), 60, 14);
    assert!(!rows.iter().any(|row| row.contains("AppDown") || row.contains('!')), "{rows:#?}");
    let alone = |model: &Model, height: u16| {
        let area = Rect::new(0, 0, 60, height);
        let mut buffer = Buffer::empty(area);
        super::draw_alerts_alone(model, &mut buffer, area);
        let cells = buffer.content().chunks(60);
        cells.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect::<Vec<String>>()
    };
    assert_eq!(super::alerts_alone(&model), 1);
    let rows = alone(&model, 1);
    assert!(rows[0].starts_with(" AppDown") && rows[0].contains('█'), "{rows:#?}");
    assert!(rows[0].find('█') < Some(30) && rows[0].trim_end().chars().count() < 30, "{rows:#?}");
    model.metrics.charts.alerts.push(alert("Other", vec![span(30, 39, false)]));
    assert!(alone(&model, 1)[0].contains("2 alerts"), "where there is no room for both");
    assert_eq!(alone(&model, 2).iter().filter(|row| !row.trim().is_empty()).count(), 2);
    assert_eq!(alone(&model, 0), Vec::<String>::new());
}

#[test]
fn every_curve_of_a_table_has_a_row_and_the_others_are_counted() {
    let points: Vec<Vec<Option<f64>>> = (0..20).map(|index| vec![Some(f64::from(index)); 3]).collect();
    let rows = drawn(&mut model(), &panel(PanelKind::Table, &points), 80, 12);
    assert!(
        rows.iter().any(|row| row.contains("c7")) && rows.iter().any(|row| row.contains("and 12 more")),
        "{rows:#?}"
    );
}

#[test]
fn a_frame_of_ten_curves_over_a_day_is_drawn() {
    let day: Vec<Option<f64>> = (0..86_400).map(|second| Some(f64::from(second % 997))).collect();
    let curves = (0..10).map(|index| Curve { label: format!("c{index}"), points: day.clone(), ..Curve::default() });
    let data = PanelData { curves: curves.collect(), ..panel(PanelKind::Line, &[]) };
    let text = drawn(&mut model(), &data, 200, 50).join("\n");
    assert!(text.contains("1000"), "the axis holds the peaks");
}

#[test]
fn a_small_chart_says_between_which_values_it_lies_and_keeps_gaps_and_deploys() {
    let mut points = vec![Some(66.0); 20];
    points.extend(vec![None; 20]);
    points.extend(vec![Some(132.0); 20]);
    let mut model = model();
    model.metrics.charts.marks = vec![Mark { column: 30, release: ReleaseId(7) }];
    let data = PanelData { unit: Some("req/s".to_owned()), ..panel(PanelKind::Line, &[points]) };
    let rows = drawn_small(&mut model, &data, 48, 7);
    assert!(rows[0].starts_with("title ") && rows[0].ends_with(" 132 req/s"), "{rows:#?}");
    let labels = rows[1..].iter().map(|row| row.chars().take(7).collect::<String>().trim().to_owned());
    let labels: Vec<String> = labels.filter(|label| !label.is_empty()).collect();
    assert_eq!(labels, ["132", "66", "0"], "{rows:#?}");
    assert!(rows[1..].iter().all(|row| row.contains(model.glyphs.mark)), "a deploy goes through all rows: {rows:#?}");
    assert!(rows.iter().any(|row| row.contains("┊7")), "{rows:#?}");
    let is_dot = |sign: &char| ('\u{2801}'..='\u{28ff}').contains(sign);
    let signs = |from: usize| rows[1..].iter().flat_map(move |row| row.chars().skip(from).take(8));
    let dots = |from: usize| signs(from).filter(is_dot).count();
    assert_eq!((dots(8), dots(24), dots(40)), (8, 0, 8), "{rows:#?}");
    assert!(rows[1].chars().skip(40).all(|sign| is_dot(&sign)), "no row above the highest is blank: {rows:#?}");
}

#[test]
fn of_several_curves_a_small_chart_has_the_names_that_fit_and_counts_the_others() {
    let points: Vec<Vec<Option<f64>>> = [1.0, 2.0, 3.0].map(|value| vec![Some(value); 9]).into();
    let head = |width| drawn_small(&mut model(), &panel(PanelKind::Area, &points), width, 5).remove(0);
    assert!(head(48).starts_with("title  █ c0 ▓ c1 ▒ c2 ") && head(48).ends_with(" c2 3"), "{}", head(48));
    assert!(head(24).starts_with("title  █ c0 +2 ") && head(24).ends_with(" c2 3"), "{}", head(24));
    assert!(!head(16).contains('+'), "a number alone tells nothing: {}", head(16));
}

#[test]
fn a_panel_has_a_curve_if_there_is_something_to_draw_and_nothing_to_say() {
    let curve = panel(PanelKind::Line, &[vec![None, Some(1.0)]]);
    assert!(super::has_curve(&curve));
    let with = |note: Option<&str>, error: Option<&str>| PanelData {
        note: note.map(str::to_owned),
        error: error.map(str::to_owned),
        ..curve.clone()
    };
    assert!(!super::has_curve(&with(Some("too few rows yet"), None)));
    assert!(!super::has_curve(&with(None, Some("no series has the name x"))));
    assert!(!super::has_curve(&panel(PanelKind::Line, &[vec![None, Some(f64::NAN)]])));
}
