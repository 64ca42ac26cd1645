//! Every view as text, at three sizes. A change of a snapshot is a change of the product: look at it before accepting it.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::types::{AlertStatus, STORAGE};
use crate::pipeline::{AlertState, Moment, Silence};
use crate::tui::app::{Model, Overlay, Pane, View};
use crate::tui::fixtures::{self, render, send};
use crate::tui::hold_fixtures;
use crate::tui::message::Msg;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

fn press(model: &mut Model, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            other => KeyCode::Char(other),
        };
        send(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
}

fn snapshots(name: &str, model: &Model) {
    for (width, height) in SIZES {
        let text = render(model, width, height);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
    }
}

#[test]
fn board_without_a_run() {
    snapshots("board_empty", &fixtures::empty());
}

#[test]
fn board_at_rest() {
    snapshots("board_idle", &fixtures::idle());
}

/// What stands in the Release pane of a Board on which it stands beside the log.
fn release_pane(model: &Model, width: u16, height: u16) -> Vec<String> {
    let text = render(model, width, height);
    let beside = text.lines().filter_map(|row| row.split_once("││"));
    beside.map(|(_, row)| row.trim_end_matches('│').trim().to_owned()).collect()
}

#[test]
fn a_curve_of_one_row_has_its_scale_below_it_where_there_is_room() {
    let mut model = fixtures::idle();
    (model.focus, model.is_zoomed) = (Pane::Release, true);
    let curves = model.metrics.charts.panels.iter().filter(|panel| panel.error.is_none()).count();
    let scales = |width| render(&model, width, 16).matches(" high ").count();
    assert_eq!((scales(100), scales(99)), (curves, 0), "{}", render(&model, 100, 16));
}

#[test]
fn on_a_tall_board_curves_are_charts_of_equal_height_and_what_has_none_has_a_row() {
    let model = fixtures::idle();
    for (width, height) in [(120, 40), (200, 50)] {
        let rows = release_pane(&model, width, height);
        let titles = ["requests/s ", "지연 p95 ", "by status ", "drift "];
        let places: Vec<usize> =
            titles.iter().filter_map(|title| rows.iter().position(|row| row.starts_with(title))).collect();
        let [requests, latency, statuses, drift] = places.as_slice() else { panic!("{rows:#?}") };
        assert!(latency - requests >= 6, "{rows:#?}");
        assert_eq!([statuses - latency, drift - statuses], [latency - requests; 2], "{rows:#?}");
        assert!(rows[*drift].ends_with("no series has the name app_drift"), "{rows:#?}");
        assert!(rows[*statuses].contains("━ 200 ━ 500"), "{rows:#?}");
        // The saw goes down to half its height.
        assert!(rows[*requests..*latency].iter().any(|row| row.starts_with("66 ┤")), "{rows:#?}");
    }
}

