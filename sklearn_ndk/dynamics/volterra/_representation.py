"""What represents a kernel over time: a mesh, a time basis, and integral weights."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk._compute._threads import single_threaded_blas
from sklearn_ndk.dynamics.volterra._march import integral_weights
from sklearn_ndk.dynamics.volterra._mesh import (
    graded_edges,
    n_nodes_for,
    radau_nodes,
    representative_times,
)
from sklearn_ndk.dynamics.volterra._modes import Modes
from sklearn_ndk.dynamics.volterra._time_basis import Relevance, TimeBasis

# Shares of the tolerance; the rest is the mesh's.
_BASIS_SHARE, _END_SHARE = 0.1, 0.01
_ONSET = 1.0  # of predictions that matter, in units of 1 / rate
_LATE = 10  # in units of the memory: the residual has come to rest
_N_RELEVANCE = 100  # times at which the size of the residual is guessed


@dataclass(frozen=True)
class Representation:
    """A kernel over the times of a mesh: it serves all subsets of its inputs.

    Attributes
    ----------
    edges : ndarray of shape (n_panels + 1,)
        Ends of the panels.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.
    basis : TimeBasis
        Basis of the kernel of the training inputs.
    times : ndarray of shape (n_times,)
        Times that represent all others for the kernel.
    relevance : callable
        What errors of the kernel add to predictions, such as :class:`Relevance`.
    basis_tol : float
        Tolerance of a time basis.
    equilibrated : bool
        Whether the dynamics have come to rest, to the tolerance, at the last edge.
    """

    edges: NDArray[np.float64]
    nodes: NDArray[np.float64]
    basis: TimeBasis
    times: NDArray[np.float64]
    relevance: Callable[..., NDArray]
    basis_tol: float
    equilibrated: bool
    _known: dict = field(default_factory=dict, repr=False)  # weights at some times

    def __getstate__(self) -> dict:
        return vars(self.bare()) | {"_known": {}}

    def bare(self) -> Self:
        """Return the same without weights at nodes, which predictions do not need."""
        return replace(self)

    @property
    def node_times(self) -> NDArray[np.float64]:
        """The times of all nodes, of shape (n_panels, n_nodes)."""
        return self.edges[:-1, None] + np.diff(self.edges)[:, None] * self.nodes

    @cached_property
    def node_weights(self) -> NDArray[np.float64]:
        """Weights of the integrals up to each node, (rank, n_times, n_times)."""
        return self._weights(self.basis, self.node_times.ravel())

    def basis_for(self, probe: Any, times: NDArray[np.float64]) -> TimeBasis:
        """Return the basis of another kernel, predicted from at some times."""
        return TimeBasis(probe, times, self.times, self.relevance, self.basis_tol)

    def basis_of_group(self, kernel: Any, group: float | None) -> TimeBasis:
        """Return that of a group of rows of a kernel, see `TwoTimeKernel.row_groups`.

        Where the probe of the training inputs is a sample, it stands for all rows like
        the columns too.
        """
        if group is None and self.basis.probe.sampled:
            return self.basis
        return self.basis_for(kernel.group_probe(group), self.times)

    def weights(
        self, basis: TimeBasis, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the weights of the residual in integrals up to some times."""
        if basis is not self.basis:
            return self._weights(basis, times)
        key = times.tobytes()
        if key not in self._known:
            self._known.clear()
            self._known[key] = self._weights(basis, times)
        return self._known[key]

    def _weights(
        self, basis: TimeBasis, times: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        with single_threaded_blas():  # the products are small
            return integral_weights(basis, times, self.edges, self.nodes)


def represent(
    targets: NDArray[np.float64],
    kernel: Any,
    modes: Modes,
    kappa: float,
    tol: float,
    t_end: float,
    weigh: Callable[[Relevance], Callable[..., NDArray]] = lambda relevance: relevance,
) -> Representation:
    """Choose the mesh and the time basis for the Volterra equation (14)-(15).

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Targets.
    kernel : TwoTimeKernel
        Kernel of the training inputs: ``kernel.probe`` represents it, and
        ``kernel.rate`` bounds its eigenvalues.
    modes : Modes
        Eigenvectors of the kernel of their equilibrium.
    kappa : float
        Diffusion rate, positive.
    tol : float
        Relative accuracy.
    t_end : float
        Time up to which to solve, or infinity.
    weigh : callable
        Returns what errors of the kernel add to what is wanted, given what they add to
        predictions; the same if left out.

    Returns
    -------
    Representation
        The mesh and the basis.
    """
    size = kernel.mean_diagonal()
    relevance = relevance_of(targets, modes, kernel.rate, kappa)
    # what is left of the past decays as exp(-tau) at the slowest
    last = relevance.residual[-1] * size / kappa
    longest = np.log(max(1, last) / (_END_SHARE * tol)) / kappa
    edges = graded_edges(kernel.rate, kappa, min(t_end, longest))
    times = representative_times(edges, kernel.weight_variance)
    basis_tol = _BASIS_SHARE * tol / size
    weighed = weigh(relevance)
    return Representation(
        edges=edges,
        nodes=radau_nodes(n_nodes_for(tol)),
        basis=TimeBasis(kernel.probe, times, times, weighed, basis_tol),
        times=times,
        relevance=weighed,
        basis_tol=basis_tol,
        equilibrated=bool(edges[-1] >= longest),
    )


def relevance_of(
    targets: NDArray[np.float64],
    modes: Modes,
    rate: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    kappa: float,
) -> Relevance:
    """Guess the size of the residual at all times from the equilibrium kernel.

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Targets, of any size.
    modes, kappa
        As for :func:`represent`.
    rate : callable
        A bound on the eigenvalues of the kernel at some times.

    Returns
    -------
    Relevance
        What errors of the kernel add to predictions.

    Notes
    -----
    A mode of eigenvalue lambda is left with ``1 / (1 + lambda phi)`` of its target
    if the kernel has been that of the equilibrium for a time phi. Its memory
    ``1 / kappa`` is the most; where it is larger or smaller, time counts by it.
    """
    largest = np.abs(targets).max(axis=1)
    targets = modes.project(targets) / np.where(largest > 0, largest, 1)[:, None]
    memory = 1 / kappa
    times = np.concatenate([[0], np.geomspace(1e-16 * memory, memory, _N_RELEVANCE)])
    rates = rate(times)
    gains = (rates[1:] + rates[:-1]) / 2 * np.diff(times)
    final = max(rate(np.array(np.inf)), np.finfo(float).tiny)
    phi = np.concatenate([[0], np.cumsum(gains / final), [memory]])
    left = 1 / (1 + phi[:, None] * modes.eigenvalues)
    components = modes.to_modes(targets).astype(float)
    sizes = np.linalg.norm(left * components[:, None], axis=2).max(axis=0)
    onset = _ONSET / max(rates[0], kappa)
    return Relevance(kappa, np.append(times, _LATE * memory), sizes, onset)
