//! What keys do where several operators, several projects or a line to another machine are; and what a key says that does
//! nothing.

use std::path::PathBuf;

use crossterm::event::KeyCode;

use super::update;
use crate::api::types::LineState;
use crate::pipeline::{EventFilter, Recorded, Refusal, RunId};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::commands::{COMMANDS, by_key};
use crate::tui::fixtures::{self, send};
use crate::tui::hold_fixtures::{awaiting, locked, shared};
use crate::tui::key_fixtures::{key, key_message, press, said};
use crate::tui::message::{Cmd, Msg};
use crate::tui::projects::ProjectRow;

#[test]
fn whoever_only_watches_changes_nothing_by_any_key_in_any_view() {
    for model in [awaiting, locked, fixtures::alerted, fixtures::running] {
        let mut model: Model = model();
        model.is_observer = true;
        for view in ["1", "2", "3", "4", "5", "6", "7"] {
            for command in COMMANDS.iter().filter(|command| command.action.acts()) {
                let mut model = model.clone();
                press(&mut model, view);
                // In another view the key may mean something that only shows.
                if by_key(&model, &command.keys[0].event()).is_some_and(|action| !action.acts()) {
                    continue;
                }
                let before = model.overlay.clone();
                let sent = send(&mut model, Msg::Key(command.keys[0].event()));
                let acts = |sent: &Cmd| {
                    matches!(
                        sent,
                        Cmd::Act { .. }
                            | Cmd::Promote { .. }
                            | Cmd::NoteModel { .. }
                            | Cmd::Silence { .. }
                            | Cmd::Unsilence { .. }
                            | Cmd::Demo(_)
                    )
                };
                assert!(!sent.iter().any(acts), "{} sent {sent:?}", command.name);
                assert!(model.overlay == before, "{} asks what has no answer", command.name);
            }
        }
    }
    let mut model = locked();
    model.is_observer = true;
    press(&mut model, "d");
    assert_eq!(said(&model), "you only watch here (--read-only)");
}

#[test]
fn a_key_that_does_nothing_says_why_and_escape_then_stays_in_the_view() {
    let mut model = fixtures::idle();
    press(&mut model, "5R");
    assert_eq!(said(&model), "nothing to go back to: this release is live");
    assert_eq!(key(&mut model, KeyCode::Esc), []);
    assert_eq!((model.view, model.message.clone()), (View::Releases, None));
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board, "the next one leaves");
    press(&mut model, "P");
    assert_eq!(said(&model), "promote works in Models");
    press(&mut model, "2P");
    assert_eq!(model.view, View::Runs);
    press(&mut model, "a");
    assert_eq!(
        said(&model),
        "nothing in Runs has this key; it is calibration in Models; whole run in Logs; whole history in Metrics",
        "nobody knows which was meant"
    );
    press(&mut model, "1");
    assert_eq!(key(&mut model, KeyCode::F(5)), []);
    assert_eq!(model.message, None, "a key that means nothing anywhere says nothing");
    press(&mut model, "B");
    assert_eq!(model.message, None, "nobody learns of the demo's keys outside of the demo");
}

#[test]
fn a_run_that_another_operator_began_is_named() {
    let mut model = fixtures::idle();
    let refusal = Refusal::SameRun { run: RunId(42), by: "alice".to_owned() };
    send(&mut model, Msg::Replied("run".to_owned(), Ok(Err(refusal))));
    assert!(said(&model).contains("42") && said(&model).contains("alice"), "{}", said(&model));
    send(&mut model, Msg::Replied("run".to_owned(), Ok(Ok(Some(RunId(43))))));
    assert_eq!(said(&model), "run 43; x cancels");
    send(&mut model, Msg::Replied("run from train".to_owned(), Ok(Ok(Some(RunId(44))))));
    assert_eq!(said(&model), "run 44 from train; x cancels");
    press(&mut model, "4");
    send(&mut model, Msg::Replied("run".to_owned(), Ok(Ok(Some(RunId(45))))));
    assert_eq!(said(&model), "run 45; x on the Board cancels", "in Models the key does nothing");
    send(&mut model, Msg::Replied("lock".to_owned(), Ok(Ok(None))));
    assert_eq!(said(&model), "lock: done");
}

#[test]
fn the_others_are_told_what_this_screen_looks_at() {
    let mut model = fixtures::idle();
    let shown = update(&mut model, key_message(KeyCode::Char('6')));
    assert!(shown.contains(&Cmd::ShowView("Metrics".to_owned())), "{shown:?}");
    let same = update(&mut model, key_message(KeyCode::Char('6')));
    assert!(!same.iter().any(|command| matches!(command, Cmd::ShowView(_))), "{same:?}");
}

#[test]
fn who_is_attached_is_shown_until_any_key() {
    let mut model = shared();
    assert_eq!(press(&mut model, "O"), []);
    assert_eq!(model.overlay, Some(Overlay::Operators));
    press(&mut model, "d");
    assert_eq!(model.overlay, None, "the key closes it and does nothing else");
}

