//! How long a frame of a chart takes: our widget beside ratatui's own `Chart`, with the same curves in the same run.
//!
//! `cargo run --release --example chart_bench`. Both draw 10 curves of 86 400 points, a day of one sample a second, on
//! 200 by 50 cells in braille, with axes and frame, from numbers that are there. Frames alternate; the median of 50
//! counts. The peer is given the bounds of its axes, which ours finds by itself, and writes no minimum, mean, maximum
//! and last value.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Widget};
use trainyard::api::types::{Charts, Curve, PanelData, Statistics};
use trainyard::pipeline::Moment;
use trainyard::tui::LonePanel;

const CURVES: u8 = 10;
const POINTS: u32 = 86_400;
const SIZE: (u16, u16) = (200, 50);
const FRAMES: usize = 50;
/// Fewer cells with dots than this are no chart.
const LEAST_DOTS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let values: Vec<Vec<f64>> = (0..CURVES).map(values).collect();
    let ours = LonePanel::new(charts(&values));
    let theirs: Vec<Vec<(f64, f64)>> =
        values.iter().map(|values| (0..POINTS).map(f64::from).zip(values.iter().copied()).collect()).collect();
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = Buffer::empty(area);
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..=FRAMES {
        let our_time = frame(&mut buffer, |buffer| ours.draw(buffer, area))?;
        let their_time = frame(&mut buffer, |buffer| draw_peer(&theirs, buffer, area))?;
        // The first round fills the caches.
        if round > 0 {
            our_times.push(our_time);
            their_times.push(their_time);
        }
    }
    let (our_time, their_time) = (median(our_times), median(their_times));
    println!("a frame of {CURVES} curves of {POINTS} points on {} x {} cells, median of {FRAMES}", SIZE.0, SIZE.1);
    println!("{:<34} {:>9.2} ms", "trainyard", milliseconds(our_time));
    let ratio = our_time.as_secs_f64() / their_time.as_secs_f64();
    println!("{:<34} {:>9.2} ms   trainyard / this = {ratio:.3}", "ratatui Chart", milliseconds(their_time));
    Ok(())
}

/// Draws once and tells how long it took.
fn frame(buffer: &mut Buffer, draw: impl FnOnce(&mut Buffer)) -> Result<Duration, &'static str> {
    buffer.reset();
    let begun = Instant::now();
    draw(buffer);
    black_box(buffer.content());
    let took = begun.elapsed();
    let dots = buffer.content().iter().filter(|cell| has_dots(cell)).count();
    if dots < LEAST_DOTS { Err("a frame has no curves in it") } else { Ok(took) }
}

fn has_dots(cell: &Cell) -> bool {
    cell.symbol().chars().any(|sign| ('\u{2801}'..='\u{28ff}').contains(&sign))
}

/// A curve that rises and falls over the day, with a jagged edge.
fn values(curve: u8) -> Vec<f64> {
    let curve = f64::from(curve);
    let value = |second: u32| {
        let second = f64::from(second);
        let slow = (second / (4_000.0 + 300.0 * curve) + curve).sin();
        let jagged = (second * (1.7 + curve / 10.0)).sin() * (second * 0.37).sin();
        100.0 * (curve + 1.0) + 60.0 * slow + 15.0 * jagged
    };
    (0..POINTS).map(value).collect()
}

/// What the daemon would answer if it were asked for every sample.
fn charts(values: &[Vec<f64>]) -> Charts {
    let curve = |(index, values): (usize, &Vec<f64>)| {
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = values.iter().sum::<f64>() / f64::from(POINTS);
        Curve {
            label: format!("series {index}"),
            points: values.iter().copied().map(Some).collect(),
            statistics: Some(Statistics { min, mean, max, last: values.last().copied() }),
            ..Curve::default()
        }
    };
    let curves = values.iter().enumerate().map(curve).collect();
    let panel = PanelData { title: "a day".to_owned(), curves, ..PanelData::default() };
    Charts { panels: vec![panel], end: Moment(1_767_312_000_000), step: 1_000, ..Charts::default() }
}

fn draw_peer(points: &[Vec<(f64, f64)>], buffer: &mut Buffer, area: Rect) {
    let colours = [Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan];
    let datasets = points.iter().zip(colours.iter().cycle()).enumerate().map(|(index, (points, colour))| {
        Dataset::default()
            .name(format!("series {index}"))
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::default().fg(*colour))
            .data(points)
    });
    Chart::new(datasets.collect())
        .block(Block::bordered().title("a day"))
        .x_axis(Axis::default().bounds([0.0, f64::from(POINTS)]).labels(["00:00", "12:00", "24:00"]))
        .y_axis(Axis::default().bounds([0.0, 1_100.0]).labels(["0", "550", "1100"]))
        .render(area, buffer);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    (at((times.len().saturating_sub(1)) / 2) + at(times.len() / 2)) / 2
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
