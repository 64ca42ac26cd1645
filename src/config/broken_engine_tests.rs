//! Broken configurations of what Docker Engine and Kubernetes are told, each with exactly what its user reads.

use super::broken_tests::{error, told};

/// Expects one error at the place in `marked` that stands between `«` and `»`.
#[track_caller]
pub(super) fn expect(marked: &str, message: &str, hint: &str) {
    let (before, rest) = marked.split_once('«').unwrap();
    let (mark, after) = rest.split_once('»').unwrap();
    let text = format!("{before}{mark}{after}");
    let number = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().len();
    let line = text.lines().nth(number - 1).unwrap();
    let mark = format!("{}{} {hint}", " ".repeat(column), "^".repeat(mark.len()));
    assert_eq!(told(&text), error(&format!("{number}:{}", column + 1), message, line, &mark));
}

/// A stage with a command and these lines.
fn command(lines: &str) -> String {
    format!("[stages.test]\ncommand = [\"a\"]\n{lines}\n")
}

/// An image with these lines, and a container of it.
fn image(lines: &str) -> String {
    let deploy = "[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\ntarget = \"docker\"\n";
    format!("[stages.build]\nuses = \"image\"\n{lines}\n{deploy}")
}

/// A release with these lines.
fn deploy(lines: &str) -> String {
    format!("[stages.build]\nuses = \"image\"\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\n{lines}\n")
}

fn docker(lines: &str) -> String {
    deploy(&format!("target = \"docker\"\n{lines}"))
}

fn kubernetes(lines: &str) -> String {
    deploy(&format!("target = \"kubernetes\"\n{lines}"))
}

#[test]
fn a_container_needs_a_runner() {
    expect(
        &command("«container» = { image = \"python:3\" }"),
        "`container` of [stages.test] does nothing without a `runner`",
        "add `runner = \"docker\"` or `runner = \"kubernetes\"`, or remove `container`",
    );
    expect(
        &command("«container» = { image = \"python:3\" }\nrunner = \"local\""),
        "`container` of [stages.test] does nothing without a `runner`",
        "add `runner = \"docker\"` or `runner = \"kubernetes\"`, or remove `container`",
    );
}

#[test]
fn a_command_in_a_container_needs_an_image() {
    expect(
        &command("runner = «\"docker\"»"),
        "[stages.test] runs in a container, but no image is named",
        "add `container = { image = \"python:3.13-slim\" }`",
    );
    expect(
        &command("runner = \"kubernetes\"\n«container» = { namespace = \"ml\" }"),
        "missing `image` in `container` of [stages.test]",
        "add `image = \"python:3.13-slim\"`: the image; a stage with a `command` must name one, on Kubernetes one with \
         `sh` and `tar`",
    );
    expect(
        &command("runner = \"docker\"\ncontainer = { image = «\"$IMAGE\"» }"),
        "`image` is an image such as `python:3.13-slim`, but `$IMAGE` is not one",
        "for example `image = \"python:3.13-slim\"`",
    );
}

#[test]
fn a_runner_that_does_not_exist_is_told_with_all_that_do() {
    expect(
        &command("runner = «\"podman\"»\ncontainer = { image = \"a\" }"),
        "unknown value `podman` for `runner`",
        "valid values: `local`, `docker`, `kubernetes`",
    );
}

#[test]
fn images_are_built_and_releases_are_deployed_from_this_machine() {
    expect(
        &image("runner = «\"docker\"»"),
        "[stages.build] cannot have a `runner`: an image is built from this machine",
        "remove `runner`; with a `dockerfile`, Docker Engine builds it",
    );
    expect(
        &docker("runner = «\"kubernetes\"»"),
        "[stages.deploy] cannot have a `runner`: a release is deployed from this machine",
        "remove `runner`; `target` says where it runs",
    );
    expect(
        &docker("«container» = { image = \"a\" }"),
        "[stages.deploy] cannot have a `container`: a release is deployed from this machine",
        "remove `container`; `target` says where it runs",
    );
}

