"""Training dynamics for a two-time kernel: the trajectory and its closed limits.

They see inputs and networks only through the kernels of a problem.
"""

from sklearn_ndk.dynamics._accuracy import warn_of_rounding
from sklearn_ndk.dynamics._equilibrium import Equilibrium
from sklearn_ndk.dynamics._gradient_flow import NTKFlow
from sklearn_ndk.dynamics._langevin import Langevin
from sklearn_ndk.dynamics._queries import Queries
from sklearn_ndk.dynamics._regime import Regime
from sklearn_ndk.dynamics._spectrum import largest_eigenvalue, nearest_positive
from sklearn_ndk.dynamics.volterra import Representation
from sklearn_ndk.dynamics.volterra._modes import Modes

#: The closed limits of the dynamics, by the name that estimators know them by.
LIMITS: dict[str, type[Regime]] = {"ntk": NTKFlow, "nngp": Equilibrium}

__all__ = [
    "LIMITS",
    "Equilibrium",
    "Langevin",
    "Modes",
    "NTKFlow",
    "Queries",
    "Regime",
    "Representation",
    "largest_eigenvalue",
    "nearest_positive",
    "warn_of_rounding",
]
