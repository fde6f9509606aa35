"""One suite over all regimes: what each must do alike, and where they meet.

The regimes are Langevin dynamics, gradient flow without noise (by `T=0` and by
`limit="ntk"`), and the equilibrium (`limit="nngp"`).
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_ndk import NDKRegressor

REGIMES = {
    "langevin": {},
    "cold": {"T": 0.0},
    "ntk": {"limit": "ntk"},
    "nngp": {"limit": "nngp"},
}
TIMES = (0.0, 0.05, 1.0, 20.0, 300.0, np.inf)
KAPPA = 0.1 / 1.2**2  # rate of diffusion, see `model_of`
N_TRAIN = 20

rng = np.random.default_rng(0)
X, X_TEST = rng.standard_normal((N_TRAIN, 4)), rng.standard_normal((6, 4))
Y = rng.standard_normal((N_TRAIN, 2))
WEIGHT = rng.integers(1, 4, N_TRAIN).astype(float)


def model_of(regime, activation, **parameters):
    shared = {"depth": 2, "T": 0.1, "sigma": 1.2, "sigma0": 0.9, "bias": 0.2}
    shared |= {"activation": activation, "tol": 1e-6}
    return NDKRegressor(**(shared | REGIMES[regime] | parameters))


def path(model, *data, rows=X_TEST, times=TIMES):
    return model.fit(*data).predict_path(rows, times)


@pytest.fixture(params=REGIMES)
def regime(request):
    return request.param


@pytest.fixture(params=["linear", "relu", "erf"])
def activation(request):
    return request.param


@pytest.fixture
def model(regime, activation):
    return model_of(regime, activation)


# What each must do


def test_shapes(model):
    model.fit(X, Y)
    assert model.predict(X_TEST).shape == (6, 2)
    assert model.predict_path(X_TEST, TIMES).shape == (6, 2, 6)
    assert model.predict_drift(X_TEST, 1.0).shape == (6, 2)
    model.fit(X, Y[:, 0])
    assert model.predict(X_TEST).shape == (6,)
    assert model.predict_path(X_TEST, TIMES).shape == (6, 6)
    assert model.predict_drift(X_TEST, 1.0).shape == (6,)


def test_path_is_the_prediction_at_each_time_in_any_order(model):
    outputs = path(model, X, Y)
    for i, t in enumerate(TIMES):
        assert_allclose(model.predict(X_TEST, t=t), outputs[:, :, i], atol=1e-12)
    backwards = model.predict_path(X_TEST, TIMES[::-1])
    assert_allclose(backwards, outputs[:, :, ::-1], atol=1e-12)


def test_own_time_is_the_time_of_predictions(regime, activation):
    timed = model_of(regime, activation, t=1.0).fit(X, Y)
    later = model_of(regime, activation).fit(X, Y)
    assert_allclose(timed.predict(X_TEST), later.predict(X_TEST, t=1.0), atol=1e-12)


def test_linear_in_the_targets(model):
    mixed = path(model, X, 2 * Y[:, 0] - 3 * Y[:, 1])
    both = path(model, X, Y)
    assert_allclose(mixed, 2 * both[:, 0] - 3 * both[:, 1], atol=5e-6)


def test_targets_of_zero_give_zero(model):
    assert_array_equal(path(model, X, 0 * Y), np.zeros((6, 2, 6)))


def test_outputs_do_not_see_each_other(model):
    alone = path(model, X, Y[:, 0])
    assert_allclose(path(model, X, Y)[:, 0], alone, atol=2e-6)


def test_order_of_samples_does_not_count(model):
    expected = path(model, X, Y, WEIGHT)
    order = np.random.default_rng(1).permutation(N_TRAIN)
    shuffled = path(model, X[order], Y[order], WEIGHT[order])
    assert_allclose(shuffled, expected, rtol=1e-12, atol=1e-14)


def test_weights_are_copies(model):
    copies = np.repeat(np.arange(N_TRAIN), WEIGHT.astype(int))
    repeated = path(model, X[copies], Y[copies])
    assert_allclose(path(model, X, Y, WEIGHT), repeated, rtol=1e-9, atol=1e-9)


def test_no_weight_is_no_sample(model):
    kept = np.arange(N_TRAIN) < 15
    without = path(model, X[kept], Y[kept])
    assert_allclose(path(model, X, Y, kept.astype(float)), without, atol=1e-12)


def test_rows_are_predicted_one_by_one(model):
    expected = path(model, X, Y)
    for row, outputs in zip(X_TEST, expected, strict=True):
        alone = model.predict_path(row[None], TIMES)[0]
        assert_allclose(alone, outputs, atol=1e-12)


def test_rotated_inputs_give_the_same(model):
    rotation, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))
    expected = path(model, X, Y)
    rotated = path(model, X @ rotation, Y, rows=X_TEST @ rotation)
    assert_allclose(rotated, expected, atol=2e-6)


def test_heavier_samples_and_hotter_noise_are_a_faster_clock(regime, activation):
    # 3 times the loss at 3 times the temperature: the same dynamics, 3 times as fast
    expected = path(model_of(regime, activation), X, Y)
    T = 3 * model_of(regime, activation).T
    fast = model_of(regime, activation, T=T).fit(X, Y, np.full(N_TRAIN, 3.0))
    outputs = fast.predict_path(X_TEST, np.array(TIMES) / 3)
    assert_allclose(outputs, expected, atol=5e-6)


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_homogeneous_networks_scale_with_the_input(regime, activation):
    model = model_of(regime, activation, bias=0.0)
    expected = 3 * path(model, X, Y)
    scaled = model.predict_path(3 * X_TEST, TIMES)
    assert_allclose(scaled, expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["linear", "erf"])
def test_odd_networks_without_bias_are_odd(regime, activation):
    model = model_of(regime, activation, bias=0.0)
    expected = -path(model, X, Y)
    assert_allclose(model.predict_path(-X_TEST, TIMES), expected, atol=2e-6)


def test_drift_of_no_delay_is_the_mean(model):
    expected = path(model, X, Y)
    for i, t0 in enumerate(TIMES):
        drifted = model.predict_drift(X_TEST, 0, t0)
        assert_allclose(drifted, expected[:, :, i], atol=1e-12)


def test_training_output_and_residual_do_not_exceed_the_target(model):
    end = model.fit(X, Y, WEIGHT).predict(X)
    size = np.sqrt(WEIGHT @ Y**2)
    assert np.all(np.sqrt(WEIGHT @ end**2) <= size * (1 + 1e-12))
    assert np.all(np.sqrt(WEIGHT @ (Y - end) ** 2) <= size * (1 + 1e-12))


# What those that move must do


@pytest.mark.parametrize("regime", ["langevin", "cold", "ntk"])
def test_training_starts_at_zero_along_the_ntk(regime, activation):
    flow = model_of("ntk", activation).fit(X, Y)
    model = model_of(regime, activation).fit(X, Y)
    assert_array_equal(model.predict(X_TEST, t=0), np.zeros((6, 2)))
    expected = flow.predict(X_TEST, t=1e-9)
    size = np.abs(expected).max()
    assert_allclose(model.predict(X_TEST, t=1e-9), expected, atol=1e-4 * size)


@pytest.mark.parametrize("regime", ["cold", "ntk"])
def test_loss_of_gradient_flow_falls(regime, activation):
    model = model_of(regime, activation).fit(X, Y, WEIGHT)
    outputs = model.predict_path(X, np.geomspace(1e-3, 1e3, 30))
    loss = np.einsum("i,ijt->jt", WEIGHT, (Y[:, :, None] - outputs) ** 2)
    assert np.all(np.diff(loss, axis=1) <= 1e-12 * loss[:, :1])


# Where they meet


def test_both_ways_to_gradient_flow_are_one(activation):
    cold, ntk = (path(model_of(name, activation), X, Y) for name in ("cold", "ntk"))
    assert_array_equal(cold, ntk)


def test_early_langevin_dynamics_are_gradient_flow(activation):
    """The gap vanishes with the share of the weights that noise has turned over."""
    gaps = []
    for T in (1e-4, 1e-6):
        langevin, flow = (
            model_of(name, activation, T=T).fit(X, Y).predict(X_TEST, t=1.0)
            for name in ("langevin", "ntk")
        )
        gaps.append(np.abs(langevin - flow).max())
    order = np.log(gaps[0] / gaps[1]) / np.log(100)
    assert gaps[0] < (0.05 if activation == "relu" else 5e-4)
    # the relu kernel has a kink at equal times, so that it feels sqrt(T t)
    assert order > (0.4 if activation == "relu" else 0.9)


def test_late_langevin_dynamics_are_the_equilibrium(activation):
    langevin, nngp = (
        model_of(name, activation).fit(X, Y) for name in ("langevin", "nngp")
    )
    expected = nngp.predict(X_TEST)
    assert_allclose(langevin.predict(X_TEST, t=40 / KAPPA), expected, atol=2e-6)
    assert_allclose(langevin.predict(X_TEST), expected, atol=1e-12)
    for delay in (3.0, np.inf):
        expected = nngp.predict_drift(X_TEST, delay)
        for t0, atol in ((40 / KAPPA, 2e-6), (np.inf, 1e-12)):
            drifted = langevin.predict_drift(X_TEST, delay, t0)
            assert_allclose(drifted, expected, atol=atol)


def test_the_equilibrium_has_no_time(activation):
    outputs = path(model_of("nngp", activation), X, Y)
    assert_array_equal(outputs, np.repeat(outputs[:, :, -1:], len(TIMES), axis=2))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_without_noise_all_interpolate_in_the_end(regime, activation):
    parameters = {} if regime == "cold" else {"T": 1e-10}
    model = model_of(regime, activation, **parameters).fit(X, Y)
    assert_allclose(model.predict(X), Y, atol=1e-6)


def test_linear_networks_all_end_in_one_least_squares_solution(regime):
    parameters = {} if regime == "cold" else {"T": 1e-10}
    model = model_of(regime, "linear", depth=1, bias=0.0, **parameters).fit(X, Y)
    coefficients, *_ = np.linalg.lstsq(X, Y)
    assert_allclose(model.predict(X_TEST), X_TEST @ coefficients, atol=1e-6)
