"""Kernels beside those of neural-tangents, whose formulas are others' work."""

from functools import partial

import numpy as np
import pytest
from oracles.peer import FILE, LAYERS, problem
from scipy.special import erf

from sklearn_ndk.activations import (
    GELU,
    RBF,
    Abs,
    Cos,
    Erf,
    Exp,
    Function,
    Hermite,
    LeakyReLU,
    Linear,
    Mish,
    Monomial,
    RectifiedMonomial,
    ReLU,
    Sigmoid,
    Sign,
    SiLU,
    Sin,
    Softplus,
    Step,
    Tanh,
)
from sklearn_ndk.activations._numerical import Numerical
from sklearn_ndk.activations._registry import ACTIVATIONS
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel

THEIRS = np.load(FILE)
OURS = {
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(0.3),
    "two slopes": Function(lambda z: np.where(z > 0, 2 * z, -0.5 * z)),
    "abs": Abs(),
    "erf": Erf(),
    "affine erf": Function(lambda z: 2 * erf(0.7 * z) + 0.3),
    "erf like sigmoid": Function(lambda z: (1 + erf(z / 2.4020563531719796)) / 2),
    "linear": Linear(),
    "gelu": GELU(),
    "sin": Sin(0.7),
    "cos": Cos(1.3),
    "shifted sin": Function(lambda z: 2 * np.sin(0.7 * z + 0.3)),
    "random features": Function(lambda z: np.sin(0.8**0.5 * z) + np.cos(0.8**0.5 * z)),
    "gabor": Function(lambda z: np.exp(-(z**2)) * np.sin(z)),
    "rbf": RBF(),
    "wide rbf": Function(lambda z: 2 * np.exp(-0.3 * z**2)),
    "exp": Exp(),
    "slow exp": Function(lambda z: 2 * np.exp(0.3 * z)),
    "sign": Sign(),
    "step": Step(),
    **{f"monomial {n}": Monomial(n) for n in (1, 2, 3, 4, 5)},
    **{f"rectified monomial {n}": RectifiedMonomial(n) for n in (1, 2, 3)},
    **{f"hermite {n}": Hermite(n) for n in (1, 2, 3, 6)},
    "polynomial": Function(
        lambda z: 0.5 - z + 0.3 * z**2 + 0.2 * z**3, lambda z: -1 + 0.6 * (z + z**2)
    ),
    "bump": Function(lambda z: z * np.exp(-(z**2) / 2)),
    "tanh": Tanh(),
    "sigmoid": Sigmoid(),
    "softplus": Softplus(),
    "silu": SiLU(),
    "mish": Mish(),
}
NUMERICAL = [name for name in LAYERS if isinstance(OURS[name], Numerical)]
CLOSED = [name for name in LAYERS if name not in NUMERICAL]
NAMED = [name for name in NUMERICAL if name in ACTIVATIONS]


def largest_error(name, copies=1):
    """Return that of NNGP kernels and NTKs, beside the roots of second moments."""
    activation = OURS[name]
    kernels = [(nngp_kernel, "sigma"), (ntk_kernel, "sigma0")][: 1 + activation.has_ntk]
    X, Y, networks = problem(name)
    many = [np.repeat(rows, copies, axis=0) for rows in (X, Y)]
    errors = []
    for (depth, sigma, bias), both in zip(networks, THEIRS[name], strict=True):
        for (kernel, scale), theirs in zip(kernels, both, strict=False):
            compute = partial(
                kernel, activation=activation, depth=depth, bias=bias, **{scale: sigma}
            )
            ours = compute(*many)[::copies, ::copies]
            size = np.outer(*([compute([x]).item() for x in rows] for rows in (X, Y)))
            # they count the variance of the readout weights in
            errors.append(np.abs(ours - theirs / sigma**2) / np.sqrt(size))
    return np.max(errors)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_agree_to_rounding(name):
    assert largest_error(name) < 1e-13


@pytest.mark.parametrize("name", NUMERICAL)
def test_quadrature_agrees(name):
    assert largest_error(name) < 1e-8


@pytest.mark.parametrize("name", NAMED)
def test_tables_agree(name):
    """Pairs of which there are many are read off tables."""
    assert largest_error(name, copies=8) < 1e-8
