#!/usr/bin/env bash
# Large data through the real stage: a file of ROWS rows and 30 columns, then FILES files of 10 MB in one run, each beside
# pandas and HistGradientBoosting with the same hyper-parameters and all cores.
#
# ALGORITHM=auto searches as a project does that says nothing of it, and takes accordingly longer; PEER=no leaves the peer
# out. The stage also profiles, evaluates with intervals and importance, and saves; the peer only reads, learns and predicts.
source "$(dirname "$0")/measure.sh"
rows=${ROWS:-1000000}
files=${FILES:-100}
algorithm=${ALGORITHM:-boosting}
learning_python || exit 1
export PYTHONDONTWRITEBYTECODE=1

large() { "$python" "$repository/benches/large.py" "$@"; }

# How many files, and rows or size of each.
measure() {
  local search=
  project=$scratch/of-$1
  # Twenty-four trials make no sense of one algorithm as it is.
  [[ $algorithm == auto ]] || search='search = { trials = 1 }'
  mkdir -p "$project"
  git init -q "$project"
  cat >"$project/trainyard.toml" <<TOML
[stages.train]
uses = "train"
target = "outcome"
task = "classification"
algorithms = ["$algorithm"]
holdout = 0.2
$search
TOML
  large make "$project/data" "$1" "$2" >"$scratch/facts"
  # What was just written is not to be written back while it is measured.
  sync
  large watch "$program" "$project" "$1" >>"$scratch/facts"
  "$program" -C "$project" down --all >/dev/null
  if [[ ${PEER:-yes} != no ]]; then
    local card
    card=$(tail -n 1 "$scratch/facts" | sed 's/.*"card": "\([^"]*\)".*/\1/')
    # The peer knows boosting; what a search found may be another learner.
    if grep -q '"algorithm": *"boosting"' "$card"; then
      large peer "$project/data" "$card" >>"$scratch/facts"
    else
      echo "the search chose no boosting: without the peer" >&2
    fi
  fi
  large table "$scratch/facts"
  rm -rf "$project/data"
}

echo "== one file of $rows rows"
measure 1 "$rows"
echo
echo "== $files files of 10 MB"
measure "$files" 10MB
