"""The preconditioner: kernels at all times share their leading eigenvectors, nearly."""

import numpy as np

_N_LEADING = 32  # eigenvectors whose coupling is kept
_N_PROBED = 100  # of the others, on which diagonals are computed


class Modes:
    """The matrices of a time basis, nearly diagonal in one set of eigenvectors.

    Between the leading eigenvectors the matrices are kept whole; of the rest
    only the diagonal is kept, and interpolated from some of the eigenvectors.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_samples)
        The symmetric matrix whose eigenvectors are used.
    basis_matrices : list of ndarray of shape (n_samples, n_samples)
        The matrices of the time basis, transposed.
    """

    def __init__(self, matrix, basis_matrices):
        _, self._vectors = np.linalg.eigh(matrix)
        n_rest = max(0, len(matrix) - _N_LEADING)
        probed = np.linspace(0, n_rest - 1, min(n_rest, _N_PROBED)).astype(int)
        leading = self._vectors[:, n_rest:]
        others = self._vectors[:, probed]
        both = np.hstack([leading, others])
        self._diagonals, self._couplings = [], []
        for transposed in basis_matrices:
            images = transposed.T @ both.astype(transposed.dtype)
            self._couplings.append(leading.T @ images[:, : leading.shape[1]])
            diagonal = np.einsum("np,np->p", others, images[:, leading.shape[1] :])
            if n_rest:
                diagonal = np.interp(np.arange(n_rest), probed, diagonal)
            self._diagonals.append(diagonal)

    def preconditioner(self, weights):
        """Return the approximate solution of a panel's linear system.

        Parameters
        ----------
        weights : ndarray of shape (rank, n_nodes, n_nodes)
            The matrices ``A_i`` of the system ``1 + sum_i A_i (x) G_i``.

        Returns
        -------
        callable
            Maps an array of shape (n_outputs, n_nodes, n_samples) to another.
        """
        n_nodes = weights.shape[1]
        blocks = np.einsum("in,ijk->njk", self._diagonals, weights)
        inverses = np.linalg.inv(np.eye(n_nodes) + blocks)
        n_rest, n_leading = len(inverses), len(self._couplings[0])
        whole = np.tensordot(weights, self._couplings, axes=(0, 0))
        size = n_nodes * n_leading
        whole = whole.transpose(0, 2, 1, 3).reshape(size, size)
        inverse = np.linalg.inv(np.eye(size) + whole)

        def precondition(z):
            modal = z @ self._vectors
            rest = np.einsum("njk,skn->sjn", inverses, modal[..., :n_rest])
            leading = modal[..., n_rest:].reshape(len(z), size) @ inverse.T
            modal[..., :n_rest] = rest
            modal[..., n_rest:] = leading.reshape(len(z), n_nodes, n_leading)
            return modal @ self._vectors.T

        return precondition