#[test]
fn a_key_of_the_other_runner_is_told_as_such() {
    expect(
        &command("runner = \"kubernetes\"\ncontainer = { image = \"a\", «network» = \"backend\" }"),
        "`network` in `container` of [stages.test] belongs to `runner = \"docker\"`",
        "remove `network`, or write `runner = \"docker\"`",
    );
    for key in ["context", "namespace", "push"] {
        expect(
            &command(&format!("runner = \"docker\"\ncontainer = {{ image = \"a\", «{key}» = \"ml\" }}")),
            &format!("`{key}` in `container` of [stages.test] belongs to `runner = \"kubernetes\"`"),
            &format!("remove `{key}`, or write `runner = \"kubernetes\"`"),
        );
    }
}

#[test]
fn a_key_of_a_container_beside_it_is_told_where_it_belongs() {
    expect(
        &command("runner = \"docker\"\ncontainer = { image = \"a\" }\n«limits» = { memory = \"1Gi\" }"),
        "`limits` in [stages.test] belongs into `container`",
        "write `container = { limits = { memory = \"2Gi\", cpus = 2 } }`",
    );
}

#[test]
fn an_amount_of_memory_needs_a_unit_that_exists() {
    let limits = |written: &str| docker(&format!("limits = {{ memory = {written} }}"));
    let hint = "write a number with Ki, Mi, Gi (powers of 1024) or k, M, G (of 1000), such as \"512Mi\"";
    expect(&limits("«\"512m\"»"), "`512m` is not an amount of memory: `m` is no unit", hint);
    expect(&limits("«\"much\"»"), "`much` is not an amount of memory: it does not begin with a number", hint);
    expect(&limits("«\"\"»"), "`` is not an amount of memory: it is empty", hint);
    expect(
        &limits("«512»"),
        "expected an amount of memory, found an integer",
        "say the unit: `memory = \"512Mi\"` or `memory = \"512M\"`",
    );
    expect(&limits("«true»"), "expected an amount of memory, found a boolean", "for example `memory = \"512Mi\"`");
    expect(&limits("«\"512\"»"), "`memory` must be at least 4Mi, found 512", "for example `memory = \"512Mi\"`");
}

#[test]
fn processors_have_bounds() {
    let limits = |written: &str| docker(&format!("limits = {{ cpus = {written} }}"));
    expect(&limits("«0»"), "`cpus` must lie between 0.01 and 1024, found 0", "for example `cpus = 0.5`");
    expect(&limits("«\"2\"»"), "expected a number, found a string", "for example `cpus = 0.5`");
}

#[test]
fn what_only_an_image_of_the_model_server_has_is_refused_beside_a_dockerfile() {
    expect(
        &image("dockerfile = \"Dockerfile\"\n«include» = [\"app/**\"]"),
        "`include` in [stages.build] is for an image without a `dockerfile`",
        "remove `include`: `COPY` in the Dockerfile says what goes into the image",
    );
    expect(
        &image("dockerfile = \"Dockerfile\"\n«site» = \"site\""),
        "`site` in [stages.build] is for an image without a `dockerfile`",
        "remove `site`: `COPY` in the Dockerfile says what goes into the image",
    );
}

#[test]
fn what_only_a_dockerfile_has_is_refused_without_one() {
    for line in ["«arguments» = { A = \"b\" }", "«inputs» = [\"app/**\"]", "«context» = \"app\"", "«silence» = \"1m\""]
    {
        let key = line.split(['«', '»']).nth(1).unwrap();
        expect(
            &image(line),
            &format!("`{key}` in [stages.build] belongs to a stage with `uses = \"image\"` and a `dockerfile`"),
            &format!("write `dockerfile = \"Dockerfile\"`, or remove `{key}`"),
        );
    }
}

#[test]
fn a_dockerfile_and_its_context_lie_inside_the_source() {
    expect(
        &image("dockerfile = «\"../Dockerfile\"»"),
        "`dockerfile` is `../Dockerfile`, which is not inside the source",
        "for example `dockerfile = \"Dockerfile\"`",
    );
    expect(
        &image("dockerfile = \"Dockerfile\"\ncontext = «\"/srv\"»"),
        "`context` is `/srv`, which is not inside the source",
        "for example `context = \".\"`",
    );
    expect(
        &image("dockerfile = «\"./\"»"),
        "`dockerfile` in [stages.build] names a folder",
        "name the file in it: `dockerfile = \"Dockerfile\"`",
    );
}

