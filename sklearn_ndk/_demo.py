"""What the demo computes and draws: a learning curve, its rivals and one figure."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import ParameterGrid, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sklearn_ndk._classifier import NDKClassifier
from sklearn_ndk.kernels import ntk_kernel

#: The phases, by the tau = T t / sigma^2 where they end: until 0.05 the noise has
#: hardly acted, from 5 on the initial weights are forgotten to exp(-5) < 1 %.
PHASES = {"gradient-driven": 0.05, "diffusive": 5.0, "equilibrium": np.inf}

#: Number of candidates that are validated for each model.
N_CANDIDATES = 16

_DRAWN = 4  # times of the learning curve per candidate


@dataclass(frozen=True)
class Split:
    """Images and labels for training, validation and test."""

    X_train: np.ndarray
    X_val: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_val: np.ndarray
    y_test: np.ndarray


def load_split(n_train, n_val, n_test):
    """Split scikit-learn's digits, stratified and with a fixed seed."""
    X, y = load_digits(return_X_y=True)
    X = X / 8 - 1  # [-1, 1]: on validation no worse than [0, 1] or standardised
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=n_test, stratify=y, random_state=0
    )
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, train_size=n_train, test_size=n_val, stratify=y, random_state=0
    )
    return Split(X_train, X_val, X_test, y_train, y_val, y_test)


@dataclass(frozen=True)
class LearningCurve:
    """Accuracies of one network at all times, and the time that validation picks.

    Attributes
    ----------
    network : NDKClassifier
        The fitted network.
    times : ndarray of shape (n_times,)
        Training times in ascending order; the last is infinite.
    candidates : ndarray of shape (N_CANDIDATES,)
        Indices of the times among which validation chooses.
    val, test : ndarray of shape (n_times,)
        Accuracies.
    ntk : float
        Test accuracy of the same network under noiseless gradient flow for ever.
    """

    network: NDKClassifier
    times: np.ndarray
    candidates: np.ndarray
    val: np.ndarray
    test: np.ndarray
    ntk: float

    @property
    def chosen(self):
        """Index of the best candidate on validation, the earliest if several."""
        return self.candidates[np.argmax(self.val[self.candidates])]

    @property
    def kappa(self):
        """Rate of diffusion, ``T / sigma**2``."""
        return self.network.T / self.network.sigma**2

    @property
    def phase(self):
        """Name of the phase in which the chosen time lies."""
        tau = self.kappa * self.times[self.chosen]
        return next(name for name, end in PHASES.items() if tau <= end)


def learning_curve(network, split):
    """Fit `network` once and score it from almost no training to equilibrium."""
    times, candidates = _time_grid(network, split.X_train)
    network.set_params(t=times[-2])  # fit then solves all there is, with progress
    network.fit(split.X_train, split.y_train)
    ntk = clone(network).set_params(limit="ntk", t=np.inf)
    ntk.fit(split.X_train, split.y_train)
    return LearningCurve(
        network,
        times,
        candidates,
        val=_path_accuracy(network, split.X_val, split.y_val, times),
        test=_path_accuracy(network, split.X_test, split.y_test, times),
        ntk=ntk.score(split.X_test, split.y_test),
    )


def _time_grid(network, X):
    """Return times evenly spaced in log t, then infinity, and the candidates."""
    ntk = ntk_kernel(
        X, depth=network.depth, activation=network.activation, sigma0=network.sigma0
    )
    kappa = network.T / network.sigma**2
    # before the first both gradient and noise are idle, after the last both are done
    first = 0.1 / (np.linalg.eigvalsh(ntk)[-1] + kappa)
    finite = np.geomspace(first, 20 / kappa, _DRAWN * (N_CANDIDATES - 2) + 1)
    candidates = np.append(np.arange(0, len(finite), _DRAWN), len(finite))
    return np.append(finite, np.inf), candidates


def _path_accuracy(network, X, y, times):
    return np.mean(network.predict_path(X, times) == y[:, None], axis=0)


class _KernelRidgeClassifier(ClassifierMixin, KernelRidge):
    """Kernel ridge regression on +1 for a sample's class and -1 for the others."""

    def fit(self, X, y):
        self.classes_, codes = np.unique(y, return_inverse=True)
        return super().fit(X, 2.0 * np.eye(len(self.classes_))[codes] - 1)

    def predict(self, X):
        return self.classes_[super().predict(X).argmax(axis=1)]


