//! What keys do in the lists of runs, models, releases and events, and on the walk along the causal line.

use crossterm::event::KeyCode;

use super::update;
use crate::pipeline::{Command, Input, ModelVersion, Moment, Recorded, ReleaseId, RunId, Selection};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::event_list;
use crate::tui::fixtures::{self, send};
use crate::tui::key_fixtures::{key, key_message, press};
use crate::tui::list::Sort;
use crate::tui::message::{Cmd, Msg};
use crate::tui::model_fixtures;
use crate::tui::models;
use crate::tui::run_history;
use crate::tui::walk::{Link, Thing};

fn chosen(model: &Model) -> u64 {
    model.chosen_run().unwrap().id.0
}

fn shown(model: &Model) -> Vec<u64> {
    run_history::rows(model).iter().map(|run| run.id.0).collect()
}

#[test]
fn the_chosen_run_stays_the_chosen_one_when_the_list_grows_and_the_newest_stays_the_newest() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    let mut at_the_newest = model.clone();
    press(&mut model, "2j");
    press(&mut at_the_newest, "2");
    assert_eq!((chosen(&model), chosen(&at_the_newest)), (1, 2));
    let known = world.history.len();
    world.register(3, "spring.csv");
    for recorded in &world.history[known..] {
        send(&mut model, fixtures::event(recorded));
        send(&mut at_the_newest, fixtures::event(recorded));
    }
    assert_eq!((chosen(&model), chosen(&at_the_newest)), (1, 3));
}

#[test]
fn a_filter_narrows_the_list_and_escape_takes_it_away_before_it_leaves_the_view() {
    let mut model = fixtures::failed();
    press(&mut model, "2/failed");
    assert!(matches!(&model.overlay, Some(Overlay::FilterList { input }) if input == "failed"));
    press(&mut model, "\n");
    assert_eq!((shown(&model), chosen(&model)), (vec![3], 3));
    press(&mut model, "/");
    assert!(matches!(&model.overlay, Some(Overlay::FilterList { input }) if input == "failed"));
    key(&mut model, KeyCode::Esc);
    assert_eq!(shown(&model), [3], "leaving the prompt changes nothing");
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, shown(&model)), (View::Runs, vec![3, 2, 1]));
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board);
}

#[test]
fn sorting_moves_the_rows_and_not_the_choice() {
    let mut model = fixtures::failed();
    press(&mut model, "2j");
    assert_eq!(chosen(&model), 2);
    press(&mut model, "I");
    assert_eq!((shown(&model), chosen(&model)), (vec![1, 2, 3], 2));
    press(&mut model, ">");
    assert_eq!(model.runs.list.sort, Sort { column: 1, is_descending: false });
    assert_eq!((shown(&model), chosen(&model)), (vec![3, 2, 1], 2), "failed comes before passed");
    let mut model = fixtures::deployed();
    press(&mut model, "5I");
    assert_eq!(model.chosen_release().unwrap().id, ReleaseId(4));
    press(&mut model, "g");
    assert_eq!(model.chosen_release().unwrap().id, ReleaseId(1));
}

#[test]
fn models_and_events_are_sorted_by_the_same_keys_and_the_choice_stays() {
    let version = |model: &Model| models::chosen(model).map(models::Entry::version);
    let mut model = model_fixtures::models();
    press(&mut model, "4j>>>>");
    assert_eq!((model.models.list.sort.column, version(&model)), (4, Some(ModelVersion(2))));
    press(&mut model, "g");
    assert_eq!(version(&model), Some(ModelVersion(2)), "the best of them");
    press(&mut model, "I");
    let order: Vec<u64> = models::entries(&model).into_iter().map(|entry| entry.version().0).collect();
    assert_eq!((order, version(&model)), (vec![3, 1, 2], Some(ModelVersion(2))));
    let mut model = fixtures::alerted();
    press(&mut model, "7jj");
    let chosen = model.event_list.chosen;
    assert!(chosen.is_some());
    press(&mut model, "<");
    assert_eq!(
        (model.event_list.sort.column, model.event_list.chosen),
        (3, chosen),
        "the last column comes before the first"
    );
    press(&mut model, "I");
    assert_eq!(model.event_list.chosen, chosen);
}

