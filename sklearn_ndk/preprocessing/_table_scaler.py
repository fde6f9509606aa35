"""Columns of a table brought to one scale, without long tails."""

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ndk._checks import NumberInterval

_INPUT = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}


class TableScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns, draw in their tails, and leave rare flags small.

    A column of numbers is standardised, ``z = (x - mean) / std``, and its tails are
    drawn in, ``tail * arcsinh(z / tail)``: close to ``z`` where that is small, and a
    logarithm far out. A column of two values is centred, and they are put two apart, as
    standardised ones are if they are equally frequent. Standardised, the rarer of two
    values would be the farther from all others the rarer it is.

    Parameters
    ----------
    tail : float, default=3.0
        Where tails begin, in standard deviations; infinity leaves them.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each column, and what it is divided by.
    binary_ : ndarray of bool of shape (n_features,)
        Which columns have two values.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if all are strings.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : Standardises all columns, tails and all.

    Notes
    -----
    Missing values, nan, are left out in `fit` and stay missing. Constant columns
    become zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ndk.preprocessing import TableScaler
    >>> income, flag = [20, 30, 25, 35, 900], [0, 0, 0, 0, 1]
    >>> TableScaler().fit_transform(np.column_stack([income, flag])).round(1)
    array([[-0.5, -0.4],
           [-0.5, -0.4],
           [-0.5, -0.4],
           [-0.5, -0.4],
           [ 1.9,  1.6]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "tail": [NumberInterval(Real, 0, None, closed="right")]
    }

    def __init__(self, tail: float = 3.0):
        self.tail = tail

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Find the mean and the scale of each column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A table.
        y : None
            Ignored.

        Returns
        -------
        TableScaler
            The fitted transformer.

        Raises
        ------
        TypeError, ValueError
            If `tail` is not positive, or if X is not a table of numbers.
        """
        X = validate_data(self, X, **_INPUT)
        scaler = StandardScaler().fit(X)
        least, most = np.fmin.reduce(X), np.fmax.reduce(X)
        apart = (least != X) & (most != X) & ~np.isnan(X)
        self.binary_ = ~apart.any(axis=0) & (least < most)
        self.mean_ = scaler.mean_
        self.scale_ = np.where(self.binary_, (most - least) / 2, scaler.scale_)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Bring columns to the scale that was found.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A table.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The columns, scaled.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **_INPUT)
        z = (X - self.mean_) / self.scale_
        if np.isinf(self.tail):
            return z
        return np.where(self.binary_, z, self.tail * np.arcsinh(z / self.tail))

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Bring scaled columns back.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Columns that `transform` returned.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The table.
        """
        check_is_fitted(self)
        z = validate_data(self, X, reset=False, **_INPUT)
        if not np.isinf(self.tail):
            z = np.where(self.binary_, z, self.tail * np.sinh(z / self.tail))
        return z * self.scale_ + self.mean_

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: missing values are passed on."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
