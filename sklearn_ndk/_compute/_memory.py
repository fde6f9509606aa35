"""The memory that heavy work may take, told before it starts."""

import os

import numpy as np


def check_memory(n_matrices, n_samples):
    """Raise if kernel matrices would not fit in this machine's memory.

    Parameters
    ----------
    n_matrices : int
        Number of matrices held at once.
    n_samples : int
        Number of their rows and columns.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    needed = n_matrices * n_samples**2 * np.dtype(float).itemsize
    if needed > _physical_memory():
        raise ValueError(
            f"This fit needs {needed / 2**30:.1f} GiB for {n_matrices} kernel matrices "
            f"of {n_samples} samples, but the machine has "
            f"{_physical_memory() / 2**30:.1f} GiB. Fit fewer samples; a low-rank "
            "approximation, n_landmarks, is planned but not part of this release."
        )


def _physical_memory():
    """Return the machine's memory in bytes, infinite where it cannot be told."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return np.inf
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