#[test]
fn what_is_trained_stands_last_where_nothing_is_known_of_it_but_its_number() {
    let mut model = model_fixtures::searching();
    press(&mut model, "4");
    let last = |model: &Model| models::entries(model).last().map(|entry| entry.version().0);
    assert_eq!(last(&model), Some(1));
    // Of the note nothing is known where none was written either.
    for _ in models::SORTABLE.iter().skip(1).filter(|column| **column != 8) {
        press(&mut model, ">");
        assert_eq!(last(&model), Some(4), "sorted by {:?}", model.models.list.sort);
        press(&mut model, "I");
        assert_eq!(last(&model), Some(4), "sorted by {:?}", model.models.list.sort);
    }
}

/// Shows the events of a kind, and chooses the newest of them.
fn at_event(model: &mut Model, kind: &str) -> u64 {
    press(model, "7");
    let found = event_list::rows(model).into_iter().find(|recorded| event_list::kind(&recorded.event) == kind);
    let sequence = found.unwrap().sequence;
    model.event_list.chosen = Some(sequence);
    sequence
}

#[test]
fn enter_goes_from_an_event_to_what_it_is_of_and_escape_comes_back_to_it() {
    let mut model = fixtures::alerted();
    for (kind, view) in [("run", View::Runs), ("stage", View::Logs), ("model", View::Models), ("alert", View::Releases)]
    {
        let event = at_event(&mut model, kind);
        press(&mut model, "\n");
        assert_eq!(model.view, view, "{kind}");
        key(&mut model, KeyCode::Esc);
        assert_eq!((model.view, model.event_list.chosen), (View::Events, Some(event)), "{kind}");
        key(&mut model, KeyCode::Esc);
        assert_eq!(model.view, View::Board);
    }
    at_event(&mut model, "config");
    press(&mut model, "\n");
    let said = &model.message.as_ref().unwrap().text;
    assert!(model.view == View::Events && said.contains("t shows the screen as it was"), "{said}");
}

#[test]
fn a_stage_of_which_there_is_no_log_is_shown_in_its_run() {
    let mut model = fixtures::failed();
    press(&mut model, "7");
    let of_build = |recorded: &&Recorded| recorded.event.stage() == Some(&"build".into());
    let event = event_list::rows(&model).into_iter().find(of_build).unwrap().sequence;
    model.event_list.chosen = Some(event);
    press(&mut model, "\n");
    assert_eq!((model.view, model.is_in_detail, chosen(&model)), (View::Runs, true, 3));
    assert_eq!(model.stage, Some("build".into()));
    press(&mut model, "\n");
    assert_eq!(model.view, View::Logs);
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, model.is_in_detail, model.stage.clone()), (View::Runs, true, Some("build".into())));
    key(&mut model, KeyCode::Esc);
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, model.event_list.chosen), (View::Events, Some(event)), "all the way in, all the way out");
}

#[test]
fn escape_comes_out_of_a_log_to_the_stage_of_the_run_from_which_one_went_in() {
    let mut model = fixtures::failed();
    press(&mut model, "2j\nj\n");
    let (run, stage) = (chosen(&model), model.stage.clone());
    assert_eq!((model.view, run, stage.is_some()), (View::Logs, 2, true));
    key(&mut model, KeyCode::Tab);
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, chosen(&model), model.stage.clone()), (View::Runs, run, stage));
    assert!(model.is_in_detail);
    press(&mut model, "\n3");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board, "whoever goes to a view by its name has come from nowhere");
}

#[test]
fn whoever_reads_one_event_is_not_led_on_to_the_next_that_comes() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    send(&mut model, Msg::Resized(80, 15));
    press(&mut model, "7z");
    let read = event_list::chosen(&model).unwrap().sequence;
    let known = world.history.len();
    world.register(3, "spring.csv");
    for recorded in &world.history[known..] {
        send(&mut model, fixtures::event(recorded));
    }
    assert_eq!(event_list::chosen(&model).unwrap().sequence, read);
    press(&mut model, "j");
    assert_eq!(model.event_list.scroll, 1, "a zoomed detail is scrolled");
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.is_zoomed, model.event_list.scroll, model.view), (false, 0, View::Events));
}

