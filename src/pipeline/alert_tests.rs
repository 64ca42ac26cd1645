//! What follows from alerts, each rule told as a small history.

use super::histories::World;
use super::{
    Answer, Command, Event, Evidence, Input, Outcome, Reaction, ReleaseId, ReleaseStatus, Restraint, RunId, explain,
    narrate,
};

/// A world in which release 1 gave way to release 2.
fn two_releases() -> World {
    let mut world = World::new();
    for data in [1, 2] {
        world.observe(data, 1);
        world.drain(&Outcome::Passed);
    }
    assert_eq!(world.state.live, Some(ReleaseId(2)));
    world
}

fn fire(world: &mut World, then: Reaction) -> Answer {
    answer(&world.fire("ErrorRate", then, Evidence::Against, 0).events)
}

fn answer(events: &[Event]) -> Answer {
    let fired = events.iter().find_map(|event| match event {
        Event::AlertFired { answer, .. } => Some(answer.clone()),
        _ => None,
    });
    fired.expect("an alert that fires")
}

fn held(why: Restraint) -> Answer {
    Answer::Held { why }
}

#[test]
fn a_bad_release_is_left_by_itself_and_is_not_deployed_again() {
    let mut world = two_releases();
    assert_eq!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { to: ReleaseId(1) });
    world.drain(&Outcome::Passed);
    let live = world.state.live_release().unwrap();
    assert_eq!((live.id, live.repeats), (ReleaseId(3), Some(ReleaseId(1))));
    assert_eq!(world.state.releases[&ReleaseId(2)].status, ReleaseStatus::Rejected);
    world.calm("ErrorRate");
    let told: Vec<String> = world.history.iter().map(|recorded| narrate(&recorded.event)).collect();
    for line in [
        "alert ErrorRate fires: 0.41 (release 2); going back to release 1",
        "run 3 asked for: alert ErrorRate fired: back to release 1",
        "run 3: deploy started: back to release 1",
        "release 2 rejected; the same will not be deployed by itself",
        "alert ErrorRate no longer fires (release 3)",
    ] {
        assert!(told.iter().any(|known| known == line), "{line} is not told:\n{}", told.join("\n"));
    }
}

#[test]
fn an_alert_that_notifies_changes_nothing() {
    let mut world = two_releases();
    assert_eq!(fire(&mut world, Reaction::Notify), Answer::Told);
    assert_eq!(world.state.last_run, RunId(2));
}

#[test]
fn being_told_of_the_same_alerts_again_changes_nothing() {
    let mut world = two_releases();
    fire(&mut world, Reaction::Rollback);
    assert!(world.tell_alerts().events.is_empty());
    world.drain(&Outcome::Passed);
    // Its window still holds the errors of the release that was left.
    world.firing[0].evidence = Evidence::Clear;
    assert!(world.tell_alerts().events.is_empty());
}

#[test]
fn what_an_alert_was_held_back_from_follows_once_the_reason_is_over() {
    let mut world = two_releases();
    world.fire("ErrorRate", Reaction::Rollback, Evidence::None, 0);
    assert!(world.tell_alerts().events.is_empty(), "still nothing is known of the release alone");
    world.firing[0].evidence = Evidence::Against;
    assert_eq!(answer(&world.tell_alerts().events), Answer::RollsBack { to: ReleaseId(1) });

    let mut world = two_releases();
    world.observe(3, 1);
    while world.running()[0].1.as_str() != "deploy" {
        let (run, stage, attempt) = world.running()[0].clone();
        world.end(run, &stage, attempt, Outcome::Passed);
    }
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::Deploying { run: RunId(3) }));
    world.drain(&Outcome::Interrupted);
    assert_eq!(world.state.live, Some(ReleaseId(2)), "the deploy came to nothing");
    assert_eq!(answer(&world.tell_alerts().events), Answer::RollsBack { to: ReleaseId(1) });

    let mut world = two_releases();
    world.command(Command::Run(super::Selection { from: Some("train".into()), only: true, force: true }));
    assert_eq!(fire(&mut world, Reaction::Retrain), held(Restraint::Busy { run: RunId(3) }));
    assert!(world.tell_alerts().events.is_empty());
    world.drain(&Outcome::Passed);
    assert!(matches!(answer(&world.tell_alerts().events), Answer::Retrains { .. }));
    assert!(world.tell_alerts().events.is_empty(), "once is enough");
}

#[test]
fn a_release_on_which_an_alert_began_before_its_deploy_is_remembered_as_one_that_shows_it() {
    let mut world = two_releases();
    world.fire("ErrorRate", Reaction::Rollback, Evidence::Against, 1_000);
    assert!(world.state.alerts.has_fired_on(ReleaseId(2), "ErrorRate"));
    world.observe(3, 1);
    world.drain(&Outcome::Passed);
    // The alert never ended, and the third release shows it too.
    assert_eq!(answer(&world.tell_alerts().events), held(Restraint::BeganBefore { release: ReleaseId(3) }));
    assert!(world.tell_alerts().events.is_empty());
    assert!(world.state.alerts.has_fired_on(ReleaseId(3), "ErrorRate"));
}