#[test]
fn the_address_of_the_release_is_readable_at_every_size() {
    for model in [fixtures::in_production(), fixtures::unreachable()] {
        for (width, height) in [(80, 24), (110, 20), (110, 24), (120, 40), (200, 50)] {
            let text = render(&model, width, height);
            assert!(text.contains("http://127.0.0.1:8080"), "{width}x{height}: {text}");
        }
        let text = release_pane(&model, 120, 40).join("\n");
        for told in ["1 changed by others", "2 of 3 ready", "3f2a91c"] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
    let mut model = fixtures::in_production();
    let address = "http://wine-quality.ml-europe.svc.cluster.local:8080/predictions";
    let live = model.state.live.unwrap();
    let release = model.state.releases.get_mut(&live).unwrap();
    Arc::make_mut(release).address = Some(address.to_owned());
    let rows = release_pane(&model, 120, 40);
    assert!(rows.concat().contains(address), "broken, but whole: {rows:#?}");
}

#[test]
fn from_36_rows_on_the_strip_says_every_reason_whole() {
    let model = fixtures::idle();
    let cuts = |height| {
        let text = render(&model, 120, height);
        let strip: String = text.lines().skip(2).take_while(|row| !row.contains("╭ Log")).collect();
        assert!(strip.contains("╭ Pipeline"), "{text}");
        strip.matches('…').count()
    };
    assert!(cuts(35) > 0, "{}", render(&model, 120, 35));
    assert_eq!(cuts(36), 0, "{}", render(&model, 120, 36));
    let text = render(&model, 80, 50);
    assert!(text.lines().any(|row| row.trim_matches('│').trim() == "train gave something else since run 1"), "{text}");
}

#[test]
fn a_strip_of_its_own_screen_says_each_reason_whole_and_once() {
    let mut model = fixtures::idle();
    (model.focus, model.is_zoomed) = (Pane::Pipeline, true);
    let text = render(&model, 80, 24);
    let counts = ["gave something else since run 1", "gave something"].map(|said| text.matches(said).count());
    assert_eq!(counts, [3, 3], "{text}");
}

#[test]
fn board_while_a_stage_runs() {
    snapshots("board_running", &fixtures::running());
}

#[test]
fn an_alert_that_fires_is_told_in_every_view_unless_it_is_silenced() {
    let mut model = fixtures::idle();
    let alerts = [("Slow", AlertState::Pending), ("오류", AlertState::Firing)];
    model.live.alerts = alerts.map(|(name, state)| fixtures::alert(name, state)).into();
    for view in ["1", "2", "6"] {
        press(&mut model, view);
        assert!(render(&model, 120, 40).lines().next().unwrap().contains("! alert 오류 fires"));
        assert!(render(&model, 80, 24).lines().next().unwrap().contains("! alert 오류 fires"));
    }
    let (since, until) = (Moment(0), Moment(1));
    let silence = Silence { by: "me".to_owned(), message: String::new(), since, until };
    model.live.alerts[1].silence = Some(silence);
    assert!(render(&model, 120, 40).contains("alert Slow is pending"));
}

#[test]
fn that_a_disk_is_nearly_full_stands_in_the_first_line_and_what_to_do_below() {
    let mut model = fixtures::idle();
    assert!(!render(&model, 200, 50).contains("disk nearly full"));
    let problem = "about 430 MB are free on the disk of .trainyard; make room";
    model.live.problems.insert(STORAGE.to_owned(), problem.to_owned());
    for (width, height) in SIZES {
        let text = render(&model, width, height);
        assert!(text.lines().next().unwrap().contains("disk nearly full"), "{text}");
        assert!(text.contains("storage: about 430 MB are free on the disk of .trainyard"), "{text}");
    }
}

#[test]
fn the_views_are_named_with_their_keys_wherever_there_is_room_and_counted_elsewhere() {
    let mut model = fixtures::idle();
    press(&mut model, "4");
    let wide = render(&model, 120, 40);
    let tabs = wide.lines().nth(1).unwrap();
    assert!(tabs.starts_with(" 1 Board   2 Runs   3 Logs  [4 Models]"), "{tabs}");
    assert!(tabs.contains("7 Events"), "{tabs}");
    for (width, height) in [(60, 15), (80, 24), (120, 40)] {
        assert!(render(&model, width, height).lines().last().unwrap().contains("1-7 views"), "{width}x{height}");
    }
}

#[test]
fn the_hint_line_tells_the_keys_of_what_lies_over_the_view_and_not_those_below() {
    let mut model = fixtures::idle();
    let hints = |model: &Model| render(model, 120, 40).lines().last().unwrap().to_owned();
    assert!(hints(&model).contains("R rollback") && hints(&model).contains("r run"));
    press(&mut model, "?");
    assert!(hints(&model).contains("Esc closes") && !hints(&model).contains("r run"), "{}", hints(&model));
    press(&mut model, "x");
    assert!(hints(&model).contains("Esc empties, again closes"), "{}", hints(&model));
    let mut model = fixtures::idle();
    press(&mut model, "R");
    assert!(hints(&model).contains("y goes back") && !hints(&model).contains("r run"), "{}", hints(&model));
}

#[test]
fn the_demo_says_that_its_end_is_the_end_of_all() {
    let mut model = fixtures::idle();
    model.is_demo = true;
    assert!(render(&model, 80, 24).lines().last().unwrap().contains("q stop the demo"));
    press(&mut model, "?stop the demo");
    assert!(render(&model, 80, 24).contains("its daemon and its app"), "{}", render(&model, 80, 24));
}

#[test]
fn at_80_columns_the_way_back_is_hinted_and_the_parts_of_a_model_have_whole_words() {
    let mut model = fixtures::idle();
    assert!(render(&model, 80, 24).lines().last().unwrap().contains("R rollback"));
    press(&mut model, "4");
    let text = render(&model, 80, 24);
    assert!(text.contains("[s summary] b trials o classes i columns a calibration d data e slices"), "{text}");
    let narrow = render(&model, 60, 15);
    assert!(narrow.contains("[s summary] b o i a d e"), "{narrow}");
}

#[test]
fn help_finds_by_other_words_and_cuts_nothing_of_what_a_command_does() {
    let mut model = fixtures::idle();
    press(&mut model, "?theme");
    assert!(render(&model, 80, 24).contains("palette") || render(&model, 80, 24).contains("theme or project"));
    let mut model = fixtures::idle();
    press(&mut model, "?quit");
    let text = render(&model, 80, 24);
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.contains(&"`trainyard") && words.contains(&"--all`"), "{text}");
}