#[test]
fn two_runs_stand_beside_each_other_and_their_data_files_are_asked_for_one_after_the_other() {
    let world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    press(&mut model, "2");
    let asked = update(&mut model, key_message(KeyCode::Char('c')));
    let asked_for = |asked: &[Cmd]| {
        asked.iter().find_map(|command| match command {
            Cmd::FetchEvents { filter, before: None } => Some(filter.clone()),
            _ => None,
        })
    };
    let first = asked_for(&asked).unwrap();
    assert_eq!(first.run, Some(RunId(2)));
    let asked = update(&mut model, Msg::Events(first, Ok(world.history.clone())));
    let second = asked_for(&asked).unwrap();
    assert_eq!(second.run, Some(RunId(1)));
    let asked = update(&mut model, Msg::Events(second, Ok(world.history.clone())));
    assert_eq!(asked_for(&asked), None, "all is known");
    assert!(model.runs.list.is_comparing);
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.runs.list.is_comparing, model.view), (false, View::Runs));
}

#[test]
fn a_marked_run_is_the_one_that_others_are_compared_with() {
    let mut model = fixtures::failed();
    press(&mut model, "2");
    assert_eq!(run_history::partner(&model).unwrap().id, RunId(2), "the one before");
    press(&mut model, "Gmgc");
    assert_eq!((chosen(&model), run_history::partner(&model).unwrap().id), (3, RunId(1)));
    press(&mut model, "Gm");
    assert_eq!(model.runs.list.marked, None, "the mark is taken away where it stands");
}

#[test]
fn runs_that_the_state_has_forgotten_come_from_the_journal() {
    let world = fixtures::rolled_back();
    let mut known = fixtures::rolled_back();
    known.state.runs.retain(|run, _| *run > RunId(2));
    let mut model = known.model(crate::api::types::Live::default());
    let asked = update(&mut model, key_message(KeyCode::Char('2')));
    let page = |command: &Cmd| match command {
        Cmd::FetchEvents { filter, before } => Some((filter.clone(), *before)),
        _ => None,
    };
    let (filter, before) = asked.iter().find_map(page).unwrap();
    assert_eq!((filter.until, before), (Some(known.state.runs[&RunId(3)].created), None));
    assert_eq!(shown(&model), [4, 3]);
    update(&mut model, Msg::Events(filter, Ok(world.history.clone())));
    assert_eq!(shown(&model), [4, 3, 2, 1]);
    press(&mut model, "G");
    assert_eq!(model.chosen_run().unwrap().created, world.state.runs[&RunId(1)].created);
    let asked = update(&mut model, Msg::Resized(120, 40));
    assert_eq!(asked.iter().find_map(page), None, "there is nothing more");
}

#[test]
fn models_are_narrowed_too() {
    let mut model = fixtures::deployed();
    press(&mut model, "4");
    let count = |model: &Model| crate::tui::models::entries(model).len();
    let all = count(&model);
    press(&mut model, "/champion\n");
    assert!((1..all).contains(&count(&model)), "{all} models, {} champions", count(&model));
    key(&mut model, KeyCode::Esc);
    assert_eq!((count(&model), model.view), (all, View::Models));
}

#[test]
fn a_walk_goes_from_the_data_to_what_serves_and_back_through_every_view() {
    let mut model = fixtures::idle();
    press(&mut model, "2");
    let mut way = Vec::new();
    for _ in 0..6 {
        way.push((model.view, model.walk.map(|thing| thing.link)));
        press(&mut model, ".");
    }
    let views: Vec<_> = way.iter().map(|(view, _)| *view).collect();
    assert_eq!(views, [View::Runs, View::Models, View::Runs, View::Runs, View::Releases, View::Metrics]);
    assert!(model.message.as_ref().unwrap().text.contains("ends here"), "{:?}", model.message);
    assert_eq!(model.walk, Some(Thing { run: RunId(2), link: Link::Metric }));
    press(&mut model, ",,,,");
    assert_eq!((model.view, model.models.list.chosen), (View::Models, Some(ModelVersion(2))));
    press(&mut model, ",,");
    assert_eq!((model.view, model.event_list.filter.as_str()), (View::Events, "run:2"));
    press(&mut model, ",");
    assert!(model.message.as_ref().unwrap().text.contains("begins here"));
}

