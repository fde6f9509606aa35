"""The demo, on few images: what it prints, draws, chooses and refuses."""

import numpy as np
import pytest

from sklearn_ndk.__main__ import main

pytest.importorskip("matplotlib")

SIZES = (60, 50, 50)
MODELS = [
    "NDK, stopped",
    "NTK, t=inf",
    "NNGP, t=inf",
    "KernelRidge",
    "SVC",
    "RandomForest",
    "MLP",
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo once: its path, learning curve and rows."""
    path = tmp_path_factory.mktemp("demo") / "curve.png"
    return path, *main(["--depth", "1", "--T", "0.1", "--output", str(path)], SIZES)
