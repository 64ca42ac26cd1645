//! A picture of a panel, drawn by us: axes, grid, curves, marks of deploys, a legend.
//!
//! The picture needs nothing beside itself: no script, no style sheet, no font that is not there. Every text in it is foreign
//! and escaped. Gaps are gaps: a curve ends where nothing was measured and begins anew behind it.

mod heat;
mod scale;

pub use self::heat::PictureBucket;

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use self::scale::{Scale, TimeScale, latest};
use crate::pipeline::Moment;

/// Room for the numbers of the vertical axis.
const LEFT: f64 = 64.0;
/// Room behind the plot.
const RIGHT: f64 = 16.0;
/// Room for the heading.
const TOP: f64 = 40.0;
/// Room for the numbers of the time axis.
const TIMES: f64 = 26.0;
/// The height of a row of the legend.
const ROW: f64 = 18.0;
/// The width of a letter, near enough for placing one text behind another.
const LETTER: f64 = 6.6;
/// Letters of the label of a curve that are shown.
const LABEL: usize = 48;
/// Two labels of deploys that are nearer than this cannot both be read.
const NEAR: f64 = 26.0;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The heading.
    pub title: String,
    /// Behind the values.
    pub unit: Option<String>,
    /// The curves.
    pub curves: Vec<PictureCurve>,
    /// The buckets of a heat map, the lowest first; such a picture has no curves.
    pub buckets: Vec<PictureBucket>,
    /// How many further curves there are.
    pub left_out: usize,
    /// Deploys: the column, and what is written there.
    pub marks: Vec<(usize, String)>,
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
}

/// Colours.
struct Theme {
    background: &'static str,
    text: &'static str,
    faint: &'static str,
    grid: &'static str,
    mark: &'static str,
    curves: [&'static str; 8],
}

/// The eight colours of each are told apart by people who see fewer of them too (after Okabe and Ito).
const DARK: Theme = Theme {
    background: "#14161b",
    text: "#e3e6ea",
    faint: "#9aa1ac",
    grid: "#2b2f37",
    mark: "#c9a6ff",
    curves: ["#56b4e9", "#e69f00", "#2fcf9f", "#f0e442", "#ff8a5c", "#d98cb3", "#b9c2cf", "#8fa8ff"],
};
const LIGHT: Theme = Theme {
    background: "#ffffff",
    text: "#1f2328",
    faint: "#5c636e",
    grid: "#e2e5e9",
    mark: "#7a3ec8",
    curves: ["#0072b2", "#b36b00", "#00855f", "#8a7d00", "#c04a00", "#a64d79", "#5c636e", "#3f51b5"],
};

/// The picture as a file of its own.
pub fn picture(picture: &Picture) -> String {
    let theme = if picture.is_light { &LIGHT } else { &DARK };
    let legend = Legend::of(picture);
    let plot = Plot::of(picture, legend.rows);
    let mut svg = String::with_capacity(16 * 1024);
    open(&mut svg, picture, theme);
    heading(&mut svg, picture, theme);
    let values = picture.curves.iter().flat_map(|curve| curve.points.iter().flatten().copied());
    match (Scale::of(values, plot.height), heat::greatest(picture)) {
        (None, Some(most)) => {
            heat::draw(&mut svg, picture, &plot, most, theme);
            draw_times(&mut svg, picture, &plot, theme);
            draw_marks(&mut svg, picture, &plot, theme);
        }
        (Some(scale), _) => {
            draw_scale(&mut svg, &plot, &scale, theme);
            draw_times(&mut svg, picture, &plot, theme);
            draw_marks(&mut svg, picture, &plot, theme);
            draw_curves(&mut svg, picture, &plot, &scale, theme);
        }
        (None, None) => {
            let middle = (plot.left + plot.width / 2.0, plot.top + plot.height / 2.0);
            text(&mut svg, middle, "middle", theme.faint, "nothing was measured in this time");
        }
    }
    legend.draw(&mut svg, picture, &plot, theme);
    svg.push_str("</svg>\n");
    svg
}

fn open(svg: &mut String, picture: &Picture, theme: &Theme) {
    let Picture { width, height, title, .. } = picture;
    let title = escaped(title);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n<title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>",
        theme.background
    );
}

