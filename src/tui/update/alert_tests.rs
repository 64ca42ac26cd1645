//! What keys do with alerts in Metrics and in Events, told without a terminal and without a daemon.

use crossterm::event::KeyCode;

use crate::pipeline::{AlertState, EventFilter, Input, Moment, Recorded, Silence};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::event_list;
use crate::tui::fixtures::{self, alert, alerted, send, silenced};
use crate::tui::key_fixtures::{key, key_message, press};
use crate::tui::message::{Cmd, Msg};

fn about(alert: &str) -> EventFilter {
    EventFilter { alert: Some(alert.to_owned()), ..EventFilter::default() }
}

#[test]
fn behind_the_panels_come_the_alerts_and_enter_goes_to_their_events() {
    let mut model = alerted();
    press(&mut model, "6");
    for _ in 0..model.metrics.charts.panels.len() {
        assert_eq!(model.alert, None);
        key(&mut model, KeyCode::Tab);
    }
    assert_eq!(model.alert.as_deref(), Some("Drift"), "the most urgent one comes first");
    press(&mut model, "j");
    assert_eq!(model.alert.as_deref(), Some("느린-응답"));
    press(&mut model, "jjjj");
    assert_eq!(model.alert.as_deref(), Some("ErrorRate"), "j stops at the last one");
    key(&mut model, KeyCode::Enter);
    assert_eq!((model.view, model.alert.as_deref()), (View::Events, Some("ErrorRate")));
    assert!(model.shown_events().count() == 4 && model.events.len() > 20);
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, model.alert.as_deref()), (View::Metrics, Some("ErrorRate")), "back to where one was");
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, model.alert.clone()), (View::Metrics, None));
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board);
}

#[test]
fn where_there_is_no_room_for_alerts_none_can_be_chosen_in_metrics() {
    let mut model = alerted();
    send(&mut model, Msg::Resized(60, 15));
    press(&mut model, "6");
    for _ in 0..20 {
        key(&mut model, KeyCode::Tab);
        assert_eq!(model.alert, None);
    }
}

#[test]
fn tab_in_events_goes_from_alert_to_alert_and_back_to_all() {
    let mut model = alerted();
    press(&mut model, "7");
    let all = model.shown_events().count();
    let mut seen = Vec::new();
    for _ in 0..4 {
        key(&mut model, KeyCode::Tab);
        seen.push((model.alert.clone(), model.shown_events().count()));
    }
    let some = |name: &str, count| (Some(name.to_owned()), count);
    // Drift fired, and asked for a run.
    assert_eq!(seen, [some("Drift", 2), some("느린-응답", 0), some("ErrorRate", 4), (None, all)]);
    key(&mut model, KeyCode::BackTab);
    assert_eq!(model.alert.as_deref(), Some("ErrorRate"));
    press(&mut model, "G");
    let oldest = model.shown_events().next().map(|recorded| recorded.sequence);
    assert_eq!((model.event_list.chosen, oldest.is_some()), (oldest, true), "one goes through those that are shown");
    key(&mut model, KeyCode::Tab);
    assert_eq!(model.event_list.chosen, None);
}

#[test]
fn whoever_reads_back_in_one_alert_is_moved_by_its_events_alone() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    model.live.alerts = vec![alert("ErrorRate", AlertState::Inactive)];
    let silence = |world: &mut fixtures::World, name: &str| {
        let (by, message) = ("mina".to_owned(), String::new());
        world.feed(Input::Silence { alert: name.to_owned(), by, message, until: world.at.plus(9_000_000) });
    };
    let known = world.history.len();
    silence(&mut world, "ErrorRate");
    silence(&mut world, "ErrorRate");
    silence(&mut world, "Other");
    silence(&mut world, "ErrorRate");
    let mut later = world.history.split_off(known).into_iter();
    for recorded in later.by_ref().take(2) {
        send(&mut model, fixtures::event(&recorded));
    }
    press(&mut model, "7");
    key(&mut model, KeyCode::Tab);
    press(&mut model, "j");
    let chosen = model.event_list.chosen;
    let place = |model: &Model| model.event_list.position(&event_list::numbers(model));
    assert_eq!((chosen.is_some(), place(&model)), (true, 1));
    send(&mut model, fixtures::event(&later.next().unwrap()));
    assert_eq!((model.event_list.chosen, place(&model)), (chosen, 1), "it is about another one");
    send(&mut model, fixtures::event(&later.next().unwrap()));
    assert_eq!((model.event_list.chosen, place(&model)), (chosen, 2));
}