#[test]
fn board_after_a_failure() {
    snapshots("board_failed", &fixtures::failed());
}

#[test]
fn board_without_the_daemon() {
    let mut model = fixtures::running();
    send(&mut model, Msg::Lost("it closed the connection".to_owned()));
    insta::assert_snapshot!("board_lost_120x40", render(&model, 120, 40));
}

#[test]
fn runs() {
    let mut model = fixtures::failed();
    press(&mut model, "2\t");
    assert_eq!(model.view, View::Runs);
    snapshots("runs", &model);
}

#[test]
fn logs() {
    let mut model = fixtures::running();
    press(&mut model, "3");
    snapshots("logs_following", &model);
    press(&mut model, "wg");
    snapshots("logs_wrapped_from_the_top", &model);
}

#[test]
fn releases() {
    let mut model = fixtures::deployed();
    press(&mut model, "5");
    assert_eq!(model.view, View::Releases);
    snapshots("releases", &model);
    press(&mut model, "j\n");
    insta::assert_snapshot!("releases_zoomed_on_a_rejected_one_120x40", render(&model, 120, 40));
}

#[test]
fn releases_before_the_first() {
    let mut model = fixtures::empty();
    press(&mut model, "5");
    insta::assert_snapshot!("releases_empty_80x24", render(&model, 80, 24));
}

#[test]
fn releases_whose_cluster_does_not_answer() {
    let mut model = fixtures::unreachable();
    insta::assert_snapshot!("board_unreachable_120x40", render(&model, 120, 40));
    press(&mut model, "5");
    insta::assert_snapshot!("releases_unreachable_120x40", render(&model, 120, 40));
}

#[test]
fn board_of_a_release_on_a_cluster_in_production() {
    snapshots("board_in_production", &fixtures::in_production());
}

#[test]
fn every_view_says_production_and_where() {
    for view in ["1", "2", "3", "4", "5", "6", "7"] {
        let mut model = fixtures::in_production();
        press(&mut model, view);
        for (width, height) in SIZES {
            let text = render(&model, width, height);
            let first = text.lines().next().unwrap();
            assert!(first.contains("kubernetes:ml-europe/wine") && first.contains("PRODUCTION"), "{first}");
        }
        let text = render(&model, 60, 15);
        let first = text.lines().next().unwrap();
        assert!(first.contains("PRODUCTION") && first.contains("kubernetes:"), "the place is shortened last: {first}");
    }
}

#[test]
fn metrics() {
    let mut model = fixtures::idle();
    press(&mut model, "6");
    snapshots("metrics", &model);
    press(&mut model, "\t\tz");
    insta::assert_snapshot!("metrics_zoomed_120x40", render(&model, 120, 40));
}

#[test]
fn events() {
    let mut model = fixtures::failed();
    press(&mut model, "7");
    snapshots("events", &model);
    press(&mut model, "z");
    snapshots("events_zoomed", &model);
}

#[test]
fn events_say_where_alerts_stand() {
    let mut model = fixtures::idle();
    press(&mut model, "7");
    let since = Some(model.now);
    let firing = AlertStatus { since, ..fixtures::alert("오류율", AlertState::Firing) };
    let silence = Silence { by: "mina".to_owned(), message: String::new(), since: Moment(0), until: model.now };
    let silenced = AlertStatus { silence: Some(silence), ..fixtures::alert("Drift", AlertState::Inactive) };
    model.live.alerts = vec![fixtures::alert("Quiet", AlertState::Inactive), silenced, firing];
    let text = render(&model, 120, 24);
    let row = text.lines().find(|row| row.contains(" alerts ")).unwrap();
    let places =
        ["오류율 firing since ", "Drift inactive, silenced by mina until ", "1 inactive"].map(|told| row.find(told));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{row}");
    model.live.alerts.clear();
    assert!(!render(&model, 120, 24).contains(" alerts "));
}

