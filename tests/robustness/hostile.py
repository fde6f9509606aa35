"""Hostile inputs, each a function that returns its error beside what is promised.

They run in the sandbox. An error of at most one is an answer within the promise.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
from oracles import exact
from oracles.exact import Network, Problem
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError

from sklearn_ndk import NDKClassifier, NDKClassifierCV, NDKRegressor, NDKRegressorCV
from sklearn_ndk.__main__ import main
from sklearn_ndk.kernels import ntk_kernel

TOL = 1e-4


def rows(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def excess(given, right, tol=TOL, size=1.0):
    """Return the largest error beside `tol`, of the targets and of the values."""
    given, right = np.asarray(given), np.asarray(right)
    return float(np.max(np.abs(given - right) / (tol * (size + np.abs(right)))))


def norm_excess(f, y):
    """Return 1 if outputs at training inputs are no larger than the targets."""
    return float(np.linalg.norm(f) / np.linalg.norm(y) / (1 + TOL))


# F3: ill-conditioned kernels


def at_equilibrium(column):
    X, y = _columns(25, column)
    model = NDKRegressor().fit(X, y)
    trained, fresh = model.predict(X), model.predict(X[::3] + 0.25)
    right = exact.equilibrium(_problem(X, y), np.vstack([X, X[::3] + 0.25]))
    given = np.append(trained, fresh)
    return max(norm_excess(trained, y), excess(given, right[:, 0]))


def at_finite_time(column, n, t):
    X, y = _columns(n, column)
    model = NDKRegressor().fit(X, y)
    # sigma = sigma0: detailed balance, the map from targets to outputs grows with time
    return norm_excess(model.predict(X, t=t), y)


def drift_at_equilibrium(column):
    X, y = _columns(12, column)
    given = NDKRegressor().fit(X, y).predict_drift(X, 30.0)
    return excess(given, exact.equilibrium(_problem(X, y), X, 30.0)[:, 0])


def cv_at_large_column(column):
    X, y = _columns(40, column)
    model = NDKClassifierCV(cv=3).fit(X, y > 0)
    return norm_excess(model.decision_function(X), y)


def _problem(X, y, **parameters):
    return Problem(Network(**parameters), X, y[:, None], np.ones(len(y)))


def _columns(n, column):
    """Return two normal columns beside a large one, and the sign of the first."""
    X = rows(n, 3)
    if column == "dates":  # as nanoseconds since 1970, a day apart
        X[:, 2] = 1.6e18 + 8.64e13 * np.arange(n)
    elif column == "near 1e8":
        X[:, 2] = 1e8 + 1e5 * X[:, 2]
    elif column == "near 1e9":
        X[:, 2] += 1e9
    else:
        X[:, 2] *= column
    return X, np.sign(X[:, 0])


# F6: time and memory


def many_classes(cv):
    X, y = rows(300, 10), np.arange(300) % 100
    if cv:
        model = NDKClassifierCV(cv=3).fit(X, y)
        outputs = model.decision_function(X)
    else:
        model = NDKClassifier(t=5.0).fit(X, y)
        outputs = model.decision_function(X)
        few = NDKRegressor().fit(X, np.where(y == 7, 1.0, -1.0)).predict(X, t=5.0)
        return excess(outputs[:, 7], few, 2 * TOL)
    return norm_excess(outputs, np.ones_like(outputs))


def hardly_any_noise(T):
    X, y = rows(10, 3), rows(10, 1, seed=1).ravel()
    model = NDKRegressorCV(depth=1, bias=0.0, T=T, cv=2).fit(X, y)
    flow = NDKRegressor(T=0.0).fit(X, y).predict(X, t=2.0)
    classifier = NDKClassifierCV(T=T, cv=2).fit(X, np.arange(10) % 2)
    trained = classifier.decision_function(X)
    return max(
        excess(model.predict(X, t=2.0), flow, 2 * TOL), norm_excess(trained, y**0)
    )


def many_times():
    X, y = rows(2, 3), np.array([1.0, -1.0])
    times = np.geomspace(1e-3, 1e3, 20_000)
    model = NDKRegressor().fit(X, y)
    path = model.predict_path(X, times)
    return excess(path[:, ::4000], model.predict_path(X, times[::4000]))


# F7: scales of weights and inputs, told by exact invariances: the equation stays if
# T, 1 / t and the weights, or the squared inputs, are multiplied by one factor


def scaled_weights(factor, estimator):
    X, y, times = rows(8, 3), rows(8, 1, seed=1).ravel(), np.array([0.3, 5.0, 300.0])
    shared = {"activation": "erf", "depth": 2, "sigma0": 0.7}
    fresh, weight = rows(4, 3, seed=2), np.linspace(0.5, 2, 8)
    if estimator == "classifier":
        y = (y > 0).astype(int)
    make, path = _model(estimator)
    right = path(make(T=0.02, **shared).fit(X, y, weight))(fresh, times)
    model = make(T=0.02 * factor, **shared).fit(X, y, weight * factor)
    return excess(path(model)(fresh, times / factor), right, 2 * TOL)


def scaled_inputs(factor):
    X, y, times = rows(8, 3), rows(8, 1, seed=1).ravel(), np.array([0.3, 5.0, 300.0])
    fresh, square = rows(4, 3, seed=2), factor**2
    right = NDKRegressor(2, T=0.02).fit(X, y).predict_path(fresh, times)
    model = NDKRegressor(2, T=0.02 * square).fit(factor * X, y)
    given = model.predict_path(factor * fresh, times / square)
    return excess(given, right, 2 * TOL)


def one_weight(factor):
    """Compare with a sample of no weight, or of one as good as infinite."""
    X, y, times = rows(8, 3), rows(8, 1, seed=1).ravel(), np.array([0.3, 5.0, 300.0])
    weight, fresh = np.ones(8), rows(4, 3, seed=2)
    weight[0] = 0 if factor < 1 else 1e7  # as good as infinite
    make = {"depth": 2, "activation": "erf", "T": 0.02, "sigma0": 0.7}
    right = NDKRegressor(**make).fit(X, y, weight).predict_path(fresh, times)
    weight[0] = factor
    given = NDKRegressor(**make).fit(X, y, weight).predict_path(fresh, times)
    return excess(given, right, 3 * TOL)


def learned_with_weights(factor, t):
    X, y = rows(8, 3), rows(8, 1, seed=1).ravel()
    given = NDKRegressor().fit(X, y, np.full(8, factor)).predict(X, t=t)
    return excess(given, y if factor > 1 else 0 * y)


def learned_with_inputs(factor, t):
    X, y = factor * rows(8, 3), rows(8, 1, seed=1).ravel()
    given = NDKRegressor().fit(X, y).predict(X, t=t)
    return excess(given, y if factor > 1 else 0 * y)


def automatic_times(factor):
    X, y = rows(12, 3), rows(12, 1, seed=1).ravel()
    shared = {"depth": 1, "bias": 0.0, "length_scale": 1.0, "cv": 2, "times": 5}
    right = NDKRegressorCV(**shared, limit="ntk").fit(X, y)
    model = NDKRegressorCV(**shared, limit="ntk").fit(factor * X, y)
    times = model.times_[:-1] * factor * factor
    moved = excess(times / right.times_[:-1], np.ones(4), 0.1)
    noisy = NDKRegressorCV(**shared, T=0.01).fit(factor * X, y)
    trained = noisy.predict(factor * X)
    return max(moved, norm_excess(trained, y))


def _model(estimator):
    """Return an estimator and a function from one to its path of mean outputs."""
    if estimator == "classifier":
        return NDKClassifier, lambda model: model.decision_function_path
    return NDKRegressor, lambda model: model.predict_path


# F9: targets, rows, weights and offsets far apart


def large_targets(size, t):
    X, y = rows(12, 3), rows(12, 1, seed=1).ravel()
    right = NDKRegressor(normalize_y=True).fit(X, y).predict(X, t=t)
    given = NDKRegressor(normalize_y=True).fit(X, size * y).predict(X, t=t)
    return excess(given / size, right, 2 * TOL)


def rows_of_norms(norm, activation):
    X, y = np.array([[1.0, 0.0], [0.3 * norm, norm]]), np.array([1.0, -1.0])
    model = NDKRegressor(activation=activation, T=0.0).fit(X, y)
    return excess(model.predict(X), y)


def spread_weights(decades):
    X, y = rows(9, 3), rows(9, 1, seed=1).ravel()
    weight = 10.0 ** np.linspace(-decades, decades, 9)
    fresh = np.vstack([X, rows(3, 3, seed=2)])
    given = NDKRegressor(T=0.0).fit(X, y, weight).predict(fresh)
    flow = Problem(Network(T=0.0), X, y[:, None], weight)
    return excess(given, exact.gradient_flow(flow, fresh, [np.inf])[:, 0, 0])


def far_from_origin(offset, bias):
    X = offset + rows(6, 3)
    given = ntk_kernel(X, activation="erf", sigma0=1.0, bias=bias)
    with exact.digits():
        right = exact.as_floats(Network(activation="erf", bias=bias).ntk(X, X))
    return float(np.max(np.abs(given / right - 1)) / TOL)


# F10: state, messages and the demo

FAILING = {
    "2-D weights": {"sample_weight": np.ones((12, 2))},
    "nan in X": {"X": np.full((12, 3), np.nan)},
    "nan in y": {"y": np.full(12, np.nan)},
    "negative weights": {"sample_weight": -np.ones(12)},
    "parameter": {},
}


def failed_refit(estimator, failure):
    X, y = rows(12, 3), np.arange(12) % 2
    make = globals()[estimator]
    model = make(**({"cv": 2, "times": 4} if estimator.endswith("CV") else {}))
    model.fit(X, y)
    before, state = model.predict(X), sorted(vars(model))
    if failure == "parameter":
        model.set_params(depth=0)
    with contextlib.suppress(ValueError):
        model.fit(**({"X": X, "y": y} | FAILING[failure]))
        return 3.0  # it did not fail
    with contextlib.suppress(NotFittedError):
        same = np.array_equal(model.predict(X), before)
        return 0.0 if same and sorted(vars(model)) == state else 2.0
    return 4.0


def unknown_keyword(estimator):
    try:
        globals()[estimator](learning_rate=0.1)
    except TypeError as error:
        told = str(error)
        named = estimator in told and "learning_rate" in told
        return 0.0 if named and "Base" not in told else 2.0
    return 3.0


def one_distinct_sample(estimator):
    X = np.ones((6, 2))
    y = np.arange(6.0) if "Regressor" in estimator else np.arange(6) % 2
    model = globals()[estimator](T=0.5)
    outputs = model.fit(X, y).predict(X)
    return 0.0 if len(np.unique(outputs)) == 1 else 2.0


def raw_wine(estimator):
    X, y = load_wine(return_X_y=True)
    globals()[estimator]().fit(X[::2], y[::2])
    return 2.0  # scores suffer: there has to be a warning


def demo(*options):
    """Return 0 if the demo runs, or ends in an error message of a line."""
    with tempfile.TemporaryDirectory() as folder:
        output = ["--output", str(Path(folder) / "figure.png")]
        code, _, told = _demo([*output, *options])
    message = [line for line in told.splitlines() if "error:" in line]
    return 0.0 if code == 0 or (code == 2 and len(message) == 1) else 2.0


def demo_output(output):
    code, _, told = _demo(["--output", output])
    message = [line for line in told.splitlines() if "error:" in line]
    return 0.0 if code == 2 and len(message) == 1 else 2.0


def demo_phases():
    with tempfile.TemporaryDirectory() as folder:
        _, shown, _ = _demo(["--output", str(Path(folder) / "figure.png")])
    return 0.0 if "up to tau = 0.1" in shown and "tau = 0.05" not in shown else 2.0


def _demo(options):
    """Run the demo on few images; return its exit code, output and errors."""
    shown, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(told):
        try:
            main(options, sizes=(80, 40, 40))
        except SystemExit as end:
            return end.code, shown.getvalue(), told.getvalue()
    return 0, shown.getvalue(), told.getvalue()
