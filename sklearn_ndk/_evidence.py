"""Hyperparameters chosen from the data, by the evidence of the equilibrium.

Networks that are trained for an infinite time are draws from the posterior of a
Gaussian process of covariance ``sigma^2 K``, given targets with noise ``T``, Eq. (18).
The evidence is the likelihood of the targets in it (Rasmussen and Williams, Gaussian
Processes for Machine Learning, Eqs. 5.8 and 5.9), and takes one factorisation.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from sklearn_ndk.gaussian_process._kernel_rates import INPUTS, kernel_rates
from sklearn_ndk.kernels import nngp_kernel
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.training._samples import TrainingSet

_BOUNDS = {"T": (1e-6, 1e2), "bias": (1e-2, 1e1), "length_scale": (1e-2, 1e3)}
_START = {"T": 0.1, "bias": 0.5, "length_scale": 1.0}
_SPREAD = 0.25  # prior standard deviation of logarithms of scales about their mean
_MOST_ROWS = 400
_MOST_STEPS = 60
_TILE_ENTRIES = 2**14  # of one rate: some fifty arrays of a tile are alive at once
_FEWEST_ROWS = 5


class Evidence:
    """The evidence of networks, for targets of the size that suits them best.

    Parameters
    ----------
    samples : TrainingSet
        Inputs, as if all length scales were one, targets and weights.
    network : InfiniteNetwork
        The network; what is chosen replaces its hyperparameters.

    Notes
    -----
    The mean output does not depend on the size of the targets. It is profiled out: the
    covariance ``c (sigma^2 K + T / w)`` has the c of the largest likelihood.
    """

    def __init__(self, samples: TrainingSet, network: InfiniteNetwork) -> None:
        self._samples, self._network = samples, network

    def __call__(
        self, T: float, bias: float, length_scale: float | NDArray[np.float64]
    ) -> tuple[float, dict[str, Any]]:
        """Return the logarithm of the evidence, and its gradient.

        Parameters
        ----------
        T, bias : float
            Hyperparameters.
        length_scale : float or ndarray of shape (n_features,)
            That of all features, or of each.

        Returns
        -------
        value : float
            Of all outputs, in sum.
        gradient : dict
            Its derivatives in the logarithms of each, in `length_scale` of each
            feature.
        """
        samples = self._samples
        network = replace(self._network, bias=bias)
        X, weight = samples.X / length_scale, np.outer(samples.scale, samples.scale)
        prior = network.sigma**2 * weight
        covariance = prior * nngp_kernel(
            X,
            depth=network.depth,
            activation=network.activation,
            sigma=network.sigma,
            bias=bias,
        )
        covariance[np.diag_indices(len(X))] += T
        root = cholesky(covariance, lower=True)
        inverse = dpotri(root, lower=True)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        n_outputs, n_samples = samples.targets.shape
        duals = samples.targets @ inverse
        size = np.vdot(duals, samples.targets) / (n_outputs * n_samples)
        log_det = 2 * np.log(np.diag(root)).sum() - 2 * np.log(samples.scale).sum()
        log_det += n_samples * (np.log(2 * np.pi * size) + 1)
        slope = (duals.T @ duals / size - n_outputs * inverse) / 2
        by_bias, by_scales = _traces(slope * prior, X, network)
        gradient = {
            "T": float(T * np.trace(slope)),
            "bias": by_bias,
            "length_scale": by_scales,
        }
        return float(-n_outputs * log_det / 2), gradient


def _traces(
    slope: NDArray[np.float64], X: NDArray[np.float64], network: InfiniteNetwork
) -> tuple[float, NDArray[np.float64]]:
    """Return ``sum(slope dK)`` for changes of the logarithms of bias and scales."""
    gram = gram_matrix(X)
    by_bias, by_norm, products = 0.0, np.zeros(len(X)), np.zeros_like(X)
    step = max(1, _TILE_ENTRIES // len(X))
    for first in range(0, len(X), step):
        rows = slice(first, first + step)
        norms = gram.x_norm[rows, None], gram.x_norm[None]
        k_xy = gram.cosine[rows] * norms[0] * norms[1]
        directions = ["bias", *INPUTS]
        rates = kernel_rates(
            norms[0] ** 2, norms[1] ** 2, k_xy, network, directions, tangent=False
        )
        rates *= slope[rows]
        by_bias += rates[0].sum()
        by_norm[rows] += rates[1].sum(axis=1)
        by_norm += rates[2].sum(axis=0)
        products[rows] += rates[3] @ X
    squares = np.einsum("ij,ij->i", X, X)
    by_square = np.divide(by_norm, squares, out=np.zeros(len(X)), where=squares > 0)
    by_scales = X.T**2 @ by_square
    by_scales += np.einsum("ij,ij->j", products, X) / X.shape[1]
    return float(by_bias), -2 * by_scales


def most_likely(
    samples: TrainingSet,
    network: InfiniteNetwork,
    given: dict[str, float],
    free: Sequence[str],
) -> dict[str, Any]:
    """Return the hyperparameters of the largest evidence.

    Parameters
    ----------
    samples : TrainingSet
        Inputs, as if all length scales were one, targets and weights. Of many, some
        hundreds tell.
    network : InfiniteNetwork
        The network.
    given : dict of float
        The hyperparameters `T`, `bias` and `length_scale` that are not free.
    free : sequence of {"T", "bias", "length_scale"}
        What is to be chosen, in this order. Length scales of features are drawn
        towards a common one by a Gaussian prior of their logarithms: the evidence
        alone would fit noise by them.

    Returns
    -------
    dict
        Those that are free; `length_scale` has one entry for each feature.
    """
    size = float(np.sqrt(np.mean(samples.X**2))) or 1.0
    units = {"T": 1.0, "bias": 1.0, "length_scale": size}
    start = {name: units[name] * _START[name] for name in free}
    if "length_scale" in free:
        start["length_scale"] = np.full(samples.X.shape[1], start["length_scale"])
    few = len(samples) < _FEWEST_ROWS
    if few or not np.any(samples.targets):
        seen = f"{len(samples)} distinct samples are" if few else "targets all zero are"
        taken = ", ".join(f"{name}={np.max(value):g}" for name, value in start.items())
        warnings.warn(
            f"{seen} too little to choose hyperparameters by; taken are {taken}.",
            stacklevel=2,
        )
        return start
    evidence = Evidence(_thinned(samples), network)
    sizes = [np.size(start[name]) for name in free]

    def values_at(logs: NDArray[np.float64]) -> dict[str, Any]:
        parts = np.split(np.exp(logs), np.cumsum(sizes)[:-1])
        values = dict(zip(free, parts, strict=True))
        return {n: v if n == "length_scale" else float(v[0]) for n, v in values.items()}

    def loss(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = evidence(**(given | values_at(logs)))
        slopes = np.concatenate([np.atleast_1d(gradient[name]) for name in free])
        if "length_scale" in free:
            scales = slice(-sizes[-1], None)  # the last
            apart = logs[scales] - logs[scales].mean()
            value -= np.sum(apart**2) / (2 * _SPREAD**2)
            slopes[scales] -= apart / _SPREAD**2
        return -value, -slopes

    bounds = [units[name] * np.array(_BOUNDS[name]) for name in free]
    found = minimize(
        loss,
        np.log(np.concatenate([np.atleast_1d(start[name]) for name in free])),
        jac=True,
        method="L-BFGS-B",
        bounds=np.log(np.repeat(bounds, sizes, axis=0)),
        options={"maxiter": _MOST_STEPS},
    )
    return values_at(found.x)


def _thinned(samples: TrainingSet) -> TrainingSet:
    """Return at most some hundreds of samples, whose order is that of their bytes."""
    n_samples = len(samples)
    if n_samples <= _MOST_ROWS:
        return samples
    kept = np.linspace(0, n_samples - 1, _MOST_ROWS).astype(int)
    return TrainingSet(
        samples.X[kept],
        samples.scale[kept],
        samples.targets[:, kept],
        samples.first[kept],
    )
