"""Kernels that neural-tangents computes with its elementwise layers, and their file.

Run as a script to compute the file anew (half a minute), in the environment that
``benchmarks/peers.py`` makes for neural-tangents.
"""

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "data" / "neural_tangents.npz"

#: Names in neural_tangents.stax, and arguments; `layer` knows those that are functions.
#: All are here but ExpNormalized, which is the layer of no function.
LAYERS = {
    "relu": ("Relu",),
    "leaky_relu": ("LeakyRelu", 0.3),
    "two slopes": ("ABRelu", -0.5, 2.0),
    "abs": ("Abs",),
    "erf": ("Erf",),
    "affine erf": ("Erf", 2.0, 0.7, 0.3),
    "erf like sigmoid": ("Sigmoid_like",),
    "linear": ("Identity",),
    "gelu": ("Gelu",),
    "sin": ("Sin", 1.0, 0.7),
    "cos": ("Cos", 1.0, 1.3),
    "shifted sin": ("Sin", 2.0, 0.7, 0.3),
    "random features": ("Rbf", 0.4),
    "gabor": ("Gabor",),
    "rbf": ("Gaussian",),
    "wide rbf": ("Gaussian", 2.0, -0.3),
    "exp": ("Exp",),
    "slow exp": ("Exp", 2.0, 0.3),
    "sign": ("Sign",),
    "step": ("RectifiedMonomial", 0),
    **{f"monomial {n}": ("Monomial", n) for n in (1, 2, 3, 4, 5)},
    **{f"rectified monomial {n}": ("RectifiedMonomial", n) for n in (1, 2, 3)},
    **{f"hermite {n}": ("Hermite", n) for n in (1, 2, 3, 6)},
    "polynomial": ("Polynomial", (0.5, -1.0, 0.3, 0.2)),
    "bump": ("Elementwise",),
    **{
        name: ("ElementwiseNumerical", name)
        for name in ("tanh", "sigmoid", "softplus", "silu", "mish")
    },
}
N_QUADRATURE = 400  # points of each variable; 25, as they advise, are too few

#: depth, standard deviation of the weights, bias in its units
NETWORKS = [(1, 1.3, 0.0), (1, 0.8, 0.5), (2, 0.8, 0.0), (3, 0.7, 0.5)]


def problem(name):
    """Return rows of two sets, of different norms and angles, and networks."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((6, 4)), rng.standard_normal((5, 4))
    X, Y = (2 * rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, Y))
    kind = LAYERS[name][0]
    if kind == "Hermite":  # theirs knows variances of one alone
        return X, Y, [(n, 1 / np.hypot(1, bias), bias) for n, _, bias in NETWORKS]
    X *= np.geomspace(0.3, 1.5, 6)[:, None]
    Y *= np.geomspace(1.4, 0.4, 5)[:, None]
    if kind == "RectifiedMonomial":  # theirs is nan for a row with itself
        return X, Y, NETWORKS[:2]
    if name == "exp":  # it overflows at depth 3
        return X, Y, NETWORKS[:3]
    return X, Y, NETWORKS


def layer(name):
    """Return the layer of neural-tangents."""
    import jax
    from neural_tangents import stax

    kind, *arguments = LAYERS[name]
    if kind == "ElementwiseNumerical":
        return stax.ElementwiseNumerical(getattr(jax.nn, name), N_QUADRATURE)
    if kind == "Elementwise":  # z exp(-z^2 / 2)
        return stax.Elementwise(
            nngp_fn=lambda cov, p, q: cov / ((1 + p) * (1 + q) - cov**2) ** 1.5
        )
    return getattr(stax, kind)(*arguments)


def kernels(name):
    """Return the NNGP kernels and NTKs of all networks."""
    from neural_tangents import stax

    X, Y, networks = problem(name)
    out = []
    for depth, sigma, bias in networks:
        dense = stax.Dense(1, W_std=sigma, b_std=sigma * bias)
        *_, kernel_fn = stax.serial(*[dense, layer(name)] * depth, dense)
        out.append(kernel_fn(X, Y, ("nngp", "ntk")))
    return np.array(out)


def main():
    """Compute all kernels and write the file."""
    import jax

    jax.config.update("jax_enable_x64", True)
    origin = {
        "script": "tests/oracles/peer.py",
        "date": date.today().isoformat(),
        **{name: version(name) for name in ("neural-tangents", "jax", "numpy")},
    }
    np.savez_compressed(
        FILE, origin=json.dumps(origin), **{name: kernels(name) for name in LAYERS}
    )


if __name__ == "__main__":
    main()
