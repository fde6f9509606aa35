"""Kernel matrices."""

import numpy as np

from sklearn_ndk.kernels import ndk_kernel, nngp_kernel, ntk_kernel


class Kernels:
    params = (["relu", "erf"], [1, 3], ["float64", "float32"])
    param_names = ("activation", "depth", "dtype")

    def setup(self, activation, depth, dtype):
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((1000, 100)).astype(dtype)
        self.network = {"activation": activation, "depth": depth}

    def time_nngp(self, *_):
        nngp_kernel(self.X, **self.network)

    def time_ntk(self, *_):
        ntk_kernel(self.X, **self.network)

    def time_ntk_and_nngp(self, *_):
        ntk_kernel(self.X, **self.network, return_nngp=True)

    def time_ndk(self, *_):
        ndk_kernel(self.X, **self.network, t=3.0, t_prime=1.0)

    def peakmem_ntk(self, *_):
        ntk_kernel(self.X, **self.network)

    def track_error_of_single_precision(self, *_):
        exact = ntk_kernel(self.X.astype(np.float64), **self.network)
        gap = ntk_kernel(self.X, **self.network) - exact
        return np.abs(gap).max() / np.abs(exact).max()
