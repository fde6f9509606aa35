"""Predictions of samples that networks have not seen, and what noise they tell of."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sklearn_ndk._vote import vote

_LEAST, _MOST = 1e-6, 1e2  # noise beside the squared errors of predictions
_UNLIKELY = 1e-15  # the least probability


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions of the test parts of folds, at the time that was chosen.

    Parameters
    ----------
    model : NDKRegressor or NDKClassifier
        What was fitted on the training parts.
    data : tuple of ndarray
        All samples: X, y, and weights.
    folds : list of tuple of ndarray
        The indices of training and of test samples.
    outputs : list of ndarray of shape (n_test_samples, n_outputs)
        The mean outputs.
    t : float
        The time.
    fit : callable
        Returns the noise, given targets, means and variances of outputs, and weights.
    length_scale : callable or None
        Returns length scales that samples tell, if they were chosen: those of all
        samples have seen the test parts, whose errors would be too small.
    """

    model: Any
    data: tuple[NDArray, NDArray, NDArray]
    folds: list[tuple[NDArray, NDArray]]
    outputs: list[NDArray[np.float64]]
    t: float
    fit: Callable[..., Any]
    length_scale: Callable[..., NDArray[np.float64]] | None

    @cached_property
    def noise(self) -> Any:
        """The variance of targets about outputs.

        The variances of outputs are solved for when it is first asked for.
        """
        n_outputs = max(part.shape[1] for part in self.outputs)
        parts = [
            self._part(fold, part)
            for fold, part in zip(self.folds, self.outputs, strict=True)
            if part.shape[1] == n_outputs  # else a class was not trained on
        ]
        return self.fit(*map(np.concatenate, zip(*parts, strict=True)))

    def _part(
        self, fold: tuple[NDArray, NDArray], outputs: NDArray[np.float64]
    ) -> tuple[NDArray, ...]:
        """Return what the noise is fitted to, of the test part of a fold."""
        train, test = fold
        model, times = copy.copy(self.model), np.array([self.t])
        X, y, sample_weight = self.data
        samples = X[train], y[train], sample_weight[train]
        if self.length_scale is not None:
            model.length_scale = self.length_scale(samples)
        found, inputs = model._new_ensemble(*samples), model._network_inputs(X[test])
        ensemble, scale = found["_ensemble"], found["_target_scale"]
        if self.length_scale is not None:
            outputs = scale.restore(ensemble.mean(inputs, times))[:, 0].T
        variances = ensemble.covariance(inputs, times, full=False)[0]
        return (
            y[test],
            outputs,
            variances[:, None] * scale.spread**2,
            sample_weight[test],
        )


def regression_noise(
    y: NDArray[np.float64],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the noise of the largest likelihood of Gaussian targets.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    means, variances : ndarray of shape (n_samples, n_outputs)
        Of outputs over networks.
    sample_weight : ndarray of shape (n_samples,)
        Weights.

    Returns
    -------
    ndarray of shape (n_outputs,)
        Of each output.
    """
    squares = (y.reshape(means.shape) - means) ** 2
    noise = []
    for square, variance in zip(squares.T, variances.T, strict=True):

        def loss(noise: float, square: Any = square, variance: Any = variance) -> float:
            total = variance + noise
            return np.average(np.log(total) + square / total, weights=sample_weight)

        noise.append(_smallest(loss, np.average(square, weights=sample_weight)))
    return np.array(noise)


def vote_noise(
    y: NDArray[Any],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
) -> float:
    """Return the noise of the smallest log loss of votes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels, all of the classes.
    means, variances : ndarray of shape (n_samples, n_outputs)
        Of outputs over networks.
    sample_weight : ndarray of shape (n_samples,)
        Weights.

    Returns
    -------
    float
        One of all classes.
    """
    own = y[:, None] == np.unique(y)

    def loss(noise: float) -> float:
        shares = vote(means, variances + noise)[own]
        return np.average(-np.log(np.maximum(shares, _UNLIKELY)), weights=sample_weight)

    return _smallest(loss, 1.0)


def _smallest(loss: Callable[[float], float], size: float) -> float:
    """Return the variance of the smallest loss, zero if the errors' `size` is."""
    if size == 0:
        return 0.0
    bounds = np.log([_LEAST, _MOST])
    found = minimize_scalar(
        lambda log: loss(size * np.exp(log)), bounds=bounds, method="bounded"
    )
    return size * float(np.exp(found.x))
