"""What the demo computes and draws: a learning curve, its rivals and one figure."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import ParameterGrid, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

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


def standard_error(accuracy, n_samples):
    """Return the standard error of an accuracy measured on `n_samples`."""
    return np.sqrt(accuracy * (1 - accuracy) / n_samples)


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


class Row(NamedTuple):
    """A model in the table: what validation chose, and how well it does."""

    name: str
    val: float
    test: float
    chosen: dict


@threadpool_limits.wrap(limits=1)  # fits this small lose more than they gain
def tune(name, estimator, grid, split):
    """Fit each setting of a grid, and test the best one on validation.

    Parameters
    ----------
    name : str
        Name of the model.
    estimator : classifier
        The model.
    grid : dict
        Lists of settings by parameter, for `ParameterGrid`.
    split : Split
        The images.

    Returns
    -------
    Row
        The first of the settings with the best accuracy on validation.
    """
    best, best_val, best_settings = None, -1.0, None
    for settings in ParameterGrid(grid):
        model = clone(estimator).set_params(**settings)
        val = model.fit(split.X_train, split.y_train).score(split.X_val, split.y_val)
        if val > best_val:
            best, best_val, best_settings = model, val, settings
    test = best.score(split.X_test, split.y_test)
    return Row(name, best_val, test, best_settings)


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
    _label_times(upper, lower, curve.kappa, x)
    for axes in (upper, lower):
        _shade_phases(axes, curve.kappa, x, named=axes is upper)
        axes.axvline(x[curve.chosen], color="black", linestyle=":", linewidth=1)
    _draw_accuracies(upper, curve, x, len(split.y_test))
    _draw_outputs(lower, curve, split, x)
    figure.savefig(path, dpi=150)


def _label_times(upper, lower, kappa, x):
    lower.set(xscale="log", xlim=(x[0], x[-1]))
    lower.set_xlabel("training time t (gradient-flow units)")
    ticks, labels = _decades(x[0], x[-2])
    lower.set_xticks([*ticks, x[-1]], [*labels, "∞"])
    top = upper.secondary_xaxis(
        "top", functions=(lambda t: t * kappa, lambda t: t / kappa)
    )
    top.set_xlabel("diffusion time τ = T t / σ² (dimensionless)")
    top.set_xticks(*_decades(x[0] * kappa, x[-2] * kappa))
    for axis in (upper.xaxis, lower.xaxis, top.xaxis):
        axis.set_ticks([], minor=True)


def _decades(start, stop):
    """Return ticks at powers of ten, ten at most, and their labels."""
    powers = np.arange(np.ceil(np.log10(start)), np.log10(stop), dtype=int)
    powers = powers[:: len(powers) // 10 + 1]
    return 10.0**powers, [f"$10^{{{power}}}$" for power in powers]


def _shade_phases(axes, kappa, x, named):
    edges = np.clip([0, *PHASES.values()], x[0] * kappa, x[-1] * kappa) / kappa
    for name, start, stop in zip(PHASES, edges[:-1], edges[1:], strict=True):
        axes.axvspan(start, stop, color=_PALE[name], linewidth=0)
        wide = np.log(stop / start) > 0.12 * np.log(x[-1] / x[0])
        if named and wide:  # a name wider than its phase would overlap others
            where = {"x": np.sqrt(start * stop), "y": 0.02, "ha": "center"}
            axes.text(s=name, transform=axes.get_xaxis_transform(), **where)


def _draw_accuracies(axes, curve, x, n_test):
    error = standard_error(curve.test, n_test)
    band = {"color": "black", "alpha": 0.15, "linewidth": 0}
    axes.fill_between(x, curve.test - error, curve.test + error, **band)
    axes.axhline(curve.ntk, color=_VERMILION, linestyle="--", label="NTK limit, test")
    axes.axhline(curve.test[-1], color=_GREEN, linestyle="-.", label="NNGP limit, test")
    axes.plot(x, curve.val, color=_BLUE, linewidth=1, label="validation")
    dots = {"color": _BLUE, "markersize": 4, "label": "candidate times"}
    axes.plot(x[curve.candidates], curve.val[curve.candidates], "o", **dots)
    axes.plot(x, curve.test, "k", linewidth=2.5, label="test ± standard error")
    star = {"color": _ORANGE, "markeredgecolor": "black", "markersize": 17}
    best = curve.chosen
    axes.plot(x[best], curve.test[best], "*", **star, label="chosen on validation")
    axes.set_ylabel("accuracy (fraction correct)")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.08))


def _draw_outputs(axes, curve, split, x):
    image = _most_undecided(curve, split)
    true = list(curve.network.classes_).index(split.y_test[image])
    row = split.X_test[[image]]
    outputs = curve.network.decision_function_path(row, curve.times)[0]
    rival = np.argmax(
        np.where(np.arange(len(outputs)) == true, -9, outputs.max(axis=1))
    )
    for label in range(len(outputs)):
        name = "other digits" if label == (0 if 0 not in (true, rival) else 9) else None
        axes.plot(x, outputs[label], color="#999999", linewidth=1, label=name)
    axes.plot(x, outputs[rival], color=_VERMILION, linestyle="--", label=f"{rival}")
    axes.plot(x, outputs[true], color=_BLUE, label=f"{true}, the true class")
    axes.set_ylabel("mean output")
    axes.set_ylim(-1.4, 1.4)
    axes.legend(loc="upper left", bbox_to_anchor=(0.14, 1), ncols=3)
    inset = axes.inset_axes([0.01, 0.62, 0.12, 0.36])
    inset.imshow(row.reshape(8, 8), cmap="gray_r")
    inset.set(xticks=[], yticks=[])


def _most_undecided(curve, split):
    """Return the test image whose class changes most often after the gradient phase."""
    late = curve.times > PHASES["gradient-driven"] / curve.kappa
    labels = curve.network.predict_path(split.X_test, curve.times[late])
    return np.count_nonzero(np.diff(labels, axis=1), axis=1).argmax()
