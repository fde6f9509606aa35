"""What one trajectory per fold saves, and what a shared memory saves on top."""

import argparse
from tempfile import TemporaryDirectory

import numpy as np
from problems import in_turn, mnist, seconds
from sklearn.model_selection import GridSearchCV

from sklearn_ndk import NDKRegressor, NDKRegressorCV

SWEEP = {"T": [0.01, 0.03, 0.1, 0.3], "sigma0": [1.0, 1.4]}


def grid_search(args):
    """Score 30 times by five folds: GridSearchCV over t / NDKRegressorCV."""
    X, y, _ = mnist(args.n_samples)
    fast = NDKRegressorCV(depth=2, T=0.01)
    times = fast.fit(X, y).times_
    slow = GridSearchCV(NDKRegressor(depth=2, T=0.01, bias=fast.bias), {"t": times})
    both = [lambda: fast.fit(X, y), lambda: slow.fit(X, y)]
    quick, long = in_turn(both, args.repeats)
    scores = [model.cv_results_["mean_test_score"] for model in (fast, slow)]
    print(
        f"n={args.n_samples}: {long:.1f} s / {quick:.2f} s = {long / quick:.1f}; "
        f"scores differ by {np.abs(scores[0] - scores[1]).max():.0e}, "
        f"t = {fast.t_:.4g} and {slow.best_params_['t']:.4g}"
    )


def sweep(args):
    """Search T and sigma0 around NDKRegressorCV: without / with memory."""
    X, y, _ = mnist(args.n_samples)
    for limit in (None, "ntk", "nngp"):
        model = NDKRegressorCV(depth=2, limit=limit)
        plain = seconds(lambda m=model: GridSearchCV(m, SWEEP, cv=3).fit(X, y))
        with TemporaryDirectory() as folder:
            shared = GridSearchCV(model.set_params(memory=folder), SWEEP, cv=3)
            first = seconds(lambda s=shared: s.fit(X, y))
        print(f"limit={limit}: {plain:.1f} s / {first:.1f} s = {plain / first:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    for table in (grid_search, sweep):
        print(f"\n{table.__doc__}")
        table(args)


if __name__ == "__main__":
    main()
