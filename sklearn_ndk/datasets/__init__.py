"""The data of the paper's experiments."""

from sklearn_ndk.datasets._images import fetch_binary_images
from sklearn_ndk.datasets._orthogonal import make_orthogonal

__all__ = ["fetch_binary_images", "make_orthogonal"]
