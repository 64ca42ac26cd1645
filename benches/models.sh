#!/usr/bin/env bash
# Learners beside scikit-learn's with the same hyper-parameters on the same rows, and `auto` beside the defaults of
# HistGradientBoosting and RandomForest. The tables are ready for docs/benchmarks.md.
#
# Arguments go to models.py: names of data sets, --splits, --rounds, --no-auto. All of it takes most of an hour;
# `benches/models.sh --splits 1 wine penguins` takes a minute.
source "$(dirname "$0")/measure.sh"
bench_program=$(example learner_bench)
learning_python || exit 1

PYTHONDONTWRITEBYTECODE=1 "$python" "$repository/benches/models.py" --program "$bench_program" --scratch "$scratch" "$@"
