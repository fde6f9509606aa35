"""Eigenvectors of the equilibrium kernel: kernels at all times share them, nearly.

They precondition the equation over all times at once: between neighbouring
eigenvectors the kernels hardly differ, so the inverse for one eigenvector, a small
matrix over the nodes in time, serves those around it.
"""

import numpy as np
from scipy.linalg import eigh

from sklearn_ndk._compute._threads import product

_N_BINS = 24  # of neighbouring eigenvectors
_FEW_PANELS = 3  # whose matrices are inverted at once
_N_SINGLE = 8  # leading eigenvectors with a bin of their own


class Modes:
    """Eigenvectors of a kernel, from the leading one down, in bins.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_samples)
        The kernel.
    ridge : float
        What hides smaller eigenvalues. If single precision resolves those that it
        does not hide, the eigenvectors are in single precision; if double precision
        does not, those that are rounding errors are left out.
    rank : callable, default=None
        Returns the largest rank that the exact kernel can have, the number of
        samples if None.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n_modes,)
        In descending order, none negative.
    vectors : ndarray of shape (n_modes, n_samples)
        The eigenvectors, as rows.
    complete : bool
        Whether none was left out that may be more than a rounding error.
    """

    def __init__(self, matrix, ridge, rank=None):
        n_samples, size = len(matrix), np.abs(matrix).max() or 1.0
        largest = np.trace(matrix)
        single = bool(ridge > np.finfo(np.float32).eps * largest)
        matrix = (matrix / size).astype(np.float32 if single else float)
        eigenvalues, vectors = eigh(matrix, driver="evd", overwrite_a=True)
        eigenvalues = size * np.maximum(eigenvalues[::-1], 0).astype(float)
        rounding = n_samples * np.finfo(float).eps * eigenvalues[0]
        n_modes = n_samples
        if ridge <= rounding:
            n_modes = max(1, np.count_nonzero(eigenvalues > rounding))
        self.eigenvalues = eigenvalues[:n_modes]
        self.vectors = np.ascontiguousarray(vectors.T[::-1][:n_modes])
        self.complete = n_modes == n_samples or (rank is not None and n_modes >= rank())
        self._edges = _bin_edges(n_modes)

    def project(self, rows):
        """Return the parts of rows, shape (..., n_samples), that the modes span."""
        if len(self.vectors) == rows.shape[-1]:
            return rows
        return (rows @ self.vectors.T) @ self.vectors

    def to_modes(self, rows):
        """Return the components of rows, shape (n_rows, n_modes)."""
        return product(rows.astype(self.vectors.dtype, copy=False), self.vectors.T)

    def from_modes(self, components):
        """Return the rows with the given components."""
        return product(components.astype(self.vectors.dtype, copy=False), self.vectors)

    def all_at_once(self):
        """Return a target that has all modes in it, of shape (1, n_samples)."""
        return self.from_modes(np.ones((1, len(self.vectors)))).astype(float)

    def split(self, target):
        """Return the unit vectors along the parts of a vector in each bin.

        Parameters
        ----------
        target : ndarray of shape (n_samples,)
            The vector.

        Returns
        -------
        ndarray of shape (n_bins, n_samples)
            Orthonormal; where the vector has no part, an eigenvector of the bin.
        """
        components = self.to_modes(target[None])[0]
        parts = np.zeros((len(self._edges) - 1, len(components)), components.dtype)
        for part, first, last in zip(
            parts, self._edges[:-1], self._edges[1:], strict=True
        ):
            part[first:last] = components[first:last]
            norm = np.linalg.norm(part)
            if norm > 0:
                part /= norm
            else:
                part[first] = 1
        return np.linalg.qr(self.from_modes(parts).astype(float).T)[0].T

    def preconditioner(self, diagonals, weights, n_nodes):
        """Return the approximate inverse of ``1 + sum_j weights_j (x) R_j``.

        Parameters
        ----------
        diagonals : ndarray of shape (rank, n_bins)
            The matrices ``R_j`` in each bin.
        weights : ndarray of shape (rank, n_times, n_times)
            Block lower triangular.
        n_nodes : int
            Size of the blocks.

        Returns
        -------
        callable
            Maps components of shape (n, n_modes), at the last n times, to others.
        """
        blocks = np.tensordot(diagonals.T, weights, axes=1)
        blocks += np.eye(weights.shape[1])
        inverses = _inverse(blocks.astype(self.vectors.dtype), n_nodes)
        centres = np.log(self._edges[:-1] + self._edges[1:])  # one over 2 i + 1
        position = np.interp(
            np.log(2 * np.arange(len(self.vectors)) + 1),
            centres,
            np.arange(len(centres)),
        ).astype(self.vectors.dtype)

        def precondition(components):
            n = len(components)
            out = np.zeros_like(components)
            for bin_, inverse in enumerate(inverses[:, -n:, -n:]):
                # linear interpolation between the inverses of neighbouring bins
                share = np.maximum(1 - np.abs(position - bin_), 0)
                (near,) = np.nonzero(share)
                near = slice(near[0], near[-1] + 1)
                out[:, near] += share[near] * (inverse @ components[:, near])
            return out

        return precondition


def _inverse(blocks, n_nodes):
    """Return inverses of block lower triangular matrices, by halves.

    Parameters
    ----------
    blocks : ndarray of shape (n_bins, n_times, n_times)
        The matrices.
    n_nodes : int
        Size of the blocks.

    Returns
    -------
    ndarray of shape (n_bins, n_times, n_times)
        The inverses.
    """
    n_panels = blocks.shape[1] // n_nodes
    if n_panels <= _FEW_PANELS:
        return np.linalg.inv(blocks)
    half = n_panels // 2 * n_nodes
    first = _inverse(blocks[:, :half, :half], n_nodes)
    last = _inverse(blocks[:, half:, half:], n_nodes)
    out = np.zeros_like(blocks)
    out[:, :half, :half], out[:, half:, half:] = first, last
    out[:, half:, :half] = -last @ (blocks[:, half:, :half] @ first)
    return out


def _bin_edges(n_modes):
    """Return the first eigenvector of each bin, and the end of the last."""
    if n_modes <= _N_BINS:
        return np.arange(n_modes + 1)
    graded = np.geomspace(_N_SINGLE, n_modes, _N_BINS - _N_SINGLE + 1)
    return np.unique(np.concatenate([np.arange(_N_SINGLE), graded.round()]).astype(int))
