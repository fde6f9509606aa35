"""What folds that share one trajectory each and all kernels save."""

import argparse

import numpy as np
from problems import in_turn, mnist
from rivals import FIXED
from sklearn.model_selection import GridSearchCV

from sklearn_ndk import NDKRegressor, NDKRegressorCV


def grid_search(args):
    """Score 30 times by five folds: GridSearchCV over t / NDKRegressorCV."""
    X, y, _ = mnist(args.n_samples)
    fast = NDKRegressorCV(depth=2, **FIXED)
    times = fast.fit(X, y).times_
    slow = GridSearchCV(NDKRegressor(depth=2, **FIXED), {"t": times})
    both = [lambda: fast.fit(X, y), lambda: slow.fit(X, y)]
    quick, long = in_turn(both, args.repeats)
    scores = [model.cv_results_["mean_test_score"] for model in (fast, slow)]
    print(
        f"n={args.n_samples}: {long:.1f} s / {quick:.2f} s = {long / quick:.1f}; "
        f"scores differ by {np.abs(scores[0] - scores[1]).max():.0e}, "
        f"t = {fast.t_:.4g} and {slow.best_params_['t']:.4g}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print(f"\n{grid_search.__doc__}")
    grid_search(args)


if __name__ == "__main__":
    main()
