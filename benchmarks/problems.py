"""Data for the benchmarks, and a stopwatch."""

import os
import time
from statistics import median

import numpy as np
from sklearn.datasets import fetch_openml

MNIST_FILE = (
    "NDK_BENCHMARK_MNIST"  # an npz file with X_train and y_train, if no network
)


def mnist(n_samples, n_test=300, *, multi_output=False):
    """Return raw pixels / 255, even-or-odd targets (or ten of +-1), and test rows."""
    if MNIST_FILE in os.environ:
        with np.load(os.environ[MNIST_FILE]) as file:
            X, digit = file["X_train"], file["y_train"]
    else:
        X, digit = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
        digit = digit.astype(int)
    if n_samples + n_test > len(X):
        raise ValueError(f"{len(X)} images are too few for {n_samples} + {n_test}.")
    digit = digit[:n_samples]
    y = np.where(digit % 2, 1.0, -1.0)
    if multi_output:
        y = np.where(digit[:, None] == np.arange(10), 1.0, -1.0)
    X = X[: n_samples + n_test] / 255
    return X[:n_samples], y, X[n_samples:]


def seconds(function):
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_turn(functions, repeats):
    """Return the median time of each function, all timed in turn in each round."""
    rounds = [[seconds(function) for function in functions] for _ in range(repeats)]
    return [median(times) for times in zip(*rounds, strict=True)]
