"""A program as a user would write it; mypy and pyright find it clean.

Variables state the types that a user relies on, so that an annotation that is missing
or wrong in the package is an error here.
"""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.datasets import make_orthogonal
from sklearn_ndk.inspection import (
    DriftDisplay,
    EarlyStoppingDisplay,
    LengthScaleDisplay,
    PredictionPathDisplay,
)
from sklearn_ndk.kernels import (
    Activation,
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)
from sklearn_ndk.preprocessing import TableScaler
from sklearn_ndk.simulation import simulate_langevin

Floats = NDArray[np.float64]


class Square(Activation):
    """The activation ``z**2``."""

    homogeneous = False

    def duals(self, var_u: Floats, var_v: Floats, cov: Floats) -> tuple[Floats, Floats]:
        """Return ``E[phi(u) phi(v)]`` and ``E[phi'(u) phi'(v)]``."""
        return var_u * var_v + 2 * cov**2, 4 * cov

    def __call__(self, z: Floats) -> Floats:
        """Return ``phi(z)``."""
        return z**2

    def derivative(self, z: Floats) -> Floats:
        """Return ``phi'(z)``."""
        return 2 * z


def data() -> tuple[Floats, Floats]:
    """Return inputs and targets."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    return X, np.sin(X[:, 0])


def regression() -> NDKRegressor:
    """Predict at one time, at several times, and after a drift."""
    X, y = data()
    model: NDKRegressor = NDKRegressor(2, "erf", T=0.1, sigma0=1.4, t=3.0).fit(X, y)
    mean: Floats = model.predict(X)
    late: Floats = model.predict(X, t=np.inf)
    path: Floats = model.predict_path(X, [0, 1.0, np.inf])
    drifted: Floats = model.predict_drift(X, 2.0, t0=1)
    score: float = model.score(X, y)
    print(mean[0] + late[0] + path[0, 0] + drifted[0], score)
    _, std = model.predict(X, t=2.0, return_std=True)
    _, covariance = model.predict(X, return_cov=True)
    _, band = model.predict_path(X, [0, 1.0], return_std=True)
    draws: Floats = model.sample_y(X, 3, t=1.0, random_state=0)
    print(std[0] + covariance[0, 0] + band[0, 0] + draws[0, 0])
    limit: NDKRegressor = NDKRegressor(depth=1, activation=Square(), limit="nngp")
    weighted: NDKRegressor = limit.fit(X.tolist(), y.tolist(), sample_weight=y**2)
    print(weighted.predict(X)[0])
    return model


def classification() -> NDKClassifier:
    """Predict classes and decision values."""
    X, y = data()
    labels = np.where(y > 0, "positive", "negative")
    model: NDKClassifier = NDKClassifier(bias=0.3, limit=None).fit(X, labels)
    classes: NDArray[Any] = model.predict(X, t=0.5)
    values: Floats = model.decision_function(X)
    path: Floats = model.decision_function_path(X, np.geomspace(0.1, 10, 3))
    class_path: NDArray[Any] = model.predict_path(X, (0.1, 1.0))
    drifted: Floats = model.predict_drift(X, delay=np.inf)
    print(classes[0], values[0], path[0, 0], class_path[0, 0], drifted[0])
    votes: Floats = model.predict_proba(X, t=1.0)
    vote_path: Floats = model.predict_proba_path(X, [0.1, 1.0])
    print(votes[0, 0] + vote_path[0, 0, 0])
    return model


def stopping_time() -> NDKRegressorCV:
    """Choose the stopping time by cross-validation."""
    X, y = data()
    model: NDKRegressorCV = NDKRegressorCV(times=5, cv=3, selection="1se").fit(X, y)
    time: float = model.t_
    phase: str = model.phase_
    score: float = model.best_score_
    index: int = model.best_index_
    times: Floats = model.times_
    results: dict[str, Any] = model.cv_results_
    mean: Floats = model.predict(X)
    print(time, phase, score, index, times[0], sorted(results), mean[0])
    classifier: NDKClassifierCV = NDKClassifierCV(times=[1.0, np.inf], n_jobs=1, cv=2)
    labels: NDArray[Any] = classifier.fit(X, np.sign(y)).predict(X)
    print(labels[0])
    return model


def scaled() -> None:
    """Bring a table to one scale, and back."""
    X, _ = data()
    scaler: TableScaler = TableScaler(tail=2).fit(X)
    columns: Floats = scaler.transform(X)
    table: Floats = scaler.inverse_transform(columns)
    print(np.abs(table - X).max(), scaler.scale_)


def kernels() -> None:
    """Compute kernel matrices."""
    X, _ = data()
    nngp: Floats = nngp_kernel(X, depth=2, activation="relu", bias=0.1)
    ntk: Floats = ntk_kernel(X, X[:3], activation=Square())
    pair: tuple[Floats, Floats] = ntk_kernel(X, return_nngp=True)
    ndk: Floats = ndk_kernel(X, t=2, t_prime=1.0, T=0.1)
    two_time: Floats = two_time_nngp_kernel(X, t=2.0, t_prime=1.0)
    mean: Floats = mean_kernel(X, activation="erf", length_scale=X.std(axis=0))
    print(nngp.sum(), ntk.sum(), pair[0].sum(), ndk.sum(), two_time.sum(), mean.sum())


def simulation() -> None:
    """Train networks of finite width on a task of the package."""
    X, y, X_test, _ = make_orthogonal(6, overlap=0.5, random_state=0)
    simulated = simulate_langevin(
        X, y, X_test, [0.1, 0.5], T=0.1, width=16, n_networks=4, random_state=0
    )
    outputs: Floats = simulated.predictions
    training: Floats = simulated.train_predictions
    times: Floats = simulated.times
    step: float = simulated.step_size
    print(outputs.mean(), training.mean(), times[0], step)


def displays(folder: Path) -> None:
    """Draw learning curves and drift."""
    mpl.use("Agg")
    X, y = data()
    regressor, classifier, chosen = regression(), classification(), stopping_time()
    scores: EarlyStoppingDisplay = EarlyStoppingDisplay.from_estimator(chosen)
    search: EarlyStoppingDisplay = EarlyStoppingDisplay.from_cv_results(
        chosen.cv_results_, score_name="R2"
    )
    paths: PredictionPathDisplay = PredictionPathDisplay.from_estimator(
        regressor, X[:3], y[:3], quantity="residual"
    )
    labels = np.where(y > 0, "positive", "negative")
    drift: DriftDisplay = DriftDisplay.from_estimator(
        classifier, X, labels, delays=[0.1, 1.0], t0=2.0
    )
    scales: LengthScaleDisplay = LengthScaleDisplay.from_estimator(chosen)
    again: PredictionPathDisplay = paths.plot(line_kw={"linewidth": 2})
    scores.figure_.savefig(folder / "scores.png")
    search.figure_.savefig(folder / "search.png")
    scales.figure_.savefig(folder / "scales.png")
    again.figure_.savefig(folder / "paths.png")
    drift.figure_.savefig(folder / "drift.png")


def main(folder: Path) -> None:
    """Run all of it."""
    scaled()
    kernels()
    simulation()
    displays(folder)


if __name__ == "__main__":
    main(Path())
