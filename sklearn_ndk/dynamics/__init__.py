"""Training dynamics for a two-time kernel: the trajectory and its closed limits."""

from sklearn_ndk.dynamics._limits import (
    GradientFlow,
    largest_eigenvalue,
    ridge_duals,
    ridge_duals_of_modes,
)
from sklearn_ndk.dynamics._modes import Modes
from sklearn_ndk.dynamics._trajectory import Trajectory

__all__ = [
    "GradientFlow",
    "Modes",
    "Trajectory",
    "largest_eigenvalue",
    "ridge_duals",
    "ridge_duals_of_modes",
]
