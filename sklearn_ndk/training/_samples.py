"""The training samples as the dynamics see them: distinct, ordered, weighted."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk.kernels._gram import Gram, gram_matrix


@dataclass(frozen=True)
class TrainingSet:
    """Distinct training samples in an order that does not depend on that of the data.

    With ``r -> W^(1/2) r`` the sample weights W leave the equations: the kernels
    become ``W^(1/2) NDK W^(1/2)``, and the targets ``W^(1/2) y``.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Inputs, no two rows equal.
    scale : ndarray of shape (n_samples,)
        Square roots of the sample weights, positive.
    targets : ndarray of shape (n_outputs, n_samples)
        Targets times `scale`.
    first : ndarray of shape (n_samples,)
        Index, in the data, of the first row equal to each sample.
    """

    X: NDArray[np.float64]
    scale: NDArray[np.float64]
    targets: NDArray[np.float64]
    first: NDArray[np.intp]

    @classmethod
    def from_rows(
        cls,
        X: NDArray[np.float64],
        targets: NDArray[np.float64],
        sample_weight: NDArray[np.float64],
    ) -> Self:
        """Sort rows and merge equal ones.

        The loss sees only the total weight and the mean target of equal rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Inputs.
        targets : ndarray of shape (n_rows, n_outputs)
            Targets.
        sample_weight : ndarray of shape (n_rows,)
            Positive weights.

        Returns
        -------
        TrainingSet
            The samples.
        """
        first, inverse = _distinct_rows(X)
        total = np.bincount(inverse, weights=sample_weight)
        if len(first) < len(X):
            sums = np.zeros((len(first), targets.shape[1]))
            np.add.at(sums, inverse, sample_weight[:, None] * targets)
            targets = sums / total[:, None]
        else:
            targets = targets[first]
        scale = np.sqrt(total)
        return cls(X[first], scale, (scale[:, None] * targets).T, first)

    @classmethod
    def of_inputs(cls, X: NDArray[np.float64]) -> Self:
        """Return all distinct rows, of weight one and with no targets."""
        first, _ = _distinct_rows(X)
        return cls(X[first], np.ones(len(first)), np.empty((0, len(first))), first)

    def __len__(self) -> int:
        return len(self.X)

    def gram(self) -> Gram:
        """Return the Gram matrix of the samples, weighted."""
        return gram_matrix(self.X).scaled(self.scale, self.scale)

    def cross_gram(self, X: NDArray[np.float64]) -> Gram:
        """Return the Gram matrix of other inputs with the samples, weighted."""
        return gram_matrix(X, self.X).scaled(1.0, self.scale)


def _distinct_rows(
    X: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the distinct rows, in the order of their bytes.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows.

    Returns
    -------
    first : ndarray of shape (n_distinct,)
        Index of the first row of each kind.
    inverse : ndarray of shape (n_rows,)
        The kind of each row.
    """
    rows = np.ascontiguousarray(X + 0.0)  # without negative zeros
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse
