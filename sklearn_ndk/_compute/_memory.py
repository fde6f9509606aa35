"""The memory that heavy work may take, told before it starts."""

import os
from pathlib import Path

import numpy as np

#: Files that hold the limit of a container: control groups, versions 2 and 1.
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


_OF_A_FIT = (
    "Fit fewer samples; a low-rank approximation, n_landmarks, is planned but not part "
    "of this release."
)


def check_matrices_fit(
    n_matrices: float, n_samples: int, advice: str = _OF_A_FIT
) -> None:
    """Raise if kernel matrices would not fit in memory.

    Parameters
    ----------
    n_matrices : float
        Number of matrices held at once.
    n_samples : int
        Number of their rows and columns.
    advice : str
        What to do about it.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    needed = n_matrices * n_samples**2 * np.dtype(float).itemsize
    there_is = total_memory()
    if needed > there_is:
        raise ValueError(
            f"This needs {needed / 2**30:.1f} GiB for {n_matrices:.3g} kernel matrices "
            f"of {n_samples} samples, but the machine has {there_is / 2**30:.1f} GiB. "
            f"{advice}"
        )


def total_memory(limits: tuple[Path, ...] = _LIMITS) -> float:
    """Return the memory of the machine, or of the container if it has less.

    Parameters
    ----------
    limits : tuple of Path
        Files that hold the limit of a container in bytes, if they exist.

    Returns
    -------
    float
        In bytes; infinite where it cannot be told.
    """
    sizes = [np.inf]
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in limits:
        try:
            sizes.append(float(path.read_text()))
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
    return min(sizes)
