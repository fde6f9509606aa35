"""Extreme hyperparameters, and a file of their brute-force solutions.

Run as a script to compute the file anew (a few minutes).
"""

from pathlib import Path

import numpy as np

from oracles.brute_force import Kernel, brute_force
from sklearn_ndk.activations._registry import get_activation
from sklearn_ndk.kernels import ntk_kernel
from sklearn_ndk.kernels._network import InfiniteNetwork

FILE = Path(__file__).parents[1] / "data" / "extremes.npz"

#: activation, depth, T, sigma0 (sigma is one), scale of X
CASES = [
    ("relu", 1, 1e-6, 1.0, 1.0),
    ("relu", 8, 1e-2, 0.1, 1.0),
    ("relu", 8, 1e-2, 10.0, 1.0),
    ("relu", 3, 10.0, 1.0, 1.0),
    ("relu", 2, 1e-2, 1.0, 1e-3),
    ("relu", 2, 1e-2, 1.0, 1e3),
    ("erf", 1, 1e-6, 1.0, 1.0),
    ("erf", 8, 1e-2, 0.1, 1.0),
    ("erf", 3, 1e-2, 10.0, 1.0),
    ("erf", 2, 10.0, 0.5, 1.0),
    ("erf", 2, 1e-2, 1.4, 1e-3),
    ("erf", 2, 1e-2, 1.4, 1e3),
    ("linear", 4, 1e-3, 0.1, 1.0),
    ("linear", 2, 1e-1, 10.0, 1.0),
]


def problem(case):
    """Return the network, data and times of a case."""
    activation, depth, T, sigma0, scale = case
    rng = np.random.default_rng(0)
    X, Xs = scale * rng.standard_normal((4, 3)), scale * rng.standard_normal((2, 3))
    y = rng.uniform(-1, 1, 4)
    network = InfiniteNetwork(depth, get_activation(activation), T, 1.0, sigma0)
    ntk = ntk_kernel(X, depth=depth, activation=activation, sigma0=sigma0)
    relaxation = 1 / np.linalg.eigvalsh(ntk)[-1]
    times = np.r_[np.array([0.3, 30]) * relaxation, np.array([0.03, 0.4, 3.0, 9.0]) / T]
    return network, X, y, Xs, np.sort(times[times < 10 / T])


def main():
    """Solve every case by brute force and write the file."""
    solutions = {}
    for i, case in enumerate(CASES):
        network, X, y, Xs, times = problem(case)
        both = np.vstack([X, Xs])
        solutions[str(i)] = brute_force(Kernel.of(network), X, y, both, times)
        print(case, flush=True)
    np.savez_compressed(FILE, **solutions)


if __name__ == "__main__":
    main()
