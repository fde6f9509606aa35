"""Finite networks against the theory of infinite width, and the theory against them.

`simulate_langevin` knows nothing of kernels but the length of a step, so that where
both agree neither can be wrong by itself. Two devices make a few small networks enough.
The law of a network is unchanged if readouts, noise and targets all change sign, so
half the difference of networks of one seed trained on y and on -y has the same mean,
and a deviation of the order of 1 / sqrt(width) only. And twice the mean at one width
less that at half of it is free of the term in 1 / width.
"""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import (
    Sine,
    at_infinite_width,
    digits,
    mirrored,
    orthogonal,
    two_outputs,
)

from sklearn_ndk import NDKRegressor
from sklearn_ndk.kernels import nngp_kernel
from sklearn_ndk.simulation import simulate_langevin

TIMES = np.array([0.5, 2.0, 5.0, 10.0, 15.0, 20.0])  # diffusion acts at 1 / T = 10


def clipped(z):
    return np.clip(z, -0.5, 1)


CASES = {
    "relu": (orthogonal, 64, 100, 0.0167, {"sigma0": 1.4}),
    "two layers": (orthogonal, 48, 100, 0.025, {"depth": 2, "sigma0": 1.3}),
    "erf": (
        two_outputs,
        64,
        100,
        0.02,
        {"activation": "erf", "sigma0": 0.7, "bias": 0.5},
    ),
    "tanh": (orthogonal, 64, 100, 0.02, {"activation": "tanh", "sigma0": 1.3}),
    "gelu": (orthogonal, 48, 100, 0.025, {"activation": "gelu", "depth": 2}),
    "kinks": (orthogonal, 64, 100, 0.02, {"activation": clipped, "sigma0": 1.3}),
    "digits": (digits, 256, 20, 0.02, {"sigma0": 1.4}),
}
WRONG = {
    "relu": [{"depth": 2}, {"sigma": 1.3}, {"sigma0": 1.0}, {"T": 0.05}],
    "two layers": [{"depth": 1}, {"depth": 3}, {"limit": "ntk"}],
    "erf": [{"bias": 0.0}, {"activation": "relu"}, {"limit": "nngp"}],
    "tanh": [{"limit": "ntk"}, {"limit": "nngp"}],
    "gelu": [{"limit": "ntk"}, {"depth": 1}],
    "kinks": [{"activation": "relu"}],
    "digits": [{"limit": "ntk"}, {"limit": "nngp"}, {"unweighted": True}],
}


def sample_weight(case):
    return np.where(digits()[1] > 0, 1.5, 0.15) if case == "digits" else None


@cache
def simulated(case):
    data, width, n_networks, step_size, params = CASES[case]
    return at_infinite_width(
        data(),
        TIMES,
        width=width,
        n_networks=n_networks,
        step_size=step_size,
        sample_weight=sample_weight(case),
        T=0.1,
        **params,
    )


def distance_from_theory(case, unweighted=False, **wrong):
    """Return the largest distance of the simulated mean, in standard errors."""
    data, *_, params = CASES[case]
    X, y, X_test = data()
    model = NDKRegressor(**{"T": 0.1} | params | wrong)
    model.fit(X, y, None if unweighted else sample_weight(case))
    theory = model.predict_path(np.vstack([X_test, X]), TIMES)
    mean, error = simulated(case)
    return np.abs((mean - theory) / error).max()


@pytest.mark.parametrize("case", CASES)
def test_mean_over_networks_is_that_of_the_theory(case):
    assert distance_from_theory(case) < 4


@pytest.mark.parametrize(
    ("case", "wrong"), [(case, wrong) for case in WRONG for wrong in WRONG[case]]
)
def test_wrong_theory_is_found_out(case, wrong):
    assert distance_from_theory(case, **wrong) > 6


