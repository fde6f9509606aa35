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
from scipy.linalg import LinAlgError, cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from sklearn_ndk.gaussian_process._dual_rates import ratio
from sklearn_ndk.gaussian_process._gradient import TILE_ENTRIES
from sklearn_ndk.gaussian_process._kernel_rates import INPUTS, tile_rates
from sklearn_ndk.kernels._gram import Gram, gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.training._samples import TrainingSet

_BOUNDS = {
    "T": (1e-5, 1e2),
    "sigma": (1e-1, 1e1),
    "bias": (1e-2, 1e1),
    "length_scale": (1e-2, 1e3),
}
_START = {"T": 0.01, "sigma": 1.0, "bias": 0.5, "length_scale": 1.0}
_DEPTHS = 1, 2, 3
_SPREAD = 0.25  # prior standard deviation of logarithms of scales about their mean
_MOST_ROWS = 400
_MOST_STEPS = 60
_FEWEST_ROWS = 3


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
        self._weight = np.outer(samples.scale, samples.scale)

    def __call__(
        self,
        T: float,
        sigma: float,
        bias: float,
        length_scale: float | NDArray[np.float64],
    ) -> tuple[float, dict[str, Any]]:
        """Return the logarithm of the evidence, and its gradient.

        Parameters
        ----------
        T, sigma, bias : float
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
        network = replace(self._network, sigma=sigma, sigma0=sigma, bias=bias)
        X, size_of_prior = samples.X / length_scale, sigma**2 * self._weight
        gram = gram_matrix(X)
        check_range(network, gram, network.equilibrium_moments(), tangent=False)
        prior = size_of_prior * network.nngp(gram)
        covariance = prior + T * np.eye(len(X))
        try:
            root = cholesky(covariance, lower=True)
        except LinAlgError:
            raise ValueError(
                f"T={T:g} is lost beside the kernel, whose entries are up to "
                f"{prior.max():.2g}: hyperparameters cannot be chosen. Standardise the "
                'features, or give a larger T, or "auto".'
            ) from None
        inverse = dpotri(root, lower=True)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        n_outputs, n_samples = samples.targets.shape
        duals = samples.targets @ inverse
        size = np.vdot(duals, samples.targets) / (n_outputs * n_samples)
        log_det = 2 * np.log(np.diag(root)).sum() - 2 * np.log(samples.scale).sum()
        log_det += n_samples * (np.log(2 * np.pi * size) + 1)
        slope = (duals.T @ duals / size - n_outputs * inverse) / 2
        by_sigma, by_bias, by_scales = _traces(size_of_prior * slope, X, gram, network)
        gradient = {
            "T": float(T * np.trace(slope)),
            "sigma": by_sigma + 2 * float(np.vdot(slope, prior)),
            "bias": by_bias,
            "length_scale": by_scales,
        }
        return float(-n_outputs * log_det / 2), gradient


def _traces(
    slope: NDArray[np.float64],
    X: NDArray[np.float64],
    gram: Gram,
    network: InfiniteNetwork,
) -> tuple[float, float, NDArray[np.float64]]:
    """Return ``sum(slope dK)`` for changes of logarithms: of sigma, bias and scales."""
    directions, every = ["sigma", "bias", *INPUTS], slice(None)
    totals, by_norm, products = np.zeros(2), np.zeros(len(X)), np.zeros_like(X)
    step = max(1, TILE_ENTRIES // len(X))
    for first in range(0, len(X), step):
        rows = slice(first, first + step)
        rates, _ = tile_rates(gram, rows, every, network, directions, tangent=False)
        rates *= slope[rows]
        totals += rates[:2].sum(axis=(1, 2))
        by_norm[rows] += rates[2].sum(axis=1)
        by_norm += rates[3].sum(axis=0)
        products[rows] += rates[4] @ X
    by_scales = X.T**2 @ ratio(by_norm, np.einsum("ij,ij->i", X, X))
    by_scales += np.einsum("ij,ij->j", products, X) / X.shape[1]
    return *totals.tolist(), -2 * by_scales


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
        The hyperparameters `T`, `sigma`, `bias` and `length_scale` that are not free.
    free : sequence of {"depth", "T", "sigma", "bias", "length_scale"}
        What is to be chosen, in this order. Length scales of features are drawn
        towards a common one by a Gaussian prior of their logarithms: the evidence
        alone would fit noise by them.

    Returns
    -------
    dict
        Those that are free; `length_scale` has one entry for each feature.
    """
    depths = _DEPTHS if "depth" in free else (network.depth,)
    start = _starts(samples, [name for name in free if name != "depth"])
    few = len(samples) < _FEWEST_ROWS
    if few or not np.any(samples.targets):
        seen = f"{len(samples)} distinct samples are" if few else "targets all zero are"
        warnings.warn(
            f"{seen} too little to choose hyperparameters by; taken are those that the "
            "choice starts from.",
            stacklevel=2,
        )
        return ({"depth": 2} if "depth" in free else {}) | start
    samples = _thinned(samples)
    tried = []
    for depth in depths:
        evidence = Evidence(samples, replace(network, depth=depth))
        tried.append((*_climb(evidence, given, start), depth))
    _, values, depth = max(tried, key=lambda one: one[0])
    return ({"depth": depth} if "depth" in free else {}) | values


def _starts(samples: TrainingSet, free: Sequence[str]) -> dict[str, Any]:
    """Return where the search of each hyperparameter starts."""
    start: dict[str, Any] = {name: _START[name] for name in free}
    size = float(np.sqrt(np.mean(samples.X**2))) or 1.0
    if "length_scale" in free:
        start["length_scale"] = np.full(samples.X.shape[1], size)
    elif "T" in free:  # of kernels that inputs make large
        start["T"] *= max(1.0, size**2)
    return start


def _climb(
    evidence: Evidence, given: dict[str, float], start: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    """Return the largest evidence, less what the prior takes off, and where it is."""
    sizes = [np.size(value) for value in start.values()]
    ends = np.cumsum(sizes)[:-1]

    def values_at(logs: NDArray[np.float64]) -> dict[str, Any]:
        parts = np.split(np.exp(logs), ends)
        values = dict(zip(start, parts, strict=True))
        return {n: v if n == "length_scale" else float(v[0]) for n, v in values.items()}

    def loss(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slopes = evidence(**(given | values_at(logs)))
        if "length_scale" in start:
            apart = np.log(values_at(logs)["length_scale"])
            apart -= apart.mean()
            value -= np.sum(apart**2) / (2 * _SPREAD**2)
            slopes["length_scale"] -= apart / _SPREAD**2
        return -value, -np.concatenate([np.atleast_1d(slopes[name]) for name in start])

    if not start:
        return evidence(**given)[0], {}
    bounds = [
        (np.min(value) / _START[name]) * np.array(_BOUNDS[name])
        for name, value in start.items()
    ]
    found = minimize(
        loss,
        np.log(np.concatenate([np.atleast_1d(value) for value in start.values()])),
        jac=True,
        method="L-BFGS-B",
        bounds=np.log(np.repeat(bounds, sizes, axis=0)),
        options={"maxiter": _MOST_STEPS},
    )
    return -float(found.fun), values_at(found.x)


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
