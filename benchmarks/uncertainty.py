"""What the spread over networks costs, beside the mean and a Gaussian process.

Run as ``python benchmarks/uncertainty.py``. Both sides of every ratio are timed in turn
in one process; medians. Accuracy is against a solution of a smaller tolerance, as a
share of the variance of networks that see no data.
"""

import argparse
import tracemalloc

import numpy as np
from problems import in_turn, mnist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from small import digits

from sklearn_ndk import NDKRegressor

NETWORK = {"depth": 2, "T": 0.01}


def gaussian_process():
    """Return scikit-learn's, with what it would otherwise optimise."""
    kernel = ConstantKernel(1.0) * RBF(10.0)
    return GaussianProcessRegressor(kernel, alpha=0.01, optimizer=None)


def off(model, X, y, rows):
    """Return the error of the variances of some rows, beside those of no training."""
    params = model.get_params() | {"tol": 1e-6}
    exact = NDKRegressor(**params).fit(X, y).predict(rows, return_std=True)[1] ** 2
    found = model.predict(rows, return_std=True)[1] ** 2
    return np.max(
        np.abs(found - exact) / model.predict(rows, t=0, return_std=True)[1] ** 2
    )


def beside_the_mean(args):
    """Time standard deviations of 500 rows at a finite time / the fit of the mean."""
    X, y, rows = mnist(args.samples, 500)
    for sigma0 in (1.0, 2**0.5):
        model = NDKRegressor(**NETWORK, sigma0=sigma0, t=10.0)
        fit, std = in_turn(
            [
                lambda m=model: m.fit(X, y),
                lambda m=model: m.predict(rows, return_std=True),
            ],
            args.repeats,
        )
        print(
            f"t=10, sigma0={sigma0:.2f}: fit {fit:.2f} s, std {std:.2f} s = "
            f"{std / fit:.1f} fits; off by {off(model, X, y, rows[:20]):.1e}",
            flush=True,
        )


def beside_a_process(args):
    """Time fit and standard deviations / those of a Gaussian process."""
    X, y, rows = mnist(args.samples, 500)
    limits = {
        "t=inf": {},
        "t=0": {"t": 0.0},
        "ntk, t=10": {"limit": "ntk", "t": 10.0},
        "nngp": {"limit": "nngp"},
    }
    for name, params in limits.items():
        compare(name, X, y, rows, params, args.repeats)
    X, y = digits(500)
    compare(
        "300 digits, t=10", X[:300], y[:300], X[300:], {"t": 10.0}, 5 * args.repeats
    )


def compare(name, X, y, rows, params, repeats):
    """Print the time of fit and standard deviations, and that of the prediction."""
    process = gaussian_process()
    model = NDKRegressor(**NETWORK, **params).fit(X, y)
    both, alone, theirs = in_turn(
        [
            lambda: (
                NDKRegressor(**NETWORK, **params)
                .fit(X, y)
                .predict(rows, return_std=True)
            ),
            lambda: model.predict(rows, return_std=True),
            lambda: process.fit(X, y).predict(rows, return_std=True),
        ],
        repeats,
    )
    print(
        f"{name}: fit and std {1e3 * both:.0f} ms = {both / theirs:.2f}, std alone "
        f"{1e3 * alone:.0f} ms = {alone / theirs:.2f} Gaussian processes",
        flush=True,
    )


def memory(args):
    """Print the memory of standard deviations of many rows, in kernel matrices."""
    X, y, _ = mnist(args.samples, 0)
    model = NDKRegressor(**NETWORK, t=10.0).fit(X, y)
    many = np.tile(X, (5, 1))
    tracemalloc.start()
    model.predict(many, return_std=True)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"std of {len(many)} rows: {used / (8 * len(X) ** 2):.1f} P^2 doubles")


def main():
    """Print everything, or what is named."""
    parts = {f.__name__: f for f in (beside_the_mean, beside_a_process, memory)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(parts), choices=[*parts, []])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    for name in args.parts:
        parts[name](args)


if __name__ == "__main__":
    main()
