"""Brute force in doubles with an estimate of its own error, for a dozen rows."""

import numpy as np
from numpy.typing import ArrayLike

from oracles.brute_force import FINE, Resolution, brute_force, mesh
from oracles.exact import Network, Problem

COARSE = Resolution(n_nodes=7, n_points=24, ratio=1.7)
#: Stiffness, of the fastest rate and of the time, that doubles resolve to about 1e-7.
STIFFEST = 1e8


def _relu(u, v, c):
    size = np.sqrt(u) * np.sqrt(v)
    cosine = np.clip(c / np.where(size > 0, size, 1), -1, 1)
    sine = np.sqrt((1 - cosine) * (1 + cosine))
    angle = np.arctan2(sine, cosine)
    share = (np.pi - angle) / (2 * np.pi)
    return size * (sine / (2 * np.pi) + share * cosine), share


def _erf(u, v, c):
    size = np.sqrt(1 + 2 * u) * np.sqrt(1 + 2 * v)
    sine = np.clip(2 * c / size, -1, 1)
    cosine = np.sqrt((1 - sine) * (1 + sine))
    return 2 / np.pi * np.arctan2(sine, cosine), 4 / np.pi / (size * cosine)


def _linear(u, v, c):
    return c, np.ones_like(c)


DUALS = {"relu": _relu, "erf": _erf, "linear": _linear}


class TwoTimeNetwork:
    """The NDK of single pairs of inputs, Eqs. (8)-(13), for brute force."""

    def __init__(self, network: Network, rounding: float = 0.0) -> None:
        self._network, self._rounding = network, rounding
        self.kappa = float(network.kappa)

    def _variance(self, t):
        start, end = self._network.sigma0**2, self._network.sigma**2
        return start - (end - start) * np.expm1(-2 * self.kappa * t)

    def entries(
        self,
        k_xx: ArrayLike,
        k_yy: ArrayLike,
        k_xy: ArrayLike,
        t: ArrayLike,
        t_prime: ArrayLike,
    ) -> np.ndarray:
        """Return ``NDK^L(t, t')`` for ``t' <= t``."""
        dual, b2 = DUALS[self._network.activation], self._network.bias**2
        u, v = self._variance(t), self._variance(t_prime)
        decay = np.exp(-self.kappa * (t - t_prime))
        xx, yy, xy = k_xx + b2, k_yy + b2, k_xy + b2
        if self._rounding:
            noise = np.random.default_rng(0).standard_normal(np.shape(xy))
            xy = xy * (1 + self._rounding * noise)
        ndk = decay * xy
        for _ in range(self._network.depth):
            xy, slope = dual(u * xx, v * yy, decay * v * xy)
            xx = dual(u * xx, u * xx, u * xx)[0] + b2
            yy = dual(v * yy, v * yy, v * yy)[0] + b2
            xy = xy + b2
            ndk = decay * v * slope * ndk + decay * xy
        return ndk


def refined(
    problem: Problem, Xs: np.ndarray, times: np.ndarray, budget: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Solve a problem by brute force, and estimate the error.

    Parameters
    ----------
    problem : Problem
        Network, rows, targets and weights.
    Xs : ndarray of shape (n_rows, n_features)
        Inputs.
    times : ndarray of shape (n_times,)
        Positive and increasing.
    budget : float
        The most kernel entries, summed over layers, that may be computed.

    Returns
    -------
    values, error : ndarray of shape (n_rows, n_outputs, n_times), or None
        The solution, and how much it changes with the resolution and with rounding
        of the inputs' cosines; None beyond the budget, or where doubles do not
        resolve the problem.
    """
    network = TwoTimeNetwork(problem.network)
    if not _resolves(network, problem, times[-1], budget):
        return None
    rounded = TwoTimeNetwork(problem.network, 4 * np.finfo(float).eps)
    fine, coarse, perturbed = (
        _solved(entries, problem, Xs, times, resolution)
        for entries, resolution in (
            (network, FINE),
            (network, COARSE),
            (rounded, COARSE),
        )
    )
    return fine, np.abs(fine - coarse) + np.abs(perturbed - coarse)


def _solved(network, problem, Xs, times, resolution):
    columns = [
        brute_force(network, problem.X, y, Xs, times, problem.weight, resolution)
        for y in problem.y.T
    ]
    return np.stack(columns, axis=1)


def _resolves(network, problem, t_end, budget):
    X, weight = problem.X, problem.weight
    k = (X**2).mean(axis=1)
    stages = t_end * np.linspace(0, 1, 30)
    rates = [weight @ network.entries(k, k, k, t, t) for t in stages]
    if not max(rates) * min(t_end, 1 / network.kappa) < STIFFEST:
        return False
    n_panels = len(mesh(network, X, weight, t_end))
    n_entries = n_panels**2 / 2 * FINE.n_nodes * FINE.n_points * len(X) ** 2
    return problem.y.shape[1] * problem.network.depth * n_entries < budget
