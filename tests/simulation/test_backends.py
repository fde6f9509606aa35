"""NumPy and PyTorch, single and double precision."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose
from simulated import (
    assert_same,
    orthogonal,
    run,
    simulation,
)

from sklearn_ndk.activations._registry import ACTIVATIONS
from sklearn_ndk.simulation import simulate_langevin
from sklearn_ndk.simulation._backends import NumpyBackend, TorchBackend


class DoubleBackend(NumpyBackend):
    """Double precision, with the random numbers of single precision."""

    dtype = np.float64

    def fill_normal(self, out):
        for generator, row in zip(self._generators, out, strict=True):
            row[:] = generator.standard_normal(row.shape, dtype=np.float32)


def test_single_precision_loses_no_small_changes():
    X, y = np.array([[1.0]]), np.array([1.0])
    run = replace(
        simulation((X, y, X), [5e-3], T=1e-4, width=64), step_size=1e-6
    ).run  # gradients move a weight by 1e-7 a step, which single precision cannot hold
    single, double = (
        run(4, backend=backend, random_state=0)
        for backend in (NumpyBackend, DoubleBackend)
    )
    assert single.shape == (4, 2, 1, 1)
    assert np.any(single != double)
    assert_allclose(single, double, atol=1e-5)


def test_torch_has_the_same_law():
    pytest.importorskip("torch")
    X, y, X_test = orthogonal()
    for params in ({"bias": 0.5}, {"activation": "erf", "depth": 2}):
        shared = {"T": 0.1, "t0": 1.0, "width": 12, "n_networks": 400} | params
        means, variances = [], []
        for seed, device in enumerate([None, "cpu"]):
            result = simulate_langevin(
                X,
                y,
                X_test,
                [0.0, 1.0, 4.0],
                device=device,
                random_state=seed,
                step_size=0.05,
                **shared,
            )
            means.append(result.predictions.mean(axis=0))
            variances.append(result.predictions.var(axis=0))
        error = np.sqrt(sum(variances) / 400)
        assert np.all(np.abs(means[0] - means[1]) < 4 * error)
        # a variance of 400 networks has an error of 7%, and heavier tails add to it
        assert_allclose(variances[0], variances[1], rtol=0.35)


def test_torch_draws_anew_for_each_batch():
    pytest.importorskip("torch")
    outputs = simulation(orthogonal(), [0.0]).run(
        5, backend=TorchBackend, device="cpu", random_state=0, batch_bytes=1
    )[:, 0, 0, 0]
    assert len(np.unique(outputs)) == len(outputs) == 5


def test_torch_is_reproducible():
    pytest.importorskip("torch")
    assert_same(run(device="cpu"), run(device="cpu"))
    with parallel_config(n_jobs=2):  # one after another all the same
        assert_same(run(device="cpu"), run(device="cpu", n_jobs=2))
    other = run(device="cpu", random_state=1)
    assert not np.any(other.predictions == run(device="cpu").predictions)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_activations_are_the_same_for_torch(activation):
    torch = pytest.importorskip("torch")
    z = np.linspace(-3, 3, 7, dtype=np.float32)
    for phi in (activation, activation.derivative)[: 1 + activation.has_ntk]:
        assert_allclose(phi(torch.asarray(z)).numpy(), phi(z), rtol=1e-5)
        assert phi(z).dtype in (np.float32, bool)


def test_torch_device_is_told():
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="PyTorch cannot use device='abacus'"):
        run(device="abacus")


def test_missing_torch_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    message = r"device='cpu' needs PyTorch: pip install sklearn-ndk\[torch\]"
    with pytest.raises(ImportError, match=message):
        run(device="cpu")
