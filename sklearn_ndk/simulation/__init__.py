"""Networks of finite width, with which the theory of infinite width can be checked."""

from sklearn_ndk.simulation._langevin import simulate_langevin

__all__ = ["simulate_langevin"]
