"""All that differs between NumPy and PyTorch: memory and random numbers."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import ArrayLike, NDArray


class Backend(Protocol):
    """Arrays and random numbers of a batch of networks."""

    batch_bytes: int  # of networks run together

    def __init__(self, seeds: Sequence[SeedSequence], device: Any) -> None: ...

    def empty(self, *shape: int) -> Any:
        """Return an array of the shape, for the values of each network."""

    def asarray(self, values: ArrayLike) -> Any:
        """Return an array of the backend."""

    def to_numpy(self, values: Any) -> NDArray[Any]:
        """Return an array of NumPy."""

    def fill_normal(self, out: Any) -> None:
        """Fill an array, one row per network, with standard normal numbers."""


class NumpyBackend:
    """Arrays of NumPy, with one random generator per network.

    What a network does thus depends on its own seed only.

    Parameters
    ----------
    seeds : list of SeedSequence
        One per network.
    device : None
        NumPy has one only.
    """

    dtype: Any = np.float32
    batch_bytes = 2**23  # to stay in the caches

    def __init__(self, seeds: Sequence[SeedSequence], device: None = None) -> None:
        self._generators = [np.random.default_rng(seed) for seed in seeds]

    def empty(self, *shape: int) -> NDArray[Any]:
        """See :meth:`Backend.empty`."""
        return np.empty((len(self._generators), *shape), self.dtype)

    def asarray(self, values: ArrayLike) -> NDArray[Any]:
        """See :meth:`Backend.asarray`."""
        return np.asarray(values, self.dtype)

    def to_numpy(self, values: NDArray[Any]) -> NDArray[Any]:
        """See :meth:`Backend.to_numpy`."""
        return values

    def fill_normal(self, out: NDArray[Any]) -> None:
        """See :meth:`Backend.fill_normal`."""
        for generator, row in zip(self._generators, out, strict=True):
            generator.standard_normal(dtype=self.dtype, out=row)


class TorchBackend:
    """Tensors of PyTorch, with one random generator for all networks.

    Parameters
    ----------
    seeds : list of SeedSequence
        One per network; the generator uses the first.
    device : str
        Where tensors live, such as "cpu" or "cuda".
    """

    batch_bytes = 2**26

    def __init__(self, seeds: Sequence[SeedSequence], device: str) -> None:
        self._torch = import_torch(device)
        self._device, self._n_networks = device, len(seeds)
        self._generator = self._torch.Generator(device)
        self._generator.manual_seed(int(seeds[0].generate_state(1, np.uint64)[0]))

    def empty(self, *shape: int) -> Any:
        """See :meth:`Backend.empty`."""
        shape, torch = (self._n_networks, *shape), self._torch
        return torch.empty(shape, dtype=torch.float32, device=self._device)

    def asarray(self, values: ArrayLike) -> Any:
        """See :meth:`Backend.asarray`."""
        values = np.asarray(values, np.float32)
        return self._torch.asarray(values, device=self._device)

    def to_numpy(self, values: Any) -> NDArray[Any]:
        """See :meth:`Backend.to_numpy`."""
        return values.cpu().numpy()

    def fill_normal(self, out: Any) -> None:
        """See :meth:`Backend.fill_normal`."""
        out.normal_(generator=self._generator)


def import_torch(device: str) -> ModuleType:
    """Return PyTorch if it is installed and knows the device.

    Parameters
    ----------
    device : str
        Name of a device.

    Returns
    -------
    module
        PyTorch.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If it cannot use the device.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ImportError(
            f"device={device!r} needs PyTorch: pip install sklearn-ndk[torch]"
        ) from error
    try:
        torch.Generator(device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"PyTorch cannot use device={device!r}: {reason}") from error
    return torch
