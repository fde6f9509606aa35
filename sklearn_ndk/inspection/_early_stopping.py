"""Cross-validated scores against training time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_ndk._stopping_time import BaseStoppingTime, standard_error
from sklearn_ndk.inspection._inputs import last_step
from sklearn_ndk.inspection._palette import BLUE, VERMILION
from sklearn_ndk.inspection._time_axis import boundaries_of, draw_time_axis, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class EarlyStoppingDisplay:
    """Scores of training times in cross-validation, and the time chosen.

    It is recommended to use :meth:`from_estimator` or :meth:`from_cv_results`. All
    parameters are stored as attributes.

    Parameters
    ----------
    times : ndarray of shape (n_times,)
        Increasing times.
    mean_scores, standard_errors : ndarray of shape (n_times,)
        Mean scores over folds, and their standard errors.
    best_index : int
        Index of the chosen time.
    score_name : str, default="score"
        Label of the scores.
    boundaries : dict of float, default=None
        Times at which phases of learning begin, by label.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.
    line_ : matplotlib.lines.Line2D
        The mean scores.
    band_ : matplotlib.collections.FillBetweenPolyCollection
        One standard error around them.
    chosen_ : matplotlib.lines.Line2D
        The chosen time.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_ndk import NDKClassifierCV
    >>> from sklearn_ndk.inspection import EarlyStoppingDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> model = NDKClassifierCV(times=10).fit(scale(X), y)
    >>> display = EarlyStoppingDisplay.from_estimator(model)
    >>> display.ax_.get_xlabel()
    'training time t (gradient flow)'
    """

    def __init__(
        self,
        times: NDArray[np.float64],
        mean_scores: NDArray[np.float64],
        standard_errors: NDArray[np.float64],
        best_index: int,
        *,
        score_name: str = "score",
        boundaries: dict[str, float] | None = None,
    ) -> None:
        self.times = times
        self.mean_scores = mean_scores
        self.standard_errors = standard_errors
        self.best_index = best_index
        self.score_name = score_name
        self.boundaries = boundaries

    def plot(
        self, ax: Axes | None = None, *, line_kw: dict[str, Any] | None = None
    ) -> EarlyStoppingDisplay:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; new ones if None.
        line_kw : dict, default=None
            Passed to the `plot` of the mean scores.

        Returns
        -------
        EarlyStoppingDisplay
            The display, with what it has drawn.
        """
        ax = new_axes(ax, type(self).__name__)
        places = draw_time_axis(ax, self.times, self.boundaries)
        lower = self.mean_scores - self.standard_errors
        upper = self.mean_scores + self.standard_errors
        self.band_ = ax.fill_between(
            places, lower, upper, color=BLUE, alpha=0.2, linewidth=0
        )
        if np.any(self.standard_errors):  # of one fold there is none
            self.band_.set_label("one standard error")
        style: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 3}
        style |= {"label": "mean"} | (line_kw or {})
        (self.line_,) = ax.plot(places, self.mean_scores, **style)
        t, score = self.times[self.best_index], self.mean_scores[self.best_index]
        label = "chosen: $t = \\infty$" if t == np.inf else f"chosen: t = {t:.3g}"
        (self.chosen_,) = ax.plot(
            places[self.best_index], score, "D", color=VERMILION, label=label
        )
        ax.axvline(places[self.best_index], color=VERMILION, linewidth=1)
        ax.set_ylabel(f"cross-validated {self.score_name}")
        ax.legend(loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, ax: Axes | None = None
    ) -> EarlyStoppingDisplay:
        """Draw the scores of a fitted `NDKRegressorCV` or `NDKClassifierCV`.

        Parameters
        ----------
        estimator : NDKRegressorCV or NDKClassifierCV, or Pipeline that ends in one
            The fitted estimator.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; new ones if None.

        Returns
        -------
        EarlyStoppingDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator does not choose its time.
        """
        estimator, _ = last_step(estimator)
        if not isinstance(estimator, BaseStoppingTime):
            raise TypeError(
                "EarlyStoppingDisplay shows NDKRegressorCV and NDKClassifierCV; got "
                f"{type(estimator).__name__}. Use from_cv_results for a grid search."
            )
        check_is_fitted(estimator)
        return cls.from_cv_results(
            estimator.cv_results_,
            best_index=estimator.best_index_,
            score_name=_score_name(estimator),
            boundaries=boundaries_of(estimator),
            ax=ax,
        )

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        best_index: int | None = None,
        score_name: str = "score",
        boundaries: dict[str, float] | None = None,
        ax: Axes | None = None,
    ) -> EarlyStoppingDisplay:
        """Draw scores of a search over the time alone.

        Parameters
        ----------
        cv_results : dict
            As `cv_results_` of `NDKClassifierCV`, or of a `GridSearchCV` over `t`,
            where the name of the parameter may end in ``__t``.
        best_index : int, default=None
            Index of the chosen time; that of the best mean score if None.
        score_name : str, default="score"
            Label of the scores.
        boundaries : dict of float, default=None
            Times at which phases of learning begin, by label.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; new ones if None.

        Returns
        -------
        EarlyStoppingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the results are not those of a search over the time alone.
        """
        names = [name for name in cv_results if name.startswith("param_")]
        if "mean_test_score" not in cv_results:
            raise ValueError(
                "cv_results must have one score, 'mean_test_score'; it has "
                f"{[name for name in cv_results if name.startswith('mean_test_')]}."
            )
        if len(names) != 1 or not (names[0] == "param_t" or names[0].endswith("__t")):
            raise ValueError(
                "cv_results must be of a search over the time t alone; it has the "
                f"parameters {[name.removeprefix('param_') for name in names]}."
            )
        times = np.asarray(cv_results[names[0]], dtype=float)
        n_splits = sum(
            name.startswith("split") and name.endswith("_test_score")
            for name in cv_results
        )
        mean = np.asarray(cv_results["mean_test_score"])
        errors = standard_error(np.asarray(cv_results["std_test_score"]), n_splits)
        if best_index is None:
            best_index = int(np.argmin(cv_results["rank_test_score"]))
        order = np.argsort(times, kind="stable")
        display = cls(
            times[order],
            mean[order],
            errors[order],
            int(np.flatnonzero(order == best_index)[0]),
            score_name=score_name,
            boundaries=boundaries,
        )
        return display.plot(ax)


def _score_name(estimator: Any) -> str:
    scoring = estimator.scoring or estimator._default_scoring
    name = scoring if isinstance(scoring, str) else "score"
    return {"r2": "$R^2$"}.get(name, name.replace("_", " "))
