"""The kernels inside scikit-learn's models."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes, load_iris, make_friedman1
from sklearn.decomposition import KernelPCA
from sklearn.gaussian_process import (
    GaussianProcessClassifier,
    GaussianProcessRegressor,
)
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale
from sklearn.svm import SVC

from sklearn_ndk import NDKRegressor
from sklearn_ndk.gaussian_process import NNGP, NTK

IRIS, CLASSES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
DIABETES, PROGRESSION = (part[:100] for part in load_diabetes(return_X_y=True))
DIABETES = scale(DIABETES)

# an optimum may lie at a bound
pytestmark = pytest.mark.filterwarnings("ignore:The optimal value found for dimension")


@pytest.mark.parametrize(
    "kernel",
    [
        NNGP(bias=0.5, sigma_bounds="fixed"),
        NTK(2, "erf", bias=0.5, sigma0_bounds="fixed"),
    ],
    ids=repr,
)
def test_evidence_of_a_regression_rises(kernel):
    kernel = ConstantKernel() * kernel + WhiteKernel()
    model = GaussianProcessRegressor(kernel, normalize_y=True)
    model.fit(DIABETES, PROGRESSION)
    gain = model.log_marginal_likelihood_value_ - model.log_marginal_likelihood(
        kernel.theta
    )
    assert gain > 5
    # an optimum, seen by the gradient
    theta = model.kernel_.theta
    inside = np.all(np.abs(theta[:, None] - model.kernel_.bounds) > 1e-3, axis=1)
    _, slope = model.log_marginal_likelihood(theta, eval_gradient=True)
    assert np.abs(slope[inside]).max() < 0.1


def test_evidence_of_a_classification_rises():
    kernel = ConstantKernel() * NNGP(activation="erf", bias=0.5)
    model = GaussianProcessClassifier(kernel).fit(IRIS[::3], CLASSES[::3] > 1)
    start = model.log_marginal_likelihood(kernel.theta)
    assert model.log_marginal_likelihood_value_ > start + 5
    assert model.score(IRIS, CLASSES > 1) > 0.93


@pytest.mark.parametrize("make", [NNGP, NTK])
def test_length_scales_find_the_features_that_matter(make):
    X, y = make_friedman1(80, n_features=8, noise=0.5, random_state=0)
    network = make(bias=0.5, length_scale=np.ones(8))
    network.set_params(**{f"{make._weights}_bounds": "fixed"})
    kernel = ConstantKernel() * network + WhiteKernel(0.1, (1e-3, 1e1))
    model = GaussianProcessRegressor(kernel, normalize_y=True).fit(scale(X), y)
    scales = model.kernel_.k1.k2.length_scale
    assert scales[5:].min() > 5 * scales[:5].max()


def test_posterior_is_the_equilibrium_of_langevin_dynamics():
    X, new, y = DIABETES[:50], DIABETES[50:60], scale(PROGRESSION[:50])
    network = {"depth": 2, "sigma": 1.4, "bias": 0.3}
    ndk = NDKRegressor(**network, T=0.3, limit="nngp").fit(X, y)
    gp = GaussianProcessRegressor(1.4**2 * NNGP(**network), alpha=0.3, optimizer=None)
    gp.fit(X, y)
    for mine, theirs in zip(
        ndk.predict(new, return_std=True), gp.predict(new, return_std=True), strict=True
    ):
        assert_allclose(mine, theirs, rtol=1e-8)


def test_mean_is_that_of_training_to_the_end():
    X, new, y = DIABETES[:50], DIABETES[50:60], scale(PROGRESSION[:50])
    network = {"depth": 2, "sigma0": 1.4, "bias": 0.3}
    ndk = NDKRegressor(**network, T=0, limit="ntk").fit(X, y)
    gp = GaussianProcessRegressor(NTK(**network), optimizer=None).fit(X, y)
    assert_allclose(ndk.predict(new), gp.predict(new), atol=1e-6)


@pytest.mark.parametrize("kernel", [NNGP(2, bias=0.1), NTK(2, bias=0.1)], ids=repr)
def test_other_models_take_the_kernels(kernel):
    train, test = slice(0, None, 2), slice(1, None, 2)
    assert SVC(kernel=kernel).fit(IRIS[train], CLASSES[train]).score(
        IRIS[test], CLASSES[test]
    ) == pytest.approx(
        SVC(kernel="precomputed")
        .fit(kernel(IRIS[train]), CLASSES[train])
        .score(kernel(IRIS[test], IRIS[train]), CLASSES[test])
    )
    ridge = KernelRidge(kernel=kernel).fit(IRIS[train], CLASSES[train])
    by_hand = np.linalg.solve(kernel(IRIS[train]) + np.eye(75), CLASSES[train])
    assert_allclose(
        ridge.predict(IRIS[test]), kernel(IRIS[test], IRIS[train]) @ by_hand, rtol=1e-9
    )
    components = KernelPCA(2, kernel=kernel).fit_transform(IRIS[train])
    precomputed = KernelPCA(2, kernel="precomputed").fit_transform(kernel(IRIS[train]))
    assert_allclose(np.abs(components), np.abs(precomputed), atol=1e-9)


def test_search_over_networks():
    grid = {"kernel": [NNGP(depth, bias=0.1) for depth in (1, 3)], "C": [1.0, 10.0]}
    search = GridSearchCV(SVC(), grid).fit(IRIS, CLASSES)
    assert search.best_score_ > 0.93
