"""The Volterra equation (14)-(15): its mesh, time basis and solver."""

from sklearn_ndk.dynamics.volterra._representation import Representation, represent
from sklearn_ndk.dynamics.volterra._solve import Solution, solve

__all__ = ["Representation", "Solution", "represent", "solve"]
