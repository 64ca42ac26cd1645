//! The bar of a run's time: a part a stage, in the sign and colour of the stage, as long as its share of the longest run that
//! is shown.

use ratatui::text::{Line, Span};

use crate::pipeline::{Moment, Run};
use crate::tui::app::Model;
use crate::tui::quantity::{cell, real};
use crate::tui::run_facts::{Stretch, stretches, took};

/// The longest time among these runs, in milliseconds.
pub(super) fn longest<'a>(runs: impl Iterator<Item = &'a Run>, now: Moment) -> u64 {
    runs.filter_map(|run| took(run, now)).max().unwrap_or(0)
}

/// The bar of a run in at most `width` cells. What took any time has a cell, as long as there is one.
pub(super) fn line(model: &Model, run: &Run, longest: u64, width: usize) -> Line<'static> {
    let parts = stretches(&model.state.graph, run, model.now);
    let mut line = Line::default();
    for (part, cells) in parts.iter().zip(lengths(&parts, longest, width)) {
        line.push_span(span(model, *part, cells));
    }
    line
}

/// The sign of a stage in a bar, for the list of stages beside it.
pub(super) fn sign(model: &Model, stage: usize) -> Span<'static> {
    let layer = model.glyphs.layers.get(stage % model.glyphs.layers.len()).copied().unwrap_or_default();
    Span::styled(layer, model.theme.series(stage))
}

fn span(model: &Model, part: Stretch, cells: usize) -> Span<'static> {
    let Some(stage) = part.stage else {
        // Nobody worked: it waited for a person or for a process to start.
        return Span::styled(model.glyphs.shaft.repeat(cells), model.theme.border);
    };
    let sign = sign(model, stage);
    let style = if part.failed { model.theme.bad } else { sign.style };
    Span::styled(sign.content.repeat(cells), style)
}

/// How many cells each part has: its share of the longest run, rounded so that the whole bar is right.
fn lengths(parts: &[Stretch], longest: u64, width: usize) -> Vec<usize> {
    let mut lengths = Vec::with_capacity(parts.len());
    let (mut time, mut used) = (0_u64, 0_usize);
    for part in parts {
        time = time.saturating_add(part.took);
        let end = share(time, longest, width);
        let wants_one = usize::from(part.stage.is_some() && part.took > 0);
        let cells = end.saturating_sub(used).max(wants_one).min(width - used);
        used += cells;
        lengths.push(cells);
    }
    lengths
}

fn share(time: u64, longest: u64, width: usize) -> usize {
    let seconds = |milliseconds: u64| f64::from(u32::try_from(milliseconds / 100).unwrap_or(u32::MAX));
    let whole = seconds(longest);
    if whole <= 0.0 { 0 } else { cell(seconds(time) / whole * real(width), width) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::fixtures;

    fn stretch(stage: Option<usize>, took: u64) -> Stretch {
        Stretch { stage, took, failed: false }
    }

    #[test]
    fn the_longest_run_fills_the_bar_and_others_their_share() {
        let parts = vec![stretch(Some(0), 12_000), stretch(None, 2_000), stretch(Some(1), 6_000)];
        assert_eq!(lengths(&parts, 20_000, 10), [6, 1, 3]);
        assert_eq!(lengths(&parts, 40_000, 10), [3, 1, 1]);
        assert_eq!(lengths(&[stretch(Some(0), 10), stretch(Some(1), 20_000)], 20_010, 10), [1, 9]);
        assert_eq!(lengths(&parts, 0, 10), [1, 0, 1]);
        assert_eq!(lengths(&[], 20_000, 10), [0; 0]);
    }

    #[test]
    fn each_stage_has_a_sign_of_its_own() {
        let model = fixtures::idle();
        let run = model.state.latest_run().unwrap();
        let text = line(&model, run, took(run, model.now).unwrap(), 20).to_string();
        assert_eq!(text.chars().count(), 20, "{text}");
        for stage in 0..4 {
            assert!(text.contains(&*sign(&model, stage).content), "stage {stage}: {text}");
        }
    }

    proptest! {
        #[test]
        fn no_bar_is_longer_than_its_place(
            times in proptest::collection::vec((0_usize..5, 0_u64..10_000_000), 0..20),
            longest in 0_u64..20_000_000,
            width in 0_usize..60,
        ) {
            let parts: Vec<_> =
                times.into_iter().map(|(stage, took)| stretch((stage > 0).then_some(stage), took)).collect();
            prop_assert!(lengths(&parts, longest, width).iter().sum::<usize>() <= width);
        }
    }
}
