//! Curves, and curves that stand on each other.
//!
//! Gaps are gaps: a curve ends where nothing was measured and begins anew behind it. Behind a curve lies how far its samples
//! went within each column, so that no peak is lost. What is below zero adds nothing to a pile.

use std::fmt::Write as _;

use super::canvas::{Canvas, count, escaped};
use super::legend::Legend;
use super::plot::Plot;
use super::scale::{PictureAxis, Scale};
use super::{Picture, PictureCurve, marks, say_nothing};

/// Draws the curves of a panel with all that is around them.
pub(super) fn draw_lines(canvas: &mut Canvas<'_>) {
    let picture = canvas.picture;
    let legend = Legend::of(picture);
    let plot = Plot::of(picture, legend.height());
    match Scale::of(values(picture), plot.height, picture.axis) {
        Some(scale) => {
            framed(canvas, &plot, &scale, |canvas| {
                for (index, curve) in picture.curves.iter().enumerate() {
                    line(canvas, &plot, &scale, index, curve);
                }
            });
        }
        None => say_nothing(canvas),
    }
    legend.draw(canvas, &plot);
}

/// Draws the curves of a panel on each other. A pile stands on zero, and its layers can only be compared on an even axis.
pub(super) fn draw_areas(canvas: &mut Canvas<'_>) {
    let picture = canvas.picture;
    let legend = Legend::of(picture);
    let plot = Plot::of(picture, legend.height());
    let piles = piles(&picture.curves, plot.columns);
    let highest = piles.iter().flatten().filter_map(|edges| edges.last().copied());
    let wanted = PictureAxis { min: Some(0.0), log: false, ..picture.axis };
    match Scale::of(highest, plot.height, wanted) {
        Some(scale) => framed(canvas, &plot, &scale, |canvas| {
            for layer in 0..picture.curves.len() {
                area(canvas, &plot, &scale, layer, &piles);
            }
        }),
        None => say_nothing(canvas),
    }
    legend.draw(canvas, &plot);
}

/// Axes and marks around what is drawn, which stays within its edges.
fn framed(canvas: &mut Canvas<'_>, plot: &Plot, scale: &Scale, draw: impl FnOnce(&mut Canvas<'_>)) {
    marks::draw_alerts(canvas, plot);
    plot.draw_scale(canvas, scale);
    plot.draw_times(canvas);
    marks::draw_thresholds(canvas, plot, scale);
    plot.clipped(canvas, draw);
    marks::draw_events(canvas, plot);
}

/// All values that are to have a place.
fn values(picture: &Picture) -> impl Iterator<Item = f64> {
    let all = |curve: &PictureCurve| -> Vec<f64> {
        curve.points.iter().chain(&curve.low).chain(&curve.high).flatten().copied().collect()
    };
    picture.curves.iter().flat_map(all)
}

/// One curve with what lies behind it, and its name for whoever points at it.
fn line(canvas: &mut Canvas<'_>, plot: &Plot, scale: &Scale, index: usize, curve: &PictureCurve) {
    let color = canvas.theme.curve(index);
    let name = escaped(&curve.label);
    let within = spread(curve, plot, scale);
    if !within.is_empty() {
        canvas.put(format_args!(
            "<path d=\"{within}\" fill=\"{color}\" fill-opacity=\"0.25\" stroke=\"{color}\" stroke-opacity=\"0.25\"/>"
        ));
    }
    let path = stroke(&curve.points, plot, scale);
    if !path.is_empty() {
        canvas.put(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"><title>{name}</title></path>"
        ));
    }
}

/// A stroke for each stretch without a gap. A point with gaps on both sides is a stroke of no length, which round ends make
/// a dot.
pub(super) fn stroke(points: &[Option<f64>], plot: &Plot, scale: &Scale) -> String {
    let placed = points.iter().map(|point| point.filter(|value| scale.has_place(*value)));
    let mut path = String::new();
    for stretch in stretches(placed) {
        for (place, (column, value)) in stretch.iter().enumerate() {
            step(&mut path, place == 0, plot.x(count(*column)), plot.y(*value, scale));
        }
        if stretch.len() == 1 {
            path.push_str("h0");
        }
    }
    path
}

/// What lies between a stroke and the lower edge of the plot, for each stretch.
pub(super) fn filled(points: &[Option<f64>], plot: &Plot, scale: &Scale) -> String {
    let placed = points.iter().map(|point| point.filter(|value| scale.has_place(*value)));
    let edges = placed.map(|point| Some((plot.bottom(), plot.y(point?, scale))));
    closed(plot, edges)
}

/// From the lowest to the highest sample of each column.
fn spread(curve: &PictureCurve, plot: &Plot, scale: &Scale) -> String {
    let placed = |point: &Option<f64>| point.filter(|value| scale.has_place(*value));
    let both = curve.low.iter().zip(&curve.high);
    closed(plot, both.map(|(low, high)| Some((plot.y(placed(low)?, scale), plot.y(placed(high)?, scale)))))
}

