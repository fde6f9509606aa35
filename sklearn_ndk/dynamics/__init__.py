"""Training dynamics for a two-time kernel: the trajectory and its closed limits."""

from sklearn_ndk.dynamics._accuracy import Duals, warn_of_rounding
from sklearn_ndk.dynamics._equilibrium import ridge_duals, ridge_duals_of_modes
from sklearn_ndk.dynamics._gradient_flow import GradientFlow
from sklearn_ndk.dynamics._spectrum import largest_eigenvalue
from sklearn_ndk.dynamics._trajectory import Trajectory
from sklearn_ndk.dynamics.volterra._modes import Modes

__all__ = [
    "Duals",
    "GradientFlow",
    "Modes",
    "Trajectory",
    "largest_eigenvalue",
    "ridge_duals",
    "ridge_duals_of_modes",
    "warn_of_rounding",
]