#[test]
fn a_secret_says_where_its_value_comes_from() {
    let secrets = |written: &str| image(&format!("dockerfile = \"Dockerfile\"\nsecrets = {{ {written} }}"));
    let hint = "write `\"$VARIABLE\"` for a variable of the daemon, or the path of a file";
    let begins = "the secret `a` begins with `$`, but not with `$` and the name of a variable";
    expect(&secrets("a = «\"$1\"»"), begins, hint);
    expect(&secrets("a = «\"\"»"), "the secret `a` says nothing of where its value comes from", hint);
    expect(&secrets("a = «\"~/token\"»"), "the secret `a` begins with `~`, which only a shell replaces", hint);
    expect(
        &secrets("a = «5»"),
        "expected a string, found an integer",
        "for example `secrets = { pip_token = \"$PIP_TOKEN\" }`",
    );
    expect(&secrets("«\"a b\"» = \"$A\""), "`a b` cannot be the id of a secret", "letters, digits, `_`, `.` and `-`");
}

#[test]
fn a_repository_has_neither_tag_nor_digest() {
    let told_of =
        |text: &str, what: &str| format!("`push` is a repository without tag and digest, but `{text}` {what}");
    expect(&image("push = «\"r.io/wine:3\"»"), &told_of("r.io/wine:3", "has a tag"), "write `push = \"r.io/wine\"`");
    expect(
        &image("push = «\"r.io/wine@sha256:ab\"»"),
        &told_of("r.io/wine@sha256:ab", "has a digest"),
        "write `push = \"r.io/wine\"`",
    );
    expect(
        &image("push = «\"https://r.io/wine\"»"),
        &told_of("https://r.io/wine", "is an address"),
        "write `push = \"r.io/wine\"`",
    );
    expect(
        &image("push = «\"r.io/Wine\"»"),
        &told_of("r.io/Wine", "is not one"),
        "for example `push = \"registry.example.com/team/wine\"`",
    );
}

#[test]
fn a_target_that_does_not_exist_is_told_once() {
    expect(
        &deploy("target = «\"dokcer\"»\nvolumes = []\nreplicas = 2"),
        "unknown value `dokcer` for `target`",
        "did you mean `docker`?",
    );
}

#[test]
fn a_key_of_another_target_is_told_as_such() {
    let of_docker = "belongs to a stage with `target = \"docker\"`";
    let of_kubernetes = "belongs to a stage with `target = \"kubernetes\"`";
    for line in ["«volumes» = []", "«network» = \"a\"", "«compose» = { project = \"a\", service = \"b\" }"] {
        let key = line.split(['«', '»']).nth(1).unwrap();
        let hint = format!("write `target = \"docker\"`, or remove `{key}`");
        for text in [deploy(line), kubernetes(line)] {
            expect(&text, &format!("`{key}` in [stages.deploy] {of_docker}"), &hint);
        }
    }
    for line in ["«context» = \"a\"", "«namespace» = \"a\"", "«replicas» = 2", "«production» = true", "«canary» = {}"]
    {
        let key = line.split(['«', '»']).nth(1).unwrap();
        let hint = format!("write `target = \"kubernetes\"`, or remove `{key}`");
        for text in [deploy(line), docker(line)] {
            expect(&text, &format!("`{key}` in [stages.deploy] {of_kubernetes}"), &hint);
        }
    }
    expect(
        &deploy("«limits» = { cpus = 1 }"),
        "`limits` in [stages.deploy] belongs to a stage with `target = \"docker\"` or `target = \"kubernetes\"`",
        "write `target = \"docker\"`, or remove `limits`",
    );
}

#[test]
fn a_mount_has_a_source_and_a_target() {
    let mounts = |written: &str| docker(&format!("volumes = [{written}]"));
    let hint = "write `source:target` or `source:target:ro`, such as \"/srv/cache:/cache:ro\"";
    let of = |text: &str, what: &str| format!("the mount `{text}` {what}");
    expect(&mounts("«\"/srv\"»"), &of("/srv", "has no `:` between source and target"), hint);
    expect(&mounts("«\"a:/b:rx\"»"), &of("a:/b:rx", "ends with neither `ro` nor `rw`"), hint);
    expect(&mounts("«\"a:/b:ro:z\"»"), &of("a:/b:ro:z", "has too many `:`"), hint);
    expect(&mounts("«\"a:b\"»"), &of("a:b", "has a target that is not a whole path inside the container"), hint);
    expect(
        &mounts("«\"a/b:/c\"»"),
        &of("a/b:/c", "has a source that is neither the name of a volume nor a path with `/` or `./`"),
        hint,
    );
    expect(
        &mounts("\"a:/c\", «\"b:/c/\"»"),
        "two mounts have the target `/c`",
        "remove one of them, or give it another target",
    );
}

