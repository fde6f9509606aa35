"""What small tables cost, beside models that practitioners know.

Run as ``python benchmarks/small.py``, or with the names of some of its tables. Both
sides of every ratio are timed in turn in one process; medians. Tables come with
scikit-learn. A reference solution tells the accuracy in the same run.
"""

import argparse
import multiprocessing

import numpy as np
from cost import peak_memory
from problems import in_turn
from sklearn import datasets
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV

CANDIDATES = {"C": 10.0 ** np.arange(-1, 4), "gamma": ["scale", 0.01, 0.1, 1]}
TABLES = ["iris", "wine", "breast_cancer", "digits", "diabetes"]


def table(name):
    """Return a table of scikit-learn's, standardised, without constant columns."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return scale(X[:, X.std(axis=0) > 0]), y


def digits(n_samples):
    """Return rows of digits, with odd or even as the target."""
    X, y = table("digits")
    some = np.random.default_rng(0).choice(len(X), n_samples, replace=False)
    return X[some], np.where(y[some] % 2, 1.0, -1.0)


def curve(**others):
    """Return a regressor that solves a trajectory."""
    return NDKRegressor(**{"depth": 2, "bias": 0.3, "t": 1.0} | others)


def searches(args):
    """Time the CV pair with its defaults / a grid search over 20 SVMs."""
    for name in TABLES:
        X, y = table(name)
        ours, theirs = NDKClassifierCV(), SVC()
        if name == "diabetes":
            ours, theirs = NDKRegressorCV(), SVR()
        search = GridSearchCV(theirs, CANDIDATES, cv=5)
        ndk, svm = in_turn(
            [lambda m=ours: m.fit(X, y), lambda s=search: s.fit(X, y)], args.repeats
        )
        print(
            f"{name:14s} {len(X):5d} rows  "
            f"{ndk:.2f} s / {svm:.2f} s = {ndk / svm:.2f}  "
            f"scores {ours.best_score_:.4f} and {search.best_score_:.4f}",
            flush=True,
        )


def trajectories(args):
    """Time a solved trajectory / the NTK limit, one target and thread; its accuracy."""
    for n_samples in (100, 250, 500):
        X, y = digits(n_samples)
        with threadpool_limits(1):
            solved, limit = in_turn(
                [lambda: curve().fit(X, y), lambda: curve(limit="ntk").fit(X, y)],
                args.repeats,
            )
        print(f"P={n_samples}  {solved:.3f} s / {limit:.4f} s = {solved / limit:.1f}")
        report_accuracy(X, y)


def report_accuracy(X, y):
    """Print the largest error at any time, in units of the tolerance."""
    times = np.geomspace(1e-4, 2e3, 40)
    model, fine = curve().fit(X, y), curve(tol=1e-8).fit(X, y)
    error = np.abs(model.predict_path(X, times) - fine.predict_path(X, times)).max()
    print(f"    largest error {error / model.tol:.2f} tol", flush=True)


def spin():
    """Keep a core busy."""
    while True:
        np.linalg.norm(np.arange(1000.0))


def busy(args):
    """Time default threads beside two busy processes / one thread, undisturbed."""
    for n_samples in (100, 250, 500, 1700):
        X, y = digits(n_samples)
        with threadpool_limits(1):
            (quiet,) = in_turn([lambda: curve().fit(X, y)], args.repeats)
        others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(2)]
        for process in others:
            process.start()
        (crowded,) = in_turn([lambda: curve().fit(X, y)], args.repeats)
        for process in others:
            process.terminate()
        print(
            f"P={n_samples}  {crowded:.2f} s / {quiet:.2f} s = {crowded / quiet:.1f}",
            flush=True,
        )


def temperatures(args):
    """Time a whole trajectory as T falls, P = 500."""
    X, y = digits(500)
    for T in 10.0 ** -np.arange(1, 6):
        whole = curve(T=T, t=20 / T)
        (time,) = in_turn([lambda m=whole: m.fit(X, y)], args.repeats)
        print(f"T={T:g}  {time:.3f} s", flush=True)


def classes(args):
    """Time 100 classes / two, 300 rows, and ten outputs / one, 1,000 rows."""
    X = np.random.default_rng(0).standard_normal((300, 10))
    labels = np.arange(300) % 100
    many, two = in_turn(
        [
            lambda: NDKClassifier(t=5.0).fit(X, labels),
            lambda: NDKClassifier(t=5.0).fit(X, labels % 2),
        ],
        args.repeats,
    )
    print(f"100 classes {many:.2f} s / two {two:.2f} s = {many / two:.1f}")
    X, y = table("digits")
    targets = np.where(y[:1000, None] == np.arange(10), 1.0, -1.0)
    ten, one = in_turn(
        [
            lambda: curve().fit(X[:1000], targets),
            lambda: curve().fit(X[:1000], targets[:, 0]),
        ],
        args.repeats,
    )
    print(f"ten outputs {ten:.2f} s / one {one:.2f} s = {ten / one:.1f}")


def memory(args):
    """Measure the peak memory of a fit, P = 1000, in P^2 doubles."""
    print(f"{peak_memory(1000, 0.01, 1.0):.1f} P^2 doubles")


FIGURES = [searches, trajectories, busy, temperatures, classes, memory]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [figure.__name__ for figure in FIGURES]
    parser.add_argument("figures", nargs="*", choices=[*names, []])
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    for figure in FIGURES:
        if figure.__name__ in (args.figures or names):
            print(f"\n{figure.__doc__}", flush=True)
            figure(args)


if __name__ == "__main__":
    main()
