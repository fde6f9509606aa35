"""The scale of the targets, which the fit takes away and predictions get back."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


class TargetScale(NamedTuple):
    """Mean and standard deviation of each output, in units of a power of two.

    In these units the largest target is of order one: its square neither overflows
    nor vanishes, and to change units costs no precision.

    Parameters
    ----------
    mean, std, unit : ndarray of shape (n_outputs,)
        The outputs are ``(mean + std * normalized) * unit``.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    unit: NDArray[np.float64]

    @classmethod
    def identity(cls, n_outputs: int) -> Self:
        """Return the scale of targets that stay as they are."""
        return cls(np.zeros(n_outputs), np.ones(n_outputs), np.ones(n_outputs))

    @classmethod
    def of(
        cls, targets: NDArray[np.float64], sample_weight: NDArray[np.float64]
    ) -> Self:
        """Return the scale of targets of shape (n_samples, n_outputs)."""
        unit = power_of_two(np.abs(targets).max(axis=0))
        targets = targets / unit
        mean = np.average(targets, axis=0, weights=sample_weight)
        variance = np.average((targets - mean) ** 2, axis=0, weights=sample_weight)
        constant = variance <= (10 * np.finfo(float).eps * mean) ** 2
        return cls(mean, np.sqrt(np.where(constant, 1, variance)), unit)

    def normalize(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return targets of shape (n_samples, n_outputs), normalized."""
        return (targets / self.unit - self.mean) / self.std

    def restore(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return normalized outputs, the first axis, in the scale of the targets."""
        mean, std, unit = (
            values.reshape(-1, *[1] * (outputs.ndim - 1)) for values in self
        )
        return (outputs * std + mean) * unit

    @property
    def spread(self) -> NDArray[np.float64]:
        """Standard deviation of outputs whose normalized one is one, (n_outputs,)."""
        return self.std * self.unit


def power_of_two(size: Any) -> Any:
    """Return the power of two at a size, or below it: a unit that rounds nothing."""
    return np.ldexp(1.0, np.frexp(size)[1] - 1)
