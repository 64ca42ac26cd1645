//! The past for tests, told as a daemon would tell it of a world's history.

use crate::api::types::{
    Happening, Live, Past, PastPlace, PastRequest, RunEdge, Stride, TimeLine, TimeLineColumn, TimeLineRequest,
};
use crate::pipeline::{Event, Moment, Recorded, State, narrate};

use super::app::Model;
use super::fixtures::{self, World};
use super::key_fixtures::strokes;
use super::message::{Cmd, Msg};

/// Sends a message and answers what is asked, also of the past; returns what is no question.
pub(super) fn send(model: &mut Model, world: &World, message: Msg) -> Vec<Cmd> {
    let mut open = fixtures::send(model, message);
    let mut rest = Vec::new();
    for _ in 0..100 {
        let Some(command) = open.pop() else { return rest };
        let answer = match command {
            Cmd::FetchPast(wanted) => {
                let told = past(world, &wanted).map(Box::new);
                Msg::Past(wanted, told)
            }
            Cmd::FetchPastPlace(wanted) => {
                let place = place(world, &wanted);
                Msg::PastPlace(wanted, place)
            }
            Cmd::FetchTimeLine(wanted) => Msg::TimeLine(wanted, Ok(time_line(world, wanted))),
            other => {
                rest.push(other);
                continue;
            }
        };
        open.extend(fixtures::send(model, answer));
    }
    panic!("the model never stops asking");
}

/// Presses keys as [`strokes`] reads them.
pub(super) fn press(model: &mut Model, world: &World, keys: &str) -> Vec<Cmd> {
    strokes(keys).into_iter().flat_map(|stroke| send(model, world, Msg::Key(stroke))).collect()
}

/// The state behind an event.
pub(super) fn folded(world: &World, sequence: u64) -> State {
    let mut state = State::default();
    for recorded in world.history.iter().filter(|recorded| recorded.sequence <= sequence) {
        state.apply(recorded).unwrap();
    }
    state
}

/// The first event of a kind.
pub(super) fn first(world: &World, is_meant: fn(&Event) -> bool) -> &Recorded {
    world.history.iter().find(|recorded| is_meant(&recorded.event)).unwrap()
}

fn past(world: &World, wanted: &PastRequest) -> Result<(Past, Vec<Recorded>), String> {
    let place = place(world, wanted)?;
    let events = world.history.iter().filter(|recorded| recorded.sequence <= place.sequence).cloned().collect();
    Ok((Past { state: folded(world, place.sequence), live: Live::default(), place }, events))
}

fn place(world: &World, wanted: &PastRequest) -> Result<PastPlace, String> {
    let number = |is_meant: &dyn Fn(&Recorded) -> bool| {
        world.history.iter().rev().find(|recorded| is_meant(recorded)).map(|recorded| recorded.sequence)
    };
    let ends = |recorded: &Recorded| match (&recorded.event, wanted.place) {
        (Event::RunStarted { run }, Some(RunEdge::Start)) => Some(*run),
        (Event::RunFinished { run, .. }, Some(RunEdge::End) | None) => Some(*run),
        _ => None,
    };
    let named = match (wanted.sequence, wanted.run, wanted.at) {
        (Some(sequence), _, _) => Some(sequence),
        (None, Some(run), _) => number(&|recorded| ends(recorded) == Some(run)),
        (None, None, Some(at)) => number(&|recorded| recorded.at <= at),
        (None, None, None) => None,
    };
    let mut sequence = named.ok_or("there is no such moment")?;
    let steps = wanted.steps.unwrap_or(0);
    if let Some(stride) = wanted.stride {
        sequence = stepped(world, sequence, stride, steps).ok_or(format!("there is no other {}", stride.word()))?;
    }
    let recorded = world.history.iter().find(|recorded| recorded.sequence == sequence).ok_or("no such event")?;
    let at = wanted.at.filter(|_| wanted.stride.is_none()).map_or(recorded.at, |at| at.min(present(world)));
    Ok(PastPlace { sequence, at, told: narrate(&recorded.event), event_at: Some(recorded.at) })
}

fn stepped(world: &World, sequence: u64, stride: Stride, steps: i64) -> Option<u64> {
    let last = world.history.last()?.sequence;
    if stride == Stride::Event {
        return Some(sequence.saturating_add_signed(steps).clamp(1, last));
    }
    let is_meant = |recorded: &&Recorded| Happening::of(&recorded.event).and_then(Happening::stride) == Some(stride);
    let count = usize::try_from(steps.unsigned_abs()).unwrap();
    let landmarks = world.history.iter().filter(is_meant).map(|recorded| recorded.sequence);
    if steps < 0 {
        landmarks.rev().filter(|number| *number < sequence).take(count).last()
    } else {
        landmarks.filter(|number| *number > sequence).take(count).last()
    }
}

/// The present of the daemon that tells it.
fn present(world: &World) -> Moment {
    world.at.plus(8_000)
}

fn time_line(world: &World, wanted: TimeLineRequest) -> TimeLine {
    let from = wanted.from.unwrap_or(world.history[0].at);
    let to = wanted.to.unwrap_or(present(world));
    let mut line = TimeLine { from, to, columns: vec![TimeLineColumn::default(); wanted.columns] };
    for recorded in &world.history {
        let Some(column) = line.column(recorded.at) else { continue };
        line.columns[column].events += 1;
        if let Some(what) = Happening::of(&recorded.event) {
            line.columns[column].add(what);
        }
    }
    line
}