#[test]
fn events_of_one_alert_and_the_questions_about_its_silence() {
    let mut model = fixtures::alerted();
    press(&mut model, "7\t\t\t");
    insta::assert_snapshot!("events_of_an_alert_120x40", render(&model, 120, 40));
    press(&mut model, "sknown, mended today");
    insta::assert_snapshot!("silence_80x24", render(&model, 80, 24));
    let mut model = fixtures::alerted();
    press(&mut model, "7S");
    insta::assert_snapshot!("end_of_a_silence_80x24", render(&model, 80, 24));
}

#[test]
fn help() {
    let mut model = fixtures::idle();
    press(&mut model, "?");
    snapshots("help", &model);
    press(&mut model, "alert");
    insta::assert_snapshot!("help_searched_120x40", render(&model, 120, 40));
}

#[test]
fn the_palette_and_the_question_before_a_rollback() {
    let mut model = fixtures::idle();
    press(&mut model, ":de");
    insta::assert_snapshot!("palette_120x40", render(&model, 120, 40));
    let mut model = fixtures::idle();
    press(&mut model, ":1");
    insta::assert_snapshot!("palette_of_runs_80x24", render(&model, 80, 24));
    let mut model = fixtures::empty();
    press(&mut model, ":can");
    insta::assert_snapshot!("palette_with_reasons_120x40", render(&model, 120, 40));
    let mut model = fixtures::idle();
    press(&mut model, "R");
    insta::assert_snapshot!("rollback_80x24", render(&model, 80, 24));
}

#[test]
fn the_questions_in_production_want_the_name_of_the_project() {
    let mut model = fixtures::in_production();
    press(&mut model, "5jR와인");
    insta::assert_snapshot!("rollback_in_production_80x24", render(&model, 80, 24));
    let mut model = fixtures::in_production();
    press(&mut model, "d");
    insta::assert_snapshot!("run_in_production_80x24", render(&model, 80, 24));
}

#[test]
fn a_rollback_that_cannot_be_done_is_refused_with_the_reason() {
    let mut model = fixtures::deployed();
    press(&mut model, "R");
    let Some(Overlay::ConfirmRollback { plan: Some(Ok(plan)), .. }) = &mut model.overlay else { panic!("no plan") };
    plan.obstacle = Some("release 1 cannot come back: its image is not in Docker Engine\x1b[2J any more".to_owned());
    let text = render(&model, 80, 24);
    assert!(text.contains("cannot come back: its image") && text.contains("Nothing was touched"), "{text}");
    assert!(!text.contains("go back   ") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_terminal_that_is_too_small_is_told_what_is_needed() {
    let text = render(&fixtures::idle(), 50, 10);
    assert!(text.contains("needs 60 x 15"), "{text}");
}

#[test]
fn no_view_breaks_at_any_size() {
    let models = vec![
        fixtures::empty(),
        fixtures::running(),
        fixtures::failed(),
        fixtures::in_production(),
        fixtures::alerted(),
        hold_fixtures::awaiting(),
        hold_fixtures::shared(),
    ];
    for model in models {
        for view in [
            "1", "2", "3", "4", "4z", "4c", "5", "5z", "5jR", "R", "d", "6", "6z", "6c", "6e", "6hyv", "7", "7\t",
            "7s", "6s", "6S", "?", ":", "x", "L", "U", "O", "W", "7/", "A", "D", "Rm",
        ] {
            let mut model = model.clone();
            press(&mut model, view);
            for (width, height) in [(1, 1), (60, 15), (61, 16), (79, 100), (300, 15), (110, 24)] {
                render(&model, width, height);
            }
        }
    }
}

#[test]
fn what_a_log_says_cannot_leave_its_place() {
    let text = render(&fixtures::running(), 120, 40);
    assert!(!text.contains('\u{1b}') && !text.contains('\r'));
    let mut model = fixtures::unreachable();
    press(&mut model, "5");
    let text = render(&model, 120, 40);
    assert!(text.contains("POST /predict 200") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_screen_is_the_same_in_every_theme() {
    let mut model = fixtures::failed();
    let dark = render(&model, 120, 40);
    for name in ["light", "ansi", "mono"] {
        model.theme =
            crate::tui::theme::Theme::choose(&|variable| (variable == "TRAINYARD_THEME").then(|| name.to_owned()));
        assert_eq!(render(&model, 120, 40), dark, "a meaning hangs on colour alone in {name}");
    }
}
