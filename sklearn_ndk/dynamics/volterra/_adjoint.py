"""Covariance of outputs at one time, by the adjoint of the Volterra equation.

With ``y = 0`` the output at a time t is a linear functional of the outputs eta of
networks that see no data, a Gaussian process with the prior covariance C,

    f(x, t) = eta(x, t) - int_0^t omega(s) eta(X, s) ds ,

whose weights solve, for times ``v = t - s`` counted back from t,

    omega(v) + int_0^v NDK(v, v') omega(v') dv' = NDK(0, v; x, X) .

So ``cov f = C - omega C - C omega^T + omega C omega^T``, which no target enters.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk._compute._threads import n_blas_callers, product, spread
from sklearn_ndk.dynamics._queries import Queries
from sklearn_ndk.dynamics.volterra._galerkin import MeshEquation, solve_mesh
from sklearn_ndk.dynamics.volterra._mesh import radau_weights
from sklearn_ndk.dynamics.volterra._modes import Modes
from sklearn_ndk.dynamics.volterra._representation import (
    Representation,
    relevance_of,
    represent,
)
from sklearn_ndk.dynamics.volterra._time_basis import Relevance

_DEFECT_SHARE = 1.0  # of the tolerance
_EASY = 4e5  # stiffness beyond which errors grow in proportion to it
_LIKELY = 0.03  # of what a kernel's error could add at most, were all modes alike
_FINEST = 1e-9  # tolerance
_LEFT_OUT = 1e-3  # of the tolerance, of what the weights at all times add up to


class Adjoint:
    """The adjoint equation of the outputs at one time.

    Parameters
    ----------
    kernel : TwoTimeKernel
        Kernel of the training inputs.
    modes : Modes
        Eigenvectors of the kernel of their equilibrium.
    kappa : float
        Diffusion rate, positive.
    t : float
        The time, positive and finite.
    tol : float
        Accuracy of variances, relative to the prior's.

    Attributes
    ----------
    stiffness : float
        Time of training in units of that of the fastest gradient descent: errors of
        kernels and of the iteration change variances in proportion to it.
    error : float
        Accuracy that variances have, roughly.
    """

    def __init__(
        self, kernel: Any, modes: Modes, kappa: float, t: float, tol: float
    ) -> None:
        self._forward = kernel
        self._kernel, self._prior = kernel.backward(t), kernel.prior().backward(t)
        self._modes, self._kappa, self._t = modes, kappa, t
        self._size = self._kernel.mean_diagonal()
        rates = self._kernel.rate(np.array([0.0, t]))
        self._rate = rates[0]
        self.stiffness = float(max(rates) * min(t, 1 / kappa))
        ease = min(1, _EASY / self.stiffness)
        self._tol = max(tol * ease, _FINEST)
        self.error = max(tol, _FINEST / ease)

    def covariance(self, queries: Queries) -> NDArray[np.float64]:
        """Return the covariance of outputs, see :meth:`Regime.covariance`."""
        mesh = self._represent()
        node_times = mesh.node_times.ravel()
        panel_rule = radau_weights(mesh.nodes)
        rule = (np.diff(mesh.edges)[:, None] * panel_rule).ravel()
        scaled = self._kernel.scaled(1 / self._size)
        exact = self.stiffness > _EASY  # rounding is amplified as well
        matrices = mesh.basis.matrices(scaled, transposed=True, double=exact)
        prior = self._prior_integrals(mesh)
        n_samples = self._kernel.n_rows
        out = queries.prior("prior", self._t)

        def see(block: tuple[slice, Queries]) -> None:
            rows, part = block
            targets = _at_nodes(part.cross.backward(self._t), node_times)
            weights = self._solve(mesh, matrices, targets)
            seen = _at_nodes(part.cross.prior().backward(self._t), node_times)
            weights *= rule[:, None]
            once = part.inner(weights, seen)
            twice = part.inner(weights, prior.integrals(weights, rule, self._tol))
            out[rows] += twice + twice.T - once - once.T

        n_callers = n_blas_callers()
        blocks = queries.blocks(4 * n_callers * len(node_times) * n_samples)
        spread(see, blocks, n_callers)
        return out

    def _represent(self) -> Representation:
        """Return a mesh that ends at the beginning of training, and a time basis."""
        targets = self._modes.all_at_once()
        forward = relevance_of(targets, self._modes, self._forward.rate, self._kappa)
        mesh = represent(
            targets,
            self._kernel,
            self._modes,
            self._kappa,
            self._tol,
            self._t,
            lambda backward: _Relevance(backward, forward, self._t),
        )
        edges = mesh.edges
        if edges[-1] > self._t:
            edges = np.append(edges[edges < self._t], self._t)
        return replace(mesh, edges=edges)

    def _solve(
        self, mesh: Representation, matrices: list, targets: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the weights omega at the nodes, (n_rows, n_times, n_samples)."""
        # weights count by what they add up to: in units in which they are of order one
        units = self._units(mesh)
        equation = MeshEquation(
            targets=targets / units[:, None],
            matrices=matrices,
            sizes=1 / mesh.basis.precision,
            weights=self._size * mesh.node_weights * (units / units[:, None]),
            n_nodes=len(mesh.nodes),
            scale=self._sums(targets[:, 0]),
        )
        horizon = min(1 / self._kappa, self._t)
        tol = _DEFECT_SHARE * self._tol
        return solve_mesh(equation, self._modes, horizon, tol)[0] * units[:, None]

    def _sums(self, start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the norms of what weights add up to over time, roughly."""
        modes = self._modes
        rates = modes.eigenvalues * self._rate / modes.eigenvalues.sum()
        return np.linalg.norm(modes.to_modes(start) / (rates + 1 / self._t), axis=1)

    def _units(self, mesh: Representation) -> NDArray[np.float64]:
        """Return the size that weights have at the nodes, at most."""
        return 1 / (mesh.edges[1] + mesh.node_times.ravel())

    def _prior_integrals(self, mesh: Representation) -> "_PriorIntegrals":
        basis = mesh.basis_for(self._prior.probe, mesh.times)
        matrices = basis.matrices(self._prior, transposed=True)
        weights = replace(mesh, basis=basis).node_weights
        return _PriorIntegrals(matrices, weights)


@dataclass(frozen=True)
class _Relevance:
    """What a unit error of the NDK at times counted back can add to a covariance.

    It changes the weights at `v` in proportion to those at ``v'``, and what has not
    been learned of the outputs by then is the covariance that they multiply.

    Parameters
    ----------
    backward, forward : Relevance
        That to outputs, at times counted back and on; the sizes of the residual are
        those of weights, and of what has not been learned.
    end : float
        The time of training.
    """

    backward: Relevance
    forward: Relevance
    end: float

    def __call__(self, v: Any, v_prime: Any) -> NDArray[np.float64]:
        """Return the relevance of pairs of times, of the shape of `v`."""
        trained = np.maximum(self.end - v, 0)
        extent = np.minimum(np.minimum(v, trained), 1 / self.forward.kappa)
        left = self.forward.left(trained) * self.backward.left(v_prime)
        return np.maximum(self.backward(v, v_prime), _LIKELY * extent * left)


class _PriorIntegrals:
    """Integrals of the prior covariance of the training outputs up to each node."""

    def __init__(self, matrices: list, weights: NDArray[np.float64]) -> None:
        self._matrices, self._weights = matrices, weights

    def integrals(
        self, omega: NDArray[np.float64], rule: NDArray[np.float64], tol: float
    ) -> NDArray[np.float64]:
        """Return ``int_0^v C(v, v') omega(v') dv'`` at all nodes.

        Parameters
        ----------
        omega : ndarray of shape (n_rows, n_times, n_samples)
            The weights at the nodes, times the rule.
        rule : ndarray of shape (n_times,)
            Weights of integrals over all of time.
        tol : float
            Accuracy.

        Returns
        -------
        ndarray of shape (n_rows, n_times, n_samples)
            The integrals.
        """
        root = np.sqrt(rule)[:, None]
        profiles, directions = _compressed(omega / root, _LEFT_OUT * tol)
        profiles = profiles / root  # of omega without the rule
        n_rows, n_kept, n_samples = directions.shape
        flat = directions.reshape(-1, n_samples)
        out = np.zeros(omega.shape)
        for weights, matrix in zip(self._weights, self._matrices, strict=True):
            seen = product(flat.astype(matrix.dtype, copy=False), matrix)
            seen = seen.reshape(n_rows, n_kept, n_samples)
            out += (weights @ profiles) @ seen
        return out


def _compressed(
    rows: NDArray[np.float64], tol: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return profiles over time and directions whose products are the rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_times, n_samples)
        Rows that change over time.
    tol : float
        Relative error of each.

    Returns
    -------
    profiles : ndarray of shape (n_rows, n_times, n_kept)
        Orthonormal.
    directions : ndarray of shape (n_rows, n_kept, n_samples)
        As many as the row that takes most of them.
    """
    squares, profiles = np.linalg.eigh(rows @ rows.transpose(0, 2, 1))
    total = np.cumsum(np.maximum(squares, 0), axis=1)
    small = total <= tol**2 * total[:, -1:]
    profiles = profiles[:, :, small.sum(axis=1).min() :]
    return profiles, profiles.transpose(0, 2, 1) @ rows


def _at_nodes(kernel: Any, node_times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a kernel from the end of training to other times, by rows."""
    return np.stack([kernel.matrix(0.0, v) for v in node_times], axis=1)
