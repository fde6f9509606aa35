"""Seeds, order, shapes and memory of a simulation."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from simulated import assert_same, digits, orthogonal, run, simulation, two_outputs

from sklearn_ndk.simulation import simulate_langevin
from sklearn_ndk.simulation._backends import NumpyBackend


def test_finite_networks_do_not_drift_without_noise():
    result = run(T=0.0, t0=0.5, times=[0.5, 3.0])
    assert_array_equal(result.predictions[..., 0], result.predictions[..., 1])


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_batches_and_jobs_change_no_bit(activation):
    network = {"activation": activation, "depth": 2, "bias": 0.3, "data": digits}
    network["times"] = [0.1]
    one = run(**network)
    assert_same(run(**network, n_jobs=2), one)
    assert_array_equal(run(**network, n_networks=7).predictions[:5], one.predictions)
    settings = {"activation": activation, "depth": 2, "bias": 0.3}
    alone = simulation(digits(), [0.1], **settings)
    alone = replace(alone, step_size=one.step_size).run(
        5, batch_bytes=1, random_state=0
    )
    whole = np.concatenate([one.train_predictions, one.predictions], axis=1)
    assert_array_equal(alone[:, :, 0], whole)


def test_random_state():
    one = run()
    assert_same(run(random_state=np.random.RandomState(0)), one)
    assert not np.any(run(random_state=1).predictions == one.predictions)
    assert not np.any(one.predictions[0] == one.predictions[1])
    assert not np.any(run(random_state=None).predictions == one.predictions)


@pytest.mark.parametrize("T", [0.0, 0.1])
def test_recording_does_not_disturb(T):
    often = run(times=[1.0, 0.25, 0.5, 0.25], T=T, step_size=0.03125)
    once = run(times=[1.0], T=T, step_size=0.03125)
    assert_array_equal(often.times, [1.0, 0.25, 0.5, 0.25])
    assert_array_equal(often.predictions[..., 0], once.predictions[..., 0])
    assert_array_equal(often.predictions[..., 1], often.predictions[..., 3])
    assert np.any(often.predictions[..., 1] != often.predictions[..., 2])


def test_drift_begins_between_recorded_times():
    settings = {"T": 0.1, "t0": 1.0, "step_size": 0.03125}
    across = run(times=[0.5, 3.0], **settings).predictions
    assert_array_equal(
        across[..., 1], run(times=[1.0, 3.0], **settings).predictions[..., 1]
    )
    assert np.any(across[..., 1] != run(times=[1.0], **settings).predictions[..., 0])


def test_shapes():
    one, two = run(), run(data=two_outputs)
    assert one.predictions.shape == (5, 2, 2)
    assert one.train_predictions.shape == (5, 4, 2)
    assert two.predictions.shape == (5, 2, 2, 2)
    assert two.train_predictions.shape == (5, 4, 2, 2)
    assert isinstance(one.step_size, float)


def test_samples_without_weight_take_no_part():
    X, y, X_test = orthogonal()
    params = {"T": 0.0, "random_state": 0, "step_size": 0.05}
    weighted = simulate_langevin(
        X, y, X_test, [1.0], sample_weight=[1, 1, 0, 1], **params
    )
    other = np.where([0, 0, 1, 0], 9.0, y)
    changed = simulate_langevin(
        X, other, X_test, [1.0], sample_weight=[1, 1, 0, 1], **params
    )
    assert_same(weighted, changed)


def test_memory_is_bounded_whatever_the_number_of_rows():
    X, y, X_test = orthogonal()
    peaks = []
    for n_rows in (300, 30_000):
        rows = np.resize(X_test, (n_rows, X.shape[1]))
        tracemalloc.start()
        simulate_langevin(X, y, rows, [0.0], width=100, n_networks=200)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # the outputs, twice in double precision and once in single
    assert peaks[1] - peaks[0] < 1.3 * 30_000 * 200 * 20
    assert peaks[0] < 1.5 * NumpyBackend.batch_bytes


def test_progress_is_told(capsys):
    run(verbose=1, times=[1.0], step_size=0.1)
    assert "5 networks in 1 batches, each of 10 steps" in capsys.readouterr().out
