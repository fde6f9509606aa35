"""What the kernels for Gaussian processes cost per entry, beside scikit-learn's RBF.

Run as ``python benchmarks/gaussian_process.py``. A block of few rows and many columns
costs what its entries cost, a diagonal what its rows do, and gradients a few kernels.
"""

import sys

import numpy as np
from problems import in_turn
from sklearn.gaussian_process.kernels import RBF

from sklearn_ndk.gaussian_process import NNGP, NTK

REPEATS = 7
N_FEATURES = 10


def main():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200_000, N_FEATURES))
    scales = np.ones(N_FEATURES)
    kernels = {
        "RBF": RBF(scales),
        "NNGP": NNGP(length_scale=scales),
        "NTK": NTK(length_scale=scales),
        "NTK, tanh": NTK(length_scale=scales, activation="tanh"),
    }
    tasks = {
        "10 x 5000": (50_000, lambda k: k(rows[:10], rows[:5000])),
        "500 x 500": (250_000, lambda k: k(rows[:500])),
        "500 x 500, gradients": (250_000, lambda k: k(rows[:500], eval_gradient=True)),
        "diagonal of 2000": (2_000, lambda k: k.diag(rows[:2000])),
        "diagonal of 200000": (200_000, lambda k: k.diag(rows)),
    }
    print("ns per entry" + 14 * " " + "".join(f"{name:>11s}" for name in kernels))
    for name, (n_entries, task) in tasks.items():
        runs = [lambda k=k, task=task: task(k) for k in kernels.values()]
        times = 1e9 / n_entries * np.array(in_turn(runs, REPEATS))
        print(f"{name:26s}" + "".join(f"{time:11.1f}" for time in times), flush=True)


if __name__ == "__main__":
    sys.exit(main())