fn heading(svg: &mut String, picture: &Picture, theme: &Theme) {
    let _ = writeln!(
        svg,
        "<text x=\"16\" y=\"24\" font-size=\"14\" font-weight=\"600\" fill=\"{}\">{}</text>",
        theme.text,
        escaped(&picture.title)
    );
    let mut said = format!("until {}", scale::day_and_time(picture.end));
    if let [curve] = picture.curves.as_slice() {
        said = format!("{}, {said}", with_unit(curve, picture.unit.as_deref()));
    } else if let Some(unit) = &picture.unit {
        said = format!("in {unit}, {said}");
    }
    if let Some(meaning) = heat::heading(picture) {
        said = format!("{meaning}, {said}");
    }
    text(svg, (f64::from(picture.width) - RIGHT, 24.0), "end", theme.faint, &said);
}

/// The rectangle in which curves are drawn, and where in it a column stands.
struct Plot {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    columns: usize,
}

impl Plot {
    fn of(picture: &Picture, legend_rows: usize) -> Self {
        let below = TIMES + ROW * count(legend_rows) + 8.0;
        let points = picture.curves.iter().map(|curve| curve.points.len());
        let counts = picture.buckets.iter().map(|bucket| bucket.counts.len());
        let columns = points.chain(counts).max().unwrap_or(0);
        Self {
            left: LEFT,
            top: TOP,
            width: (f64::from(picture.width) - LEFT - RIGHT).max(10.0),
            height: (f64::from(picture.height) - TOP - below).max(10.0),
            columns: columns.max(2),
        }
    }

    /// Where a column is; parts of one are allowed.
    fn x(&self, column: f64) -> f64 {
        self.left + column / (count(self.columns) - 1.0) * self.width
    }