#[test]
fn a_second_bad_release_is_left_though_the_alert_never_ended_once_the_one_between_was_seen_without_it() {
    let mut world = two_releases();
    assert_eq!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { to: ReleaseId(1) });
    world.drain(&Outcome::Passed);
    // Its window holds the errors of the release that was left for longer than the next one takes.
    world.firing[0].evidence = Evidence::Clear;
    assert!(world.tell_alerts().events.is_empty());
    world.observe(3, 1);
    world.drain(&Outcome::Passed);
    world.at = world.at.plus(600_000);
    assert_eq!(world.state.live, Some(ReleaseId(4)));
    world.firing[0].evidence = Evidence::Against;
    assert_eq!(answer(&world.tell_alerts().events), held(Restraint::BeganBefore { release: ReleaseId(4) }));
    // The release between was seen clear when the deploy of this one had begun.
    world.firing[0].since = world.state.live_release().unwrap().started;
    assert!(matches!(answer(&world.tell_alerts().events), Answer::RollsBack { .. }));
    assert!(world.tell_alerts().events.is_empty(), "once is enough");
}

#[test]
fn automation_takes_one_step_back_and_leaves_the_second_to_people() {
    let mut world = World::new();
    for data in [1, 2, 3] {
        world.observe(data, 1);
        world.drain(&Outcome::Passed);
    }
    assert_eq!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { to: ReleaseId(2) });
    world.drain(&Outcome::Passed);
    world.calm("ErrorRate");
    let events = world.fire("Drift", Reaction::Rollback, Evidence::Against, 0).events;
    assert_eq!(answer(&events), held(Restraint::GoneBackTo { release: ReleaseId(4) }));
    assert!(
        narrate(&events[0])
            .ends_with("no rollback: release 4 was gone back to itself, and going further is left to people")
    );
}

#[test]
fn an_alert_that_flaps_does_not_flood_the_journal_and_is_heard_again_later() {
    let mut world = two_releases();
    let before = world.history.len();
    for _ in 0..500 {
        world.fire("ErrorRate", Reaction::Notify, Evidence::Against, 0);
        world.calm("ErrorRate");
    }
    assert_eq!(world.history.len() - before, 121, "sixty beginnings and ends, and one sentence");
    let said: Vec<String> = world.history.iter().map(|recorded| narrate(&recorded.event)).collect();
    assert_eq!(said.iter().filter(|line| line.contains("was told of 60 times within the hour")).count(), 1);
    // What is to follow is not held back by that.
    assert_eq!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { to: ReleaseId(1) });
    world.drain(&Outcome::Passed);
    world.calm("ErrorRate");
    world.at = world.at.plus(3_600_000);
    assert_eq!(fire(&mut world, Reaction::Notify), Answer::Told);
}

#[test]
fn without_evidence_of_the_live_release_nothing_follows() {
    for evidence in [Evidence::Clear, Evidence::None] {
        let mut world = two_releases();
        let events = world.fire("ErrorRate", Reaction::Rollback, evidence, 0).events;
        assert_eq!(answer(&events), held(Restraint::NoEvidence));
    }
    let mut world = two_releases();
    let events = world.fire("ErrorRate", Reaction::Rollback, Evidence::Against, 1_000).events;
    assert_eq!(answer(&events), held(Restraint::BeganBefore { release: ReleaseId(2) }));
    let sentence = narrate(&events[0]);
    assert_eq!(
        sentence,
        "alert ErrorRate fires: 0.41 (release 2); no rollback: it began before release 2 was deployed"
    );
}

#[test]
fn the_only_release_stays_whatever_the_alert_says() {
    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::NoEarlierRelease));
    let mut world = World::new();
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::NothingLive));
}

#[test]
fn nobody_goes_back_during_a_deploy() {
    let mut world = two_releases();
    world.observe(3, 1);
    while world.running()[0].1.as_str() != "deploy" {
        let (run, stage, attempt) = world.running()[0].clone();
        world.end(run, &stage, attempt, Outcome::Passed);
    }
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::Deploying { run: RunId(3) }));
}

#[test]
fn an_alert_that_begins_during_a_deploy_is_answered_once_the_release_is_live() {
    let mut world = two_releases();
    world.observe(3, 1);
    while world.running()[0].1.as_str() != "deploy" {
        let (run, stage, attempt) = world.running()[0].clone();
        world.end(run, &stage, attempt, Outcome::Passed);
    }
    let events = world.fire("ErrorRate", Reaction::Rollback, Evidence::None, 0).events;
    assert_eq!(answer(&events), held(Restraint::NoEvidence));
    world.drain(&Outcome::Passed);
    assert!(world.tell_alerts().events.is_empty(), "the new release does not show it");
    world.firing[0].evidence = Evidence::Against;
    assert_eq!(answer(&world.tell_alerts().events), Answer::RollsBack { to: ReleaseId(2) });
}