#[test]
fn names_that_no_engine_takes_are_refused() {
    expect(
        &docker("network = «\"a b\"»"),
        "`a b` cannot be the name of a network in Docker Engine",
        "letters, digits, `_`, `.` and `-`, with a letter or digit first",
    );
    expect(
        &docker("network = «\"host\"»"),
        "a release cannot join the network `host`, which allows no other beside it",
        "remove it: a release is reached through `port`; or name a network of `docker network ls`",
    );
    expect(
        &kubernetes("namespace = «\"ML\"»"),
        "`ML` cannot be the name of a namespace",
        "small letters, digits and `-`, at most 63, with a letter or digit at both ends",
    );
}

#[test]
fn a_compose_service_is_named_with_its_project() {
    expect(
        &docker("«compose» = { project = \"wine\" }"),
        "missing `service` in `compose` of [stages.deploy]",
        "add `service = \"app\"`: the service in it",
    );
}

#[test]
fn numbers_of_ports_and_pods_have_bounds() {
    expect(
        &docker("container_port = «0»"),
        "`container_port` must lie between 1 and 65535, found 0",
        "for example `container_port = 8080`",
    );
    expect(
        &kubernetes("replicas = «0»"),
        "`replicas` must lie between 1 and 1000, found 0",
        "for example `replicas = 3`",
    );
}

#[test]
fn manifests_lie_inside_the_source() {
    expect(
        &kubernetes("manifests = «\"/etc\"»"),
        "`manifests` is `/etc`, which is not inside the source",
        "for example `manifests = \"deploy/manifests\"`",
    );
}

#[test]
fn a_canary_is_judged_by_a_bound_that_can_be_met() {
    expect(
        &kubernetes("«canary» = { share = 0.5, expr = \"up\" }"),
        "`canary` of [stages.deploy] has neither `max` nor `min`, so nothing is judged",
        "add `max = 0.1`, the greatest value that passes, or `min`, the least",
    );
    expect(
        &kubernetes("canary = { share = 0.5, expr = \"up\", max = 1, min = «2» }"),
        "no value passes: `min` is 2, above `max`, which is 1",
        "exchange the two, or remove one of them",
    );
    expect(
        &kubernetes("canary = { share = «1.5», expr = \"up\", max = 1 }"),
        "`share` must lie between 0 and 1, found 1.5",
        "for example `share = 0.25`",
    );
    expect(
        &kubernetes("«canary» = { expr = \"up\", max = 1 }"),
        "missing `share` in `canary` of [stages.deploy]",
        "add `share = 0.25`: the share of the pods; at least one pod",
    );
    let told = told(&kubernetes("canary = { share = 0.5, expr = \"sum(\", max = 1 }"));
    assert!(told.starts_with("trainyard.toml:7:32: not a PromQL expression: "), "{told}");
}

#[test]
fn a_process_needs_an_image_of_the_model_server() {
    let stages = |build: &str, deploy: &str| {
        format!(
            "[stages.build]\nuses = \"image\"\n{build}[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\n{deploy}"
        )
    };
    let of_dockerfile =
        "stage `deploy` runs a process, which needs an image of the model server and not of a Dockerfile";
    let hint = "write `target = \"docker\"`, or remove `dockerfile` from [stages.build]";
    expect(&stages("dockerfile = \"Dockerfile\"\n", "target = «\"process\"»\n"), of_dockerfile, hint);
    let unsaid = stages("dockerfile = \"Dockerfile\"\n", "").replace("stages.deploy", "stages.«deploy»");
    expect(&unsaid, of_dockerfile, hint);
    expect(
        &stages("push = \"r.io/wine\"\n", "target = «\"process\"»\n"),
        "stage `deploy` runs a process, but the image of `build` is pushed from Docker Engine",
        "write `target = \"docker\"`, or remove `push` from [stages.build]",
    );
    expect(
        &stages(
            "",
            "target = «\"process\"»\n[stages.staging]\nuses = \"deploy\"\nneeds = [\"build\"]\nport = 9000\n\
             target = \"docker\"\n",
        ),
        "stage `deploy` runs a process of the image that stage `staging` deploys to docker",
        "give each an image stage of its own, or the same kind of target",
    );
}
