"""The Gaussian process of one weight under Langevin dynamics, Eqs. (8)-(9)."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

#: The variance of weights is largest at one of them.
ENDS_OF_TIME = np.array([0.0, np.inf])


class WeightMoments(NamedTuple):
    """Second moments of a weight at two times, as the layer recursion needs them.

    The readout has moments of its own, in case it froze while hidden weights drift.

    Attributes
    ----------
    var, var_prime : float or ndarray
        The variances at ``t`` and at ``t_prime``.
    cov : float or ndarray
        The covariance ``m(t, t_prime)``.
    decay : float or ndarray
        The response ``e(t, t_prime) = exp(-kappa |t - t_prime|)``.
    readout_cov, readout_decay : float or ndarray
        Covariance and response of the readout weights.
    forgotten : float or ndarray
        The squared sine of the angle between both weights,
        ``1 - cov^2 / (var var_prime)``.
    """

    var: float | np.ndarray
    var_prime: float | np.ndarray
    cov: float | np.ndarray
    decay: float | np.ndarray
    readout_cov: float | np.ndarray
    readout_decay: float | np.ndarray
    forgotten: float | np.ndarray = 0.0

    def stacked(self, dtype: DTypeLike) -> Self:
        """Return the same in arrays of shape (n_pairs, 1, 1), for kernel matrices."""
        return self._make([np.asarray(m, dtype).reshape(-1, 1, 1) for m in self])


def weight_variance(
    t: float | np.ndarray, *, kappa: float, sigma: float, sigma0: float
) -> float | np.ndarray:
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


def weight_moments(
    t: float | np.ndarray,
    t_prime: float | np.ndarray,
    *,
    kappa: float,
    sigma: float,
    sigma0: float,
    delay: float = 0.0,
    lag: float | np.ndarray | None = None,
) -> WeightMoments:
    """Return the moments of a weight at the times `t` and `t_prime`.

    Parameters
    ----------
    t, t_prime : float or ndarray
        Gradient-flow times; they broadcast.
    kappa : float
        The diffusion rate ``T / sigma^2``.
    sigma, sigma0 : float
        Standard deviations of the prior and of the initial weights.
    delay : float, default=0.0
        Time for which hidden weights have drifted since the readout froze at `t`;
        may be infinite when ``kappa > 0``.
    lag : float or ndarray, default=None
        ``t - t_prime``, where it is known to more digits than the times tell.

    Returns
    -------
    WeightMoments
        Both variances, the covariance of Eq. (9) and the response of Eq. (8).
    """
    t, t_prime = np.asarray(t, dtype=float), np.asarray(t_prime, dtype=float)
    rates = {"kappa": kappa, "sigma": sigma, "sigma0": sigma0}
    if delay:
        hidden = weight_moments(t + delay, t_prime, **rates)
        readout = weight_moments(t, t_prime, **rates)
        return hidden._replace(readout_cov=readout.cov, readout_decay=readout.decay)
    var = weight_variance(t, **rates)
    var_prime = weight_variance(t_prime, **rates)
    if lag is None:
        zero = np.zeros(np.broadcast(t, t_prime).shape)
        lag = np.subtract(t, t_prime, out=zero, where=t != t_prime)
    decay = np.exp(-kappa * np.abs(lag)) if kappa > 0 else np.ones_like(lag)
    # Eq. (9) is m(t, t') = e(t, t') m(s, s) at the earlier time s.
    cov = decay * np.where(lag <= 0, var, var_prime)
    later = np.where(lag <= 0, var_prime, var)
    drawn = -np.expm1(-2 * kappa * np.abs(lag)) if kappa > 0 else np.zeros_like(lag)
    forgotten = drawn * sigma**2 / later
    return WeightMoments(var, var_prime, cov, decay, cov, decay, forgotten)


def constant_weights(variance: float, decay: float = 1.0) -> WeightMoments:
    """Return the moments of weights at two times at which their variance is the same.

    Parameters
    ----------
    variance : float
        The variance.
    decay : float, default=1.0
        The correlation of the weights at both times.

    Returns
    -------
    WeightMoments
        With a response of one: it is that of kernels at equal times, or not asked
        for.
    """
    cov = decay * variance
    return WeightMoments(variance, variance, cov, 1.0, variance, 1.0, 1 - decay**2)
