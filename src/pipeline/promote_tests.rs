//! Champions, told as small histories: how a model becomes one, and what follows when a person says which.

use super::histories::{World, held};
use super::{
    Decision, Fate, Input, ModelVersion, Outcome, Promoter, Refusal, RunId, RunResult, StageName, explain, narrate,
};

const CHAIN: [&str; 4] = ["train", "test", "build", "deploy"];

fn words(world: &World) -> Vec<&'static str> {
    CHAIN.iter().map(|stage| world.word(world.state.last_run.0, stage)).collect()
}

fn champion(world: &World) -> Option<u64> {
    world.state.registry.champions.get(&StageName::from("train")).map(|model| model.0)
}

fn serving(world: &World) -> Option<u64> {
    world.state.live_release().and_then(|release| release.model).map(|model| model.0)
}

fn refusal(decision: Decision) -> Refusal {
    decision.reply.unwrap().unwrap_err()
}

/// Data 1 made model 1, which serves; of data 2 came model 2, which its gate holds back.
fn challenged() -> World {
    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world.observe(2, 1);
    world.drain(&held());
    world
}

#[test]
fn a_model_that_passes_its_gate_is_the_champion_and_one_that_is_held_is_not() {
    let mut world = challenged();
    assert_eq!((champion(&world), serving(&world)), (Some(1), Some(1)));
    assert_eq!(words(&world), ["failed", "not run", "not run", "not run"]);
    let model = &world.state.registry.models[&ModelVersion(2)];
    assert_eq!((model.fate.word(), model.parent), ("held", Some(ModelVersion(1))));
    assert!(matches!(&model.fate, Fate::Held { reason } if reason == "accuracy 0.4 is below 0.5"));
    let run = &world.state.runs[&RunId(2)];
    let told = explain::stage(&world.state, run, &"train".into());
    assert_eq!(told, "the gate holds its model back: accuracy 0.4 is below 0.5");

    world.observe(3, 1);
    world.drain(&Outcome::Passed);
    assert_eq!((champion(&world), serving(&world)), (Some(3), Some(3)));
    let last = world.state.registry.promotions.last().unwrap();
    assert_eq!((last.former, &last.by), (Some(ModelVersion(1)), &Promoter::Gate));
}

#[test]
fn a_model_that_a_person_promotes_is_deployed_without_a_training_and_stays_until_the_data_changes() {
    let mut world = challenged();
    let decision = world.promote(2);
    let told: Vec<String> = decision.events.iter().map(narrate).take(3).collect();
    assert_eq!(
        told,
        [
            "operator asked to promote model 2: it is the better one → run 3",
            "operator makes model 2 the champion of train in place of model 1: it is the better one",
            "run 3 asked for: model 2 promoted (operator)",
        ]
    );
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world), ["skipped", "passed", "passed", "passed"]);
    assert_eq!((champion(&world), serving(&world)), (Some(2), Some(2)));
    let run = &world.state.runs[&RunId(3)];
    assert_eq!(explain::stage(&world.state, run, &"train".into()), "model 2 was promoted by hand");

    // A saved source is built with it, and nothing is trained.
    world.observe(2, 2);
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world), ["skipped", "passed", "passed", "passed"]);
    assert_eq!(serving(&world), Some(2));

    // New data is trained on, and compared with it.
    world.observe(3, 2);
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world), ["passed"; 4]);
    assert_eq!(champion(&world), Some(3));
    assert_eq!(world.state.registry.models[&ModelVersion(3)].parent, Some(ModelVersion(2)));
}

#[test]
fn what_a_gate_held_back_is_not_tried_again_by_itself() {
    let mut world = World::new();
    world.observe(1, 1);
    let (run, stage, attempt) = world.running()[0].clone();
    world.end(run, &stage, attempt, held());
    assert_eq!(words(&world)[0], "failed");
    assert_eq!(world.state.runs[&run].result, Some(RunResult::Failed));
    assert_eq!(champion(&world), None, "the first model must pass too");
}

#[test]
fn data_that_comes_back_is_trained_on_again_and_compared_with_the_champion() {
    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    world.observe(1, 1);
    world.drain(&held());
    assert_eq!(words(&world)[0], "failed");
    assert_eq!((champion(&world), serving(&world)), (Some(2), Some(2)), "the older model did not slip back in");
}

#[test]
fn a_promoted_model_whose_files_are_gone_stops_the_run_before_anything_is_made() {
    let mut world = challenged();
    world.promote(2);
    world.feed(Input::Verified { run: RunId(3), stage: "train".into(), intact: false });
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world), ["not run"; 4]);
    assert_eq!(serving(&world), Some(1));
}

#[test]
fn a_training_that_a_promotion_overtook_makes_no_champion() {
    let mut world = challenged();
    world.observe(3, 1);
    assert_eq!(refusal(world.promote(2)), Refusal::Training(RunId(3)));
    world.command(super::Command::Cancel { run: None });
    assert!(world.promote(2).reply.unwrap().is_ok());
    let (run, stage, attempt) = world.running()[0].clone();
    // It passed before the signal came.
    world.end(run, &stage, attempt, Outcome::Passed);
    assert_eq!(champion(&world), Some(2));
    world.drain(&Outcome::Passed);
    assert_eq!((champion(&world), serving(&world)), (Some(2), Some(2)));
}

#[test]
fn a_promotion_is_refused_with_the_reason() {
    let mut world = challenged();
    assert_eq!(refusal(world.promote(9)), Refusal::UnknownModel(ModelVersion(9)));
    let command = super::Command::Promote { model: ModelVersion(2), message: " ".to_owned() };
    assert_eq!(refusal(world.command(command)), Refusal::NoReason);
    // The champion of older data may be promoted again: it then stands for the data of now.
    assert!(world.promote(1).reply.unwrap().is_ok());
    world.drain(&Outcome::Passed);
    assert_eq!(refusal(world.promote(1)), Refusal::ServesAlready(ModelVersion(1)));
}

#[test]
fn a_note_is_kept_with_its_model_and_one_on_no_model_is_none() {
    let mut world = challenged();
    let note = |model| Input::NoteModel { model: ModelVersion(model), by: "ada".to_owned(), text: "odd".to_owned() };
    assert_eq!(world.feed(note(2)).events.len(), 1);
    assert!(world.feed(note(9)).events.is_empty());
    assert_eq!(world.state.registry.models[&ModelVersion(2)].notes[0].text, "odd");
}

#[test]
fn a_rollback_changes_no_champion() {
    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    world.command(super::Command::Rollback { to: None });
    world.drain(&Outcome::Passed);
    assert_eq!((champion(&world), serving(&world)), (Some(2), Some(1)));
}
