"""The matrices that span a kernel at all pairs of times."""

from functools import partial

import numpy as np
import pytest
from dynamics.problems import make_kernel, ndk, rows, unit_relevance
from numpy.testing import assert_allclose

from sklearn_ndk.dynamics import Modes
from sklearn_ndk.dynamics._trajectory import Trajectory
from sklearn_ndk.dynamics.volterra import represent, solve
from sklearn_ndk.dynamics.volterra._time_basis import (
    Relevance,
    TimeBasis,
    cross_approximation,
)
from sklearn_ndk.kernels._families import NDK, DriftedNDK, PriorCovariance
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._two_time import TwoTimeKernel


def test_cross_approximation_of_a_matrix_of_low_rank_is_exact():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((30, 5)) @ rng.standard_normal((5, 200))
    rows_, columns, lower, upper = cross_approximation(a, 1e-10, 5)
    assert len(rows_) == len(columns) == 5
    cross = a[np.ix_(rows_, columns)]
    assert_allclose(lower @ upper, cross, atol=1e-12)
    assert_allclose(a[:, columns] @ np.linalg.solve(cross, a[rows_]), a, atol=1e-10)
    assert np.abs(np.tril(lower)).max() == 1
    assert cross_approximation(a, 1e-10, 4) is None


@pytest.mark.parametrize("tol", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize(
    ("activation", "sigma0", "bias"),
    [("relu", 1.3, 0.0), ("erf", 1.0, 0.0), ("erf", 1.5, 0.1), ("relu", 0.7, 0.4)],
)
@pytest.mark.parametrize("family", [NDK, partial(DriftedNDK, delay=5), PriorCovariance])
def test_time_basis_spans_every_family_at_unseen_times_and_inputs(
    family, activation, sigma0, bias, tol
):
    X = rows(40)
    X = np.vstack([X, X[:4] + 1e-5, X[:4]])  # near and exact duplicates
    kernel = make_kernel(X, activation, sigma0=sigma0, bias=bias)
    kernel = TwoTimeKernel(family(kernel.network), kernel.gram)
    times = np.geomspace(1e-3, 200, 60)
    basis = TimeBasis(kernel.probe, times, times, unit_relevance, tol)
    rng = np.random.default_rng(1)
    t = 10 ** rng.uniform(-2, 2.2, 20)
    t_prime = t * rng.uniform(0, 1, 20) ** 3
    coefficients = basis.coefficients(t, t_prime)
    doubles = [np.float64] * len(basis.t)
    matrices = kernel.mixtures(
        basis.t, basis.t_prime, basis.mixing, doubles, basis.precision
    )
    norms2 = (X**2).mean(axis=1)
    for i in range(20):
        exact = ndk(kernel, t[i], t_prime[i])
        ends = [kernel.family.diagonal(norms2, s).max() for s in (t[i], t_prime[i])]
        size = np.sqrt(np.prod(ends))
        error = np.abs(np.tensordot(coefficients[:, i], matrices, 1) - exact).max()
        assert error <= 10 * tol * size


def test_rank_of_the_time_basis_grows_with_accuracy():
    kernel = make_kernel(rows(30))
    times = np.geomspace(1e-3, 200, 60)
    ranks = [
        len(TimeBasis(kernel.probe, times, times, unit_relevance, tol).t)
        for tol in (1e-3, 1e-6, 1e-9)
    ]
    assert ranks[0] < ranks[1] < ranks[2] < 60


def test_relevance_is_the_extent_of_an_error_times_the_residual():
    relevance = Relevance(0.1, np.array([0.0, 1.0]), np.array([3.0, 1.0]), 1e-9)
    t = np.array([5.0, 5.0, 1e3, 1e3])
    t_prime = np.array([4.0, 0.5, 100.0, 900.0])
    assert_allclose(relevance(t, t_prime), [1.0, 0.5 * 2, 10.0, 10.0])
    # predictions at short times are small, and right to as many digits
    early = Relevance(0.1, np.array([0.0, 1.0]), np.array([3.0, 1.0]), 1e-3)
    assert_allclose(early(1e-9, 5e-10), early(1e-6, 5e-7), rtol=1e-5)


def solved(y, kernel, modes, tol):
    represented = represent(y[None], kernel, modes, 0.1, tol, np.inf)
    return solve(y[None], kernel, modes, represented, 0.1, tol)


def test_basis_of_relevant_pairs_is_smaller_and_predicts_as_well():
    X, y, Xs = rows(60), rows(60, 1, seed=1)[:, 0], rows(5, seed=2)
    times = np.geomspace(1e-3, 100, 12)
    cross = TwoTimeKernel(make_kernel(X).family, gram_matrix(Xs, X))

    def trajectory(tol):
        kernel = make_kernel(X)
        modes = Modes(kernel.nngp(), kernel.network.kappa)
        return Trajectory(solved(y, kernel, modes, tol))

    trajectories = trajectory(1e-6), trajectory(1e-9)
    got, exact = (one.predict(times, cross) for one in trajectories)
    assert_allclose(got, exact, atol=1e-6 * np.abs(y).max())
    assert len(trajectories[0].solution.representation.basis.t) < 20


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_predictions_do_not_depend_on_how_many_rows_are_handled_at_once(activation):
    X, y = rows(30), rows(30, 1, seed=1)[:, 0]
    kernel = make_kernel(X, activation)
    modes = Modes(kernel.nngp(), kernel.network.kappa)
    solution = solved(y, kernel, modes, 1e-6)
    cross = TwoTimeKernel(kernel.family, gram_matrix(rows(50, seed=2), X))
    times = np.array([1.0, 5.0, 30.0])
    at_once = Trajectory(solution).predict(times, cross)
    row_by_row = Trajectory(solution, max_entries=0).predict(times, cross)
    assert_allclose(row_by_row, at_once, atol=1e-6)
