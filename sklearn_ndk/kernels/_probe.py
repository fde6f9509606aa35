"""Probe inputs: single pairs that stand for all pairs of inputs a kernel may meet."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats.qmc import Halton

from sklearn_ndk.kernels._families import KernelFamily
from sklearn_ndk.kernels._gram import Gram
from sklearn_ndk.kernels._weight_process import ENDS_OF_TIME

_N_ANGLES = 120  # for kernels of the angle alone
_N_PAIRS = 400  # for kernels of the angle and both norms
_MARGIN = 10  # by which kernels at other pairs may exceed what the sample shows
_SMALLEST_ANGLE = 1e-8
_EXTREME = 1e-8  # squared norms beyond this share of others act like it, or its inverse


@dataclass(frozen=True)
class Probe:
    """A family of kernels at probe pairs of inputs.

    Parameters
    ----------
    family : KernelFamily
        The family.
    k_xx, k_yy, k_xy : ndarray of shape (n_probes,)
        Inner products of the pairs, divided by the number of features.
    weight : ndarray of shape (n_probes,)
        Factors that bring the probes to a common scale.
    sampled : bool
        Whether they are a sample, which stands for all inputs of some norms, or the
        only pairs that they stand for.
    """

    family: KernelFamily
    k_xx: np.ndarray
    k_yy: np.ndarray
    k_xy: np.ndarray
    weight: np.ndarray
    sampled: bool

    def __call__(self, t: np.ndarray, t_prime: np.ndarray) -> np.ndarray:
        """Evaluate the weighted kernels.

        Parameters
        ----------
        t, t_prime : ndarray of shape (n_pairs,)
            Pairs of times.

        Returns
        -------
        ndarray of shape (n_probes, n_pairs)
            One row per probe.
        """
        rows = (self.k_xx[:, None], self.k_yy[:, None], self.k_xy[:, None])
        values = self.family.entries(*rows, t[None], t_prime[None])
        return self.weight[:, None] * values

    @property
    def stationary(self) -> bool:
        """Whether the kernels depend on the lag between two times alone."""
        return self.family.network.stationary

    def subset(self, probes: np.ndarray) -> "Probe":
        """Return the same for some of the probes.

        Parameters
        ----------
        probes : ndarray of int
            Their indices.

        Returns
        -------
        Probe
            With as many probes.
        """
        fields = ("k_xx", "k_yy", "k_xy", "weight")
        return replace(self, **{name: getattr(self, name)[probes] for name in fields})


def make_probe(family: KernelFamily, gram: Gram) -> Probe:
    """Choose probes for the pairs of inputs in a Gram matrix.

    Parameters
    ----------
    family : KernelFamily
        The family.
    gram : Gram
        Inner products of the inputs.

    Returns
    -------
    Probe
        The pairs themselves if they are few, else a sample of all angles and norms.
    """
    few = gram.cosine.size <= _N_PAIRS and gram.x_norm.any() and gram.y_norm.any()
    if family.network.homogeneous or not few:
        x2, y2 = gram.x_norm**2, gram.y_norm**2
        return sample_probe(family, (x2.min(), x2.max()), (y2.min(), y2.max()))
    norms = np.meshgrid(gram.x_norm, gram.y_norm, indexing="ij")
    x_norm, y_norm = (norm.ravel() for norm in norms)
    k_xy = gram.cosine.ravel() * x_norm * y_norm
    return _weighted(family, x_norm**2, y_norm**2, k_xy)


def sample_probe(
    family: KernelFamily, rows: tuple[float, float], columns: tuple[float, float]
) -> Probe:
    """Choose probes for all inputs of some norms.

    They have all angles, dense around zero, where a kernel may be singular, and all
    norms, if the kernel is not homogeneous.

    Parameters
    ----------
    family : KernelFamily
        The family.
    rows, columns : tuple of float
        The smallest and the largest squared norm of the inputs on either side.

    Returns
    -------
    Probe
        The probes.
    """
    if family.network.homogeneous:
        cosine = _cosines(np.linspace(0, 1, _N_ANGLES))
        one = np.ones_like(cosine)
        return _weighted(family, one, one, cosine, sampled=True)
    u, v, w = Halton(3, scramble=False).random(_N_PAIRS).T
    scale = columns[1] or 1.0
    k_xx = _graded(u, *rows, scale)
    k_yy = _graded(v, *columns, scale)
    # only rows of equal norm come close to each other
    k_yy[::2] = np.clip(k_xx[::2], k_yy.min(), k_yy.max())
    k_xy = np.sqrt(k_xx) * np.sqrt(k_yy) * _cosines(w)
    return _weighted(family, k_xx, k_yy, k_xy, sampled=True, margin=_MARGIN)


def _weighted(
    family: KernelFamily,
    k_xx: np.ndarray,
    k_yy: np.ndarray,
    k_xy: np.ndarray,
    *,
    sampled: bool = False,
    margin: float = 1.0,
) -> Probe:
    """Return probes, with weights that bring them to a common scale."""
    variance = np.sqrt(_variance(family, k_xx)) * np.sqrt(_variance(family, k_yy))
    weight = np.divide(
        margin, variance, out=np.zeros_like(variance), where=variance > 0
    )
    return Probe(family, k_xx, k_yy, k_xy, weight, sampled)


def _variance(family: KernelFamily, k_xx: np.ndarray) -> np.ndarray:
    """Return the larger kernel of inputs with themselves at both ends of time."""
    return family.diagonal(k_xx[:, None], ENDS_OF_TIME).max(axis=1)


def _graded(u: np.ndarray, smallest: float, largest: float, scale: float) -> np.ndarray:
    """Map [0, 1] to squared norms of a range, evenly in their logarithm."""
    bottom, top = np.clip([smallest, largest], _EXTREME * scale, scale / _EXTREME)
    return top * (bottom / top) ** u


def _cosines(u: np.ndarray) -> np.ndarray:
    """Map [0, 1] to cosines: angles from 0 to pi, a third graded towards 0."""
    # a kernel's kink at angle zero is rounded by the time between weights, down to
    # 1e-8, below which a cosine does not tell an angle: equally many probes in each
    # decade, to one radian over the first third
    graded = _SMALLEST_ANGLE ** (1 - 3 * u)
    angle = np.where(u < 1 / 3, graded, np.pi * (1.5 * u - 0.5))
    return np.cos(np.where(u == 0, 0, angle))
