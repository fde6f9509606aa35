"""Eigenvectors of kernels of the training inputs, which many fits have in common.

The NNGP kernel of the equilibrium does not depend on the temperature nor on the
initial weights, the NTK not on the temperature nor on the prior. These functions are
wrapped in a `joblib.Memory`; their argument `gram`, which returns the Gram matrix of
the inputs, adds nothing to the others and is not part of the key.
"""

from dataclasses import replace

from joblib import Memory
from scipy.linalg import eigh
from sklearn.utils.validation import check_memory

from sklearn_ndk.dynamics import Modes
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._rank import rank_bound


def memory_of(network, memory):
    """Return the memory to use for a network, given the one that a user wants.

    It knows an activation by the name of its class, and cannot see that a user has
    edited it: results of activations from outside the package are not kept.
    """
    package = __name__.partition(".")[0]
    is_ours = type(network.activation).__module__.partition(".")[0] == package
    return check_memory(memory) if is_ours else Memory(None)


def of_equilibrium(network):
    """Return the network with what its NNGP kernel does not depend on left out."""
    return replace(network, T=0.0, sigma0=1.0)


def of_initial_weights(network):
    """Return the network with what its NTK does not depend on left out."""
    return replace(network, T=0.0, sigma=1.0)


def weighted_gram(X, scale):
    """Return the Gram matrix of inputs whose kernels are scaled on both sides."""
    return gram_matrix(X).scaled(scale, scale)


def nngp_modes(network, X, scale, ridge, gram):
    """Return the modes of the NNGP kernel, for the trajectory."""
    return Modes(network.nngp(gram()), ridge, lambda: rank_bound(network, X))


def nngp_eigenvectors(network, X, scale, gram):
    """Return eigenvalues, increasing, and eigenvectors of the NNGP kernel."""
    return eigh(network.nngp(gram(), overwrite=True), driver="evd", overwrite_a=True)


def ntk_eigenvectors(network, X, scale, gram):
    """Return eigenvalues, increasing, and eigenvectors of the NTK."""
    return eigh(network.ntk(gram(), overwrite=True), driver="evd", overwrite_a=True)
