//! A picture of a panel, drawn by us: every kind of panel as what it is, with marks of deploys, runs and alerts.
//!
//! The picture needs nothing beside itself: no script, no style sheet, no font that is not there. Every text in it is foreign
//! and escaped, in `canvas`. Gaps are gaps. `plot` places columns and values, `scale` and `time` choose what stands at the
//! axes, `marks` draws what happened; each kind of panel has a file that draws it: `curves`, `stat`, `gauge`, `heat`, `table`.
//! What it shows stands in it in sentences too (`description`), for those who do not see it.

mod canvas;
mod curves;
mod description;
mod gauge;
mod heat;
mod legend;
mod marks;
mod plot;
mod scale;
mod stat;
mod table;
mod theme;
mod time;

#[cfg(test)]
mod tests;

pub use self::heat::PictureBucket;
pub use self::scale::PictureAxis;

use self::canvas::{Anchor, Canvas, count, escaped, fitted, fitted_in, lines};
use crate::config::PanelKind;
use crate::monitor::CurveStatistics;
use crate::pipeline::{Moment, quantity};

/// Room for the heading.
const TOP: f64 = 46.0;
/// Room at the left and the right edge.
const EDGE: f64 = 16.0;
/// The size of the heading.
const HEADING: f64 = 14.0;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The heading.
    pub title: String,
    /// Behind the values.
    pub unit: Option<String>,
    /// How it is drawn.
    pub kind: PanelKind,
    /// What is asked of the vertical axis.
    pub axis: PictureAxis,
    /// From where on a value is worth a look, and from where on it is bad; small values are the bad ones if the second is
    /// below the first.
    pub thresholds: Option<(f64, f64)>,
    /// The curves.
    pub curves: Vec<PictureCurve>,
    /// The buckets of a heat map, the lowest first; such a picture has no curves.
    pub buckets: Vec<PictureBucket>,
    /// How many further curves there are.
    pub left_out: usize,
    /// Deploys: the column, and what is written there.
    pub deploys: Vec<(usize, String)>,
    /// Runs that began.
    pub runs: Vec<(usize, String)>,
    /// Alerts that are about this panel.
    pub alerts: Vec<PictureAlert>,
    /// The moment of the last column.
    pub end: Moment,
    /// Milliseconds from column to column.
    pub step: u64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Dark on light, and not light on dark.
    pub is_light: bool,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureCurve {
    /// What tells it from the others.
    pub label: String,
    /// One value a column; `None` where nothing was measured.
    pub points: Vec<Option<f64>>,
    /// The lowest sample within each column; empty where the points tell all.
    pub low: Vec<Option<f64>>,
    /// The highest.
    pub high: Vec<Option<f64>>,
    /// What is said of it; `None` if it has no value.
    pub statistics: Option<CurveStatistics>,
}

impl PictureCurve {
    /// The value of the last column.
    fn newest(&self) -> Option<f64> {
        self.points.last().copied().flatten().filter(|value| value.is_finite())
    }
}

/// An alert beside the curves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureAlert {
    /// Its name.
    pub name: String,
    /// When it was on.
    pub spans: Vec<PictureSpan>,
}

/// A stretch of columns in which an alert was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSpan {
    /// The first column.
    pub from: usize,
    /// The last one.
    pub to: usize,
    /// Whether it fired, and was not only pending.
    pub firing: bool,
}

/// The picture as a file of its own.
pub fn picture(picture: &Picture) -> String {
    let mut canvas = Canvas::new(picture);
    open(&mut canvas);
    heading(&mut canvas);
    match picture.kind {
        PanelKind::Line => curves::draw_lines(&mut canvas),
        PanelKind::Area => curves::draw_areas(&mut canvas),
        PanelKind::Stat => stat::draw(&mut canvas),
        PanelKind::Gauge => gauge::draw(&mut canvas),
        PanelKind::Heatmap => heat::draw(&mut canvas),
        PanelKind::Table => table::draw(&mut canvas),
    }
    canvas.put(format_args!("</svg>"));
    canvas.finish()
}

/// The title comes first and the description behind it: so they are read out.
fn open(canvas: &mut Canvas<'_>) {
    let Picture { width, height, title, .. } = canvas.picture;
    let (title, told) = (escaped(title), escaped(&description::description(canvas.picture)));
    let background = canvas.theme.background;
    canvas.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"{}\">\n<title>{title}</title>\n<desc>{told}</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{background}\"/>",
        canvas::SIZE
    ));
}

/// The title, and below it what the numbers are and until when they go.
fn heading(canvas: &mut Canvas<'_>) {
    let (picture, theme) = (canvas.picture, canvas.theme);
    let room = canvas.width() - 2.0 * EDGE;
    canvas.large((EDGE, 20.0), HEADING, theme.text, &fitted_in(&picture.title, room, HEADING));
    let mut said = format!("until {}", time::day_and_time(picture.end));
    if let Some(unit) = picture.unit.as_deref().filter(|unit| !unit.is_empty()) {
        said = format!("in {unit}, {said}");
    }
    if picture.axis.log && picture.kind == PanelKind::Line {
        said.push_str(", logarithmic axis");
    }
    canvas.text((EDGE, 36.0), Anchor::Start, theme.faint, &fitted(&said, room));
}

/// A value with its unit, or that there is none.
fn figure(value: Option<f64>, unit: Option<&str>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| quantity::measured(value, unit))
}

/// There is nothing to draw.
fn say_nothing(canvas: &mut Canvas<'_>) {
    let picture = canvas.picture;
    let is_log = picture.axis.log && picture.kind == PanelKind::Line;
    if is_log && picture.curves.iter().any(|curve| curve.points.iter().any(Option::is_some)) {
        say(canvas, "nothing was above zero in this time, and a logarithmic axis shows no more");
    } else {
        say(canvas, "nothing was measured in this time");
    }
}

/// A sentence instead of a course.
fn say(canvas: &mut Canvas<'_>, text: &str) {
    let (x, color) = (canvas.width() / 2.0, canvas.theme.faint);
    let middle = TOP + (canvas.height() - TOP) / 2.0;
    for (row, line) in lines(text, canvas.width() - 2.0 * EDGE).iter().enumerate() {
        canvas.text((x, middle + 16.0 * count(row)), Anchor::Middle, color, line);
    }
}