#[test]
fn a_run_under_way_gives_way_to_a_rollback_and_is_taken_up_behind_it() {
    let mut world = two_releases();
    world.observe(3, 1);
    assert_eq!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { to: ReleaseId(1) });
    world.drain(&Outcome::Passed);
    // The run on the new data comes after the rollback.
    assert_eq!(world.state.live_release().unwrap().repeats, None);
    assert_eq!(world.state.live, Some(ReleaseId(4)));
}

#[test]
fn a_release_is_left_once_and_not_for_one_on_which_the_same_alert_fired() {
    let mut world = two_releases();
    fire(&mut world, Reaction::Rollback);
    // The rollback cannot be carried out: the release stays.
    world.drain(&Outcome::Failed(super::Failure::Exit { code: 3, said: String::new() }));
    assert_eq!(world.state.live, Some(ReleaseId(2)));
    world.calm("ErrorRate");
    world.at = world.at.plus(700_000);
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::LeftBefore { release: ReleaseId(2) }));

    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    fire(&mut world, Reaction::Rollback);
    world.calm("ErrorRate");
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::FiredThereToo { release: ReleaseId(1) }));
}

#[test]
fn a_way_back_that_is_not_there_is_not_entered() {
    let mut world = two_releases();
    fire(&mut world, Reaction::Notify);
    let mut alert = world.firing.pop().unwrap();
    alert.name = "Drift".to_owned();
    alert.then = Reaction::Rollback;
    alert.obstacle = Some("release 1 cannot come back: its image is gone".to_owned());
    world.firing.push(alert);
    let reason = "release 1 cannot come back: its image is gone".to_owned();
    assert_eq!(answer(&world.tell_alerts().events), held(Restraint::NoWay { reason }));
}

#[test]
fn within_its_cooldown_an_alert_is_not_answered_twice() {
    let mut world = two_releases();
    assert!(matches!(fire(&mut world, Reaction::Retrain), Answer::Retrains { .. }));
    world.drain(&Outcome::Passed);
    world.calm("ErrorRate");
    assert_eq!(fire(&mut world, Reaction::Retrain), held(Restraint::CoolingDown));
    world.calm("ErrorRate");
    world.at = world.at.plus(600_000);
    assert!(matches!(fire(&mut world, Reaction::Retrain), Answer::Retrains { .. }));
}

#[test]
fn drift_trains_again_though_nothing_changed_and_never_in_the_way_of_a_run() {
    let mut world = two_releases();
    assert_eq!(fire(&mut world, Reaction::Retrain), Answer::Retrains { stage: "train".into() });
    assert_eq!(world.word(3, "train"), "running");
    let reason = explain::stage(&world.state, &world.state.runs[&RunId(3)], &"train".into());
    assert_eq!(reason, "alert ErrorRate fired");
    let busy = answer(&world.fire("Drift", Reaction::Retrain, Evidence::Against, 0).events);
    assert_eq!(busy, held(Restraint::Busy { run: RunId(3) }));
    world.drain(&Outcome::Passed);
    assert_eq!(world.word(3, "train"), "passed");
}

#[test]
fn nothing_follows_from_a_silenced_alert_until_the_silence_is_over() {
    let mut world = two_releases();
    let silence = |world: &mut World, length: u64| {
        let (alert, until) = ("ErrorRate".to_owned(), world.at.plus(length));
        world.feed(Input::Silence { alert, by: "mina".to_owned(), message: "known".to_owned(), until })
    };
    silence(&mut world, 60_000);
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::Silenced { by: "mina".to_owned() }));
    world.calm("ErrorRate");
    world.at = world.at.plus(60_000);
    assert!(world.state.alerts.silence("ErrorRate", world.at).is_none(), "it ends by itself");
    assert!(matches!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { .. }));

    let mut world = two_releases();
    silence(&mut world, 60_000);
    let lift = || Input::LiftSilence { alert: "ErrorRate".to_owned(), by: "mina".to_owned() };
    assert_eq!(narrate(&world.feed(lift()).events[0]), "mina ends the silence of alert ErrorRate");
    assert!(world.feed(lift()).events.is_empty());
    assert!(matches!(fire(&mut world, Reaction::Rollback), Answer::RollsBack { .. }));
}

#[test]
fn an_end_without_data_is_not_told_as_a_good_one() {
    let mut world = two_releases();
    fire(&mut world, Reaction::Notify);
    let decision = world.feed(Input::Alerts { firing: Vec::new(), clear: Vec::new() });
    assert_eq!(
        narrate(&decision.events[0]),
        "alert ErrorRate no longer fires (release 2); whether all is well is not known, for there is no data to judge by"
    );
}

#[test]
fn a_rollback_by_hand_goes_on_as_before() {
    let mut world = two_releases();
    world.command(Command::Rollback { to: None });
    assert_eq!(fire(&mut world, Reaction::Rollback), held(Restraint::Deploying { run: RunId(3) }));
    world.drain(&Outcome::Passed);
    assert_eq!(world.state.live_release().unwrap().repeats, Some(ReleaseId(1)));
}
