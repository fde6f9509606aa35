"""Data for the displays, drawn without a window."""

import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.preprocessing import scale


@pytest.fixture(autouse=True)
def no_window():
    plt = pytest.importorskip("matplotlib.pyplot")
    backend = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.fixture(scope="session")
def classes():
    X, y = load_wine(return_X_y=True)
    return scale(X)[::2], y[::2]


@pytest.fixture(scope="session")
def targets():
    X, y = load_diabetes(return_X_y=True)
    return scale(X)[:60], scale(y)[:60]
