"""Learners and the search of trainyard beside scikit-learn's, for benches/models.sh.

The rows that are held out are chosen by trainyard (by the hash of a row, so equal rows are never on both sides) and are the
same for all. A split is one seed of that choice; scores are means over the splits, and every learner sees each of them.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
from sklearn.metrics import accuracy_score, r2_score
from threadpoolctl import threadpool_limits

import data_sets
import peers

HELD_OUT = 0.25
# Half of a point, of a hundred.
NEAR = 0.5
# More rows of training than this are refused by our support vector machines.
MOST_ROWS_OF_SVM = 5_000
# What trainyard takes for a missing cell; pandas would take more.
MISSING = ["", "NA", "?", "NaN", "nan", "null", "NULL"]
# No further round is begun after so many seconds, neither of ours.
ENOUGH = 20.0


def main():
    arguments = parsed()
    warnings.filterwarnings("ignore", category=sklearn.exceptions.ConvergenceWarning)
    chosen = [data for data in data_sets.ALL if not arguments.sets or data.name in arguments.sets]
    if not chosen:
        sys.exit(f"none of {arguments.sets} is a data set; there are {', '.join(data.name for data in data_sets.ALL)}")
    print(f"scikit-learn {sklearn.__version__}, {os.cpu_count()} cores\n")
    tell_data(chosen, arguments)
    rows = []
    searches = []
    for data in chosen:
        bench = Bench(data, arguments)
        rows += [bench.compare(algorithm) for algorithm in peers.suitable(data.task)]
        if arguments.auto:
            searches.append(bench.search())
    tell_learners([row for row in rows if row])
    if searches:
        tell_searches(searches)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, type=Path, help="the example learner_bench")
    parser.add_argument("--scratch", required=True, type=Path, help="a folder for files")
    parser.add_argument("--rounds", type=int, default=3, help="the best time of so many counts")
    parser.add_argument("--splits", type=int, default=10, help="at the most; larger sets get fewer")
    parser.add_argument("--no-auto", dest="auto", action="store_false", help="leave the search out")
    parser.add_argument("sets", nargs="*", help="data sets; without a name all of them")
    return parser.parse_args()


def splits(rows, most):
    """On few rows one split says little, and on many it says much and takes long."""
    return min(most, 10 if rows < 2_500 else 5 if rows < 10_000 else 2)


class Bench:
    """One data set with its splits."""

    def __init__(self, data, arguments):
        self.data = data
        self.program = arguments.program
        self.rounds = arguments.rounds
        self.folder = arguments.scratch / data.name
        self.folder.mkdir(parents=True, exist_ok=True)
        frame = data.load()
        self.file = self.folder / "data.csv"
        frame.to_csv(self.file, index=False)
        # What is learned from by either side is what is in the file.
        kinds = {data.target: str} if data.task == "classification" else {}
        self.frame = pd.read_csv(self.file, dtype=kinds, keep_default_na=False, na_values=MISSING)
        self.gaps = bool(self.frame.isna().any(axis=None))
        self.splits = [self.split(seed) for seed in range(1, splits(len(frame), arguments.splits) + 1)]

    def ask(self, question, configuration, *more):
        """What the example says to a question."""
        command = [self.program, question, configuration, self.file, *map(str, more)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def split(self, seed):
        configuration = self.folder / f"{seed}.toml"
        configuration.write_text(
            f'[stages.train]\nuses = "train"\ntarget = "{self.data.target}"\ntask = "{self.data.task}"\n'
            f"holdout = {HELD_OUT}\nseed = {seed}\n"
        )
        told = self.ask("split", configuration)
        if told["rows"] != len(self.frame):
            sys.exit(f"{self.data.name}: trainyard reads {told['rows']} rows and pandas {len(self.frame)}")
        held_out = np.zeros(len(self.frame), dtype=bool)
        held_out[told["held_out"]] = True
        return Split(self.frame, self.data, seed, configuration, held_out)

    def compare(self, algorithm):
        """One algorithm of ours beside the same one of scikit-learn, on one thread; `None` where ours refuses so many rows."""
        if algorithm == "svm" and any(len(split.columns) > MOST_ROWS_OF_SVM for split in self.splits):
            return None
        note(f"{self.data.name}: {algorithm}")
        ours, theirs = Measured(), Measured()
        answers = self.folder / "answers.tsv"
        for split in self.splits:
            told = self.ask("fit", split.configuration, algorithm, 1, self.rounds, answers)
            ours.add(self.score(split, *read_answers(answers)), told["fit_seconds"], told["predict_seconds"])
            model, columns_of = peers.same(told["learner"], split.columns, self.gaps, self.data.task, split.seed)
            with threadpool_limits(1):
                theirs.add(*self.measure(split, model, columns_of, self.rounds))
        return self.data, algorithm, ours, theirs

    def search(self):
        """`auto` beside the defaults of scikit-learn, each with all cores."""
        ours, theirs, learners = Measured(), {}, []
        metric = "accuracy" if self.data.task == "classification" else "r2"
        for split in self.splits:
            note(f"{self.data.name}: auto, split {split.seed} of {len(self.splits)}")
            told = self.ask("auto", split.configuration)
            ours.add(told["metrics"][metric], told["seconds"], math.nan)
            learners.append(told["learner"]["algorithm"])
            for name, (model, columns_of) in peers.defaults(split.columns, self.data.task, split.seed).items():
                theirs.setdefault(name, Measured()).add(*self.measure(split, model, columns_of, 1))
        return self.data, len(self.frame), learners, ours, theirs

    def measure(self, split, model, columns_of, rounds):
        """Score, seconds to learn and seconds to predict of a model of scikit-learn."""
        columns, truth = columns_of(split.columns), split.labels
        unseen = split.unseen
        unseen = columns_of(unseen, split.columns) if columns_of is peers.with_categories else columns_of(unseen)
        learning, predicting, begun = math.inf, math.inf, time.perf_counter()
        for number in range(rounds):
            if number > 0 and time.perf_counter() - begun > ENOUGH:
                break
            before = time.perf_counter()
            model.fit(columns, truth)
            learning = min(learning, time.perf_counter() - before)
            before = time.perf_counter()
            answers = model.predict(unseen)
            predicting = min(predicting, time.perf_counter() - before)
        return self.score(split, split.truth, answers), learning, predicting

    def score(self, split, truth, answers):
        """Accuracy, or R²."""
        if len(truth) != len(split.truth):
            sys.exit(f"{self.data.name}: {len(truth)} answers to {len(split.truth)} rows")
        if self.data.task == "classification":
            return accuracy_score(truth, answers)
        return r2_score(np.asarray(truth, dtype=float), np.asarray(answers, dtype=float))


class Split:
    """The rows of one seed."""

    def __init__(self, frame, data, seed, configuration, held_out):
        self.seed = seed
        self.configuration = configuration
        columns, labels = frame.drop(columns=[data.target]), frame[data.target].to_numpy()
        self.columns = columns[~held_out].reset_index(drop=True)
        self.unseen = columns[held_out].reset_index(drop=True)
        self.labels, self.truth = labels[~held_out], labels[held_out]


class Measured:
    """What one learner reached on each split."""

    def __init__(self):
        self.scores, self.learning, self.predicting = [], [], []

    def add(self, score, learning, predicting):
        self.scores.append(score)
        self.learning.append(learning)
        self.predicting.append(predicting)

    def score(self):
        return statistics.mean(self.scores)

    def seconds(self):
        return statistics.median(self.learning)


def read_answers(path):
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [truth for truth, _ in lines], [answer for _, answer in lines]


def tell_data(chosen, arguments):
    print("| data set | rows | columns | to predict | source | licence | splits |\n|---|---|---|---|---|---|---|")
    for data in chosen:
        frame = data.load()
        kind = f"{frame[data.target].nunique()} classes" if data.task == "classification" else "a number"
        print(f"| {data.name} | {grouped(len(frame))} | {frame.shape[1] - 1} | `{data.target}`, {kind} | {data.source} "
              f"| {data.licence} | {splits(len(frame), arguments.splits)} |")
    print(flush=True)


def tell_learners(rows):
    print("Each algorithm with the same hyper-parameters and one thread; score is accuracy, or R² where a number is "
          "predicted.\n")
    print("| data set | algorithm | trainyard | scikit-learn | points | trainyard learns in | scikit-learn learns in "
          "| trainyard / scikit-learn |\n|---|---|---|---|---|---|---|---|")
    slower = []
    for data, algorithm, ours, theirs in rows:
        ratio = ours.seconds() / theirs.seconds()
        if ratio > 1:
            slower.append(f"{algorithm} on {data.name} ({ratio:.2f})")
        print(f"| {data.name} | {algorithm} | {ours.score():.4f} | {theirs.score():.4f} "
              f"| {points(ours.score() - theirs.score())} | {shown(ours.seconds())} | {shown(theirs.seconds())} "
              f"| {ratio:.2f} |")
    ratios = [ours.seconds() / theirs.seconds() for _, _, ours, theirs in rows]
    print(f"\nno slower than scikit-learn in {len(rows) - len(slower)} of {len(rows)}, in the geometric mean "
          f"{statistics.geometric_mean(ratios):.2f} of its time")
    print(f"slower: {'; '.join(slower) or 'none'}\n", flush=True)


def tell_searches(searches):
    print("`auto` searches by cross-validation on the rows that are not held out; its time is all of that. Each with all "
          "cores. Behind ± is the standard deviation of the difference over the splits.\n")
    print("| data set | rows | mostly chosen | auto | HistGradientBoosting | RandomForest | auto − the better, points | auto takes "
          "| HistGradientBoosting | RandomForest |\n|---|---|---|---|---|---|---|---|---|---|")
    near, ahead = 0, 0
    for data, rows, learners, ours, theirs in searches:
        boosting, forest = theirs["HistGradientBoosting"], theirs["RandomForest"]
        better = max(boosting, forest, key=Measured.score)
        difference = ours.score() - better.score()
        # Counted as it is shown, so that a reader counts the same.
        near += round(100 * difference, 2) >= -NEAR
        ahead += round(100 * difference, 2) > 0
        each = [one - other for one, other in zip(ours.scores, better.scores)]
        spread = f" ± {100 * statistics.stdev(each):.1f}" if len(each) > 1 else ""
        print(f"| {data.name} | {grouped(rows)} | {statistics.mode(learners)} | {ours.score():.4f} | {boosting.score():.4f} "
              f"| {forest.score():.4f} | {points(difference)}{spread} | {shown(ours.seconds())} "
              f"| {shown(boosting.seconds())} | {shown(forest.seconds())} |")
    print(f"\nauto within half a point on {near} of {len(searches)}, ahead on {ahead}")


def points(difference):
    return f"{100 * difference:+.2f}"


def grouped(count):
    return f"{count:,}".replace(",", " ")


def shown(seconds):
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def note(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
