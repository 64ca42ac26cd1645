"""scikit-learn's learners with the hyper-parameters of ours, and with their own defaults.

Preprocessing is ours too: for all but trees numbers are filled with the median and standardised, categories are filled
with the most frequent one and become a column each. Forests get a column a category, boosting takes categories as such;
both take missing numbers as they are.
"""

import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

# From as many rows on our boosting holds a tenth of them back to know when to stop.
ROWS_TO_JUDGE = 1_000
# Our trees count this depth as no limit.
FULL_DEPTH = 1_000


def suitable(task):
    """The algorithms of a task, by the names of our configuration."""
    first = ["logistic", "naive-bayes"] if task == "classification" else ["linear", "elastic-net"]
    return [*first, "svm", "forest", "boosting"]


def numbers_and_categories(frame):
    numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
    return numbers, [name for name in frame if name not in numbers]


def ready(frame):
    """The columns as a user of scikit-learn hands them over: an array where all are numbers."""
    _, categories = numbers_and_categories(frame)
    return frame if categories else frame.to_numpy(dtype=float)


def with_categories(frame, like=None):
    """Categories as such, for boosting; `like` is a frame whose categories are known."""
    _, categories = numbers_and_categories(frame)
    if not categories:
        return frame.to_numpy(dtype=float)
    known = frame if like is None else like
    kinds = {name: pd.CategoricalDtype(sorted(known[name].dropna().unique())) for name in categories}
    return frame.astype(kinds)


def scaled(frame, gaps, estimator):
    """In front of all learners but trees; `gaps` says whether numbers may be missing."""
    numbers, categories = numbers_and_categories(frame)
    filled = [SimpleImputer(strategy="median")] if gaps else []
    if not categories:
        return make_pipeline(*filled, StandardScaler(), estimator)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([
        ("numbers", make_pipeline(*filled, StandardScaler()), numbers),
        ("categories", make_pipeline(SimpleImputer(strategy="most_frequent"), encoder), categories),
    ])
    return make_pipeline(columns, estimator)


def one_hot(frame, estimator):
    """In front of forests."""
    _, categories = numbers_and_categories(frame)
    if not categories:
        return estimator
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(ColumnTransformer([("categories", encoder, categories)], remainder="passthrough"), estimator)


def same(learner, frame, gaps, task, seed):
    """The same as one of ours, as `learner_bench` writes it: a model, and what makes its columns of a frame."""
    classes = task == "classification"
    match learner["algorithm"]:
        case "logistic":
            penalty = learner["penalty"]
            strength = {"C": 1 / penalty} if penalty > 0 else {"C": float("inf")}
            return scaled(frame, gaps, LogisticRegression(**strength, max_iter=200)), ready
        case "naive-bayes":
            return scaled(frame, gaps, GaussianNB(var_smoothing=learner["smoothing"])), ready
        case "linear":
            return scaled(frame, gaps, LinearRegression()), ready
        case "elastic-net":
            net = ElasticNet(alpha=learner["penalty"], l1_ratio=learner["l1_ratio"], max_iter=2_000)
            return scaled(frame, gaps, in_deviations(net)), ready
        case "svm":
            cost, gamma = learner["cost"], learner["gamma"]
            machine = SVC(C=cost, gamma=gamma) if classes else in_deviations(SVR(C=cost, gamma=gamma))
            return scaled(frame, gaps, machine), ready
        case "forest":
            kind = RandomForestClassifier if classes else RandomForestRegressor
            depth = learner["depth"] if learner["depth"] < FULL_DEPTH else None
            forest = kind(learner["trees"], max_depth=depth, min_samples_leaf=learner["leaf"],
                          max_features=learner["features"], random_state=seed, n_jobs=1)
            return one_hot(frame, forest), ready
        case "boosting":
            kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
            judged = len(frame) >= ROWS_TO_JUDGE
            rate = learner["rate"]
            # As patient as ours.
            patience = 10 if rate >= 0.2 else 20 if rate >= 0.08 else 40 if rate >= 0.04 else 80
            boosting = kind(max_iter=learner["rounds"], learning_rate=rate, max_leaf_nodes=learner["leaves"],
                            min_samples_leaf=learner["leaf"], l2_regularization=learner["l2"],
                            max_features=learner["columns"], early_stopping=judged, n_iter_no_change=patience,
                            validation_fraction=0.1, random_state=seed)
            return boosting, with_categories
        case other:
            raise ValueError(f"scikit-learn has nothing like {other}")


def in_deviations(regressor):
    """Learns a target that is counted in its standard deviations, as ours do."""
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def defaults(frame, task, seed):
    """What `auto` has to stand beside: by name a model with its defaults, and what makes its columns."""
    classes = task == "classification"
    boosting = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    forest = RandomForestClassifier if classes else RandomForestRegressor
    return {
        "HistGradientBoosting": (boosting(random_state=seed), with_categories),
        "RandomForest": (one_hot(frame, forest(random_state=seed, n_jobs=-1)), ready),
    }