def rivals():
    """Return name, estimator and grid of N_CANDIDATES settings of each rival."""
    network = {"activation": ["relu", "erf"], "depth": [1, 2]}
    gamma = {"gamma": [0.003, 0.01, 0.03, 0.1]}
    return [
        (
            "NTK, t = inf",
            NDKClassifier(limit="ntk"),
            network | {"bias": [0.1, 0.3], "sigma0": [1, 2]},
        ),
        (
            "NNGP, t = inf",
            NDKClassifier(limit="nngp"),
            network | {"T": [1e-4, 1e-3, 1e-2, 1e-1]},
        ),
        (
            "KernelRidge-RBF",
            _KernelRidgeClassifier(kernel="rbf"),
            gamma | {"alpha": [1e-4, 1e-3, 1e-2, 1e-1]},
        ),
        ("SVC-RBF", SVC(), gamma | {"C": [1, 3, 10, 30]}),
        (
            "RandomForest",
            RandomForestClassifier(100, random_state=0),
            {"max_features": [2, 4, 8, 16], "min_samples_leaf": [1, 2, 4, 8]},
        ),
        (
            "MLP",
            # far fewer passes than max_iter are needed, so none warns
            MLPClassifier(learning_rate_init=0.005, max_iter=2000, random_state=0),
            {"hidden_layer_sizes": [32, 64, 128, 256], "alpha": [1e-3, 0.01, 0.1, 1]},
        ),
    ]


def tune(estimator, grid, split):
    """Return the settings best on validation, the first if several, and accuracies."""
    best_settings, best_val, best = None, -1.0, None
    for settings in ParameterGrid(grid):
        model = clone(estimator).set_params(**settings)
        val = model.fit(split.X_train, split.y_train).score(split.X_val, split.y_val)
        if val > best_val:
            best_settings, best_val, best = settings, val, model
    return best_settings, best_val, best.score(split.X_test, split.y_test)


# Okabe and Ito's colours, which colour-blind readers can tell apart
_BLUE, _ORANGE, _GREEN, _VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
_PALE = {"gradient-driven": "#DFECF5", "diffusive": "#FBEFD5", "equilibrium": "#E0F1EB"}


def plot(curve, split, path):
    """Draw the learning curve and, below it, the outputs for one image to a PNG."""
    from matplotlib.figure import Figure  # matplotlib is optional

    figure = Figure(figsize=(8, 7), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=[4, 3])
    # infinity is drawn one candidate beyond the last finite time
    infinity = curve.times[-2] ** 2 / curve.times[-2 - _DRAWN]
    x = np.append(curve.times[:-1], infinity)
    _set_time_axes(upper, lower, curve, x)
    _draw_accuracies(upper, curve, x, len(split.y_test))
    _draw_outputs(lower, curve, split, x)
    figure.savefig(path, dpi=150)


def _set_time_axes(upper, lower, curve, x):
    """Scale, shade and label the axes of time."""
    lower.set(xscale="log", xlim=(x[0], x[-1]))
    lower.set_xlabel("training time t (gradient-flow units)")
    lower.set_xticks(*_decades(x[0], x[-2]))
    lower.set_xticks([x[-1]], ["∞"], minor=True)
    ratio = (lambda t: t * curve.kappa, lambda tau: tau / curve.kappa)
    top = upper.secondary_xaxis("top", functions=ratio)
    top.set_xlabel("diffusion time τ = T t / σ² (dimensionless)")
    top.set_xticks(*_decades(x[0] * curve.kappa, x[-2] * curve.kappa))
    top.set_xticks([], minor=True)
    edges = np.clip([0, *PHASES.values()], x[0] * curve.kappa, x[-1] * curve.kappa)
    for phase, start, stop in zip(PHASES, *(edges[:-1], edges[1:]), strict=True):
        for axes in (upper, lower):
            axes.axvspan(*(start / curve.kappa, stop / curve.kappa), color=_PALE[phase])
            axes.axvline(x[curve.chosen], color="black", linestyle=":", linewidth=1)
