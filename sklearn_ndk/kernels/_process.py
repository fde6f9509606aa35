"""The Gaussian process of one weight under Langevin dynamics, Eqs. (8)-(9)."""

from typing import NamedTuple

import numpy as np


class WeightMoments(NamedTuple):
    """Second moments of a weight at two times, as the layer recursion needs them.

    Attributes
    ----------
    var, var_prime : float or ndarray
        The variances at ``t`` and at ``t_prime``.
    cov : float or ndarray
        The covariance ``m(t, t_prime)``.
    decay : float or ndarray
        The response ``e(t, t_prime) = exp(-kappa |t - t_prime|)``.
    """

    var: float | np.ndarray
    var_prime: float | np.ndarray
    cov: float | np.ndarray
    decay: float | np.ndarray


def weight_variance(t, *, kappa, sigma, sigma0):
    """Return the variance ``m(t, t)`` of a weight at time `t`.

    Parameters
    ----------
    t : float or ndarray
        Gradient-flow time; may be infinite when ``kappa > 0``.
    kappa : float
        The diffusion rate ``T / sigma^2``.
    sigma, sigma0 : float
        Standard deviations of the prior and of the initial weights.

    Returns
    -------
    float or ndarray
        ``sigma^2 + (sigma0^2 - sigma^2) exp(-2 kappa t)``, exactly
        ``sigma0^2`` at ``t = 0``.
    """
    tau = kappa * t if kappa > 0 else np.zeros_like(t)
    return sigma0**2 - (sigma**2 - sigma0**2) * np.expm1(-2 * tau)


def weight_moments(t, t_prime, *, kappa, sigma, sigma0):
    """Return the moments of a weight at the times `t` and `t_prime`.

    Parameters
    ----------
    t, t_prime : float or ndarray
        Gradient-flow times; they broadcast.
    kappa : float
        The diffusion rate ``T / sigma^2``.
    sigma, sigma0 : float
        Standard deviations of the prior and of the initial weights.

    Returns
    -------
    WeightMoments
        Both variances, the covariance of Eq. (9) and the response of Eq. (8).
    """
    t, t_prime = np.asarray(t, dtype=float), np.asarray(t_prime, dtype=float)
    rates = {"kappa": kappa, "sigma": sigma, "sigma0": sigma0}
    var = weight_variance(t, **rates)
    var_prime = weight_variance(t_prime, **rates)
    lag = np.subtract(
        t, t_prime, out=np.zeros(np.broadcast(t, t_prime).shape), where=t != t_prime
    )
    decay = np.exp(-kappa * np.abs(lag)) if kappa > 0 else np.ones_like(lag)
    # Eq. (9) is m(t, t') = e(t, t') m(s, s) at the earlier time s.
    cov = decay * np.where(t <= t_prime, var, var_prime)
    return WeightMoments(var, var_prime, cov, decay)