/// For each column the upper edge of each layer; nothing where no curve was measured.
fn piles(curves: &[PictureCurve], columns: usize) -> Vec<Option<Vec<f64>>> {
    let value = |curve: &PictureCurve, column: usize| {
        let point = curve.points.get(column).copied().flatten();
        point.filter(|value| value.is_finite()).map(|value| value.max(0.0))
    };
    let pile = |column: usize| {
        let values: Vec<Option<f64>> = curves.iter().map(|curve| value(curve, column)).collect();
        values.iter().any(Option::is_some).then(|| {
            let mut edge = 0.0;
            let edges = values.into_iter().map(|value| {
                edge += value.unwrap_or(0.0);
                edge
            });
            edges.collect()
        })
    };
    (0..columns).map(pile).collect()
}

/// One layer, between the edge of the one below it and its own.
fn area(canvas: &mut Canvas<'_>, plot: &Plot, scale: &Scale, layer: usize, piles: &[Option<Vec<f64>>]) {
    let edge = |edges: &[f64], layer: Option<usize>| layer.and_then(|layer| edges.get(layer)).copied().unwrap_or(0.0);
    let edges = piles.iter().map(|edges| {
        let edges = edges.as_ref()?;
        let (low, high) = (edge(edges, layer.checked_sub(1)), edge(edges, Some(layer)));
        Some((plot.y(low, scale), plot.y(high, scale)))
    });
    let path = closed(plot, edges);
    if !path.is_empty() {
        let color = canvas.theme.curve(layer);
        let name = canvas.picture.curves.get(layer).map(|curve| escaped(&curve.label)).unwrap_or_default();
        canvas.put(format_args!(
            "<path d=\"{path}\" fill=\"{color}\" fill-opacity=\"0.45\" stroke=\"{color}\" stroke-linejoin=\"round\">\
             <title>{name}</title></path>"
        ));
    }
}

/// A closed outline for each stretch: along the upper edge, back along the lower one.
fn closed(plot: &Plot, edges: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    for stretch in stretches(edges) {
        for (place, (column, (_, high))) in stretch.iter().enumerate() {
            step(&mut path, place == 0, plot.x(count(*column)), *high);
        }
        for (column, (low, _)) in stretch.iter().rev() {
            step(&mut path, false, plot.x(count(*column)), *low);
        }
        path.push('Z');
    }
    path
}

fn step(path: &mut String, is_first: bool, x: f64, y: f64) {
    let letter = if is_first { 'M' } else { 'L' };
    // Writing to a string cannot fail.
    let _ = write!(path, "{letter}{x:.1} {y:.1}");
}

/// What lies between gaps, each with its columns.
fn stretches<T>(points: impl Iterator<Item = Option<T>>) -> Vec<Vec<(usize, T)>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    for (column, point) in points.enumerate() {
        match point {
            Some(point) => open.push((column, point)),
            None if open.is_empty() => {}
            None => found.push(std::mem::take(&mut open)),
        }
    }
    if !open.is_empty() {
        found.push(open);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::{curve, drawn};
    use super::*;

    #[test]
    fn a_gap_is_not_bridged_and_a_lone_point_is_a_dot() {
        let points = [Some(1.0), None, Some(2.0), Some(3.0), None, Some(f64::NAN)];
        let shown = drawn(vec![curve("a", &points)]);
        let plot = Plot::of(&shown, 0.0);
        let scale = Scale::of([1.0, 3.0].into_iter(), plot.height, PictureAxis::default()).unwrap();
        let path = stroke(&points, &plot, &scale);
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(path.matches('L').count(), 1, "{path}");
        assert_eq!(path.matches("h0").count(), 1, "{path}");
        let path = filled(&points, &plot, &scale);
        assert_eq!((path.matches('M').count(), path.matches('Z').count()), (2, 2), "{path}");
    }

    #[test]
    fn a_pile_holds_all_its_layers_and_ends_at_a_gap() {
        let layers = [
            curve("a", &[Some(1.0), None, Some(3.0)]),
            curve("b", &[Some(2.0), None, None]),
            curve("c", &[Some(-4.0), None, Some(1.0)]),
        ];
        let piles = piles(&layers, 3);
        assert_eq!(piles, [Some(vec![1.0, 3.0, 3.0]), None, Some(vec![3.0, 3.0, 4.0])]);
    }

    #[test]
    fn a_peak_within_a_column_is_in_the_picture() {
        let peak = PictureCurve {
            low: vec![Some(0.5), Some(1.0)],
            high: vec![Some(1.0), Some(90.0)],
            ..curve("a", &[Some(1.0), Some(1.0)])
        };
        let picture = drawn(vec![peak]);
        assert!(values(&picture).any(|value| value > 89.0));
        let plot = Plot::of(&picture, 0.0);
        let scale = Scale::of(values(&picture), plot.height, PictureAxis::default()).unwrap();
        let path = spread(picture.curves.first().unwrap(), &plot, &scale);
        assert!(path.starts_with('M') && path.ends_with('Z'), "{path}");
        assert!(scale.holds(90.0));
    }
}