#[test]
fn a_walk_begins_at_what_is_selected_and_tells_what_does_not_exist() {
    let mut model = fixtures::failed();
    press(&mut model, "2");
    key(&mut model, KeyCode::Tab);
    press(&mut model, ".");
    assert_eq!(model.message.as_ref().unwrap().text, "run 3 made no image: test failed");
    let mut model = fixtures::deployed();
    press(&mut model, "5jj,");
    assert_eq!((model.view, model.walk.map(|thing| thing.run)), (View::Runs, Some(RunId(2))), "the image of release 2");
    press(&mut model, "1");
    assert_eq!(model.walk, None, "whoever goes elsewhere walks no more");
    let mut model = fixtures::empty();
    press(&mut model, ".");
    assert!(model.message.as_ref().unwrap().is_error);
}

#[test]
fn whoever_moves_on_from_a_step_walks_on_from_there() {
    let mut model = fixtures::idle();
    press(&mut model, "2.,");
    assert_eq!(model.walk, Some(Thing { run: RunId(2), link: Link::Run }));
    press(&mut model, "j.");
    assert_eq!(model.walk, Some(Thing { run: RunId(1), link: Link::Model }));
}

#[test]
fn a_walk_from_a_release_that_came_back_leads_to_the_run_that_made_its_model() {
    let mut model = fixtures::deployed();
    press(&mut model, "5,");
    assert_eq!(model.view, View::Models);
    assert_eq!(model.walk, Some(Thing { run: RunId(2), link: Link::Model }), "run 4 only went back to it");
    press(&mut model, ".");
    assert_eq!(model.walk, Some(Thing { run: RunId(2), link: Link::Tests }));
}

#[test]
fn events_are_narrowed_to_a_kind_and_one_that_there_is_not_is_refused_with_those_that_there_are() {
    let mut model = fixtures::alerted();
    press(&mut model, "7/kind:alert\n");
    let kinds: Vec<_> = model.shown_events().map(|recorded| event_list::kind(&recorded.event)).collect();
    assert!(kinds.contains(&"alert") && !kinds.contains(&"inputs"), "{kinds:?}");
    key(&mut model, KeyCode::Esc);
    let all = model.shown_events().count();
    press(&mut model, "/kind:alerts\n");
    let message = model.message.as_ref().unwrap();
    assert!(message.is_error && message.text.contains("release, model, alert"), "{message:?}");
    assert_eq!((model.event_list.filter.as_str(), model.shown_events().count()), ("", all));
}

#[test]
fn behind_the_beginning_of_a_run_that_used_an_earlier_model_lies_that_model_and_the_run_that_made_it() {
    let mut world = fixtures::two_runs();
    fixtures::command(&mut world, Command::Run(Selection { from: Some("test".into()), ..Selection::default() }));
    world.feed(Input::Verified { run: RunId(3), stage: "train".into(), intact: true });
    world.test();
    let mut model = world.model(crate::api::types::Live::default());
    let at = |model: &Model| model.walk.map(|thing| (thing.run.0, thing.link));
    press(&mut model, "2.");
    assert_eq!((model.models.list.chosen, at(&model)), (Some(ModelVersion(2)), Some((3, Link::Model))));
    press(&mut model, ".");
    assert_eq!(at(&model), Some((3, Link::Tests)), "onward it is what the model led to in this run");
    let mut way = Vec::new();
    for _ in 0..6 {
        press(&mut model, ",");
        way.push((model.view, at(&model).unwrap()));
    }
    let expected = [
        (View::Models, (3, Link::Model)),
        (View::Runs, (3, Link::Run)),
        (View::Events, (3, Link::Cause)),
        (View::Models, (2, Link::Model)),
        (View::Runs, (2, Link::Run)),
        (View::Events, (2, Link::Cause)),
    ];
    assert_eq!(way, expected);
    press(&mut model, ",");
    assert!(model.message.as_ref().unwrap().text.contains("begins here"), "{:?}", model.message);
}

#[test]
fn an_answer_that_nobody_awaits_changes_no_list() {
    let mut model = fixtures::idle();
    press(&mut model, "2");
    let before = shown(&model);
    let filter = crate::pipeline::EventFilter { until: Some(Moment(0)), ..crate::pipeline::EventFilter::default() };
    update(&mut model, Msg::Events(filter, Ok(fixtures::two_runs().history)));
    assert_eq!(shown(&model), before);
}
