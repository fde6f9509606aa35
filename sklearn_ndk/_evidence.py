"""Hyperparameters chosen from the data, by the evidence of the equilibrium.

Networks that are trained for an infinite time are draws from the posterior of a
Gaussian process of covariance ``sigma^2 K``, given targets with noise ``T``, Eq. (18).
The evidence is the likelihood of the targets in it (Rasmussen and Williams, Gaussian
Processes for Machine Learning, Eqs. 5.8 and 5.9), and takes one factorisation.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from sklearn_ndk.gaussian_process._gradient import kernel_gradient
from sklearn_ndk.kernels import nngp_kernel
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.training._samples import TrainingSet

_BOUNDS = {"T": (1e-6, 1e2), "bias": (1e-2, 1e1), "length_scale": (1e-2, 1e3)}
_START = {"T": 0.1, "bias": 0.5, "length_scale": 1.0}
_MOST_ROWS = 500
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
        self, T: float, bias: float, length_scale: float
    ) -> tuple[float, dict[str, float]]:
        """Return the logarithm of the evidence, and its gradient.

        Parameters
        ----------
        T, bias, length_scale : float
            The hyperparameters.

        Returns
        -------
        value : float
            Of all outputs, in sum.
        gradient : dict of float
            Its derivatives in the logarithms of each.
        """
        samples = self._samples
        network = replace(self._network, bias=bias)
        X, weight = samples.X / length_scale, np.outer(samples.scale, samples.scale)
        names = ["bias", "length_scale"]
        rates = kernel_gradient(X, network, names, per_feature=False, tangent=False)
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
        gradient = {"T": float(T * np.trace(slope))}
        for name, rate in zip(names, np.moveaxis(rates, -1, 0), strict=True):
            gradient[name] = float(np.vdot(slope, prior * rate))
        return float(-n_outputs * log_det / 2), gradient


def most_likely(
    samples: TrainingSet,
    network: InfiniteNetwork,
    given: dict[str, float],
    free: Sequence[str],
) -> dict[str, float]:
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
        What is to be chosen.

    Returns
    -------
    dict of float
        Those that are free.
    """
    size = float(np.sqrt(np.mean(samples.X**2))) or 1.0
    units = {"T": 1.0, "bias": 1.0, "length_scale": size}
    start = {name: units[name] * _START[name] for name in free}
    few = len(samples) < _FEWEST_ROWS
    if few or not np.any(samples.targets):
        seen = f"{len(samples)} distinct samples are" if few else "targets all zero are"
        taken = ", ".join(f"{name}={value:g}" for name, value in start.items())
        warnings.warn(
            f"{seen} too little to choose hyperparameters by; taken are {taken}.",
            stacklevel=2,
        )
        return start
    evidence = Evidence(_thinned(samples), network)

    def loss(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        values = dict(zip(free, np.exp(logs).tolist(), strict=True))
        value, gradient = evidence(**(given | values))
        return -value, np.array([-gradient[name] for name in free])

    found = minimize(
        loss,
        np.log(list(start.values())),
        jac=True,
        method="L-BFGS-B",
        bounds=[np.log(units[name] * np.array(_BOUNDS[name])) for name in free],
    )
    return dict(zip(free, np.exp(found.x).tolist(), strict=True))


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
