"""Scores and outputs of a frozen readout while hidden weights drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils._optional_dependencies import check_matplotlib_support

from sklearn_ndk._checks import check_times
from sklearn_ndk._phases import EQUILIBRIUM_TAU
from sklearn_ndk.inspection._inputs import check_data, score_name, scores
from sklearn_ndk.inspection._palette import BLUE, GREEN, GREY, VERMILION
from sklearn_ndk.inspection._time_axis import draw_time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_DELAYS = 25
_FIRST_TAU = 0.01  # the earliest delay drawn, besides zero
_N_HISTOGRAMS = 4
_N_BINS = 30


class DriftDisplay:
    """What a frozen readout makes of drifting hidden weights.

    A large panel shows the score against the delay since the readout froze; small
    ones show histograms of the outputs at some of the delays. It is recommended to
    use :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    delays : ndarray of shape (n_delays,)
        Increasing times since the readout froze.
    scores : ndarray of shape (n_delays,)
        The scores.
    outputs : dict of ndarray of shape (n_values, n_delays)
        Outputs, by the label of the group that they are of.
    score_name : str, default="score"
        Label of the scores.
    value_name : str, default="mean output"
        Label of the outputs.
    boundaries : dict of float, default=None
        Delays at which something begins, by label.
    t0 : float, default=inf
        Training time at which the readout froze.

    Attributes
    ----------
    axes_ : list of matplotlib.axes.Axes
        The axes: that of the scores, then those of the histograms.
    figure_ : matplotlib.figure.Figure
        The figure.
    line_ : matplotlib.lines.Line2D
        The scores.

    See Also
    --------
    sklearn_ndk.NDKClassifier.predict_drift : The outputs at one delay.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ndk import NDKClassifier
    >>> from sklearn_ndk.inspection import DriftDisplay
    >>> X, y = load_digits(n_class=2, return_X_y=True)
    >>> model = NDKClassifier(T=0.1).fit(X[:100] / 16, y[:100])
    >>> display = DriftDisplay.from_estimator(model, X[:100] / 16, y[:100])
    >>> display.axes_[0].get_ylabel()
    'accuracy'
    """

    def __init__(
        self,
        delays: NDArray[np.float64],
        scores: NDArray[np.float64],
        outputs: Mapping[str, NDArray[np.float64]],
        *,
        score_name: str = "score",
        value_name: str = "mean output",
        boundaries: dict[str, float] | None = None,
        t0: float = np.inf,
    ) -> None:
        self.delays = delays
        self.scores = scores
        self.outputs = outputs
        self.score_name = score_name
        self.value_name = value_name
        self.boundaries = boundaries
        self.t0 = t0

    def plot(
        self,
        axes: Sequence[Axes] | NDArray | None = None,
        *,
        line_kw: dict[str, Any] | None = None,
    ) -> DriftDisplay:
        """Draw the scores and the histograms.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, default=None
            One for the scores, and one for each of the histograms, whose delays are
            spread evenly over all; a new figure with up to four histograms if None.
        line_kw : dict, default=None
            Passed to the `plot` of the scores.

        Returns
        -------
        DriftDisplay
            The display, with what it has drawn.

        Raises
        ------
        ValueError
            If there are no axes, or more for histograms than delays.
        """
        check_matplotlib_support("DriftDisplay.plot")
        n_delays = len(self.delays)
        if axes is None:
            axes = _new_axes(min(_N_HISTOGRAMS, n_delays))
        axes = np.ravel(np.asarray(axes, dtype=object))
        if not 1 <= len(axes) <= 1 + n_delays:
            raise ValueError(
                f"axes must be one for the scores, and up to {n_delays} for histograms "
                f"of as many delays; got {len(axes)}."
            )
        score_ax, *histogram_axes = axes
        froze = "froze" if self.t0 == np.inf else f"froze at t = {self.t0:.3g}"
        label = f"delay since the readout {froze} (gradient flow)"
        places = draw_time_axis(score_ax, self.delays, self.boundaries, label)
        style = {"color": BLUE, "marker": "o", "markersize": 3} | (line_kw or {})
        (self.line_,) = score_ax.plot(places, self.scores, **style)
        score_ax.set_ylabel(self.score_name)
        shown = np.linspace(0, n_delays - 1, len(histogram_axes)).round().astype(int)
        for ax, i in zip(histogram_axes, shown, strict=True):
            self._draw_histogram(ax, i)
        if len(self.outputs) > 1 and histogram_axes:
            handles = histogram_axes[0].get_legend_handles_labels()
            score_ax.legend(*handles, loc="lower left")
        self.axes_ = [score_ax, *histogram_axes]
        self.figure_ = score_ax.figure
        return self

    def _draw_histogram(self, ax: Axes, i: int) -> None:
        values = np.concatenate(list(self.outputs.values()))
        bins = np.histogram_bin_edges(values, _N_BINS)  # the same at all delays
        for (label, values), color in zip(
            self.outputs.items(), cycle((BLUE, VERMILION, GREEN, GREY)), strict=False
        ):
            ax.hist(values[:, i], bins.tolist(), color=color, alpha=0.6, label=label)
        delay = self.delays[i]
        ax.set_title(
            "delay $\\infty$" if delay == np.inf else f"delay {delay:.3g}", fontsize=9
        )
        ax.set_xlim(bins[0], bins[-1])
        ax.set_yticks([])
        ax.set_xlabel(self.value_name, fontsize=9)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike,
        delays: ArrayLike | None = None,
        *,
        t0: float = np.inf,
        axes: Sequence[Axes] | NDArray | None = None,
    ) -> DriftDisplay:
        """Compute and draw the drift of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, or Pipeline that ends in one
            A fitted estimator of this package.
        X : array-like of shape (n_samples, n_features)
            Inputs, those of the training or others.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets or class labels, for scores: R^2 or accuracy. Histograms
            are those of the outputs, one per target; of two classes, each has its
            own, and of more, they show the output of a sample's class less the
            largest of the others.
        delays : array-like of shape (n_delays,), default=None
            Times since the readout froze, in [0, inf]; a grid around
            ``sigma**2 / T``, with zero and infinity, if None.
        t0 : float, default=inf
            Training time at which the readout froze.
        axes : sequence of matplotlib.axes.Axes, default=None
            Axes to draw on, see :meth:`plot`.

        Returns
        -------
        DriftDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If nothing drifts, because the estimator has no noise, if a delay or `t0`
            is no time, or if `y` is invalid.
        """
        if y is None:
            raise ValueError("DriftDisplay scores predictions: it needs y.")
        model, X, targets = check_data(estimator, X, y)
        rate = model._ensemble.drift_rate
        if rate == 0:
            raise ValueError(
                "Nothing drifts without noise; the estimator was fitted with T=0 or "
                "limit='ntk'."
            )
        if delays is None:
            moving = np.geomspace(_FIRST_TAU, EQUILIBRIUM_TAU, _N_DELAYS - 2) / rate
            delays = np.concatenate([[0], moving, [np.inf]])
        delays = np.unique(check_times(delays, "delays"))
        outputs = np.stack(
            [model._drift(X, float(delay), t0) for delay in delays], axis=-1
        )
        return cls(
            delays,
            scores(model, outputs, targets),
            _groups(model, outputs, targets),
            score_name=score_name(model),
            value_name=_value_name(model, outputs),
            boundaries={"$\\sigma^2/T$": 1 / rate},
            t0=t0,
        ).plot(axes)


def _new_axes(n_histograms: int) -> list[Axes]:
    import matplotlib.pyplot as plt

    rows = [["score"] * n_histograms, [*range(n_histograms)]]
    figure = plt.figure(figsize=(6.4, 5.4), layout="constrained")
    return list(figure.subplot_mosaic(rows, height_ratios=(3, 2)).values())


def _groups(
    estimator: Any, outputs: NDArray[np.float64], y: NDArray
) -> dict[str, NDArray[np.float64]]:
    """Return what histograms show, of shape (n_values, n_delays), by label."""
    if not is_classifier(estimator):
        if outputs.shape[1] == 1:
            return {"all": outputs[:, 0]}
        return {
            f"target {i}": values for i, values in enumerate(outputs.swapaxes(0, 1))
        }
    if outputs.shape[1] == 1:
        return {f"class {c}": outputs[y == c, 0] for c in estimator.classes_}
    own = (y[:, None] == estimator.classes_)[:, :, None]
    best_other = np.where(own, -np.inf, outputs).max(axis=1)
    return {"all": np.where(own, outputs, 0).sum(axis=1) - best_other}


def _value_name(estimator: Any, outputs: NDArray[np.float64]) -> str:
    if not is_classifier(estimator):
        return "mean output"
    return "decision value" if outputs.shape[1] == 1 else "margin"
