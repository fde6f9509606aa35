"""Bad input is told in one sentence, before the work."""

import numpy as np
import pytest
from simulated import Sine, orthogonal, run

from sklearn_ndk.kernels import Activation
from sklearn_ndk.simulation import simulate_langevin
from sklearn_ndk.simulation._simulation import Simulation

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("depth", 0, r"an int in the range \[1, inf\)"),
        ("activation", "tanhh", "a str among"),
        ("T", -0.1, r"a float in the range \[0.0, inf\)"),
        ("sigma", 0.0, r"a float in the range \(0.0, inf\)"),
        ("sigma0", NAN, r"a float in the range \(0.0, inf\)"),
        ("bias", -1.0, r"a float in the range \[0.0, inf\)"),
        ("width", 0, r"an int in the range \[1, inf\)"),
        ("n_networks", 0, r"an int in the range \[1, inf\)"),
        ("t0", -1.0, r"a float in the range \[0.0, inf\]"),
        ("t0", NAN, r"a float in the range \[0.0, inf\]"),
        ("step_size", 0.0, r"'auto'.* or a float in the range \(0.0, inf\)"),
        ("step_size", "short", r"'auto'"),
        ("device", 3, "an instance of 'str' or None"),
        ("random_state", "x", "RandomState"),
        ("times", 3.0, "array-like"),
    ],
)
def test_bad_parameters_are_told(name, value, allowed):
    message = f"The '{name}' parameter of simulate_langevin must be .*{allowed}"
    with pytest.raises(ValueError, match=message):
        run(**{name: value})


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, -2.0], r"times must be in \[0, inf\]; got -2.0 among them"),
        ([NAN], r"times must be in \[0, inf\]; got nan among them"),
        ([1.0, INF], "times of a simulation must be finite; got inf among them"),
        ([[1.0, 2.0]], r"times must be a 1-D array.* got shape \(1, 2\)"),
        ([], "times must be a 1-D array of at least one time"),
    ],
)
def test_bad_times_are_told(times, message):
    with pytest.raises(ValueError, match=message):
        run(times=times)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": [[1.0, NAN]]}, "Input X contains NaN"),
        ({"X": [1.0, 2.0]}, "Expected 2D array, got 1D array"),
        ({"y": [INF]}, "Input y contains infinity"),
        ({"y": [1.0, 2.0]}, "inconsistent numbers of samples"),
        ({"y": ["ant"]}, "could not convert string to float"),
        ({"X_eval": [[1.0]]}, "X_eval has 1 features, but X has 2 features"),
        ({"X_eval": [[1.0, INF]]}, "Input X_eval contains infinity"),
        ({"X": [[1e40, 0.0]]}, "X has values that exceed single precision"),
        ({"y": [1e39]}, "y has values that exceed single precision"),
        ({"sample_weight": [-1.0]}, "Negative values in data passed to `sample_w"),
        ({"sample_weight": [0.0]}, "ample.weights? .*zero"),
        ({"sample_weight": [1.0, 1.0]}, "sample_weight.shape"),
    ],
    ids=str,
)
def test_bad_data_are_told(changed, message):
    data = {"X": [[1.0, 0.5]], "y": [1.0], "X_eval": [[0.0, 1.0]], "times": [1.0]}
    with pytest.raises(ValueError, match=message):
        simulate_langevin(**data | changed)


@pytest.mark.parametrize("method", ["__call__", "derivative"])
def test_activation_without_a_method_is_told(method):
    class Lacking(Sine):
        pass

    setattr(Lacking, method, getattr(Activation, method))
    message = rf"need the method {method}\(z\).* Lacking\(\) does not define it"
    with pytest.raises(TypeError, match=message):
        run(activation=Lacking())


def test_divergence_is_told():
    X, y, X_test = orthogonal()
    with pytest.raises(ValueError, match=r"diverged before t=9 with step_size"):
        simulate_langevin(X, 1e6 * y, X_test, [9.0], activation="linear", width=2)


DATES = np.array(["2020-01-01", "2021-01-01"], "M8[s]")
HUGE = 10**400


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sample_weight": NAN}, "'sample_weight' parameter .* Got nan"),
        ({"sample_weight": [1.0, NAN]}, "sample_weight contains NaN"),
        ({"sample_weight": DATES - DATES[0]}, "sample_weight must hold real numbers"),
        ({"X": DATES[:, None]}, "X must hold real numbers; got dates or durations"),
        ({"y": DATES}, "y must hold real numbers; got dates or durations"),
        ({"y": DATES - DATES[0]}, "y must hold real numbers; got dates or durations"),
        ({"times": DATES}, "times must hold real numbers; got dates or durations"),
        ({"times": [HUGE]}, "times must hold numbers in the range of double"),
        ({"T": HUGE}, "T must be in the range of double precision"),
        ({"t0": HUGE}, "t0 must be in the range of double precision"),
        ({"step_size": HUGE}, "step_size must be in the range of double precision"),
        ({"width": HUGE}, "width must be in the range of double precision"),
        ({"n_networks": HUGE}, "n_networks must be in the range of double precision"),
        ({"sigma0": 1e200}, "sigma0=1e\\+200 is out of range"),
        ({"sigma": 1e200}, "sigma=1e\\+200 is out of range"),
        ({"sigma": 1e-200}, "sigma=1e-200 is out of range"),
        ({"depth": 60, "sigma0": 1e3, "sigma": 1e3}, "overflow .* depth=60"),
        ({"T": 1e-300, "sigma": 1e20}, "rate of diffusion.* give T=0 for none"),
        ({"T": 1e300}, "takes 2.0e\\+301 steps .* more than 1e\\+09. Scale X"),
        ({"step_size": 1e-300}, "takes 1.0e\\+300 steps .* simulate less time"),
        ({"times": [1e300]}, "e\\+301 steps .* simulate less time"),
        ({"X": [[1e30, 0], [0, 1]]}, "e\\+61 steps .* Scale X"),
        ({"bias": 1e30}, "steps .* more than"),
        ({"sample_weight": [1e38, 1]}, "steps .* weights down"),
        ({"n_networks": 10**12}, "GiB for the outputs of 1e\\+12 networks, but"),
        ({"times": np.zeros(10**6), "n_networks": 10**6}, "GiB for the outputs"),
        ({"width": 10**6, "depth": 2}, "GiB for one network of width 1e\\+06 and"),
        ({"width": 1, "depth": 10**9}, "too deep: .* 1000 layers"),
    ],
    ids=str,
)
def test_hostile_simulations_are_told_before_the_work(monkeypatch, changed, message):
    def work(*args, **kwargs):
        raise AssertionError("began to simulate")

    monkeypatch.setattr(Simulation, "run", work)
    data = {"X": [[1.0, 0.5], [0.0, 1.0]], "y": [1.0, -1.0], "X_eval": [[0.0, 1.0]]}
    with pytest.raises((ValueError, TypeError), match=message):
        simulate_langevin(**data | {"times": [1.0]} | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"sigma0": 1e-30},
        {"times": [1e300], "t0": 0.0},
        {"t0": 1e-300},
        {"y": [True, False]},
    ],
    ids=str,
)
def test_odd_simulations_are_finite(changed):
    data = {"X": [[1.0, 0.5], [0.0, 1.0]], "y": [1.0, -1.0], "X_eval": [[0.0, 1.0]]}
    result = simulate_langevin(
        **data | {"times": [1.0]} | changed, width=8, n_networks=2, random_state=0
    )
    assert np.all(np.isfinite(result.predictions))
