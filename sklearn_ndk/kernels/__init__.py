"""Kernels of infinitely wide networks: NNGP, NTK and the NDK that joins them."""

from sklearn_ndk.activations import Activation
from sklearn_ndk.kernels._pairwise import (
    mean_kernel,
    ndk_kernel,
    nngp_kernel,
    ntk_kernel,
    two_time_nngp_kernel,
)

__all__ = [
    "Activation",
    "mean_kernel",
    "ndk_kernel",
    "nngp_kernel",
    "ntk_kernel",
    "two_time_nngp_kernel",
]
