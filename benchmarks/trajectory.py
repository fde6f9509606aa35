"""Cost of the whole learning curve, in units of one eigendecomposition.

Run as ``python benchmarks/trajectory.py``. Every figure is a ratio of medians of
times taken in turn in this one process, so that it holds on a noisy machine.
Accuracy and peak memory stand beside time.
"""

import argparse
import resource
import time
from statistics import median

import numpy as np
from scipy.linalg import eigh
from sklearn.datasets import load_digits

from sklearn_ndk import NDKRegressor
from sklearn_ndk.dynamics._mesh import n_nodes_for, radau_nodes
from sklearn_ndk.dynamics._quadrature import history_rule
from sklearn_ndk.dynamics._volterra import _EXTRA_POINTS
from sklearn_ndk.kernels import ndk_kernel, ntk_kernel

NETWORK = {"depth": 2, "T": 0.01, "sigma0": np.sqrt(2)}
N_PAIRS_TIMED = 10


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def n_pairs(edges, tol):
    """Count the kernel matrices that the mesh needs without a time basis."""
    nodes = radau_nodes(n_nodes_for(tol))
    times = (edges[:-1, None] + np.diff(edges)[:, None] * nodes).ravel()
    _, rule = history_rule(times, edges, nodes, len(nodes) + _EXTRA_POINTS)
    return np.count_nonzero(rule.any(axis=-1))


def error(model, X, y, Xs):
    """Largest error over the trajectory, against a refined solution."""
    times = np.geomspace(1e-4, 20 / NETWORK["T"], 40)
    refined = NDKRegressor(**NETWORK, tol=1e-2 * model.tol).fit(X, y)
    gap = model.predict_path(Xs, times) - refined.predict_path(Xs, times)
    return np.abs(gap).max() / np.abs(y).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=1000)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()

    X, y = load_digits(return_X_y=True)
    X, y = X / 16, np.where(y % 2, 1.0, -1.0)
    X, y, Xs = X[: args.n_samples], y[: args.n_samples], X[-200:]
    theta = ntk_kernel(X, depth=2, sigma0=NETWORK["sigma0"])
    model = NDKRegressor(**NETWORK, tol=args.tol, t=1e3 / NETWORK["T"])

    def pairs():
        for t in np.linspace(1, 100, N_PAIRS_TIMED):
            ndk_kernel(X, **NETWORK, t=t, t_prime=t / 2)

    turns = [
        (seconds(lambda: eigh(theta)), seconds(lambda: model.fit(X, y)), seconds(pairs))
        for _ in range(args.repeats)
    ]
    one_eigh, trajectory, some_pairs = map(median, zip(*turns, strict=True))
    edges = model._ensemble._trajectory.edges
    count = n_pairs(edges, args.tol)
    naive = some_pairs / N_PAIRS_TIMED * count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    print(
        f"digits, P = {len(X)}, relu depth 2, T = 0.01, sigma0^2 = 2, tol {args.tol:g}"
    )
    print(f"panels                              {len(edges) - 1}")
    print(f"one eigh                            {one_eigh:.3f} s")
    print(f"whole trajectory                    {trajectory:.3f} s")
    print(f"  in units of one eigh              {trajectory / one_eigh:.1f}")
    one_pair = some_pairs / N_PAIRS_TIMED
    print(f"kernel at each pair of times        {count} x {one_pair:.4f} s")
    print(f"  times slower, kernels alone       {naive / trajectory:.0f}")
    print(
        f"peak memory so far                  {peak / 8 / len(X) ** 2:.0f} P^2 doubles"
    )
    print(f"largest error / max|y|              {error(model, X, y, Xs):.1e}")


if __name__ == "__main__":
    main()
