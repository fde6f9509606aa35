"""A kernel between two sets of inputs as a function of two times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

from sklearn_ndk.kernels._families import (
    Backward,
    DriftedNDK,
    EquilibriumCovariance,
    KernelFamily,
    PriorCovariance,
)
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._probe import Probe, make_probe, sample_probe
from sklearn_ndk.kernels._weight_process import ENDS_OF_TIME, constant_weights

_N_QUANTILES = 16
_UNRESOLVED = 16 * np.finfo(float).eps  # of the correlation of weights at two times


@dataclass(frozen=True)
class TwoTimeKernel:
    """All that the dynamics see of inputs and network.

    Parameters
    ----------
    family : KernelFamily
        The kernel as a function of inputs and times.
    gram : Gram
        Inner products of the inputs, with the square roots of sample weights as
        factors of the rows and columns.
    """

    family: KernelFamily
    gram: Gram

    @property
    def network(self) -> InfiniteNetwork:
        """The network."""
        return self.family.network

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.gram.x_norm)

    @property
    def row_scale(self) -> np.ndarray:
        """Factors of the rows, of shape (n_rows,)."""
        return self.gram.row_scale

    def ntk(self, overwrite: bool = False) -> np.ndarray:
        """Return the kernel of gradient flow, see :meth:`InfiniteNetwork.ntk`."""
        return self.network.ntk(self.gram, overwrite)

    def nngp(self, decay: float = 1.0, overwrite: bool = False) -> np.ndarray:
        """Return the equilibrium's kernel, see :meth:`InfiniteNetwork.nngp`."""
        return self.network.nngp(self.gram, decay, overwrite)

    def matrix(self, t: float, t_prime: float) -> np.ndarray:
        """Return the kernel at one pair of times, see :meth:`KernelFamily.matrix`."""
        return self.family.matrix(self.gram, t, t_prime)

    def mixtures(
        self,
        t: np.ndarray,
        t_prime: np.ndarray,
        mixing: np.ndarray,
        dtypes: Sequence[DTypeLike],
        precision: np.ndarray,
        overwrite: bool = False,
    ) -> list[np.ndarray]:
        """Return mixtures of the kernel at several pairs of times.

        Parameters
        ----------
        t, t_prime : ndarray of shape (n_pairs,)
            The pairs.
        mixing : ndarray of shape (n_pairs, n_mixtures)
            Coefficients of each mixture.
        dtypes : list of dtype
            Of each mixture.
        precision : ndarray of shape (n_mixtures,)
            Error that each may have, see :meth:`KernelFamily.mixtures`.
        overwrite : bool, default=False
            Whether they may take the place of the Gram matrix: there are no
            matrices after these.

        Returns
        -------
        list of ndarray of shape (n_rows, n_columns)
            The matrices.
        """
        return self.family.mixtures(
            self.gram, t, t_prime, mixing, dtypes, precision, overwrite
        )

    @cached_property
    def probe(self) -> Probe:
        """The kernel at probe inputs that stand for those of this kernel."""
        return make_probe(self.family, self.gram)

    def row_groups(self) -> dict[float | None, np.ndarray]:
        """Group the rows by their norms: a time basis serves a group.

        Returns
        -------
        dict of float or None to ndarray of bool, of shape (n_rows,)
            None are the rows that are neither shorter nor longer than all columns,
            and all rows if only angles matter. Others are grouped by the power of
            two at or below their norm. So no row depends on others.
        """
        x, y = self.gram.x_norm, self.gram.y_norm
        within = ((x >= y.min()) & (x <= y.max())) | self.network.homogeneous
        with np.errstate(divide="ignore"):
            octaves = np.floor(np.log2(x))
        groups: dict[float | None, np.ndarray] = {None: within}
        for octave in np.unique(octaves[~within]):
            groups[float(octave)] = (octaves == octave) & ~within
        return {group: rows for group, rows in groups.items() if rows.any()}

    def group_probe(self, group: float | None) -> Probe:
        """Return the kernel at probe inputs that stand for a group of rows.

        Parameters
        ----------
        group : float or None
            A key of :meth:`row_groups`.

        Returns
        -------
        Probe
            The probes.
        """
        y2 = self.gram.y_norm**2
        columns = rows = y2.min(), y2.max()
        if group is not None:
            rows = 4.0**group, 4.0 ** (group + 1)
        return sample_probe(self.family, rows, columns)

    def scaled(self, factor: float) -> "TwoTimeKernel":
        """Return the same kernel times a positive factor, with the same Gram matrix."""
        root = np.sqrt(factor)
        return replace(self, gram=self.gram.scaled(root, root))

    def drifted(self, delay: float) -> "TwoTimeKernel":
        """Return the kernel of the same inputs with a frozen readout.

        Parameters
        ----------
        delay : float
            Time for which the hidden weights have drifted since.

        Returns
        -------
        TwoTimeKernel
            A function of the time at which the readout froze, and of `t_prime`.
        """
        return self._of(DriftedNDK(self.network, delay))

    def backward(self, end: float) -> "TwoTimeKernel":
        """Return the same kernel, its times counted back from the end of training."""
        return self._of(Backward(self.network, self.family, end))

    def prior(self) -> "TwoTimeKernel":
        """Return the covariance of outputs of networks that see no data."""
        return self._of(PriorCovariance(self.network))

    def equilibrium_prior(self) -> "TwoTimeKernel":
        """Return the same for weights that have forgotten their initialisation."""
        return self._of(EquilibriumCovariance(self.network))

    def variances(self, t: float) -> np.ndarray:
        """Return the kernel of each row with itself, of shape (n_rows,)."""
        return self.family.diagonal(self.gram.x_norm**2, np.float64(t))

    def _of(self, family: KernelFamily) -> "TwoTimeKernel":
        """Return another kernel of the same inputs."""
        return TwoTimeKernel(family, self.gram)

    def rows(self, index: np.ndarray | slice) -> "TwoTimeKernel":
        """Return the same for some of the rows.

        Parameters
        ----------
        index : ndarray or slice
            Indices of the rows, or a mask.

        Returns
        -------
        TwoTimeKernel
            With fewer rows.
        """
        return replace(self, gram=self.gram.rows(index))

    def rate(self, times: np.ndarray) -> np.ndarray:
        """Estimate the largest eigenvalue of the kernel at ``(t, t)`` from above.

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
        scale = self.gram.row_scale @ self.gram.column_scale
        return scale * self._variance(times).mean(axis=0)

    def weight_variance(self, times: np.ndarray) -> np.ndarray:
        """Return the variance of single weights.

        Parameters
        ----------
        times : ndarray
            Times.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        return self.family.moments(times, times).var

    def change(self, t: float) -> float:
        """Return by how much kernels have changed since the beginning, about."""
        start, end = self.weight_variance(np.array([0.0, t]))
        gone = np.abs(np.log(end / start)) + self.network.kappa * t
        return (self.network.depth + 1) * gone

    def diagonal(self) -> np.ndarray:
        """Return the diagonal at the end of time where it is larger.

        Returns
        -------
        ndarray of shape (n_rows,)
            Not negative.
        """
        variance = self.family.diagonal(self.gram.x_norm[:, None] ** 2, ENDS_OF_TIME)
        return self.gram.row_scale * self.gram.column_scale * variance.max(axis=1)

    def mean_diagonal(self) -> float:
        """Return the mean of :meth:`diagonal`, one if it is zero.

        It is that of the covariance of outputs where there is no NTK.
        """
        known = self if self.network.activation.has_ntk else self.prior()
        return float(known.diagonal().mean()) or 1.0

    def change_within_rounding(self) -> float:
        """Return by how much the kernel changes over lags that rounding hides.

        Activations that saturate tell inputs of large norm at times apart that are
        equal to rounding.

        Returns
        -------
        float
            Relative to the kernel, of the largest input.
        """
        network, k = self.network, np.max(self.gram.x_norm**2, keepdims=True)
        weights = constant_weights(
            network.moments(ENDS_OF_TIME, ENDS_OF_TIME).var.max()
        )
        decay = 1 - _UNRESOLVED
        later = weights._replace(cov=decay * weights.cov)
        before, after = (network.layers(k, k, k, w)[1] for w in (weights, later))
        return float(np.max(np.abs(before - after) / np.where(before > 0, before, 1)))

    def _variance(self, times: np.ndarray) -> np.ndarray:
        """Return the kernel of x with itself, at quantiles of the norm of x."""
        levels = np.linspace(0, 1, _N_QUANTILES)
        k = np.quantile(self.gram.x_norm**2, levels).reshape(-1, *[1] * times.ndim)
        return self.family.diagonal(k, times)
