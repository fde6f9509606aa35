"""The one recursion over layers from which every kernel of the package comes.

It works on single pairs of inputs, elementwise: `k_xx` and `k_yy` are the
kernels of each input with itself, `k_xy` of the pair, and everything, the
weight moments included, broadcasts. The same lines therefore serve a tile of
kernel matrices at several pairs of times, and a few pairs of inputs at many.
"""

import numpy as np

from sklearn_ndk.activations import Activation
from sklearn_ndk.kernels._duals import checked_second_moment, own_duals
from sklearn_ndk.kernels._weight_process import WeightMoments


def layer_recursion(
    k_xx: np.ndarray,
    k_yy: np.ndarray,
    k_xy: np.ndarray,
    moments: WeightMoments,
    *,
    depth: int,
    activation: Activation,
    bias: float,
    tangent: bool = True,
    sine2: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Propagate the two-time NNGP kernel and the NDK through the layers.

    Parameters
    ----------
    k_xx, k_yy, k_xy : ndarray
        ``x.x / n_features``, ``y.y / n_features`` and ``x.y / n_features``.
    moments : WeightMoments
        Moments of the weights at the time of `x` and the time of `y`.
    depth : int
        Number of hidden layers.
    activation : Activation
        The nonlinearity.
    bias : float
        Scale of the biases.
    tangent : bool, default=True
        Whether to propagate the NDK too, which the activation must have.
    sine2 : ndarray, default=None
        Squared sine of the angle between `x` and `y`, where `k_xy` does not tell it.
        It is carried on as far as the activation can.

    Returns
    -------
    nngp, ndk : ndarray, ndarray or None
        ``K^L(t, t')`` without a bias term, and ``NDK^L(t, t')`` (None unless
        `tangent`).
    """
    bias2 = bias**2

    def biased(k: np.ndarray) -> np.ndarray:
        return k + bias2 if bias2 else k

    ndk = moments.decay * biased(k_xy) if tangent else None
    hidden = (moments.cov, moments.decay)
    readout = (moments.readout_cov, moments.readout_decay)
    for layer in range(1, depth + 1):
        cov, decay = hidden if layer < depth else readout  # of the weights above
        var_u = moments.var * biased(k_xx)
        var_v = moments.var_prime * biased(k_yy)
        uv = moments.cov * biased(k_xy)
        if sine2 is not None:
            sine2 = _sine2_of_signals(k_xx, k_yy, k_xy, sine2, bias2, moments.forgotten)
        k_xy, k_dot = own_duals(activation, var_u, var_v, uv, sine2)
        if sine2 is not None:
            sine2 = activation.output_sine2(var_u, var_v, uv, sine2)
        k_xx = checked_second_moment(activation, var_u)
        k_yy = checked_second_moment(activation, var_v)
        if tangent:  # the recursion of Eqs. (12)-(13)
            k_dot *= cov
            ndk *= k_dot
            ndk += decay * biased(k_xy)
    return k_xy, ndk


def _sine2_of_signals(
    k_xx: np.ndarray,
    k_yy: np.ndarray,
    k_xy: np.ndarray,
    sine2: np.ndarray,
    bias2: float,
    forgotten: np.ndarray | float,
) -> np.ndarray:
    """Return the squared sine of the angle between the inputs of an activation.

    Sums of positive terms: nothing cancels.
    """
    if bias2:
        x, y = np.sqrt(k_xx), np.sqrt(k_yy)
        cosine = np.abs(k_xy) / np.maximum(x * y, np.finfo(x.dtype).tiny)
        near = sine2 / (1 + np.minimum(cosine, 1))  # 1 - |cos|
        distance2 = (x - y) ** 2 + 2 * x * y * np.where(k_xy < 0, 2 - near, near)
        share = x / np.sqrt(k_xx + bias2) * (y / np.sqrt(k_yy + bias2))
        sine2 = share**2 * sine2
        sine2 = sine2 + bias2 / (k_xx + bias2) * (distance2 / (k_yy + bias2))
    return np.minimum(forgotten + (1 - forgotten) * sine2, 1)
