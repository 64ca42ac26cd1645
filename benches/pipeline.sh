#!/usr/bin/env bash
# Four stages in a row, each `true`, and the decision that nothing has changed: trainyard beside make and DVC.
#
# What is timed is the whole command as a user types it, ROUNDS times, its start and its end included. make and DVC keep a
# stamp file a stage, for without one they have nothing to compare. trainyard keeps a log, an exit file and a journal, all
# synced to the disk, which make does not.
source "$(dirname "$0")/measure.sh"
rounds=${ROUNDS:-10}

# Times both cases: the command that runs everything, then the one that finds nothing to do.
measure() {
  local name=$1 everything=$2 nothing=$3 number
  "$everything"
  for ((number = 0; number < rounds; number++)); do time_into "$scratch/$name.run" "$everything"; done
  for ((number = 0; number < rounds; number++)); do time_into "$scratch/$name.none" "$nothing"; done
}

trainyard_all() { "$program" -C "$project" run --force --wait >/dev/null; }
trainyard_none() { "$program" -C "$project" run --wait >/dev/null; }
make_all() { make -s -B -C "$scratch/make" four; }
make_none() { make -s -C "$scratch/make" four; }
dvc_all() { (cd "$scratch/dvc" && dvc repro -q -f); }
dvc_none() { (cd "$scratch/dvc" && dvc repro -q); }

make_trainyard() {
  start_project <<'TOML'
[source]
trigger = "manual"

[stages.one]
command = ["true"]

[stages.two]
needs = ["one"]
command = ["true"]

[stages.three]
needs = ["two"]
command = ["true"]

[stages.four]
needs = ["three"]
command = ["true"]
TOML
  first_run --wait >/dev/null
}

make_make() {
  mkdir -p "$scratch/make"
  echo "first" >"$scratch/make/source.txt"
  {
    local before=source.txt stage
    for stage in one two three four; do
      printf '%s: %s\n\ttrue > $@\n' "$stage" "$before"
      before=$stage
    done
  } >"$scratch/make/Makefile"
}

make_dvc() {
  mkdir -p "$scratch/dvc"
  echo "first" >"$scratch/dvc/source.txt"
  {
    echo "stages:"
    local before=source.txt stage
    for stage in one two three four; do
      printf '  %s:\n    cmd: true > %s\n    deps: [%s]\n    outs: [{%s: {cache: false}}]\n' "$stage" "$stage" "$before" "$stage"
      before=$stage
    done
  } >"$scratch/dvc/dvc.yaml"
  (cd "$scratch/dvc" && git init -q && dvc init -q && dvc config core.analytics false)
}

report() {
  local title=$1 kind=$2 name ours
  ours=$(median <"$scratch/trainyard.$kind")
  echo "$title, median of $rounds"
  printf '%-34s %12s\n' trainyard "$(milliseconds "$ours")"
  for name in make dvc; do
    if [[ -f $scratch/$name.$kind ]]; then row "$name" "$(median <"$scratch/$name.$kind")" "$ours"; fi
  done
}

make_trainyard
measure trainyard trainyard_all trainyard_none
if has make; then
  make_make
  measure make make_all make_none
else
  echo "make is not installed: skipped"
fi
if has dvc; then
  make_dvc
  measure dvc dvc_all dvc_none
else
  echo "dvc is not installed: skipped"
fi
report "four stages of true" run
report "nothing has changed" none
