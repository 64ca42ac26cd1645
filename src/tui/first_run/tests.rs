//! What the keys of the first run do, and what it shows.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::tui::clock::Clock;
use crate::tui::fixtures;
use crate::tui::glyphs::Glyphs;
use crate::tui::theme::Theme;

fn first_run() -> FirstRun {
    let model = Model::new(Theme::default(), Glyphs::unicode(), Clock::local(), (120, 40), crate::pipeline::Moment(0));
    FirstRun::new(model, PathBuf::from("/srv/wine/trainyard.toml"))
}

fn discovery(is_there: bool, text: &str) -> Discovery {
    Discovery { is_there, text: text.to_owned() }
}

fn choice(subject: Subject, options: &[&str], chosen: usize) -> Choice {
    Choice { subject, options: options.iter().map(|option| (*option).to_owned()).collect(), chosen }
}

fn proposal() -> Proposal {
    Proposal {
        discoveries: vec![
            discovery(true, "training: the built-in training is used"),
            discovery(true, "data: 2 CSV files, the first is data/품질.csv"),
            discovery(true, "column to predict: quality (the last one; edit `target` if it is another)"),
            discovery(false, "tests: none were found; [stages.test] says what is checked instead"),
            discovery(false, "git: this is not a work tree; `git init` lets runs name the version of their source"),
        ],
        choices: vec![
            choice(Subject::DataFile, &["data/품질.csv", "old/b.csv"], 0),
            choice(Subject::Target, &["acid", "sugar", "quality"], 2),
            choice(Subject::Deploy, &["process", "docker", "kubernetes"], 0),
        ],
        outside: None,
        text: "# How this project is trained.\n\n[project]\nname = \"wine # 1\" # a comment\n".repeat(12),
    }
}

/// After the first look into an empty folder.
fn proposed() -> FirstRun {
    let mut first = first_run();
    let looked = first.look();
    assert_eq!(looked, Cmd::Look(1));
    assert_eq!(first.update(Msg::Looked(1, Outlook::Missing)), Some(Cmd::Propose(Answers::default())));
    assert_eq!(first.update(Msg::Proposed(Answers::default(), proposal())), None);
    first
}

fn faulty() -> FirstRun {
    let mut first = first_run();
    first.look();
    let faults = vec![
        "trainyard.toml:1:2: unknown table `sorce`\n    1 | [sorce]\n      |  ^^^^^ did you mean `source`?".to_owned(),
        "trainyard.toml:3:11: `command` must be a list\n    3 | command = \"sh\"\n      |           ^^^^ write `[\"sh\"]`"
            .to_owned(),
    ];
    assert_eq!(first.update(Msg::Looked(1, Outlook::Faulty(faults))), None);
    first
}

fn press(first: &mut FirstRun, code: KeyCode) -> Option<Cmd> {
    first.update(Msg::Key(KeyEvent::from(code)))
}

