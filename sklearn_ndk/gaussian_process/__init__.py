"""Kernels of infinitely wide networks for scikit-learn's Gaussian processes."""

from sklearn_ndk.gaussian_process._kernels import NNGP, NTK

__all__ = ["NNGP", "NTK"]
