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
from sklearn_ndk._compute._threads import single_threaded_blas
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
    """Split scikit-learn's digits, stratified and with a fixed seed.

    Parameters
    ----------
    n_train, n_val, n_test : int
        Numbers of images.

    Returns
    -------
    Split
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
    test_labels : ndarray of shape (n_test, n_times)
        Predicted classes of the test images.
    val, test : ndarray of shape (n_times,)
        Accuracies.
    ntk : float
        Test accuracy of the same network under noiseless gradient flow for ever.
    """

    network: NDKClassifier
    times: np.ndarray
    candidates: np.ndarray
    test_labels: np.ndarray
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

    def summary(self):
        """Return which time validation chose, in which phase, and the limits."""
        t = self.times[self.chosen]
        tau = self.kappa * t
        phase = next(name for name, end in PHASES.items() if tau <= end)
        return (
            f"Validation chose t = {t:.3g}, tau = T t / sigma^2 = {tau:.3g}: {phase}.\n"
            f"(Gradient-driven up to tau = {PHASES['gradient-driven']:g}, diffusive up "
            f"to {PHASES['diffusive']:g}, then equilibrium.)\n"
            "The same network at its two limits, on test: "
            f"NTK {self.ntk:.3f}, NNGP {self.test[-1]:.3f}."
        )


def learning_curve(network, split):
    """Fit a network once and score it from almost no training to equilibrium.

    Parameters
    ----------
    network : NDKClassifier
        The network; `fit` solves its training to the end, reporting to its callbacks.
    split : Split
        The images.

    Returns
    -------
    LearningCurve
        The accuracies.
    """
    limit = network.get_params() | {"limit": "ntk", "t": np.inf}
    ntk = NDKClassifier(**limit).fit(split.X_train, split.y_train)
    times, candidates = _time_grid(network, split.X_train)
    network.set_params(t=times[-2]).fit(split.X_train, split.y_train)
    # both sets at once: predictions share the choice of the kernels that they need
    labels = network.predict_path(np.vstack([split.X_val, split.X_test]), times)
    val, test = np.split(labels, [len(split.y_val)])
    return LearningCurve(
        network,
        times,
        candidates,
        test_labels=test,
        val=np.mean(val == split.y_val[:, None], axis=0),
        test=np.mean(test == split.y_test[:, None], axis=0),
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
    """Return the standard error of an accuracy.

    Parameters
    ----------
    accuracy : float or ndarray
        The accuracy.
    n_samples : int
        Number of samples on which it was measured.

    Returns
    -------
    float or ndarray
        The standard deviation of the mean of as many independent hits and misses.
    """
    return np.sqrt(accuracy * (1 - accuracy) / n_samples)


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
    chosen: dict
    val: float
    test: float
    n_test: int

    HEADER = f"{'model':<13} {'test accuracy':<15} {'validation':<11} chosen"

    def __str__(self):
        test = f"{self.test:.3f} +- {standard_error(self.test, self.n_test):.3f}"
        return f"{self.model:<13} {test:<15} {self.val:<11.3f} {listed(self.chosen)}"


def compare(curve, split):
    """Compare the stopped network with its rivals, all tuned on validation.

    Parameters
    ----------
    curve : LearningCurve
        The learning curve of the network.
    split : Split
        The images.

    Yields
    ------
    Row
        A row of the table, as soon as it is known.
    """
    best = curve.chosen
    t = {"t": float(curve.times[best])}
    n_test = len(split.y_test)
    yield Row("NDK, stopped", t, curve.val[best], curve.test[best], n_test)
    for name, (estimator, grid) in rivals().items():
        with single_threaded_blas():  # fits this small lose by sharing
            tuned = tune(estimator, grid, split)
        yield Row(name, *tuned, n_test)


def tune(estimator, grid, split):
    """Fit each setting of a grid, and test the best one on validation.

    Parameters
    ----------
    estimator : classifier
        The model.
    grid : dict
        Lists of settings by parameter, for `ParameterGrid`.
    split : Split
        The images.

    Returns
    -------
    chosen : dict
        The settings best on validation, the first of equals.
    val, test : float
        Their accuracies.
    """
    best, best_val, chosen = None, -1.0, None
    for settings in ParameterGrid(grid):
        model = clone(estimator).set_params(**settings)
        val = model.fit(split.X_train, split.y_train).score(split.X_val, split.y_val)
        if val > best_val:
            best, best_val, chosen = model, val, settings
    return chosen, best_val, best.score(split.X_test, split.y_test)


def listed(settings):
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


# Okabe and Ito's colours, which colour-blind readers can tell apart
_BLUE, _ORANGE, _GREEN, _VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
_PALE = {"gradient-driven": "#DFECF5", "diffusive": "#FBEFD5", "equilibrium": "#E0F1EB"}


def plot(curve, split, path):
    """Draw the learning curve and, below it, the outputs for one image.

    Parameters
    ----------
    curve : LearningCurve
        The learning curve.
    split : Split
        The images.
    path : path-like
        The PNG file to write.
    """
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
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.08), framealpha=1)


def _draw_outputs(axes, curve, split, x):
    image = _most_undecided(curve)
    row, true = split.X_test[[image]], split.y_test[image]
    classes = curve.network.classes_
    outputs = curve.network.decision_function_path(row, curve.times)[0]
    highest = np.where(classes == true, -np.inf, outputs.max(axis=1))
    rival = classes[highest.argmax()]
    grey = axes.plot(x, outputs.T, color="#999999", linewidth=1)
    grey[0].set_label("other classes")
    named = {
        f"{true}, the true class": (true, _BLUE, "-"),
        rival: (rival, _GREEN, "--"),
    }
    for label, (digit, color, line) in named.items():
        axes.plot(x, outputs[classes == digit][0], line, color=color, label=label)
    axes.set(ylabel="mean output (targets ±1)", ylim=(-1.5, 1.5))
    axes.legend(loc="upper left", bbox_to_anchor=(0.14, 1), ncols=3, framealpha=1)
    inset = axes.inset_axes([0.01, 0.63, 0.13, 0.35])
    inset.imshow(row.reshape(8, 8), cmap="gray_r")
    inset.set(xticks=[], yticks=[])


def _most_undecided(curve):
    """Return the test image whose class changes most often after the gradient phase."""
    late = curve.times > PHASES["gradient-driven"] / curve.kappa
    labels = curve.test_labels[:, late]
    return np.count_nonzero(labels[:, 1:] != labels[:, :-1], axis=1).argmax()
