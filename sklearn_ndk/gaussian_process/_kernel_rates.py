"""The recursion over layers, Eqs. (11)-(13), differentiated in forward mode."""

from collections.abc import Sequence

import numpy as np

from sklearn_ndk.gaussian_process._dual_rates import (
    as_pair,
    dual_rates,
    ratio,
    second_moment_rate,
)
from sklearn_ndk.kernels._duals import checked_second_moment
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._network import InfiniteNetwork

#: Of the inputs: logarithms of both norms squared, and the inner product.
INPUTS = ("k_xx", "k_yy", "k_xy")


def tile_rates(
    gram: Gram,
    rows: slice,
    cols: slice,
    network: InfiniteNetwork,
    directions: Sequence[str],
    tangent: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return how a tile of a kernel changes, and its inner products.

    Parameters
    ----------
    gram : Gram
        Of the inputs.
    rows, cols : slice
        The tile.
    network, directions, tangent
        As in `kernel_rates`.

    Returns
    -------
    rates : ndarray of shape (n_directions, n_rows, n_columns)
        Derivatives of the kernel.
    k_xy : ndarray of shape (n_rows, n_columns)
        ``x.y / n_features``.
    """
    x_norm, y_norm = gram.x_norm[rows, None], gram.y_norm[None, cols]
    k_xy = gram.cosine[rows, cols] * x_norm * y_norm
    rates = kernel_rates(x_norm**2, y_norm**2, k_xy, network, directions, tangent)
    return rates, k_xy


def kernel_rates(
    k_xx: np.ndarray,
    k_yy: np.ndarray,
    k_xy: np.ndarray,
    network: InfiniteNetwork,
    directions: Sequence[str],
    tangent: bool,
) -> np.ndarray:
    """Return how the NNGP kernel or the NTK change in several directions.

    Parameters
    ----------
    k_xx, k_yy, k_xy : ndarray
        ``x.x / n_features``, ``y.y / n_features`` and ``x.y / n_features`` of a tile,
        of shapes (n_rows, 1), (1, n_columns) and (n_rows, n_columns).
    network : InfiniteNetwork
        The network, of equal `sigma` and `sigma0`.
    directions : list of {"k_xx", "k_yy", "k_xy", "sigma", "bias"}
        What changes. All but `k_xy` are taken in logarithms, where inputs of norm
        zero do not change.
    tangent : bool
        Whether the NTK is wanted, the NNGP kernel otherwise.

    Returns
    -------
    ndarray of shape (n_directions, n_rows, n_columns)
        Derivatives of the kernel.
    """
    activation, variance, bias2 = network.activation, network.sigma**2, network.bias**2
    smooth = activation.has_ntk
    by_angle = tangent or not smooth

    def along(name: str) -> np.ndarray:
        return np.array([name == other for other in directions], float)[:, None, None]

    # rates are arrays with a direction each: of the kernels, sigma^2 and bias^2
    d_xx, d_yy = along("k_xx") * k_xx, along("k_yy") * k_yy
    d_xy = along("k_xy") + np.zeros_like(k_xy)
    growth, d_bias2 = 2 * along("sigma"), 2 * bias2 * along("bias")
    ndk, d_ndk = k_xy + bias2, d_xy + d_bias2

    def weighted(k: np.ndarray, d_k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moment = variance * (k + bias2)
        return moment, growth * moment + variance * (d_k + d_bias2)

    for _ in range(network.depth):
        var_u, d_u = weighted(k_xx, d_xx)
        var_v, d_v = weighted(k_yy, d_yy)
        cov, d_cov = weighted(k_xy, d_xy)
        log_u, log_v = ratio(d_u, var_u), ratio(d_v, var_v)
        pair = as_pair(var_u, var_v, cov)
        # of the covariance, by the angle: none where rows are, and stay, parallel
        turning = np.where(pair.sine2, d_cov - cov * (log_u + log_v) / 2, 0)
        d_angle = ratio(-turning, pair.roots * pair.sine2) if by_angle else None
        rates = dual_rates(activation, pair, by_angle)
        dual = rates.values[0]
        d_xy = rates.by_u[0] * log_u + rates.by_v[0] * log_v
        # Price's theorem: the derivative dual is the dual's rate with the covariance
        d_xy += rates.values[1] * turning if smooth else rates.by_angle[0] * d_angle
        if tangent:
            k_dot = rates.values[1]
            d_dot = rates.by_u[1] * log_u + rates.by_v[1] * log_v
            d_dot += rates.by_angle[1] * d_angle
            d_ndk = (growth * k_dot + d_dot) * ndk + k_dot * d_ndk
            d_ndk = variance * d_ndk + d_xy + d_bias2
            ndk = variance * k_dot * ndk + dual + bias2
        k_xy = dual
        d_xx = second_moment_rate(activation, var_u) * log_u
        d_yy = second_moment_rate(activation, var_v) * log_v
        k_xx = checked_second_moment(activation, var_u)
        k_yy = checked_second_moment(activation, var_v)
    return d_ndk if tangent else d_xy + d_bias2
