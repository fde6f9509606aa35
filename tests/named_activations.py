"""Names of activations, by what a test can ask of them."""

from sklearn_ndk.activations._registry import ACTIVATIONS

#: Those that networks can be trained with.
WITH_NTK = [name for name, activation in ACTIVATIONS.items() if activation.has_ntk]
#: Those of kernels that stay in range at any depth: exp grows too fast for two layers.
AT_ANY_DEPTH = [name for name in ACTIVATIONS if name != "exp"]
#: Both.
DEEP_WITH_NTK = [name for name in WITH_NTK if name in AT_ANY_DEPTH]
