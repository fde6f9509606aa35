"""Steps in time: the statements of the docstring of simulate_langevin."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import (
    digits,
    mirrored,
    orthogonal,
    rate,
    run,
    simulation,
)

from sklearn_ndk.kernels import nngp_kernel, ntk_kernel
from sklearn_ndk.simulation import simulate_langevin


def test_error_of_the_mean_is_of_first_order_in_the_step():
    X, y, X_test = orthogonal()
    network = {"activation": "linear", "T": 0.0}  # equal rates, for orthogonal inputs
    fastest = rate(X, y, **network)
    shares = np.array([1 / 128, 1 / 16, 1 / 8, 1 / 4])  # step times rate
    # the same initial weights at every step; at 1 / rate the error is largest
    runs = [
        mirrored(
            (X, y, X_test),
            [1 / fastest],
            step_size=share / fastest,
            width=200,
            n_networks=10,
            random_state=0,
            **network,
        ).mean(axis=0)
        for share in shares
    ]
    errors = np.array([np.abs(run - runs[0])[2:].mean() for run in runs[1:]])
    order = np.polyfit(np.log(shares[1:]), np.log(errors), 1)[0]
    assert abs(order - 1) < 0.25
    assert_allclose(errors[0], (shares[1] - shares[0]) / (2 * np.e), rtol=0.1)


def test_variance_at_rest_is_too_large_by_half_a_step():
    X, y, T = 2 * np.sqrt(3) * np.eye(1, 3), [1.0], 0.1
    fastest = rate(X, y, T=T) - T
    for share in (0.5, 0.25):
        outputs = simulate_langevin(
            X,
            y,
            X,
            20 + np.arange(0, 1000, 5) * share / fastest,  # whole steps
            T=T,
            width=256,
            n_networks=80,
            step_size=share / fastest,
            random_state=0,
        ).predictions[:, 0]
        variances = ((outputs - outputs.mean()) ** 2).mean(axis=1)
        exact = T * 2 / (2 + T)  # of the Gaussian process with kernel |x|^2 / 2 n = 2
        error = variances.std() / np.sqrt(len(variances))
        assert error < 0.025 * exact
        assert abs(variances.mean() - exact / (1 - share / 2)) < 4 * error


def test_deep_networks_rest_at_the_variance_of_the_nngp():
    X, X_eval = 0.1 * np.eye(1, 2), np.sqrt(2) * np.eye(1, 2, k=1)
    times = 8 + 0.4 * np.arange(250)  # T is one: the step sees the decay alone
    outputs = simulate_langevin(
        X, [0.0], X_eval, times, depth=3, T=1.0, width=64, n_networks=60, random_state=0
    ).predictions[:, 0]
    variances = (outputs**2).mean(axis=1)
    exact = nngp_kernel(X_eval, depth=3)[0, 0]
    error = variances.std() / np.sqrt(len(variances))
    assert error < 0.02 * exact
    assert abs(variances.mean() - exact) < 4 * error


def rate_up_to(end, X, y, **params):
    """Return the fastest rate of training up to some time."""
    run = simulate_langevin(X, y, X, [end], width=1, n_networks=1, **params)
    return 0.05 / run.step_size


def test_automatic_step_is_that_of_the_fastest_time():
    X, y, _ = digits()
    slow, fast = {"T": 0.1, "sigma0": 0.5}, {"T": 0.1, "sigma0": 1.5}
    settled = rate_up_to(200.0, X, y, **slow)
    assert settled == pytest.approx(rate(X, y, T=0.1), rel=1e-6)
    assert rate(X, y, **slow) < rate_up_to(1.0, X, y, **slow) < settled
    assert rate(X, y, **fast) > 2 * settled
    assert rate_up_to(9.0, X, y, **fast) == pytest.approx(rate(X, y, **fast))
    frozen = rate_up_to(200.0, X, y, **slow, t0=1.0)  # training ends at t0
    assert frozen == pytest.approx(rate_up_to(1.0, X, y, **slow))
    doubled = rate(X, y, **fast, sample_weight=np.full(30, 2.0))
    assert doubled - 0.1 == pytest.approx(2 * (rate(X, y, **fast) - 0.1))
    zero = simulate_langevin(0 * X, y, X, [1.0], T=0.0, width=2, random_state=0)
    assert zero.step_size > 0
    simulate_langevin(0 * X, y, X, [9.0], T=0.0, width=2, step_size=5.0)  # nor is 5
    assert np.all(zero.train_predictions == 0)


@pytest.mark.parametrize("activation", ["linear", "erf", "relu"])
def test_automatic_step_sees_the_fastest_mode_of_symmetric_inputs(activation):
    cube = np.array(list(product([-1.0, 1.0], repeat=3)))
    ntk = ntk_kernel(cube, activation=activation)
    fastest = rate(cube, np.ones(8), activation=activation, T=0.01)
    assert fastest == pytest.approx(np.linalg.eigvalsh(ntk)[-1] + 0.01, rel=0.1)


def test_unstable_step_is_refused():
    X, y, _ = orthogonal()
    limit = 2 / rate(X, y, T=0.1)
    run(step_size=0.9 * limit)
    with pytest.raises(ValueError, match=r"step_size=.* is too long: .* at most"):
        run(step_size=1.01 * limit)


def test_endless_simulations_are_told():
    for end, t0 in ((1.0, np.inf), (9.0, 1.0)):  # there is nothing to train after t0
        simulated = replace(simulation(orthogonal(), [end]), step_size=0.1, t0=t0)
        simulated.check_length(many_steps=10)
    long = replace(simulation(orthogonal(), [1.1]), step_size=0.1)
    message = r"takes 1.1e\+01 steps of 1.0e-01 .* Scale X"
    with pytest.warns(UserWarning, match=message):
        long.check_length(many_steps=10)
    with pytest.raises(ValueError, match=message):
        long.check_length(many_steps=9, most_steps=10)