#[test]
fn what_lies_before_the_known_events_of_an_alert_is_asked_for_once() {
    let mut model = alerted();
    let all: Vec<Recorded> = model.events.iter().cloned().collect();
    // The screen knows only the newest few.
    while model.events.len() > 2 {
        model.events.pop_front();
    }
    let before = model.events[0].sequence;
    model.view = View::Events;
    let update = |model: &mut Model, code| super::update(model, key_message(code));
    for _ in 0..2 {
        update(&mut model, KeyCode::Tab);
    }
    let asked = update(&mut model, KeyCode::Tab);
    let alert = "ErrorRate".to_owned();
    assert_eq!(asked, [Cmd::FetchEvents { filter: about(&alert), before: Some(before) }]);
    assert_eq!(update(&mut model, KeyCode::Up), [], "it is being asked");
    let older: Vec<Recorded> = all.iter().filter(|recorded| recorded.event.is_about_alert(&alert)).cloned().collect();
    send(&mut model, Msg::Events(about("Drift"), Ok(all.clone())));
    send(&mut model, Msg::Events(about(&alert), Ok(older.clone())));
    assert!(model.shown_events().eq(older.iter()), "each once, in their order");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.shown_events().count(), 2, "without the alert only what is known of all");
}

#[test]
fn an_event_of_an_alert_that_came_on_two_ways_is_shown_once() {
    let mut model = alerted();
    let template = model.events.iter().find(|recorded| recorded.event.is_about_alert("ErrorRate")).unwrap().clone();
    let told = |sequences: std::ops::RangeInclusive<u64>| -> Vec<Recorded> {
        sequences.map(|sequence| Recorded { sequence, ..template.clone() }).collect()
    };
    // The daemon is back: its newest event came, and the last ones are awaited.
    model.events = told(600..=600).into();
    (model.view, model.alert) = (View::Events, Some("ErrorRate".to_owned()));
    send(&mut model, Msg::Second);
    send(&mut model, Msg::Events(about("ErrorRate"), Ok(told(100..=599))));
    send(&mut model, Msg::History(Ok(told(100..=599))));
    assert!(model.shown_events().map(|recorded| recorded.sequence).eq(100..=600));
}

#[test]
fn a_silence_asks_for_how_long_and_why() {
    let mut model = alerted();
    press(&mut model, "7");
    assert_eq!(press(&mut model, "s"), []);
    assert!(matches!(&model.overlay, Some(Overlay::Silence(prompt)) if prompt.alert == "Drift"), "the most urgent one");
    key(&mut model, KeyCode::Down);
    assert_eq!(press(&mut model, "known, 내일"), [], "letters are the reason");
    let asked = key(&mut model, KeyCode::Enter);
    let message = "known, 내일".to_owned();
    assert_eq!(asked, [Cmd::Silence { alert: "Drift".to_owned(), milliseconds: 3_600_000, message }]);
    assert_eq!(model.overlay, None);
    press(&mut model, "s");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.overlay, None);
    press(&mut model, "s");
    for _ in 0..20 {
        key(&mut model, KeyCode::Up);
    }
    let asked = key(&mut model, KeyCode::Enter);
    assert!(matches!(asked.as_slice(), [Cmd::Silence { milliseconds: 604_800_000, .. }]), "{asked:?}");
}

#[test]
fn a_silence_is_ended_after_a_question() {
    let mut model = alerted();
    press(&mut model, "6S");
    assert_eq!(model.overlay, Some(Overlay::ConfirmUnsilence { alert: "느린-응답".to_owned() }));
    assert_eq!(press(&mut model, "x"), [], "another key is no answer");
    assert_eq!(press(&mut model, "y"), [Cmd::Unsilence { alert: "느린-응답".to_owned() }]);
    assert_eq!(press(&mut model, "Sn"), []);
    assert_eq!(model.overlay, None);
}

#[test]
fn nothing_is_silenced_where_nothing_is_meant_or_nobody_hears() {
    let mut model = fixtures::idle();
    assert_eq!(press(&mut model, "7sS"), []);
    assert_eq!(model.overlay, None, "there is no alert");
    model.live.alerts = vec![silenced(alert("Known", AlertState::Firing))];
    press(&mut model, "s");
    assert_eq!(model.overlay, None, "it is silenced already, and not chosen");
    key(&mut model, KeyCode::Tab);
    press(&mut model, "s");
    assert!(matches!(&model.overlay, Some(Overlay::Silence(_))), "whoever chooses it may silence it anew");
    send(&mut model, Msg::Lost("gone".to_owned()));
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(model.message.as_ref().unwrap().is_error);
}

#[test]
fn the_word_of_the_daemon_on_a_silence_is_told() {
    let mut model = alerted();
    let until = Moment(model.now.0 + 3_600_000);
    let silence = Silence { by: "mina".to_owned(), message: String::new(), since: model.now, until };
    send(&mut model, Msg::Silenced("Drift".to_owned(), Ok(Some(silence))));
    assert!(model.message.as_ref().unwrap().text.starts_with("alert Drift is silenced until "));
    send(&mut model, Msg::Silenced("Drift".to_owned(), Ok(None)));
    assert_eq!(model.message.as_ref().unwrap().text, "alert Drift is heard again");
    send(&mut model, Msg::Silenced("Drift".to_owned(), Err("there is no alert `Drift`".to_owned())));
    assert!(model.message.as_ref().unwrap().is_error);
}
