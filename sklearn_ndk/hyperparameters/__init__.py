"""Hyperparameters chosen from the data, in closed form at equilibrium."""

from sklearn_ndk.hyperparameters._search import most_likely

__all__ = ["most_likely"]
