//! What keys and messages do in the Models view, told without a terminal and without a daemon.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::update;
use crate::pipeline::ModelVersion;
use crate::tui::app::{Model, Overlay, View};
use crate::tui::fixtures::{self, send};
use crate::tui::key_fixtures::{key, key_message, press};
use crate::tui::message::{Cmd, Msg};
use crate::tui::model_fixtures;
use crate::tui::models::{self, Question, Tab};

/// What is asked of models, with nobody who answers.
fn asked(model: &mut Model, message: Msg) -> Vec<Question> {
    let commands = update(model, message).into_iter();
    let question = |command| if let Cmd::FetchModels(question) = command { Some(question) } else { None };
    commands.filter_map(question).collect()
}

fn chosen(model: &Model) -> Option<u64> {
    models::chosen(model).map(|entry| entry.version().0)
}

fn four() -> Msg {
    key_message(KeyCode::Char('4'))
}

#[test]
fn models_are_asked_for_only_while_they_are_shown() {
    let mut world = model_fixtures::world();
    let mut model = world.model(fixtures::live(&world, true));
    let known = world.history.len();
    world.register(4, "spring.csv");
    world.train(0.95);
    for recorded in &world.history[known..] {
        assert_eq!(asked(&mut model, fixtures::event(recorded)), []);
    }
    assert_eq!(asked(&mut model, four()), [Question::List]);
    assert_eq!(asked(&mut model, Msg::Second), [], "one question at a time");
    let list = model_fixtures::list(&model.state);
    assert_eq!(asked(&mut model, Msg::Models(Ok(list))), [Question::Detail(ModelVersion(4))]);
}

#[test]
fn a_model_that_comes_while_they_are_shown_is_asked_for() {
    let mut world = model_fixtures::world();
    let mut model = world.model(fixtures::live(&world, true));
    press(&mut model, "4");
    let known = world.history.len();
    world.register(4, "spring.csv");
    world.train(0.95);
    for recorded in &world.history[known..] {
        send(&mut model, fixtures::event(recorded));
    }
    assert_eq!(chosen(&model), Some(4), "whoever is at the newest stays at the newest");
    let champions: Vec<u64> =
        model.models.made().iter().filter(|made| made.champion).map(|made| made.version.0).collect();
    assert_eq!(champions, [4]);
}

#[test]
fn one_goes_through_versions_and_parts() {
    let mut model = model_fixtures::models();
    press(&mut model, "4j");
    assert_eq!(chosen(&model), Some(2));
    press(&mut model, "jj");
    assert_eq!(chosen(&model), Some(1), "the list ends with the oldest");
    press(&mut model, "g");
    assert_eq!((chosen(&model), model.models.list.chosen), (Some(3), None));
    press(&mut model, "l");
    assert_eq!(model.models.tab, Tab::Leaderboard);
    key(&mut model, KeyCode::BackTab);
    assert_eq!(model.models.tab, Tab::Summary);
    press(&mut model, "e");
    assert_eq!(model.models.tab, Tab::Slices);
}

#[test]
fn a_zoomed_detail_is_scrolled_to_its_last_row_and_no_further() {
    let mut model = model_fixtures::models();
    send(&mut model, Msg::Resized(80, 20));
    press(&mut model, "4z");
    press(&mut model, "jj");
    assert_eq!((model.models.list.scroll, chosen(&model)), (2, Some(3)));
    press(&mut model, "G");
    let furthest = model.models.list.scroll;
    assert!(furthest > 2, "the summary is longer than the screen");
    press(&mut model, "j");
    assert_eq!(model.models.list.scroll, furthest);
    press(&mut model, "i");
    assert_eq!(model.models.list.scroll, 0, "another part begins at its beginning");
    key(&mut model, KeyCode::Esc);
    assert!(!model.is_zoomed && model.view == View::Models);
}

#[test]
fn a_version_is_compared_with_the_marked_one_and_escape_ends_it() {
    let mut model = model_fixtures::models();
    press(&mut model, "4Gm");
    assert_eq!(model.models.list.marked, Some(ModelVersion(1)));
    press(&mut model, "gc");
    assert!(model.models.list.is_comparing);
    assert_eq!(models::wanted(&model), [ModelVersion(3), ModelVersion(1)]);
    assert!(model.models.detail(ModelVersion(1)).is_some(), "both were asked for");
    key(&mut model, KeyCode::Esc);
    assert!(!model.models.list.is_comparing && model.view == View::Models);
    press(&mut model, "Gm");
    assert_eq!(model.models.list.marked, None, "the same key takes the mark away");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board);
}

#[test]
fn a_promotion_wants_a_reason() {
    let mut model = model_fixtures::models();
    press(&mut model, "4P");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(model.message.as_ref().is_some_and(|message| message.is_error && message.text.contains("reason")));
    press(&mut model, " y q ");
    let promoted = Cmd::Promote { version: ModelVersion(3), message: "y q".to_owned() };
    assert_eq!(key(&mut model, KeyCode::Enter), [promoted]);
    assert_eq!(model.overlay, None);
    press(&mut model, "P");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.overlay, None, "Esc leaves all as it is");
}

#[test]
fn a_promotion_in_production_wants_the_name_of_the_project_too() {
    let mut model = model_fixtures::world().model(fixtures::in_production().live);
    press(&mut model, "4Pbetter");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "first the name");
    press(&mut model, "wrong");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(&model.overlay, Some(Overlay::Promote(prompt)) if prompt.why == "better"));
    send(&mut model, Msg::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
    let name = model.project().to_owned();
    press(&mut model, &name);
    let promoted = Cmd::Promote { version: ModelVersion(3), message: "better".to_owned() };
    assert_eq!(key(&mut model, KeyCode::Enter), [promoted]);
}

#[test]
fn a_champion_that_serves_cannot_be_promoted_and_nothing_without_a_daemon() {
    let mut model = model_fixtures::models();
    press(&mut model, "4jP");
    assert_eq!(model.overlay, None, "model 2 is the champion and serves");
    press(&mut model, "g");
    send(&mut model, Msg::Lost("it closed the connection".to_owned()));
    press(&mut model, "Pn");
    assert_eq!(model.overlay, None);
}

#[test]
fn a_note_is_written_and_an_empty_one_is_none() {
    let mut model = model_fixtures::models();
    press(&mut model, "4n");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    press(&mut model, "nrare classes ");
    let note = Cmd::NoteModel { version: ModelVersion(3), text: "rare classes".to_owned() };
    assert_eq!(key(&mut model, KeyCode::Enter), [note]);
    send(&mut model, Msg::Noted(ModelVersion(3), Ok(())));
    assert!(model.message.as_ref().is_some_and(|message| message.text.contains("model 3")));
}

#[test]
fn what_is_being_trained_stands_first_and_has_no_commands() {
    let mut model = model_fixtures::searching();
    press(&mut model, "4");
    assert_eq!(chosen(&model), Some(4));
    press(&mut model, "mPn");
    assert_eq!((model.models.list.marked, model.overlay.is_none()), (None, true));
}