def test_gap_to_the_theory_falls_as_one_over_the_width():
    X, y, X_test = orthogonal()
    widths, times = np.array([8, 16, 32]), [1.0, 2.0]
    theory = NDKRegressor(T=0.1, sigma0=1.4).fit(X, y).predict_path(X, times)
    gaps, errors = [], []
    for seed, width in enumerate(widths):
        n_networks = 12_800 // width
        outputs = mirrored(
            (X, y, X_test),
            times,
            T=0.1,
            sigma0=1.4,
            width=width,
            n_networks=n_networks,
            step_size=0.01,
            random_state=seed,
        )
        lag = (y[:, None] * (theory - outputs[:, len(X_test) :])).mean(axis=(1, 2))
        gaps.append(lag.mean())
        errors.append(lag.std(ddof=1) / np.sqrt(n_networks))
    relative = np.divide(errors, gaps)
    (slope, _), covariance = np.polyfit(
        np.log(widths), np.log(gaps), 1, w=1 / relative, cov="unscaled"
    )
    assert np.all(relative < 0.1)
    assert abs(slope + 1) < 4 * np.sqrt(covariance[0, 0]) < 0.4


@pytest.mark.parametrize(
    ("params", "t0"),
    [
        ({"sigma0": 1.4}, 0.0),
        ({"sigma0": 1.4}, 4.0),
        ({"sigma0": 1.4, "bias": 0.5}, 25.0),
        ({"activation": "erf", "sigma0": 0.7}, 4.0),
        ({"sigma": 1.5, "sigma0": 0.8}, 4.0),
        ({"depth": 2, "sigma0": 1.3}, 4.0),
    ],
    ids=str,
)
def test_drift_of_hidden_weights_is_that_of_the_theory(params, t0):
    X, _, X_test = orthogonal()
    y = np.array([1.0, 1.0, 0.5, 1.0])  # what is left in the end is not zero
    delays = np.array([0.0, 2.0, 8.0, 100.0])
    mean, error = at_infinite_width(
        (X, y, X_test),
        t0 + delays,
        t0=t0,
        width=64,
        n_networks=150,
        step_size=0.02,
        T=0.1,
        **params,
    )
    model, rows = NDKRegressor(T=0.1, **params).fit(X, y), np.vstack([X_test, X])
    theory = np.transpose([model.predict_drift(rows, delay, t0) for delay in delays])
    assert np.all(np.abs(mean - theory) <= 4 * error)
    if t0:  # and it moves by more than the simulation can miss
        assert np.abs((theory[:, -1] - theory[:, 0]) / error[:, -1]).max() > 8


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("n_features", [3, 20])  # 20: more than there are inputs
@pytest.mark.parametrize(("activation", "bias"), [("relu", 0.4), ("erf", 0.0)])
def test_initial_outputs_have_the_nngp_covariance(device, n_features, activation, bias):
    if device:
        pytest.importorskip("torch")
    rows = np.random.default_rng(0).standard_normal((5, n_features))
    kernel = {"depth": 2, "activation": activation, "bias": bias}
    result = simulate_langevin(
        rows[:2],
        [1.0, 1.0],
        rows[2:],
        [0.0],
        sigma0=1.3,
        width=64,
        n_networks=4000,
        device=device,
        random_state=0,
        **kernel,
    )
    keys = ("train_predictions", "predictions")
    outputs = np.concatenate([result[key] for key in keys], axis=1)[..., 0]
    expected = 1.3**2 * nngp_kernel(rows, sigma=1.3, **kernel)
    # the covariance of 4000 networks has an error of 2%, with 1 / width another
    assert_allclose(np.cov(outputs.T), expected, atol=0.07 * expected.max())


def test_activation_of_ones_own():
    X, y, X_test = orthogonal()
    mean, error = at_infinite_width(
        (X, y, X_test), TIMES[:3], width=32, n_networks=100, activation=Sine(), T=0.1
    )
    model = NDKRegressor(activation=Sine(), T=0.1).fit(X, y)
    theory = model.predict_path(np.vstack([X_test, X]), TIMES[:3])
    assert np.all(np.abs(mean - theory) <= 4 * error)
