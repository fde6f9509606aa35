"""What extends the package takes one file and one row."""

import pickle

import numpy as np
import pytest
from added_activation import Parabola
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_ndk import NDKClassifierCV, NDKRegressor
from sklearn_ndk.dynamics import LIMITS, Regime
from sklearn_ndk.kernels import ntk_kernel


class EarlyTimes(Regime):
    """The first order in t of gradient flow: ``f = t NTK y``."""

    def knows(self, t):
        return True

    def solve(self, t, progress=None):
        pass

    def mean(self, kernel, times):
        first_order = self._problem.targets @ kernel.ntk().T
        return np.asarray(times)[None, :, None] * first_order[:, None]

    def drift(self, kernel, delay, t0):
        return self.mean(kernel, np.array([t0]))[:, 0]

    def covariance(self, queries, times):
        prior = queries.cross.prior().matrix(0.0, 0.0)
        once = queries.inner(queries.cross.ntk(), prior)
        start = queries.prior("prior")
        return np.array([start - t * (once + once.T) for t in times])


@pytest.fixture
def early(monkeypatch):
    monkeypatch.setitem(LIMITS, "early", EarlyTimes)


def test_a_limit_is_one_class_and_one_row(early):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    model = NDKRegressor(limit="early", t=0.3).fit(X, y)
    expected = ntk_kernel(X) @ y
    assert_allclose(model.predict(X), 0.3 * expected)
    path = model.predict_path(X, [0.0, 1e-3])
    assert_allclose(path, np.outer(expected, [0.0, 1e-3]))
    exact = NDKRegressor(limit="ntk").fit(X, y).predict_path(X, [0.0, 1e-3])
    assert_allclose(path, exact, atol=0.05 * np.abs(path).max())
    std = model.predict(X, t=1e-3, return_std=True)[1]
    exact = NDKRegressor(limit="ntk").fit(X, y).predict(X, t=1e-3, return_std=True)[1]
    assert_allclose(std, exact, rtol=1e-3)
    chosen = NDKClassifierCV(limit="early", times=[0.1, 1.0]).fit(X, y > 0)
    assert chosen.t_ in (0.1, 1.0)


def test_an_activation_is_one_class_in_one_file():
    """Beside what the tests of all activations ask of it, see `named_activations`."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    y = Parabola()(X.sum(axis=1))
    grid = {"activation": ["relu", "erf", Parabola()]}
    search = GridSearchCV(NDKRegressor(t=50.0, bias=0.3), grid, cv=4).fit(X, y)
    assert search.best_params_ == {"activation": Parabola()}
    model = search.best_estimator_
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert_array_equal(clone(model).fit(X, y).predict(X), model.predict(X))
    rest = clone(model).set_params(limit="nngp").fit(X, y)
    assert_allclose(model.predict(X, t=np.inf), rest.predict(X), rtol=1e-9)
    votes = NDKClassifierCV(activation=Parabola(), cv=2).fit(X, y > 1).predict_proba(X)
    assert_allclose(votes.sum(axis=1), 1)


def test_other_limits_are_refused():
    with pytest.raises(ValueError, match="'limit' parameter"):
        NDKRegressor(limit="early").fit([[1.0], [2.0]], [1.0, 2.0])
