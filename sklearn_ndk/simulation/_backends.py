"""All that differs between NumPy and PyTorch: memory and random numbers."""

import importlib

import numpy as np


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

    dtype = np.float32
    batch_bytes = 2**23  # of networks run together, to stay in the caches

    def __init__(self, seeds, device=None):
        self._generators = [np.random.default_rng(seed) for seed in seeds]

    def empty(self, *shape):
        """Return an array of the shape, for the values of each network."""
        return np.empty((len(self._generators), *shape), self.dtype)

    def asarray(self, values):
        """Return an array of the backend."""
        return np.asarray(values, self.dtype)

    def to_numpy(self, values):
        """Return an array of NumPy."""
        return values

    def fill_normal(self, out):
        """Fill an array, one row per network, with standard normal numbers."""
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

    def __init__(self, seeds, device):
        self._torch = import_torch(device)
        self._device, self._n_networks = device, len(seeds)
        self._generator = self._torch.Generator(device)
        self._generator.manual_seed(int(seeds[0].generate_state(1, np.uint64)[0]))

    def empty(self, *shape):
        """See :meth:`NumpyBackend.empty`."""
        shape, torch = (self._n_networks, *shape), self._torch
        return torch.empty(shape, dtype=torch.float32, device=self._device)

    def asarray(self, values):
        """See :meth:`NumpyBackend.asarray`."""
        values = np.asarray(values, np.float32)
        return self._torch.asarray(values, device=self._device)

    def to_numpy(self, values):
        """See :meth:`NumpyBackend.to_numpy`."""
        return values.cpu().numpy()

    def fill_normal(self, out):
        """See :meth:`NumpyBackend.fill_normal`."""
        out.normal_(generator=self._generator)


def import_torch(device):
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
