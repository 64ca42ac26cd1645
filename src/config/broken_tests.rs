//! Broken configurations, each with exactly what its user reads. Those of what engines are told are in
//! `broken_engine_tests.rs`.

use super::parse;

/// A stage without which every configuration would have one more error.
const STAGE: &str = "[stages.test]\ncommand = [\"true\"]\n";

pub(super) fn told(text: &str) -> String {
    parse(text, "trainyard.toml").unwrap_err().to_string()
}

/// What is told of `lines` followed by a valid stage.
pub(super) fn told_before_a_stage(lines: &str) -> String {
    told(&format!("{lines}\n{STAGE}"))
}

/// One rendered error.
pub(super) fn error(place: &str, message: &str, line: &str, mark: &str) -> String {
    let number = place.split(':').next().unwrap();
    format!("trainyard.toml:{place}: {message}\n{number:>5} | {line}\n      | {mark}")
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_one() {
    assert_eq!(
        told_before_a_stage("[source]\ntigger = \"save\""),
        "trainyard.toml:2:1: unknown key `tigger` in [source]\n    2 | tigger = \"save\"\n      \
         | ^^^^^^ did you mean `trigger`?"
    );
}

#[test]
fn an_unknown_key_that_is_near_nothing_is_told_with_all_valid_ones() {
    assert_eq!(
        told_before_a_stage("[data]\ncolour = 1"),
        error(
            "2:1",
            "unknown key `colour` in [data]",
            "colour = 1",
            "^^^^^^ valid keys: `path`, `include`, `settle`, `contract`"
        )
    );
}

#[test]
fn an_unknown_table_is_told_with_the_nearest_one() {
    assert_eq!(
        told_before_a_stage("[sorce]"),
        error("1:2", "unknown table `sorce`", "[sorce]", " ^^^^^ did you mean `source`?")
    );
}

#[test]
fn a_key_outside_of_a_table_is_told_where_keys_belong() {
    assert_eq!(
        told_before_a_stage("name = \"x\""),
        error(
            "1:1",
            "key `name` stands outside of a table",
            "name = \"x\"",
            "^^^^ put it under one of the tables `project`, `source`, `data`, `models`, `stages`, `monitor`, `schedules`, `notify`"
        )
    );
}

#[test]
fn a_wrong_type_is_told_with_an_example() {
    assert_eq!(
        told_before_a_stage("[source]\npath = 5"),
        error("2:8", "expected a string, found an integer", "path = 5", "       ^ for example `path = \".\"`")
    );
    assert_eq!(
        told_before_a_stage("[data]\ninclude = [\"*.csv\", 5]"),
        error(
            "2:21",
            "expected a string, found an integer",
            "include = [\"*.csv\", 5]",
            "                    ^ `include` is an array of strings; put it in quotes"
        )
    );
    assert_eq!(
        told_before_a_stage("source = 5"),
        error(
            "1:10",
            "expected a table, found an integer",
            "source = 5",
            "         ^ for example `source = { path = \".\" }`"
        )
    );
}

#[test]
fn a_duration_without_a_unit_is_refused_with_the_mend() {
    assert_eq!(
        told_before_a_stage("[data]\nsettle = 500"),
        error(
            "2:10",
            "expected a duration, found an integer",
            "settle = 500",
            "         ^^^ say the unit: `settle = \"500s\"` or `settle = \"500ms\"`"
        )
    );
}

#[test]
fn a_duration_with_an_unknown_unit_is_refused() {
    assert_eq!(
        told_before_a_stage("[data]\nsettle = \"10 minutes\""),
        error(
            "2:10",
            "`10 minutes` is not a duration: `minutes` is no unit",
            "settle = \"10 minutes\"",
            "         ^^^^^^^^^^^^ write numbers with ms, s, m, h or d, such as \"500ms\", \"10m\" or \"1h30m\""
        )
    );
}

#[test]
fn scraping_too_often_is_refused() {
    assert_eq!(
        told_before_a_stage("[monitor]\nscrape = \"50ms\""),
        error(
            "2:10",
            "`scrape` must be at least 100ms, found 50ms",
            "scrape = \"50ms\"",
            "         ^^^^^^ for example `scrape = \"1s\"`"
        )
    );
}

#[test]
fn a_broken_glob_is_refused() {
    assert_eq!(
        told_before_a_stage("[source]\nignore = [\"docs/[\"]"),
        error(
            "2:11",
            "`docs/[` is not a glob: unclosed character class; missing ']'",
            "ignore = [\"docs/[\"]",
            "          ^^^^^^^^ for example `ignore = []`"
        )
    );
    assert_eq!(
        told_before_a_stage("[data]\ninclude = [\"../*.csv\"]"),
        error(
            "2:12",
            "glob `../*.csv` leaves the folder",
            "include = [\"../*.csv\"]",
            "           ^^^^^^^^^^ globs are relative and contain no `..`"
        )
    );
}

#[test]
fn a_missing_key_is_told_at_its_table() {
    assert_eq!(
        told("[stages.train]\nuses = \"train\"\n"),
        error(
            "1:9",
            "missing `target` in [stages.train]",
            "[stages.train]",
            "        ^^^^^ add `target = \"quality\"`: the column to predict"
        )
    );
    assert_eq!(
        told("[stages.train]\nuses = \"train\"\ntarget = \"y\"\ngate = { metric = \"accuracy\" }\n"),
        error(
            "4:1",
            "`gate` of [stages.train] has neither `min` nor `champion`",
            "gate = { metric = \"accuracy\" }",
            "^^^^ add `min = 0.55`, the least value that passes, or `champion = \"no-worse\"`"
        )
    );
    assert_eq!(
        told("[stages.train]\nuses = \"train\"\ntarget = \"y\"\nsplit = { by = \"time\" }\n"),
        error(
            "4:1",
            "missing `column` in `split` of [stages.train]",
            "split = { by = \"time\" }",
            "^^^^^ add `column = \"date\"`: the column that says when: dates, or numbers such as years"
        )
    );
}

#[test]
fn a_stage_that_does_nothing_is_refused() {
    assert_eq!(
        told("[stages.test]\nneeds = []\n"),
        error(
            "1:9",
            "stage `test` has neither `command` nor `uses`",
            "[stages.test]",
            "        ^^^^ add `command = [\"…\"]`, or `uses` with one of `train`, `image`, `deploy`"
        )
    );
}

#[test]
fn a_command_in_one_string_is_refused_with_the_mend() {
    assert_eq!(
        told("[stages.test]\ncommand = \"pytest -q\"\n"),
        error(
            "2:11",
            "expected an array of strings, found a string",
            "command = \"pytest -q\"",
            "          ^^^^^^^^^^^ write `command = [\"pytest\", \"-q\"]`"
        )
    );
    assert_eq!(
        told("[stages.test]\ncommand = \"make && true\"\n"),
        error(
            "2:11",
            "expected an array of strings, found a string",
            "command = \"make && true\"",
            "          ^^^^^^^^^^^^^^ write `command = [\"sh\", \"-c\", \"make && true\"]`"
        )
    );
    assert_eq!(
        told("[stages.test]\ncommand = []\n"),
        error(
            "1:9",
            "`command` of [stages.test] is empty",
            "[stages.test]",
            "        ^^^^ for example `command = [\"pytest\", \"-q\"]`"
        )
    );
}

#[test]
fn a_port_out_of_range_is_refused() {
    assert_eq!(
        told(
            "[stages.build]\nuses = \"image\"\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\nport = 70000\n"
        ),
        error(
            "6:8",
            "`port` must lie between 1 and 65535, found 70000",
            "port = 70000",
            "       ^^^^^ for example `port = 8080`"
        )
    );
}

#[test]
fn too_many_retries_are_refused() {
    assert_eq!(
        told("[stages.test]\ncommand = [\"a\"]\nretries = 11\n"),
        error(
            "3:11",
            "`retries` must lie between 0 and 10, found 11",
            "retries = 11",
            "          ^^ for example `retries = 0`"
        )
    );
}

#[test]
fn who_approves_a_stage_is_anybody_or_has_a_name() {
    let told = |line: &str| told(&format!("[stages.test]\ncommand = [\"a\"]\n{line}\n"));
    let message = "expected `true`, `false` or names, found a string";
    let mark = "          ^^^^^^ write `approve = true`, or `approve = [\"mina\"]`";
    assert_eq!(told("approve = \"mina\""), error("3:11", message, "approve = \"mina\"", mark));
    let mark = "          ^^ write `approve = true` if anybody may, or remove it";
    assert_eq!(told("approve = []"), error("3:11", "`approve` names nobody", "approve = []", mark));
    let mark = "           ^^ for example `approve = [\"release-manager\", \"on-call\"]`";
    let line = "approve = [\"\"]";
    assert_eq!(told(line), error("3:12", "a name in `approve` is empty", line, mark));
    let message = "expected `true`, `false` or names, found an integer";
    let mark = "          ^ for example `approve = [\"release-manager\", \"on-call\"]`";
    assert_eq!(told("approve = 1"), error("3:11", message, "approve = 1", mark));
}

#[test]
fn a_need_that_is_not_defined_is_told_with_the_nearest_stage() {
    assert_eq!(
        told("[stages.train]\ncommand = [\"a\"]\n[stages.test]\ncommand = [\"b\"]\nneeds = [\"trian\"]\n"),
        error(
            "5:10",
            "stage `test` needs `trian`, which is not defined",
            "needs = [\"trian\"]",
            "         ^^^^^^^ did you mean `train`?"
        )
    );
}

#[test]
fn a_circle_is_told_from_end_to_end() {
    assert_eq!(
        told("[stages.a]\ncommand = [\"x\"]\nneeds = [\"b\"]\n[stages.b]\ncommand = [\"x\"]\nneeds = [\"a\"]\n"),
        error(
            "3:10",
            "stages need each other in a circle: a → b → a",
            "needs = [\"b\"]",
            "         ^^^ remove one of these needs"
        )
    );
    assert_eq!(
        told("[stages.a]\ncommand = [\"x\"]\nneeds = [\"a\"]\n"),
        error("3:10", "stage `a` needs itself", "needs = [\"a\"]", "         ^^^ remove it from `needs`")
    );
}

#[test]
fn an_unknown_word_is_told_with_the_nearest_one() {
    assert_eq!(
        told("[stages.train]\nuses = \"trian\"\ntarget = \"y\"\n"),
        error("2:8", "unknown value `trian` for `uses`", "uses = \"trian\"", "       ^^^^^^^ did you mean `train`?")
    );
    assert_eq!(
        told("[stages.train]\nuses = \"train\"\ntarget = \"y\"\nalgorithms = [\"perceptron\"]\n"),
        error(
            "4:15",
            "unknown value `perceptron` for `algorithms`",
            "algorithms = [\"perceptron\"]",
            "              ^^^^^^^^^^^^ valid values: `auto`, `logistic`, `naive-bayes`, `linear`, `elastic-net`, `svm`, `forest`, `boosting`, `blend`"
        )
    );
}

#[test]
fn a_gate_that_contradicts_itself_is_refused() {
    let gate = |keys: &str| {
        told(&format!("[stages.train]\nuses = \"train\"\ntarget = \"y\"\ngate = {{ metric = \"f1\", {keys} }}\n"))
    };
    for (keys, message) in [
        ("min = 0.5, tolerance = 0.1", "`tolerance` is of a comparison, and there is none"),
        ("champion = \"better\", tolerance = 0.1", "what must be better has no `tolerance`"),
        ("champion = \"no-worse\", tolerance = -0.1", "`tolerance` is below zero"),
        ("champion = \"equal\"", "valid values: `no-worse`, `better`"),
    ] {
        let told = gate(keys);
        assert!(told.contains(message), "{keys}: {told}");
    }
    let told = told("[stages.test]\ncommand = [\"true\"]\ngate = { metric = \"f1\", min = 0.5 }\n");
    assert!(told.contains("stage `test` has a gate and makes no model"), "{told}");
}

#[test]
fn feedback_that_no_release_could_hand_over_is_refused() {
    let told = told(
        "[stages.train]\nuses = \"train\"\ntarget = \"y\"\nfeedback = true\n[stages.build]\nuses = \"image\"\n\
         needs = [\"train\"]\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\ntarget = \"docker\"\nport = 8080\n",
    );
    assert!(told.contains("stage `train` learns from feedback, which releases on docker cannot hand over"), "{told}");
}

#[test]
fn an_expression_that_is_not_promql_is_refused() {
    let told = told_before_a_stage("[[monitor.panels]]\ntitle = \"x\"\nexpr = \"sum(rate(\"");
    assert!(told.starts_with("trainyard.toml:3:8: not a PromQL expression: "), "{told}");
    assert!(told.contains("\n    3 | expr = \"sum(rate(\"\n      |        ^^^^^^^^^^^ for example `expr = "), "{told}");
}

#[test]
fn a_panel_says_how_it_is_drawn_in_known_words_and_numbers() {
    let panel = "[[monitor.panels]]\ntitle = \"x\"\nexpr = \"x\"";
    let told = |line: &str| told_before_a_stage(&format!("{panel}\n{line}"));
    assert!(told("kind = \"pie\"").contains("unknown value `pie` for `kind`"));
    assert!(told("thresholds = [1]").contains("4:14: `thresholds` must be two different finite numbers"));
    assert!(told("thresholds = [1, \"x\"]").contains("for example `thresholds = [0.1, 0.25]`"));
    assert!(told("min = 5\nmax = 1.5").contains("5:7: `max` is 1.5, which is not above `min`, 5"));
    assert!(told("log = \"yes\"").contains("expected a boolean, found a string"));
}

#[test]
fn a_share_outside_of_its_bounds_is_refused() {
    assert_eq!(
        told("[stages.train]\nuses = \"train\"\ntarget = \"y\"\nholdout = 1.5\n"),
        error(
            "4:11",
            "`holdout` must lie between 0 and 1, found 1.5",
            "holdout = 1.5",
            "          ^^^ for example `holdout = 0.2`"
        )
    );
}

#[test]
fn two_deploys_cannot_share_a_port() {
    let deploy = |name: &str| format!("[stages.{name}]\nuses = \"deploy\"\nneeds = [\"build\"]\nport = 9000\n");
    assert_eq!(
        told(&format!("[stages.build]\nuses = \"image\"\n{}{}", deploy("a"), deploy("b"))),
        error(
            "10:8",
            "stages `a` and `b` deploy to the same port 9000",
            "port = 9000",
            "       ^^^^ give each a `port` of its own"
        )
    );
}

#[test]
fn a_deploy_needs_an_image_and_an_image_needs_the_model() {
    assert_eq!(
        told("[stages.deploy]\nuses = \"deploy\"\n"),
        error(
            "1:9",
            "stage `deploy` deploys, but no stage before it builds an image",
            "[stages.deploy]",
            "        ^^^^^^ add a stage with `uses = \"image\"` and name it in `needs`"
        )
    );
    assert_eq!(
        told("[stages.train]\ncommand = [\"a\"]\n[stages.build]\nuses = \"image\"\n"),
        error(
            "3:9",
            "stage `build` builds an image, but no stage before it makes the model",
            "[stages.build]",
            "        ^^^^^ let it need `train`, or a stage that does"
        )
    );
}

#[test]
fn a_key_of_another_kind_of_stage_is_told_as_such() {
    assert_eq!(
        told("[stages.test]\ncommand = [\"x\"]\nport = 1\n"),
        error(
            "3:1",
            "`port` in [stages.test] belongs to a stage with `uses = \"deploy\"`",
            "port = 1",
            "^^^^ remove `port`"
        )
    );
}

#[test]
fn a_stage_has_a_table_and_a_plain_name() {
    assert_eq!(
        told("[stages]\ncommand = [\"x\"]\n"),
        error(
            "2:11",
            "expected a table, found an array",
            "command = [\"x\"]",
            "          ^^^^^ give it a table of its own, such as [stages.train]"
        )
    );
    assert_eq!(
        told("[stages.\"a b\"]\ncommand = [\"x\"]\n"),
        error(
            "1:9",
            "`a b` cannot be the name of a stage",
            "[stages.\"a b\"]",
            "        ^^^^^ letters, digits, `-` and `_`, at most 32"
        )
    );
}

#[test]
fn variables_of_the_contract_cannot_be_set() {
    assert_eq!(
        told("[stages.test]\ncommand = [\"x\"]\nenvironment = { TRAINYARD_RUN = \"1\" }\n"),
        error(
            "3:17",
            "`TRAINYARD_RUN` is set by trainyard itself",
            "environment = { TRAINYARD_RUN = \"1\" }",
            "                ^^^^^^^^^^^^^ names beginning with `TRAINYARD_` belong to the stage contract; take another"
        )
    );
}

#[test]
fn an_algorithm_that_does_not_suit_the_task_is_refused() {
    assert_eq!(
        told("[stages.train]\nuses = \"train\"\ntarget = \"y\"\ntask = \"regression\"\nalgorithms = [\"logistic\"]\n"),
        error(
            "5:15",
            "`logistic` is for classification, which is not the `task`",
            "algorithms = [\"logistic\"]",
            "              ^^^^^^^^^^ remove it, or write `task = \"classification\"`"
        )
    );
}

#[test]
fn a_search_without_trials_and_slices_by_the_target_are_refused() {
    let train = "[stages.train]\nuses = \"train\"\ntarget = \"y\"\n";
    assert_eq!(
        told(&format!("{train}search = {{ trials = 0 }}\n")),
        error(
            "4:21",
            "`trials` must lie between 1 and 10000, found 0",
            "search = { trials = 0 }",
            "                    ^ for example `trials = 24`"
        )
    );
    assert_eq!(
        told(&format!("{train}slices = [\"y\"]\n")),
        error(
            "4:11",
            "the target column `y` is among the `slices`",
            "slices = [\"y\"]",
            "          ^^^ remove it; how good a model is on each class is told anyway"
        )
    );
}

#[test]
fn a_string_without_quotes_is_told_with_them() {
    assert_eq!(
        told_before_a_stage("[source]\ntrigger = save  # on every save"),
        error(
            "2:11",
            "string values must be quoted",
            "trigger = save  # on every save",
            "          ^^^^ write \"save\""
        )
    );
}

#[test]
fn an_empty_file_has_no_stages() {
    assert_eq!(
        told(""),
        error(
            "1:1",
            "no stages are defined",
            "",
            "^ add one, such as [stages.test] with `command = [\"pytest\"]`; `trainyard init` writes a start"
        )
    );
}

#[test]
fn syntax_errors_do_not_hide_the_others_nor_make_new_ones() {
    let text = "[source]\npath =\n[data]\nsettle = 5s\n[monitor\nscrape = 1\n\
        [stages.test]\ncommand = [\"a\"\nneeds = [\"trian\"]\ntimout = \"1s\"\n";
    let errors = parse(text, "trainyard.toml").unwrap_err();
    let told: Vec<_> = errors.errors().iter().map(|error| (error.line, error.message.as_str())).collect();
    let lines: Vec<_> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 5, 8, 10], "{errors}");
    assert_eq!(told[0].1, "missing value");
    assert_eq!(told[3].1, "this `[` is never closed");
    assert_eq!(told[4].1, "unknown key `timout` in [stages.test]");
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_the_file() {
    let text = "[source]\ntigger = \"save\"\npath = 5\n\n\
        [stages.test]\ncommand = \"true\"\nneeds = [\"x\"]\n\n[stages.train]\nuses = \"train\"\n";
    let errors = parse(text, "trainyard.toml").unwrap_err();
    let places: Vec<_> = errors.errors().iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(2, 1), (3, 8), (6, 11), (7, 10), (9, 9)], "{errors}");
}

#[test]
fn errors_are_written_as_json_for_editors() {
    let errors = parse("[sorce]\n[stages.a]\ncommand = [\"a\"]\n", "trainyard.toml").unwrap_err();
    let expected = serde_json::json!([{
        "file": "trainyard.toml",
        "line": 1,
        "column": 2,
        "message": "unknown table `sorce`",
        "hint": "did you mean `source`?",
    }]);
    assert_eq!(serde_json::to_value(&errors).unwrap(), expected);
}
