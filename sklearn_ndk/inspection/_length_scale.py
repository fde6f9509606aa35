"""How much each feature matters to a fitted model, by its length scale."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_scalar
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from sklearn_ndk._base import BaseNDK
from sklearn_ndk._checks import check_numbers
from sklearn_ndk.inspection._inputs import last_step
from sklearn_ndk.inspection._palette import BLUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_FEATURES = 20
_LONGEST_NAME = 40  # characters; a longer one would leave bars no room
_HEIGHT, _HEIGHT_OF_BAR = 0.9, 0.22  # of a new figure, in inches


class LengthScaleDisplay:
    """How much each feature matters, by the length scales of a fitted model.

    Horizontal bars show the relevance of features, one over their length scales, the
    most relevant on top. It is recommended to use :meth:`from_estimator`. All
    parameters are stored as attributes.

    Parameters
    ----------
    length_scale : ndarray of shape (n_features,)
        The length scales, in the order of columns.
    feature_names : sequence of str
        Names of the features, in the same order. Names of more than 40 characters are
        shortened in the picture.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.
    bars_ : matplotlib.container.BarContainer
        The bars, the most relevant feature first; features of one scale are in the
        order of columns.

    See Also
    --------
    sklearn_ndk.NDKRegressorCV : Chooses length scales with ``length_scale="auto"``.
    sklearn.inspection.permutation_importance : What features add to a score.

    Notes
    -----
    The networks see features times their relevance. It is zero where the scale is
    infinite and the feature left out: bars begin there, and their lengths compare. A
    logarithmic axis would have no place for zero, and its bars no beginning.

    Relevances compare if columns have like spreads, as after a
    :class:`~sklearn.preprocessing.StandardScaler`. They tell how strongly outputs can
    vary along a feature, not how much of the score is due to it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ndk import NDKRegressorCV
    >>> from sklearn_ndk.inspection import LengthScaleDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> auto = NDKRegressorCV(length_scale="auto", normalize_y=True, times=10)
    >>> model = make_pipeline(StandardScaler(), auto).fit(X[:200], y[:200])
    >>> display = LengthScaleDisplay.from_estimator(model)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()][:2]
    ['s5', 'bmi']
    """

    def __init__(
        self, length_scale: NDArray[np.float64], feature_names: Sequence[str]
    ) -> None:
        self.length_scale = length_scale
        self.feature_names = feature_names

    def plot(
        self,
        ax: Axes | None = None,
        *,
        max_features: int = _MAX_FEATURES,
        **bar_kwargs: Any,
    ) -> LengthScaleDisplay:
        """Draw the relevance of features.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; those of a new figure, as high as it takes, if None.
        max_features : int, default=20
            Number of features shown, the most relevant ones. A note tells how many
            more there are.
        **bar_kwargs : dict
            Passed to the `barh` of the bars.

        Returns
        -------
        LengthScaleDisplay
            The display, with what it has drawn.

        Raises
        ------
        TypeError, ValueError
            If `max_features` is not a positive integer.
        """
        check_matplotlib_support("LengthScaleDisplay.plot")
        check_scalar(max_features, "max_features", Integral, min_val=1)
        order = np.argsort(self.length_scale, kind="stable")  # ties: as in the table
        relevance = 1 / self.length_scale[order]
        names = [_shortened(self.feature_names[i]) for i in order[:max_features]]
        places = np.arange(len(names))
        ax = _new_axes(len(names)) if ax is None else ax
        style = {"color": BLUE} | bar_kwargs
        self.bars_ = ax.barh(places, relevance[:max_features], **style)
        ax.set_yticks(places, names, parse_math=False)  # dollars may be in a name
        ax.set_ylim(len(names) - 0.5, -0.5)  # the most relevant on top
        ax.set_xlabel("relevance: 1 / length scale")
        # not the title in the centre, which is the user's
        ax.set_title(_note(relevance[max_features:]), loc="right", fontsize=9)
        self.ax_, self.figure_ = ax, ax.figure.figure  # that of a subfigure, too
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        feature_names: ArrayLike | None = None,
        max_features: int = _MAX_FEATURES,
        ax: Axes | None = None,
        **bar_kwargs: Any,
    ) -> LengthScaleDisplay:
        """Draw the relevance of features to a fitted estimator.

        Parameters
        ----------
        estimator : estimator, or Pipeline that ends in one
            A fitted estimator of this package, with a length scale for each feature.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features that the estimator sees, in a pipeline those after
            its transformers. If None, they are those that it saw in `fit`, or that
            the transformers tell, or ``"x0"``, ``"x1"``, ...
        max_features : int, default=20
            Number of features shown, see :meth:`plot`.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on, see :meth:`plot`.
        **bar_kwargs : dict
            Passed to the `barh` of the bars.

        Returns
        -------
        LengthScaleDisplay
            The display, drawn.

        Raises
        ------
        TypeError, ValueError
            If the estimator is not one of this package, if all features share one
            length scale, if there are not as many names as features, or if
            `max_features` is not a positive integer.
        """
        model, _ = last_step(estimator)
        check_is_fitted(model)
        length_scale = _one_of_each(model)
        names = _names(estimator, model) if feature_names is None else feature_names
        names = [str(name) for name in np.ravel(names)]
        if len(names) != len(length_scale):
            raise ValueError(
                f"feature_names has {len(names)} entries, but the estimator was fitted "
                f"to {len(length_scale)} features."
            )
        display = cls(length_scale, names)
        return display.plot(ax, max_features=max_features, **bar_kwargs)


def _one_of_each(model: BaseNDK) -> NDArray[np.float64]:
    """Return the length scales of the fit, one for each feature."""
    if np.ndim(model._length_scale) == 0:
        raise ValueError(
            f"All features share one length scale, {model._length_scale}: give one for "
            'each, or have NDKRegressorCV or NDKClassifierCV with length_scale="auto" '
            "choose them."
        )
    return check_numbers(model._length_scale, "length_scale")


def _names(estimator: BaseEstimator, model: BaseNDK) -> ArrayLike:
    """Return names of the columns that a model, the end of the estimator, sees."""
    names: ArrayLike | None = getattr(model, "feature_names_in_", None)
    if names is None and isinstance(estimator, Pipeline):
        names = _names_after(estimator[:-1])
    return [f"x{i}" for i in range(model.n_features_in_)] if names is None else names


def _names_after(transformers: Pipeline) -> NDArray[np.object_] | None:
    """Return names of the columns that transformers return, None if they tell none."""
    try:
        names: NDArray[np.object_] | None = transformers.get_feature_names_out()
    except AttributeError:  # one of them has no such method
        return None
    return names


def _shortened(name: str) -> str:
    """Return a name without its middle, if it is long: prefixes are often the same."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def _note(hidden: NDArray[np.float64]) -> str:
    """Return what to say of decreasing relevances that are not shown."""
    if not len(hidden):
        return ""
    features = "feature" if len(hidden) == 1 else "features"
    return f"not shown: {len(hidden)} {features} of at most {hidden[0]:.2g}"


def _new_axes(n_bars: int) -> Axes:
    import matplotlib.pyplot as plt

    height = _HEIGHT + _HEIGHT_OF_BAR * n_bars
    return plt.subplots(figsize=(6.4, height), layout="constrained")[1]
