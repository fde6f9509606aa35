"""The NDK between two sets of inputs as a function of two times."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._probe import Probe, make_probe

_N_QUANTILES = 16


@dataclass(frozen=True)
class TwoTimeKernel:
    """All that the dynamics see of inputs and network.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    gram : Gram
        Inner products of the inputs.
    row_scale, column_scale : ndarray of shape (n_rows,) and (n_columns,)
        Factors of the rows and columns of every kernel matrix: the square roots
        of sample weights.
    """

    network: InfiniteNetwork
    gram: Gram
    row_scale: np.ndarray
    column_scale: np.ndarray

    def __call__(self, t, t_prime):
        """Return the scaled ``NDK(t, t')``.

        Parameters
        ----------
        t, t_prime : float
            Times of the rows and of the columns.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The matrix.
        """
        matrix = self.network.ndk(self.gram, t, t_prime)
        matrix *= self.row_scale[:, None]
        matrix *= self.column_scale
        return matrix

    @cached_property
    def probe(self) -> Probe:
        """The kernel at probe inputs that stand for those of this kernel."""
        return make_probe(self.network, self.gram)

    def rate(self, times):
        """Estimate the largest eigenvalue of ``NDK(t, t)`` from above.

        It is the trace, with norms of the inputs rounded to their quantiles.

        Parameters
        ----------
        times : ndarray
            Times.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        levels = np.linspace(0, 1, _N_QUANTILES)
        k = np.quantile(self.gram.xx, levels).reshape(-1, *[1] * times.ndim)
        variance = self.network.ndk_entries(k, k, k, times, times)
        return np.sum(self.row_scale**2) * variance.mean(axis=0)
