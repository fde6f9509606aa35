"""What the demo computes and draws: a stopping time, its rivals and one figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sklearn_ndk._classifier import NDKClassifier
from sklearn_ndk._classifier_cv import NDKClassifierCV
from sklearn_ndk._compute._threads import single_threaded_blas
from sklearn_ndk._phases import EQUILIBRIUM_TAU, GRADIENT_END
from sklearn_ndk.inspection import EarlyStoppingDisplay, PredictionPathDisplay
from sklearn_ndk.inspection._palette import BLUE, GREEN, GREY, VERMILION

#: Number of candidates that are validated for each model.
N_CANDIDATES = 16


@dataclass(frozen=True)
class Digits:
    """Images and labels: `X` and `y` for training and validation, split by `cv`."""

    X: NDArray[np.float64]
    y: NDArray[np.int_]
    X_test: NDArray[np.float64]
    y_test: NDArray[np.int_]
    cv: PredefinedSplit


def load_split(n_train: int, n_val: int, n_test: int) -> Digits:
    """Split scikit-learn's digits, stratified and with a fixed seed.

    Parameters
    ----------
    n_train, n_val, n_test : int
        Numbers of images.

    Returns
    -------
    Digits
        The images, their pixels in [-1, 1].
    """
    X, y = load_digits(return_X_y=True)
    X = X / 8 - 1  # on validation level with [0, 1], ahead of standardised pixels
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=n_test, stratify=y, random_state=0
    )
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, train_size=n_train, test_size=n_val, stratify=y, random_state=0
    )
    return Digits(
        np.vstack([X_train, X_val]),
        np.append(y_train, y_val),
        X_test,
        y_test,
        PredefinedSplit(np.repeat([-1, 0], [n_train, n_val])),
    )


class _KernelRidgeClassifier(ClassifierMixin, KernelRidge):
    """Kernel ridge regression on +1 for a sample's class and -1 for the others."""

    def fit(self, X: NDArray, y: NDArray) -> Self:
        self.classes_, codes = np.unique(y, return_inverse=True)
        return super().fit(X, 2.0 * np.eye(len(self.classes_))[codes] - 1)

    def predict(self, X: NDArray) -> NDArray:
        return self.classes_[super().predict(X).argmax(axis=1)]


