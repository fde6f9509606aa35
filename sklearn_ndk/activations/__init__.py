"""Activations of the hidden layers, by which kernels know a network.

Names, for the parameter `activation` of estimators and kernels, are "relu",
"leaky_relu", "abs", "erf", "linear", "gelu", "sin", "cos", "rbf", "exp", "step",
"sign", "tanh", "sigmoid", "softplus", "silu", "elu", "selu" and "mish". Others are
objects, such as ``Hermite(3)``, or functions of arrays, such as ``numpy.tanh``.
"""

from sklearn_ndk.activations._activation import Activation
from sklearn_ndk.activations._numerical import (
    ELU,
    SELU,
    Function,
    Mish,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from sklearn_ndk.activations._piecewise import (
    Abs,
    LeakyReLU,
    RectifiedMonomial,
    ReLU,
    Sign,
    Step,
)
from sklearn_ndk.activations._smooth import (
    GELU,
    RBF,
    Cos,
    Erf,
    Exp,
    Hermite,
    Linear,
    Monomial,
    Sin,
)

__all__ = [
    "ELU",
    "GELU",
    "RBF",
    "SELU",
    "Abs",
    "Activation",
    "Cos",
    "Erf",
    "Exp",
    "Function",
    "Hermite",
    "LeakyReLU",
    "Linear",
    "Mish",
    "Monomial",
    "ReLU",
    "RectifiedMonomial",
    "SiLU",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softplus",
    "Step",
    "Tanh",
]

# error messages and pickles name classes by the path that users import them from
for _name in __all__:
    globals()[_name].__module__ = __name__
