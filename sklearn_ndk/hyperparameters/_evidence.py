"""The evidence of the equilibrium: how likely the targets are.

Networks that are trained for an infinite time are draws from the posterior of a
Gaussian process of covariance ``sigma^2 K``, given targets with noise ``T``, Eq. (18).
The evidence is the likelihood of the targets in it (Rasmussen and Williams, Gaussian
Processes for Machine Learning, Eqs. 5.8 and 5.9), and takes one factorisation.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri

from sklearn_ndk.gaussian_process._dual_rates import ratio
from sklearn_ndk.gaussian_process._gradient import TILE_ENTRIES
from sklearn_ndk.gaussian_process._kernel_rates import INPUTS, tile_rates
from sklearn_ndk.kernels._gram import Gram, gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.training._samples import TrainingSet


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
        self._log_det_of_weights = -2 * np.log(samples.scale).sum()

    def __call__(
        self,
        T: float,
        sigma: float,
        bias: float,
        length_scale: float | NDArray[np.float64],
        relative: bool = False,
    ) -> tuple[float, dict[str, Any]]:
        """Return the logarithm of the evidence, and its gradient.

        Parameters
        ----------
        T, sigma, bias : float
            Hyperparameters.
        length_scale : float or ndarray of shape (n_features,)
            That of all features, or of each.
        relative : bool, default=False
            Whether `T` is in units of `variance`, and changes with it.

        Returns
        -------
        value : float
            Of all outputs, in sum.
        gradient : dict
            Its derivatives in the logarithms of each, in `length_scale` of each
            feature.
        """
        X, gram, network = self._inputs(sigma, bias, length_scale)
        prior = sigma**2 * self._weight * network.nngp(gram)
        unit = self._mean_variance(prior) if relative else 1.0
        root = self._root(prior, T * unit)
        inverse = dpotri(root, lower=True)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        targets, n_outputs = self._samples.targets, len(self._samples.targets)
        duals = targets @ inverse
        size = np.vdot(duals, targets) / targets.size
        log_det = 2 * np.log(np.diag(root)).sum() + self._log_det_of_weights
        log_det += len(X) * (np.log(2 * np.pi * size) + 1)
        slope = (duals.T @ duals / size - n_outputs * inverse) / 2
        by_noise = T * float(np.trace(slope))
        if relative:  # the noise grows with the mean of the prior's variances
            slope[np.diag_indices(len(X))] += by_noise / (
                len(X) * np.diag(self._weight)
            )
        by_sigma, by_bias, by_scales = _traces(
            sigma**2 * self._weight * slope, X, gram, network
        )
        gradient = {
            "T": unit * by_noise,
            "sigma": by_sigma + 2 * float(np.vdot(slope, prior)),
            "bias": by_bias,
            "length_scale": by_scales,
        }
        return float(-n_outputs * log_det / 2), gradient

    def variance(
        self, sigma: float, bias: float, length_scale: float | NDArray[np.float64]
    ) -> float:
        """Return the mean variance of outputs before training.

        Parameters
        ----------
        sigma, bias, length_scale
            As in the evidence.

        Returns
        -------
        float
            Over the samples.
        """
        _, gram, network = self._inputs(sigma, bias, length_scale)
        return self._mean_variance(sigma**2 * self._weight * network.nngp(gram))

    def size(
        self,
        T: float,
        sigma: float,
        bias: float,
        length_scale: float | NDArray[np.float64],
    ) -> float:
        """Return the size of targets that suits networks, the root of ``c``.

        Parameters
        ----------
        T, sigma, bias, length_scale
            As in the evidence.

        Returns
        -------
        float
            What targets are to be divided by.
        """
        _, gram, network = self._inputs(sigma, bias, length_scale)
        root = self._root(sigma**2 * self._weight * network.nngp(gram), T)
        white = solve_triangular(root, self._samples.targets.T, lower=True)
        return float(np.sqrt(np.mean(white**2)))

    def _inputs(
        self, sigma: float, bias: float, length_scale: float | NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], Gram, InfiniteNetwork]:
        """Return inputs as networks see them, their Gram matrix, and the network."""
        network = replace(self._network, sigma=sigma, sigma0=sigma, bias=bias)
        X = self._samples.X / length_scale
        gram = gram_matrix(X)
        check_range(network, gram, network.equilibrium_moments(), tangent=False)
        return X, gram, network

    def _mean_variance(self, prior: NDArray[np.float64]) -> float:
        return float(np.mean(np.diag(prior) / np.diag(self._weight)))

    def _root(self, prior: NDArray[np.float64], T: float) -> NDArray[np.float64]:
        """Return the Cholesky factor of the covariance of targets."""
        try:
            return cholesky(prior + T * np.eye(len(prior)), lower=True)
        except LinAlgError:
            raise ValueError(
                f"T={T:g} is lost beside the kernel, whose entries are up to "
                f"{prior.max():.2g}: hyperparameters cannot be chosen. Standardise the "
                'features, or give a larger T, or "auto".'
            ) from None


def _traces(
    slope: NDArray[np.float64],
    X: NDArray[np.float64],
    gram: Gram,
    network: InfiniteNetwork,
) -> tuple[float, float, NDArray[np.float64]]:
    """Return ``sum(slope dK)`` for changes of logarithms: of sigma, bias and scales."""
    directions = ["sigma", "bias", *INPUTS]
    totals, by_norm, products = np.zeros(2), np.zeros(len(X)), np.zeros_like(X)
    step = max(1, TILE_ENTRIES // len(X))
    for first in range(0, len(X), step):
        # both are symmetric: what is right of the diagonal counts twice
        rows, cols = slice(first, first + step), slice(first, None)
        rates, _ = tile_rates(gram, rows, cols, network, directions, tangent=False)
        rates *= slope[rows, cols]
        rates[:, :, step:] *= 2
        totals += rates[:2].sum(axis=(1, 2))
        by_norm[rows] += rates[2].sum(axis=1)
        by_norm[cols] += rates[3].sum(axis=0)
        products[rows] += rates[4] @ X[cols]
    by_scales = X.T**2 @ ratio(by_norm, np.einsum("ij,ij->i", X, X))
    by_scales += np.einsum("ij,ij->j", products, X) / X.shape[1]
    return *totals.tolist(), -2 * by_scales