def rivals() -> dict[str, tuple[BaseEstimator, dict[str, Any]]]:
    """Return the models to compare with.

    Returns
    -------
    dict
        The estimator and the grid of `N_CANDIDATES` settings of each, by name.
    """
    network = {"activation": ["relu", "erf"], "depth": [1, 2]}
    ntk = network | {"bias": [0.1, 0.3], "sigma0": [1, 2]}
    ridge = [1e-4, 1e-3, 1e-2, 1e-1]
    gamma = {"gamma": [0.003, 0.01, 0.03, 0.1]}
    tree = {"max_features": [2, 4, 8, 16], "min_samples_leaf": [1, 2, 4, 8]}
    mlp = {"hidden_layer_sizes": [16, 32, 64, 128], "alpha": [1e-3, 1e-2, 1e-1, 1]}
    adam = {"learning_rate_init": 0.01, "max_iter": 2000}  # converges in far fewer
    return {
        "NTK, t=inf": (NDKClassifier(limit="ntk"), ntk),
        "NNGP, t=inf": (NDKClassifier(limit="nngp"), network | {"T": ridge}),
        "KernelRidge": (_KernelRidgeClassifier(kernel="rbf"), gamma | {"alpha": ridge}),
        "SVC": (SVC(), gamma | {"C": [1, 3, 10, 30]}),
        "RandomForest": (RandomForestClassifier(100, random_state=0), tree),
        "MLP": (MLPClassifier(**adam, random_state=0), mlp),
    }


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes
    ----------
    model : str
        Name of the model.
    chosen : dict
        The settings that validation chose.
    val, test : float
        Accuracies.
    n_test : int
        Number of test images.
    """

    model: str
    chosen: dict[str, Any]
    val: float
    test: float
    n_test: int

    HEADER: ClassVar[str] = (
        f"{'model':<13} {'test accuracy':<15} {'validation':<11} chosen"
    )

    def __str__(self) -> str:
        error = np.sqrt(self.test * (1 - self.test) / self.n_test)
        test = f"{self.test:.3f} +- {error:.3f}"
        return f"{self.model:<13} {test:<15} {self.val:<11.3f} {listed(self.chosen)}"


def compare(network: NDKClassifierCV, digits: Digits) -> Iterator[Row]:
    """Compare the stopped network with its rivals, all tuned on validation.

    Parameters
    ----------
    network : NDKClassifierCV
        The fitted network.
    digits : Digits
        The images.

    Yields
    ------
    Row
        A row of the table, as soon as it is known.
    """
    yield _row("NDK, stopped", network, {"t": network.t_}, digits)
    for name, (estimator, grid) in rivals().items():
        with single_threaded_blas():  # fits this small lose by sharing
            search = GridSearchCV(estimator, grid, cv=digits.cv)
            search.fit(digits.X, digits.y)
        yield _row(name, search, search.best_params_, digits)


def _row(name: str, model: Any, chosen: dict[str, Any], digits: Digits) -> Row:
    test = model.score(digits.X_test, digits.y_test)
    return Row(name, chosen, model.best_score_, test, len(digits.y_test))


def listed(settings: dict[str, Any]) -> str:
    """Format settings.

    Parameters
    ----------
    settings : dict
        Values by name.

    Returns
    -------
    str
        ``name=value``, separated by commas.
    """
    short = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in settings.items()}
    return ", ".join(f"{name}={value}" for name, value in short.items())


def plot(
    network: NDKClassifierCV, digits: Digits, path: str | PathLike[str]
) -> PredictionPathDisplay:
    """Draw accuracies on validation and test, and the outputs for one image.

    Parameters
    ----------
    network : NDKClassifierCV
        The fitted network.
    digits : Digits
        The images.
    path : path-like
        The PNG file to write.

    Returns
    -------
    PredictionPathDisplay
        The test accuracies, at all times and in both limits.
    """
    from matplotlib.figure import Figure  # matplotlib is optional

    figure = Figure(figsize=(8, 9), layout="constrained")
    upper, middle, lower = figure.subplots(3, sharex=True)
    validated = EarlyStoppingDisplay.from_estimator(network, ax=upper)
    upper.set_ylabel("validation accuracy")
    tested = PredictionPathDisplay.from_estimator(
        network, digits.X_test, digits.y_test, ax=middle
    )
    middle.set_ylabel("test accuracy")
    _draw_outputs(lower, network, digits)
    chosen = np.asarray(validated.chosen_.get_xdata()).item()
    for ax in (middle, lower):
        ax.axvline(chosen, color=VERMILION, linewidth=1)
    for ax in (upper, middle):
        ax.label_outer()
    figure.savefig(path, dpi=150)
    return tested


def _draw_outputs(ax: Any, network: NDKClassifierCV, digits: Digits) -> None:
    """Draw the outputs for the image that is hardest to decide."""
    image = _most_undecided(network, digits.X_test)
    row, true = digits.X_test[[image]], digits.y_test[image]
    display = PredictionPathDisplay.from_estimator(network, row, ax=ax)
    highest = np.where(network.classes_ == true, -np.inf, display.values.max(axis=1))
    rival = network.classes_[highest.argmax()]
    for digit, line in zip(network.classes_, display.lines_, strict=True):
        line.set(color=GREY, alpha=0.5, label=None)
        if digit == true:
            line.set(color=BLUE, alpha=1, linewidth=2, label=f"{digit}, the class")
        if digit == rival:
            line.set(color=GREEN, alpha=1, linewidth=2, label=f"{digit}")
    ax.set(ylabel="mean outputs (targets ±1)", ylim=(-1.6, 1.6))
    ax.legend(loc="lower left")
    inset = ax.inset_axes([0.01, 0.63, 0.13, 0.35])
    inset.imshow(row.reshape(8, 8), cmap="gray_r")
    inset.set(xticks=[], yticks=[])


def _most_undecided(network: NDKClassifierCV, X: NDArray[np.float64]) -> int:
    """Return the image whose class changes most often after the gradient phase."""
    begin, end = (
        tau * network.sigma**2 / network.T for tau in (GRADIENT_END, EQUILIBRIUM_TAU)
    )
    labels = network.predict_path(X, np.append(np.geomspace(begin, end, 30), np.inf))
    return int(np.count_nonzero(np.diff(labels, axis=1), axis=1).argmax())


def summary(network: NDKClassifierCV, tested: PredictionPathDisplay) -> str:
    """Return which time validation chose, in which phase, and the limits.

    Parameters
    ----------
    network : NDKClassifierCV
        The fitted network.
    tested : PredictionPathDisplay
        The test accuracies.

    Returns
    -------
    str
        Three lines.
    """
    tau = network.T * network.t_ / network.sigma**2
    return (
        f"Validation chose t = {network.t_:.3g}, tau = T t / sigma^2 = {tau:.3g}: "
        f"{network.phase_} phase.\n"
        f"(Gradient phase up to tau = {GRADIENT_END:g}, diffusive up to "
        f"{EQUILIBRIUM_TAU:g}, then equilibrium.)\n"
        "The same network at its two limits, on test: "
        f"NTK {tested.ntk[0]:.3f}, NNGP {tested.nngp[0]:.3f}."
    )
