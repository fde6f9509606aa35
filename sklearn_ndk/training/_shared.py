"""Kernels of a whole table, computed once for all folds of a cross-validation.

A fold sees the same rows with other weights, so that its kernels are parts of those of
the whole, and one mesh, time basis and set of integral weights serves all folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sklearn_ndk._compute._memory import check_matrices_fit
from sklearn_ndk.dynamics import Representation
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.kernels._two_time import TwoTimeKernel
from sklearn_ndk.training._samples import TrainingSet

_FEWEST_MATRICES = 3  # of any fit: the Gram matrix, a kernel, and a part of it


class WholeKernel:
    """Kernels of all distinct rows of a table.

    Parameters
    ----------
    network : InfiniteNetwork
        The network.
    samples : TrainingSet
        All rows, of weight one.
    """

    def __init__(self, network: InfiniteNetwork, samples: TrainingSet) -> None:
        self.check_size(samples)
        gram = samples.gram()
        check_range(network, gram)
        self.open = True
        self.kernel = TwoTimeKernel(NDK(network), gram)
        self.size = self.kernel.mean_diagonal()
        self.representation: Representation | None = None
        self._index = {row.tobytes(): i for i, row in enumerate(samples.X + 0.0)}
        self._mixtures: dict[tuple[bytes, bytes], list[NDArray]] = {}

    @staticmethod
    def check_size(samples: TrainingSet) -> None:
        """Raise ValueError if kernels of the samples would not fit in memory."""
        check_matrices_fit(_FEWEST_MATRICES, len(samples))

    @cached_property
    def ntk(self) -> NDArray[np.float64]:
        """The NTK of all rows, over `size`."""
        return self.kernel.scaled(1 / self.size).ntk()

    @cached_property
    def nngp(self) -> NDArray[np.float64]:
        """The NNGP kernel of all rows, over `size`."""
        return self.kernel.scaled(1 / self.size).nngp()

    def mixtures(
        self,
        t: NDArray[np.float64],
        t_prime: NDArray[np.float64],
        mixing: NDArray[np.float64],
        dtypes: Sequence[DTypeLike],
        precision: NDArray[np.float64],
    ) -> list[NDArray]:
        """Return mixtures over `size`, see :meth:`TwoTimeKernel.mixtures`."""
        key = t.tobytes(), t_prime.tobytes()
        if key[::-1] in self._mixtures:  # those of exchanged times, transposed
            return [matrix.T for matrix in self._mixtures[key[::-1]]]
        if key not in self._mixtures:
            scaled = self.kernel.scaled(1 / self.size)
            self._mixtures[key] = scaled.mixtures(t, t_prime, mixing, dtypes, precision)
        return self._mixtures[key]

    def close(self) -> None:
        """Forget all: from now on, nothing is part of it."""
        vars(self).clear()
        self.open = False

    def part(
        self,
        X: NDArray[np.float64],
        Y: NDArray[np.float64],
        row_scale: NDArray[np.float64] | float,
        column_scale: NDArray[np.float64] | float,
    ) -> "PartKernel | None":
        """Return the kernels between some of the rows, scaled; None if one is new."""
        rows, columns = self._find(X), self._find(Y)
        if rows is None or columns is None:
            return None
        gram = self.kernel.gram
        same = np.array_equal(rows, columns)
        gram = gram.rows(rows)._replace(
            y_norm=gram.y_norm[columns],
            cosine=gram.cosine[np.ix_(rows, columns)],
            column_scale=gram.column_scale[columns],
            Y=gram.Y[columns],
            same=same,
        )
        gram = gram.scaled(row_scale, column_scale)
        return PartKernel(self.kernel.family, gram, self, rows, columns)

    def _find(self, X: NDArray[np.float64]) -> NDArray[np.intp] | None:
        """Return the indices of rows, None if one is not among them."""
        found = [self._index.get(row.tobytes()) for row in X + 0.0]
        return None if None in found else np.array(found, dtype=np.intp)


@dataclass(frozen=True)
class PartKernel(TwoTimeKernel):
    """The kernel between some rows of a table, read off that of all rows.

    Parameters
    ----------
    family, gram
        Those of :class:`TwoTimeKernel`.
    whole : WholeKernel
        The kernel of all rows.
    row_index, column_index : ndarray of int
        Which rows of the whole the rows and columns are.
    """

    whole: WholeKernel
    row_index: NDArray[np.intp]
    column_index: NDArray[np.intp]

    def ntk(self, overwrite: bool = False) -> np.ndarray:
        """See :meth:`TwoTimeKernel.ntk`."""
        return self._read(self.whole.ntk, np.float64)

    def nngp(self, decay: float = 1.0, overwrite: bool = False) -> np.ndarray:
        """See :meth:`TwoTimeKernel.nngp`."""
        if decay != 1:
            return super().nngp(decay)
        return self._read(self.whole.nngp, np.float64)

    def mixtures(
        self,
        t: np.ndarray,
        t_prime: np.ndarray,
        mixing: np.ndarray,
        dtypes: Sequence[DTypeLike],
        precision: np.ndarray,
        overwrite: bool = False,
    ) -> list[np.ndarray]:
        """See :meth:`TwoTimeKernel.mixtures`."""
        whole = self.whole.mixtures(t, t_prime, mixing, dtypes, precision)
        return [self._read(m, dtype) for m, dtype in zip(whole, dtypes, strict=True)]

    def row_groups(self) -> dict[float | None, np.ndarray]:
        """See :meth:`TwoTimeKernel.row_groups`: the basis of the whole serves all."""
        return {None: np.ones(self.n_rows, dtype=bool)}

    def rows(self, index: np.ndarray | slice) -> "PartKernel":
        """See :meth:`TwoTimeKernel.rows`."""
        return replace(
            self, gram=self.gram.rows(index), row_index=self.row_index[index]
        )

    def _read(self, matrix: NDArray, dtype: DTypeLike) -> np.ndarray:
        """Return a part of a matrix of the whole, scaled."""
        part = matrix[np.ix_(self.row_index, self.column_index)]
        part = part.astype(dtype, copy=False)
        root = np.sqrt(self.whole.size)
        part *= (self.gram.row_scale * root).astype(dtype)[:, None]
        part *= (self.gram.column_scale * root).astype(dtype)
        return part