    fn y(&self, value: f64, scale: &Scale) -> f64 {
        self.top + (1.0 - scale.share(value)) * self.height
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

fn draw_scale(svg: &mut String, plot: &Plot, scale: &Scale, theme: &Theme) {
    for tick in scale.ticks() {
        let y = plot.y(tick, scale);
        line(svg, (plot.left, y), (plot.right(), y), theme.grid, "");
        text(svg, (plot.left - 8.0, y + 4.0), "end", theme.faint, &scale.label(tick));
    }
}

fn draw_times(svg: &mut String, picture: &Picture, plot: &Plot, theme: &Theme) {
    let last = count(plot.columns) - 1.0;
    let range = picture.step.saturating_mul(u64::try_from(plot.columns - 1).unwrap_or(u64::MAX));
    let times = TimeScale::of(picture.end, range, plot.width);
    for tick in times.ticks() {
        let ago = scale::seconds(picture.end.since(tick)) / scale::seconds(picture.step.max(1));
        let x = plot.x(last - ago);
        line(svg, (x, plot.top), (x, plot.bottom() + 4.0), theme.grid, "");
        text(svg, (x, plot.bottom() + 18.0), "middle", theme.faint, &times.label(tick));
    }
}

fn draw_marks(svg: &mut String, picture: &Picture, plot: &Plot, theme: &Theme) {
    let mut labelled = f64::NEG_INFINITY;
    for (column, label) in &picture.marks {
        let x = plot.x(count((*column).min(plot.columns - 1)));
        line(svg, (x, plot.top), (x, plot.bottom()), theme.mark, " stroke-dasharray=\"4 3\"");
        if (x - labelled).abs() >= NEAR {
            let is_at_the_end = x + count(label.width()) * LETTER > plot.right();
            let (from, anchor) = if is_at_the_end { (x - 4.0, "end") } else { (x + 4.0, "start") };
            text(svg, (from, plot.top + 10.0), anchor, theme.mark, label);
            labelled = x;
        }
    }
}

fn draw_curves(svg: &mut String, picture: &Picture, plot: &Plot, scale: &Scale, theme: &Theme) {
    for (index, curve) in picture.curves.iter().enumerate() {
        let path = path(curve, plot, scale);
        if !path.is_empty() {
            let _ = writeln!(
                svg,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" stroke-linejoin=\"round\" \
                 stroke-linecap=\"round\"/>",
                color(theme, index)
            );
        }
    }
}

/// A stroke for each stretch without a gap. A point with gaps on both sides is a stroke of no length, which round ends make
/// a dot.
fn path(curve: &PictureCurve, plot: &Plot, scale: &Scale) -> String {
    let mut path = String::new();
    let mut length = 0_usize;
    for (column, point) in curve.points.iter().enumerate() {
        let Some(value) = point.filter(|value| value.is_finite()) else {
            if length == 1 {
                path.push_str("h0");
            }
            length = 0;
            continue;
        };
        let letter = if length == 0 { 'M' } else { 'L' };
        let (x, y) = (plot.x(count(column)), plot.y(value, scale));
        let _ = write!(path, "{letter}{x:.1} {y:.1}");
        length += 1;
    }
    if length == 1 {
        path.push_str("h0");
    }
    path
}

/// Where each entry of the legend stands.
struct Legend {
    /// For each curve the text, where it begins, and in which row.
    entries: Vec<(String, f64, usize)>,
    rows: usize,
}

impl Legend {
    /// One curve needs none: its name is the heading.
    fn of(picture: &Picture) -> Self {
        let mut entries = Vec::new();
        if picture.curves.len() < 2 {
            return Self { entries, rows: 0 };
        }
        let room = f64::from(picture.width) - RIGHT;
        let (mut x, mut row) = (LEFT, 0);
        let named = picture.curves.iter().map(|curve| {
            let label: String = curve.label.chars().take(LABEL).collect();
            format!("{label}  {}", with_unit(curve, picture.unit.as_deref()))
        });
        let others = (picture.left_out > 0).then(|| format!("and {} more", picture.left_out));
        for text in named.chain(others) {
            let width = count(text.width()) * LETTER + 36.0;
            if x > LEFT && x + width > room {
                (x, row) = (LEFT, row + 1);
            }
            entries.push((text, x, row));
            x += width;
        }
        Self { entries, rows: row + 1 }
    }

    fn draw(&self, svg: &mut String, picture: &Picture, plot: &Plot, theme: &Theme) {
        for (index, (said, x, row)) in self.entries.iter().enumerate() {
            let y = plot.bottom() + TIMES + ROW * count(*row) + 12.0;
            if index < picture.curves.len() {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"3\" fill=\"{}\"/>",
                    y - 5.0,
                    color(theme, index)
                );
            }
            text(svg, (*x + 18.0, y), "start", theme.text, said);
        }
    }
}

/// The newest value of a curve.
fn with_unit(curve: &PictureCurve, unit: Option<&str>) -> String {
    match (curve.points.last().copied().flatten().filter(|value| value.is_finite()), unit) {
        (None, _) => "no value".to_owned(),
        (Some(value), None) => latest(value),
        (Some(value), Some("%")) => format!("{}%", latest(value)),
        (Some(value), Some(unit)) => format!("{} {unit}", latest(value)),
    }
}

fn color(theme: &Theme, index: usize) -> &'static str {
    theme.curves.get(index % theme.curves.len()).copied().unwrap_or(theme.text)
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), color: &str, more: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ =
        writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{color}\"{more}/>");
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, color: &str, said: &str) {
    let (x, y) = at;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{}</text>",
        escaped(said)
    );
}

/// Text as XML may hold it; what no document may hold is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// A number of columns, rows or letters to calculate with.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(label: &str, points: &[Option<f64>]) -> PictureCurve {
        PictureCurve { label: label.to_owned(), points: points.to_vec() }
    }

    fn drawn(curves: Vec<PictureCurve>) -> Picture {
        Picture {
            title: "requests/s <& \"more\"\u{1b}".to_owned(),
            unit: Some("req/s".to_owned()),
            curves,
            buckets: Vec::new(),
            left_out: 0,
            marks: vec![(2, "release 17".to_owned())],
            end: Moment(1_700_000_005_000),
            step: 1_000,
            width: 480,
            height: 240,
            is_light: false,
        }
    }

    /// Whether it is XML, and how many elements have that name.
    fn elements(svg: &str, name: &str) -> usize {
        let mut reader = quick_xml::Reader::from_str(svg);
        let mut found = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => return found,
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)
                    if tag.local_name().as_ref() == name =>
                {
                    found += 1;
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_picture_of_two_curves_with_a_gap_and_a_deploy() {
        let first = curve("200", &[Some(1.0), Some(2.5), None, Some(4.0), Some(3.0), Some(3.5)]);
        let second = curve("500", &[None, Some(0.5), None, Some(0.0), Some(0.25), None]);
        let svg = picture(&Picture { left_out: 3, ..drawn(vec![first, second]) });
        insta::assert_snapshot!(svg);
    }

    #[test]
    fn a_gap_is_not_bridged_and_a_lone_point_is_a_dot() {
        let one = curve("a", &[Some(1.0), None, Some(2.0), Some(3.0), None, Some(f64::NAN)]);
        let shown = drawn(vec![one]);
        let plot = Plot::of(&shown, 0);
        let scale = Scale::of([1.0, 3.0].into_iter(), plot.height).unwrap();
        let path = path(shown.curves.first().unwrap(), &plot, &scale);
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(path.matches('L').count(), 1, "{path}");
        assert_eq!(path.matches("h0").count(), 1, "{path}");
    }

    #[test]
    fn foreign_text_stays_text() {
        let svg = picture(&drawn(vec![curve("<script>", &[Some(1.0)]), curve("b", &[])]));
        assert_eq!(elements(&svg, "script"), 0);
        assert_eq!(elements(&svg, "title"), 1);
        assert!(svg.contains("requests/s &lt;&amp; &quot;more&quot;\u{fffd}"), "{svg}");
        assert!(!svg.contains('\u{1b}'));
    }

    #[test]
    fn every_picture_is_xml_whatever_is_in_it() {
        let curves = [
            vec![],
            vec![curve("", &[])],
            vec![curve("x", &[None, None])],
            vec![curve("x", &[Some(0.0)])],
            vec![curve("x", &[Some(f64::MAX), Some(f64::MIN)])],
            vec![curve("x", &[Some(f64::MIN_POSITIVE), Some(0.0)])],
            (0..20).map(|index| curve(&format!("a long name of a series {index}"), &[Some(1.0), Some(2.0)])).collect(),
        ];
        for curves in curves {
            for (width, height) in [(480, 240), (1, 1), (4_000, 100)] {
                let svg = picture(&Picture { width, height, is_light: true, ..drawn(curves.clone()) });
                assert_eq!(elements(&svg, "svg"), 1, "{svg}");
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
    }

    #[test]
    fn a_heat_map_has_a_row_for_each_bucket_and_its_gap() {
        let bucket =
            |bound: &str, counts: [Option<f64>; 5]| PictureBucket { bound: bound.to_owned(), counts: counts.to_vec() };
        let low = bucket("0.5", [Some(4.0), Some(4.0), None, Some(0.0), Some(1.0)]);
        let high = bucket("+Inf <b>", [Some(0.0), Some(0.0), None, Some(9.0), Some(9.0)]);
        let svg = picture(&Picture { buckets: vec![low, high], ..drawn(Vec::new()) });
        // The background, three stretches of the first row, two of the second.
        assert_eq!(elements(&svg, "rect"), 1 + 3 + 2, "{svg}");
        assert!(svg.contains(">0.5</text>") && svg.contains("+Inf &lt;b&gt;"), "{svg}");
        assert!(svg.contains("the fullest field 9") && !svg.contains("nothing was measured"), "{svg}");
    }

    #[test]
    fn what_was_not_measured_is_said() {
        let svg = picture(&drawn(vec![curve("x", &[None, None])]));
        assert!(svg.contains("nothing was measured in this time"), "{svg}");
        assert_eq!(elements(&svg, "path"), 0);
    }
}
