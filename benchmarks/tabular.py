"""Accuracy on many small tables, by one protocol for all models.

Inputs are standardised on the training part, what each model leaves open is tuned by
five inner folds, kernel machines over about thirty candidates and slower models over
a few, and outer folds score it. Tables are
paired in the tests: ``p`` is that of a two-sided Wilcoxon test of the mean scores of
two models.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tasks run side by side
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import time
import warnings
from collections import defaultdict

import numpy as np
import tables
from joblib import Parallel, delayed
from scipy.stats import rankdata, wilcoxon
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

OURS = "NDK CV"
WIDTHS = 2.0 ** np.arange(-5, 2)  # of RBF kernels, times 1 / n_features
FOREST = {"max_features": ["sqrt", 0.5, 1.0]}  # many candidates take hours
BOOSTING = {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [4, 15]}
NETWORK = {"alpha": [1e-4, 1e-2, 1.0], "learning_rate_init": [1e-3, 1e-2]}
AUTO = dict.fromkeys(("T", "bias", "length_scale"), "auto")
TEMPERATURES = np.geomspace(1e-5, 10, 30)


class SignRegression(ClassifierMixin, BaseEstimator):
    """Classification by regression on +-1 for each class, the largest wins."""

    def __init__(self, alpha=1.0, gamma=None):
        self.alpha = alpha
        self.gamma = gamma

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        targets = np.where(y[:, None] == self.classes_, 1.0, -1.0)
        self._ridge = KernelRidge(alpha=self.alpha, gamma=self.gamma, kernel="rbf")
        self._ridge.fit(X, targets)
        return self

    def predict(self, X):
        return self.classes_[self._ridge.predict(X).argmax(axis=1)]


def rbf(n_features, name, values):
    return {name: values, "gamma": WIDTHS / n_features}


def classifiers(n_features):
    """Return each model with the grid to tune it on."""
    network = {name: getattr(NDKClassifierCV(), name) for name in ("depth", "bias")}
    gaussian = ConstantKernel() * RBF(np.sqrt(n_features))
    return {
        OURS: (NDKClassifierCV(), {}),
        "NDK CV, auto": (NDKClassifierCV(**AUTO), {}),
        "NTK": (NDKClassifierCV(limit="ntk"), {}),
        "NNGP": (NDKClassifier(limit="nngp", **network), {"T": TEMPERATURES}),
        "SVC": (SVC(), rbf(n_features, "C", 10.0 ** np.arange(-1, 4))),
        "KernelRidge": (
            SignRegression(),
            rbf(n_features, "alpha", 10.0 ** np.arange(-4, 1)),
        ),
        "GaussianProcess": (GaussianProcessClassifier(gaussian), {}),
        "RandomForest": (RandomForestClassifier(500, random_state=0), FOREST),
        "HistGradientBoosting": (
            HistGradientBoostingClassifier(random_state=0),
            BOOSTING,
        ),
        "MLP": (MLPClassifier(max_iter=300, random_state=0), NETWORK),
    } | xrfm("XRFMClassifier")


def regressors(n_features):
    """Return each model with the grid to tune it on."""
    network = {name: getattr(NDKRegressorCV(), name) for name in ("depth", "bias")}
    network["normalize_y"] = True
    gaussian = ConstantKernel() * RBF(np.sqrt(n_features)) + WhiteKernel()
    return {
        OURS: (NDKRegressorCV(normalize_y=True), {}),
        "NDK CV, auto": (NDKRegressorCV(normalize_y=True, **AUTO), {}),
        "NTK": (NDKRegressorCV(limit="ntk", normalize_y=True), {}),
        "NNGP": (NDKRegressor(limit="nngp", **network), {"T": TEMPERATURES}),
        "SVR": (SVR(), rbf(n_features, "C", 10.0 ** np.arange(-1, 4))),
        "KernelRidge": (
            KernelRidge(kernel="rbf"),
            rbf(n_features, "alpha", 10.0 ** np.arange(-4, 1)),
        ),
        "GaussianProcess": (GaussianProcessRegressor(gaussian, normalize_y=True), {}),
        "RandomForest": (RandomForestRegressor(500, random_state=0), FOREST),
        "HistGradientBoosting": (
            HistGradientBoostingRegressor(random_state=0),
            BOOSTING,
        ),
        "MLP": (MLPRegressor(max_iter=300, random_state=0), NETWORK),
    } | xrfm("XRFMRegressor")


def xrfm(name):
    """Return xRFM with its grid, if it is installed."""
    try:
        import xrfm_models
    except ImportError:
        return {}
    grid = {"bandwidth": [2.0, 5.0, 10.0, 20.0, 40.0], "reg": 10.0 ** np.arange(-4, 1)}
    return {"xRFM": (getattr(xrfm_models, name)(), grid)}


def score(X, y, train, test, model, grid, scaled_targets):
    """Tune a model on the training part, score it on the test part."""
    warnings.simplefilter("ignore")  # rare classes, optimisers at their last step
    if scaled_targets:  # numbers for models that expect them to be of order one
        mean, std = y[train].mean(), y[train].std()
        y = (y - mean) / std
    step = type(model).__name__.lower()
    model = make_pipeline(StandardScaler(), clone(model))
    if grid:
        grid = {f"{step}__{name}": values for name, values in grid.items()}
        model = GridSearchCV(model, grid)
    start = time.perf_counter()
    model.fit(X[train], y[train])
    return model.score(X[test], y[test]), time.perf_counter() - start


def outer_folds(X, y, args):
    """Return folds, the training parts cut to a size, without the rarest classes."""
    if args.regression:
        splitter = KFold(args.folds, shuffle=True, random_state=0)
    else:
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        common = counts[codes] >= 10
        X, y = X[common], y[common]
        splitter = StratifiedKFold(args.folds, shuffle=True, random_state=0)
    rng = np.random.default_rng(0)
    folds = []
    for train, test in splitter.split(X, y):
        folds.append(
            (rng.permutation(train)[: args.max_train], rng.permutation(test)[:2000])
        )
    return X, y, folds


def report(results):
    """Print means, ranks, wins and tests over tables, and the scores of each."""
    names = list(next(iter(results.values())))
    rows = [[results[table][name] for name in names] for table in results]
    means = np.array([[np.mean(cell, axis=1) for cell in row] for row in rows])
    scores, seconds = means[..., 0], means[..., 1]
    ranks = rankdata(-scores.round(6), axis=1)
    print(f"\n{len(scores)} tables\n")
    print(
        "| model | mean score | mean rank | best on | above / below us | p | fit (s) |"
    )
    print("|---|---|---|---|---|---|---|")
    ours = scores[:, names.index(OURS)]
    for i in np.argsort(-scores.mean(axis=0)):
        gap = scores[:, i] - ours
        cells = [
            names[i],
            f"{scores[:, i].mean():.4f}",
            f"{ranks[:, i].mean():.2f}",
            np.count_nonzero(scores[:, i] >= scores.max(axis=1) - 1e-9),
            f"{np.sum(gap > 1e-9)} / {np.sum(gap < -1e-9)}",
            f"{wilcoxon(gap).pvalue:.3f}" if np.any(gap) else "",
            f"{np.median(seconds[:, i]):.1f}",
        ]
        print("|", *(f"{cell} |" for cell in cells))
    print("\n| table | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for table, row in zip(results, scores, strict=True):
        print(f"| {table} | " + " | ".join(f"{value:.3f}" for value in row) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--keel", action="store_true", help="add KEEL's tables")
    parser.add_argument("--openml", action="store_true", help="add OpenML-CC18's")
    parser.add_argument(
        "--r",
        choices=["development", "validation"],
        help="add tables of R packages, of numbers to predict",
    )
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--max-train", type=int, default=1000, help="rows to fit")
    parser.add_argument("--models", nargs="+", help="only these")
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--save", help="a JSON file for the results")
    args = parser.parse_args()
    sources = [tables.own_regression if args.regression else tables.own_classification]
    if args.regression and args.r:
        sources.append(getattr(tables, f"r_{args.r}"))
    if not args.regression:
        sources += [tables.keel] * args.keel + [tables.openml] * args.openml
    tasks, keys = [], []
    for source in sources:
        for table, X, y in source():
            X, y, folds = outer_folds(X, y, args)
            models = (regressors if args.regression else classifiers)(X.shape[1])
            for name, (model, grid) in models.items():
                if args.models is None or name in args.models:
                    for train, test in folds:
                        keys.append((table, name))
                        task = delayed(score)(
                            X, y, train, test, model, grid, args.regression
                        )
                        tasks.append(task)
    outcomes = Parallel(args.jobs, verbose=1)(tasks)
    results = defaultdict(lambda: defaultdict(lambda: ([], [])))
    for (table, name), (value, took) in zip(keys, outcomes, strict=True):
        results[table][name][0].append(value)
        results[table][name][1].append(took)
    if args.save:
        with open(args.save, "w") as file:
            json.dump(results, file)
    report(results)


if __name__ == "__main__":
    main()
