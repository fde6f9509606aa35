"""Activations, most of them by name, by what a test can ask of them."""

from added_activation import Parabola

from sklearn_ndk.activations._numerical import Numerical
from sklearn_ndk.activations._registry import ACTIVATIONS

#: Those in closed form; others are known to 1e-8, see tests/activations.
CLOSED = {
    name: activation
    for name, activation in ACTIVATIONS.items()
    if not isinstance(activation, Numerical)
}

#: Those that networks can be trained with, and one from outside the package.
WITH_NTK = [name for name, activation in CLOSED.items() if activation.has_ntk]
WITH_NTK.append(Parabola())
#: Those of kernels that stay in range at any depth: exp grows too fast for two layers.
AT_ANY_DEPTH = [name for name in CLOSED if name != "exp"]
#: Both.
DEEP_WITH_NTK = [name for name in WITH_NTK if name in AT_ANY_DEPTH]
