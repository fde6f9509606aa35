"""Training dynamics for a two-time kernel: the trajectory and its closed limits.

They see inputs and networks only through the kernels of a problem.
"""

from sklearn_ndk.dynamics._accuracy import warn_of_rounding
from sklearn_ndk.dynamics._equilibrium import Equilibrium
from sklearn_ndk.dynamics._gradient_flow import NTKFlow
from sklearn_ndk.dynamics._langevin import Langevin
from sklearn_ndk.dynamics._regime import Regime
from sklearn_ndk.dynamics._spectrum import largest_eigenvalue
from sklearn_ndk.dynamics.volterra._modes import Modes

#: The dynamics by the name of their limit. Without noise, None is "ntk".
REGIMES: dict[str | None, type[Regime]] = {
    None: Langevin,
    "ntk": NTKFlow,
    "nngp": Equilibrium,
}

__all__ = [
    "REGIMES",
    "Equilibrium",
    "Langevin",
    "Modes",
    "NTKFlow",
    "Regime",
    "largest_eigenvalue",
    "warn_of_rounding",
]
