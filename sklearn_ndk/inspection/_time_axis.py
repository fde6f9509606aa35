"""What the displays share: a logarithmic axis of time that ends at infinity."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils._optional_dependencies import check_matplotlib_support

from sklearn_ndk._base import BaseNDK

# Okabe and Ito's colours, which colour-blind readers tell apart
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
_BEYOND = 4.0  # times the last finite one, where infinity is drawn


def new_axes(ax, name):
    """Return the axes to draw on, new if None are given."""
    check_matplotlib_support(f"{name}.plot")
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def place(times):
    """Return positions on a logarithmic axis, infinity beyond the last finite time.

    Parameters
    ----------
    times : ndarray of shape (n_times,)
        Increasing times; zero lies below the first positive one.

    Returns
    -------
    ndarray of shape (n_times,)
        Positive and finite.
    """
    moving = times[(times > 0) & np.isfinite(times)]
    first, last = (moving[0], moving[-1]) if len(moving) else (1.0, 1.0)
    places = np.where(times == 0, first / _BEYOND, times)
    return np.where(np.isinf(places), last * _BEYOND, places)


def draw_time_axis(ax, times, boundaries, label="training time t (gradient flow)"):
    """Scale and label the axis of time, with a tick at infinity and the phases.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    times : ndarray of shape (n_times,)
        Increasing times.
    boundaries : dict of float or None
        Times at which phases of learning begin, by label.
    label : str
        Label of the axis.
    """
    places = place(times)
    ax.set_xscale("log")
    ax.set_xlabel(label)
    ends = ((times == np.inf, "$\\infty$"), (times == 0, "0"))
    ends = [(places[at][0], label) for at, label in ends if at.any()]
    if ends:
        ax.set_xticks(
            [*_decades(times), *(end for end, _ in ends)],
            [*(f"$10^{{{np.log10(t):.0f}}}$" for t in _decades(times))]
            + [label for _, label in ends],
        )
    ax.minorticks_off()
    for label, t in (boundaries or {}).items():
        _mark(ax, label, t)


def _decades(times):
    """Return at most about eight powers of ten within the times."""
    moving = times[(times > 0) & np.isfinite(times)]
    if not len(moving):
        return []
    low, high = np.ceil(np.log10(moving[0])), np.floor(np.log10(moving[-1]))
    step = max(1, np.ceil((high - low) / 7))
    return 10.0 ** np.arange(low, high + 0.5, step)


def _mark(ax, label, t):
    """Draw a vertical line where a phase of learning begins."""
    ax.axvline(t, color=GREY, linestyle=":", linewidth=1)
    ax.annotate(
        label,
        (t, 1),
        xytext=(3, -3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        rotation=90,
        va="top",
        color=GREY,
    )


def boundaries_of(estimator):
    """Return where phases of learning of a fitted estimator begin, by label."""
    ensemble = estimator._ensemble
    boundaries = {"$1/\\lambda_{max}$": 1 / ensemble.fastest_rate()}
    if ensemble.diffusion_rate:
        boundaries["$\\sigma^2/T$"] = 1 / ensemble.diffusion_rate
    return boundaries


def check_labels(estimator, y):
    """Raise if a classifier does not know all labels."""
    if not np.isin(y, estimator.classes_).all():
        raise ValueError(f"y has labels that are not in {estimator.classes_}.")


def last_step(estimator, X=None):
    """Return the estimator at the end of a pipeline, and inputs as it sees them.

    Raises
    ------
    TypeError
        If it is not one of this package.
    """
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            if X is not None and step not in (None, "passthrough"):
                X = step.transform(X)
        estimator = estimator.steps[-1][1]
    if not isinstance(estimator, BaseNDK):
        raise TypeError(
            "The displays show estimators of this package, or pipelines that end in "
            f"one; got {type(estimator).__name__}."
        )
    return estimator, X
