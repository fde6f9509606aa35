"""Predictions, residuals or scores against training time, and both limits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import _num_samples

from sklearn_ndk._checks import check_times
from sklearn_ndk.inspection._inputs import (
    check_data,
    encoded,
    n_outputs,
    score_name,
    scores,
)
from sklearn_ndk.inspection._palette import BLUE, GREEN, VERMILION
from sklearn_ndk.inspection._time_axis import boundaries_of, draw_time_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_TIMES = 100
_MAX_LINES = 50  # more cannot be told apart
_QUANTITIES = ("prediction", "residual", "score")


class PredictionPathDisplay:
    """What an ensemble of networks predicts, against training time.

    It is recommended to use :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    times : ndarray of shape (n_times,)
        Increasing times.
    values : ndarray of shape (n_lines, n_times)
        One line per sample and output, or one of scores.
    ntk, nngp : ndarray of shape (n_lines,)
        The values of both limits: gradient flow with the NTK for an infinite time,
        None if the network has none, and the equilibrium.
    value_name : str, default="mean output"
        Label of the values.
    boundaries : dict of float, default=None
        Times at which phases of learning begin, by label.
    std : ndarray of shape (n_lines, n_times), default=None
        Standard deviations over networks, shaded around the values; none if None.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.
    lines_ : list of matplotlib.lines.Line2D
        The values.
    bands_ : list of matplotlib.collections.FillBetweenPolyCollection
        One standard deviation around each line, of the line's colour; empty if `std`
        is None.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_ndk import NDKRegressor
    >>> from sklearn_ndk.inspection import PredictionPathDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = NDKRegressor(T=1.0).fit(scale(X)[:100], scale(y)[:100])
    >>> display = PredictionPathDisplay.from_estimator(model, scale(X)[100:103])
    >>> len(display.lines_)
    3
    """

    def __init__(
        self,
        times: NDArray[np.float64],
        values: NDArray[np.float64],
        ntk: NDArray[np.float64] | None,
        nngp: NDArray[np.float64],
        *,
        value_name: str = "mean output",
        boundaries: dict[str, float] | None = None,
        std: NDArray[np.float64] | None = None,
    ) -> None:
        self.times = times
        self.values = values
        self.ntk = ntk
        self.nngp = nngp
        self.value_name = value_name
        self.boundaries = boundaries
        self.std = std

    def plot(
        self, ax: Axes | None = None, *, line_kw: dict[str, Any] | None = None
    ) -> PredictionPathDisplay:
        """Draw the values.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; new ones if None.
        line_kw : dict, default=None
            Passed to the `plot` of the values.

        Returns
        -------
        PredictionPathDisplay
            The display, with what it has drawn.
        """
        ax = new_axes(ax, type(self).__name__)
        places = draw_time_axis(ax, self.times, self.boundaries)
        alpha = 1 if len(self.values) == 1 else 0.6
        style = {"color": BLUE, "alpha": alpha} | (line_kw or {})
        self.lines_ = ax.plot(places, self.values.T, **style)
        self.lines_[0].set_label(self.value_name)
        self.bands_ = []
        if self.std is not None:
            for line, mean, std in zip(self.lines_, self.values, self.std, strict=True):
                band = ax.fill_between(places, mean - std, mean + std, linewidth=0)
                band.set(color=line.get_color(), alpha=0.2 if alpha == 1 else 0.1)
                self.bands_.append(band)
            self.bands_[0].set_label("one standard deviation")
        for limit, marker, color, label in (
            (self.ntk, "<", GREEN, "NTK limit"),
            (self.nngp, ">", VERMILION, "NNGP limit"),
        ):
            if limit is None:
                continue
            if len(limit) == 1:
                ax.axhline(limit[0], color=color, linestyle="--", linewidth=1)
            end = np.full(len(limit), places[-1])
            ax.plot(end, limit, marker, color=color, linestyle="", label=label)
        ax.set_ylabel(self.value_name)
        ax.legend(loc="best")
        self.ax_, self.figure_ = ax, ax.figure.figure  # that of a subfigure, too
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike | None = None,
        times: ArrayLike | None = None,
        *,
        quantity: str | None = None,
        std: bool = False,
        ax: Axes | None = None,
    ) -> PredictionPathDisplay:
        """Compute and draw the path of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, or Pipeline that ends in one
            A fitted estimator of this package.
        X : array-like of shape (n_samples, n_features)
            Inputs; without scores, of 50 samples and outputs at most.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets or class labels, for residuals and scores.
        times : array-like of shape (n_times,), default=None
            Training times; a grid over both phases if None.
        quantity : {"prediction", "residual", "score"}, default=None
            The mean output of each sample; the target less it; or the score of all,
            R^2 or accuracy. None is a score if there is `y`, else a prediction.
        std : bool, default=False
            Whether to shade one standard deviation over networks around the
            predictions of a regressor, see :meth:`~sklearn_ndk.NDKRegressor.predict`.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; new ones if None.

        Returns
        -------
        PredictionPathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `quantity` is not one of those, needs `y` that is not given, or would
            take more than 50 lines, if `y` is invalid, or if `std` is asked for of
            what is not the prediction of a regressor.
        """
        quantity = quantity or ("prediction" if y is None else "score")
        if quantity not in _QUANTITIES:
            raise ValueError(f"quantity must be in {_QUANTITIES}; got {quantity!r}.")
        if y is None and quantity != "prediction":
            raise ValueError(f"quantity={quantity!r} needs y; got None.")
        if std and quantity != "prediction":
            raise ValueError(f"std=True needs quantity='prediction'; got {quantity!r}.")
        estimator, X, y = check_data(estimator, X, y)
        if std and is_classifier(estimator):
            raise ValueError(
                "std=True needs a regressor, whose predict_path returns standard "
                f"deviations; got {type(estimator).__name__}."
            )
        if quantity != "score":
            _check_number_of_lines(estimator, X)
        if times is None:
            times = estimator._ensemble.time_grid(_N_TIMES)
        times = np.unique(check_times(times))
        return cls(
            times,
            _values(estimator, X, y, times, quantity),
            *(_end(estimator, limit, X, y, quantity) for limit in ("ntk", "nngp")),
            value_name=_value_name(estimator, quantity),
            boundaries=boundaries_of(estimator),
            std=_std(estimator, X, times) if std else None,
        ).plot(ax)


def _end(
    estimator: Any, limit: str, X: Any, y: Any, quantity: str
) -> NDArray[np.float64] | None:
    """Return the quantity after infinite time in a limit, if there is that limit."""
    if limit == "ntk" and not estimator._ensemble.has_ntk:
        return None
    view = copy.copy(estimator)
    view._ensemble = estimator._ensemble.in_limit(limit)
    return _values(view, X, y, np.array([np.inf]), quantity)[:, 0]


def _check_number_of_lines(estimator: Any, X: Any) -> None:
    n_rows, n_columns = _num_samples(X), n_outputs(estimator)
    if n_rows * n_columns > _MAX_LINES:
        raise ValueError(
            f"{n_rows} samples with {n_columns} outputs are too many lines to draw, "
            f"{_MAX_LINES} at most; pass fewer samples or show scores."
        )


def _values(
    estimator: Any,
    X: Any,
    y: Any,
    times: NDArray[np.float64],
    quantity: str,
) -> NDArray[np.float64]:
    """Return the quantity of shape (n_lines, n_times)."""
    outputs = estimator._mean_path(X, times)
    if quantity == "score":
        return scores(estimator, outputs, y)[None]
    if quantity == "residual":
        outputs = encoded(estimator, y)[:, :, None] - outputs
    return outputs.reshape(-1, len(times))


def _std(estimator: Any, X: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return standard deviations of the predictions, of shape (n_lines, n_times)."""
    return estimator.predict_path(X, times, return_std=True)[1].reshape(-1, len(times))


def _value_name(estimator: Any, quantity: str) -> str:
    if quantity == "prediction":
        return "decision value" if is_classifier(estimator) else "mean output"
    return score_name(estimator) if quantity == "score" else quantity