fn render(first: &FirstRun, width: u16, height: u16) -> String {
    let mut first = first.clone();
    first.update(Msg::Resized(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| views::first_run::draw(&first, frame)).unwrap();
    fixtures::text_of(terminal.backend().buffer(), width)
}

#[test]
fn what_was_found_and_would_be_written_is_shown() {
    let first = proposed();
    insta::assert_snapshot!("first_run_120", render(&first, 120, 40));
    insta::assert_snapshot!("first_run_80", render(&first, 80, 24));
    insta::assert_snapshot!("first_run_60", render(&first, 60, 15));
    let mut in_ascii = first;
    in_ascii.model.glyphs = Glyphs::ascii();
    let screen = render(&in_ascii, 80, 24);
    assert!(screen.chars().all(|letter| letter.is_ascii() || "품질".contains(letter)), "{screen}");
}

#[test]
fn every_error_is_shown_with_its_place_and_its_mend() {
    insta::assert_snapshot!("first_run_faults_80", render(&faulty(), 80, 24));
}

#[test]
fn nothing_is_written_before_enter_and_that_once() {
    let mut first = proposed();
    for code in [KeyCode::Tab, KeyCode::Down, KeyCode::PageDown, KeyCode::Char('x'), KeyCode::BackTab] {
        assert_eq!(press(&mut first, code), None);
    }
    assert_eq!(press(&mut first, KeyCode::Esc), Some(Cmd::Leave));
    assert_eq!(press(&mut first, KeyCode::Char('q')), Some(Cmd::Leave));
    assert_eq!(press(&mut first, KeyCode::Enter), Some(Cmd::Write(Answers::default())));
    assert_eq!(press(&mut first, KeyCode::Enter), None, "it is being written");
    assert_eq!(first.update(Msg::Written(Ok(()))), Some(Cmd::Look(2)));
    assert_eq!(first.update(Msg::Looked(2, Outlook::Ready)), Some(Cmd::GoOn));
}

#[test]
fn what_cannot_be_written_is_said_and_can_be_tried_again() {
    let mut first = proposed();
    press(&mut first, KeyCode::Enter);
    first.update(Msg::Written(Err("cannot write /srv/wine/data".to_owned())));
    assert!(render(&first, 80, 24).contains("cannot write /srv/wine/data"));
    assert_eq!(press(&mut first, KeyCode::Enter), Some(Cmd::Write(Answers::default())));
}

#[test]
fn a_question_goes_with_the_page_that_asked_it() {
    let mut first = proposed();
    first.asked = Some(Outside { file: "wine.csv".to_owned(), folder: "data".to_owned() });
    let number = first.looks;
    assert_eq!(first.update(Msg::Looked(number, Outlook::Faulty(vec!["it is wrong".to_owned()]))), None);
    assert_eq!(press(&mut first, KeyCode::Char('y')), None, "nothing is copied that nobody sees asked");
    assert_eq!(press(&mut first, KeyCode::Char('e')), Some(Cmd::Edit));
}

#[test]
fn a_choice_goes_round_and_another_data_file_has_columns_of_its_own() {
    let mut first = proposed();
    press(&mut first, KeyCode::Tab);
    let target = |name: &str| Answers { target: Some(name.to_owned()), ..Answers::default() };
    assert_eq!(press(&mut first, KeyCode::Right), Some(Cmd::Propose(target("acid"))));
    // Held down, it goes on before the answer is there.
    assert_eq!(press(&mut first, KeyCode::Right), Some(Cmd::Propose(target("sugar"))));
    first.update(Msg::Proposed(target("acid"), Proposal::default()));
    assert_ne!(first.page, Page::Proposal(Proposal::default()), "it came too late");
    press(&mut first, KeyCode::BackTab);
    let other = Answers { data_file: Some("old/b.csv".to_owned()), ..Answers::default() };
    assert_eq!(press(&mut first, KeyCode::Left), Some(Cmd::Propose(other.clone())));
    assert_eq!(press(&mut first, KeyCode::Enter), Some(Cmd::Write(other)));
}

#[test]
fn whoever_wants_to_edit_first_is_not_led_past_it() {
    let mut first = proposed();
    assert_eq!(press(&mut first, KeyCode::Char('e')), Some(Cmd::Write(Answers::default())));
    assert_eq!(first.update(Msg::Changed), Some(Cmd::Look(2)));
    assert_eq!(first.update(Msg::Looked(2, Outlook::Ready)), None);
    assert_eq!(first.update(Msg::Written(Ok(()))), Some(Cmd::Edit));
    assert_eq!(first.update(Msg::Edited(None)), Some(Cmd::Withdraw(Answers::default())));
    assert_eq!(first.update(Msg::Changed), Some(Cmd::Look(3)));
    assert_eq!(first.update(Msg::Looked(3, Outlook::Ready)), None, "it is not known yet whether it was changed");
    assert_eq!(first.update(Msg::Withdrawn(Ok(false))), Some(Cmd::Look(4)));
    assert_eq!(first.update(Msg::Looked(3, Outlook::Ready)), None, "that was before");
    assert_eq!(first.update(Msg::Looked(4, Outlook::Ready)), Some(Cmd::GoOn));
}

#[test]
fn whoever_leaves_the_editor_without_a_change_is_back_where_he_was() {
    let mut first = proposed();
    press(&mut first, KeyCode::Char('e'));
    first.update(Msg::Written(Ok(())));
    first.update(Msg::Edited(None));
    assert_eq!(first.update(Msg::Withdrawn(Ok(true))), Some(Cmd::Look(2)));
    assert_eq!(first.update(Msg::Looked(2, Outlook::Missing)), None);
    assert!(render(&first, 120, 40).contains("the editor changed nothing, so nothing was kept"));
    assert_eq!(press(&mut first, KeyCode::Enter), Some(Cmd::Write(Answers::default())));
}

#[test]
fn a_data_file_outside_is_copied_once_somebody_said_yes() {
    let mut first = proposed();
    let outside = Outside { file: "churn.csv".to_owned(), folder: "data".to_owned() };
    let proposal = Proposal { outside: Some(outside.clone()), ..proposal() };
    first.update(Msg::Proposed(Answers::default(), proposal));
    assert!(render(&first, 80, 24).contains("c copy the data in"));
    assert_eq!(press(&mut first, KeyCode::Char('c')), None);
    assert!(render(&first, 80, 24).contains("copy churn.csv into data/?"));
    assert_eq!(press(&mut first, KeyCode::Esc), None, "Esc answers the question and leaves nothing");
    assert_eq!(press(&mut first, KeyCode::Char('c')), None);
    assert_eq!(press(&mut first, KeyCode::Char('y')), Some(Cmd::Copy(outside)));
    let answers = Answers { data_file: Some("data/churn.csv".to_owned()), ..Answers::default() };
    assert_eq!(first.update(Msg::Copied(Ok("data/churn.csv".to_owned()))), Some(Cmd::Propose(answers)));
    assert!(render(&first, 80, 24).contains("copied to data/churn.csv"));
}

#[test]
fn a_file_that_was_mended_elsewhere_leads_on() {
    let mut first = faulty();
    assert_eq!(press(&mut first, KeyCode::Enter), None);
    assert_eq!(press(&mut first, KeyCode::Char('e')), Some(Cmd::Edit));
    assert_eq!(first.update(Msg::Changed), Some(Cmd::Look(2)));
    assert_eq!(first.update(Msg::Looked(2, Outlook::Ready)), Some(Cmd::GoOn));
    let mut removed = faulty();
    removed.update(Msg::Changed);
    assert_eq!(removed.update(Msg::Looked(2, Outlook::Missing)), Some(Cmd::Propose(Answers::default())));
}

#[test]
fn the_text_is_scrolled_to_its_ends_and_no_further() {
    let mut first = proposed();
    first.update(Msg::Resized(80, 24));
    press(&mut first, KeyCode::Up);
    assert_eq!(first.scroll, 0);
    press(&mut first, KeyCode::End);
    let last = first.scroll;
    assert!(last > 0);
    press(&mut first, KeyCode::PageDown);
    assert_eq!(first.scroll, last);
    press(&mut first, KeyCode::Up);
    assert_eq!(first.scroll, last - 1);
    press(&mut first, KeyCode::Home);
    assert_eq!(first.scroll, 0);
}
