"""The activations that the package ships, and what users may name them by."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

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

#: What users may give for an activation: a name, an object or a function of arrays.
ActivationLike = str | Activation | Callable[[Any], Any]

#: Every activation that needs no parameter, by name.
ACTIVATIONS: dict[str, Activation] = {
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
    "abs": Abs(),
    "erf": Erf(),
    "linear": Linear(),
    "gelu": GELU(),
    "sin": Sin(),
    "cos": Cos(),
    "rbf": RBF(),
    "exp": Exp(),
    "step": Step(),
    "sign": Sign(),
    "tanh": Tanh(),
    "sigmoid": Sigmoid(),
    "softplus": Softplus(),
    "silu": SiLU(),
    "elu": ELU(),
    "selu": SELU(),
    "mish": Mish(),
}
#: Classes of activations whose duals need no checks.
SHIPPED: frozenset[type[Activation]] = frozenset(
    [*map(type, ACTIVATIONS.values()), Monomial, RectifiedMonomial, Hermite, Function]
)


def get_activation(activation: ActivationLike) -> Activation:
    """Return the :class:`Activation` for a name, an object or a function.

    Parameters
    ----------
    activation : str, callable or Activation
        One of the names in :data:`ACTIVATIONS`, an object, returned as is, or a
        function of arrays.

    Returns
    -------
    Activation
        The activation object.

    Raises
    ------
    TypeError
        If it is a class.
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        return ACTIVATIONS[activation]
    if isinstance(activation, type):
        name = activation.__name__
        raise TypeError(
            f"activation must be an object, {name}(), not its class {name}."
        )
    if isinstance(activation, Hashable):
        return _of_function(activation)
    return Function(activation)


@lru_cache(maxsize=64)
def _of_function(phi: Callable[[Any], Any]) -> Function:
    """Return the activation of a function, whose kinks are looked for but once."""
    return Function(phi)
