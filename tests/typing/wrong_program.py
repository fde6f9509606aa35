"""Mistakes that mypy and pyright find: each line without one would be an error.

Both checkers are told to complain of comments that silence nothing, so that an
annotation of the package that accepts anything is found here. This module never runs.
"""

import numpy as np

from sklearn_ndk import NDKClassifier, NDKRegressor, NDKRegressorCV
from sklearn_ndk.datasets import make_orthogonal
from sklearn_ndk.kernels import ndk_kernel, nngp_kernel
from sklearn_ndk.simulation import simulate_langevin


def mistakes() -> None:
    """Call the package with wrong types."""
    X = np.ones((3, 2))
    NDKRegressor(depth="two")  # type: ignore[arg-type]
    NDKRegressor(temperature=0.1)  # type: ignore[call-arg]
    NDKRegressorCV(normalize_y="yes")  # type: ignore[arg-type]
    NDKRegressor().predict(X, t="late")  # type: ignore[call-overload]
    NDKRegressor().predict_path(X)  # type: ignore[call-overload]
    NDKClassifier().predict_drift(X, delay=[1.0])  # type: ignore[arg-type]
    text: str = NDKRegressor().predict(X)  # type: ignore[assignment]
    nngp_kernel(X, depth="two")  # type: ignore[arg-type]
    ndk_kernel(X, t=1.0)  # type: ignore[call-arg]
    make_orthogonal("many")  # type: ignore[arg-type]
    simulate_langevin(X, X[:, 0], X, [1.0], width="wide")  # type: ignore[arg-type]
    print(text)