fn lost(model: &Model) -> LineState {
    LineState::Lost { since: model.now, reason: "timed out".to_owned(), next_try: None }
}

#[test]
fn nothing_is_sent_over_a_line_that_is_lost_and_all_goes_on_once_it_is_back() {
    let mut model = fixtures::idle();
    let state = lost(&model);
    send(&mut model, Msg::Line(state));
    assert!(model.is_stale() && !model.is_connected());
    assert!(model.shows_a_growing_duration(), "how long it has been lost");
    assert_eq!(press(&mut model, "r"), []);
    assert_eq!(said(&model), "run all: the daemon is not heard");
    assert_eq!(send(&mut model, Msg::Line(LineState::Up)), [], "the daemon was never missed");
    assert!(model.is_connected());
    let state = lost(&model);
    send(&mut model, Msg::Line(state));
    send(&mut model, Msg::Lost("it closed the connection".to_owned()));
    assert_eq!(send(&mut model, Msg::Line(LineState::Up)), [Cmd::Reconnect], "it need not wait for its next try");
    let (daemon, events) = (model.daemon.clone().unwrap(), model.events.clone());
    send(&mut model, Msg::Resumed(daemon));
    assert!(model.is_connected() && !model.is_stale() && model.events == events);
}

#[test]
fn enter_switches_to_another_project_and_stays_in_the_present_one() {
    let mut model = fixtures::idle();
    press(&mut model, "W");
    assert_eq!((model.overlay.clone(), said(&model)), (None, "there is no list of other projects here"));
    model.can_switch = true;
    assert_eq!(press(&mut model, "W"), [Cmd::FetchProjects]);
    let row = |name: &str| ProjectRow {
        name: name.to_owned(),
        folder: PathBuf::from("/srv").join(name),
        is_running: true,
        summary: String::new(),
    };
    send(&mut model, Msg::Projects(vec![row("churn"), row("wine")]));
    assert_eq!(key(&mut model, KeyCode::Enter), [], "that is the one on the screen");
    press(&mut model, "W");
    send(&mut model, Msg::Projects(vec![row("churn"), row("wine")]));
    assert_eq!(press(&mut model, "k"), []);
    assert_eq!(key(&mut model, KeyCode::Enter), [Cmd::Switch(PathBuf::from("/srv/churn"))]);
}

fn filter(text: &str) -> EventFilter {
    EventFilter { text: Some(text.to_owned()), ..EventFilter::default() }
}

#[test]
fn events_are_looked_for_in_what_is_known_and_in_what_the_daemon_has() {
    let mut model = shared();
    let all: Vec<Recorded> = model.events.iter().cloned().collect();
    while model.events.len() > 5 {
        model.events.pop_front();
    }
    let before = Some(model.events[0].sequence);
    press(&mut model, "7/");
    press(&mut model, "winter");
    let asked = update(&mut model, key_message(KeyCode::Enter));
    assert_eq!(asked, [Cmd::FetchEvents { filter: filter("winter"), before }]);
    assert_eq!(update(&mut model, Msg::Second), [], "it is being asked");
    let found: Vec<Recorded> = all.iter().filter(|recorded| filter("winter").matches(recorded)).cloned().collect();
    assert!(!found.is_empty());
    send(&mut model, Msg::Events(filter("summer"), Ok(all)));
    send(&mut model, Msg::Events(filter("winter"), Ok(found.clone())));
    assert!(model.shown_events().eq(found.iter()));
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, model.shown_events().count()), (View::Events, 5), "Esc shows all again");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board);
}

#[test]
fn whoever_reads_back_to_the_beginning_gets_older_events_until_there_are_none() {
    let mut model = shared();
    let all: Vec<Recorded> = model.events.iter().cloned().collect();
    while model.events.len() > 5 {
        model.events.pop_front();
    }
    let before = Some(model.events[0].sequence);
    press(&mut model, "7");
    let asked = update(&mut model, key_message(KeyCode::Char('j')));
    assert_eq!(asked, [Cmd::FetchEvents { filter: EventFilter::default(), before }]);
    let older = all[..all.len() - 5].to_vec();
    assert_eq!(send(&mut model, Msg::Events(EventFilter::default(), Ok(older))), []);
    assert!(model.shown_events().eq(all.iter()));
    press(&mut model, "G");
    assert_eq!(update(&mut model, Msg::Second), [], "the first event of all is there");
}

#[test]
fn an_answer_that_does_not_come_is_said_once_and_not_asked_for_again_and_again() {
    let mut model = shared();
    while model.events.len() > 5 {
        model.events.pop_front();
    }
    press(&mut model, "7/winter");
    key(&mut model, KeyCode::Enter);
    let again = update(&mut model, Msg::Events(filter("winter"), Err("the journal is damaged".to_owned())));
    assert_eq!(again, []);
    assert!(said(&model).contains("damaged"));
}
