"""The parts of the solver: mesh, quadrature, time basis, Krylov, order."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk.dynamics import Modes
from sklearn_ndk.dynamics._trajectory import Trajectory
from sklearn_ndk.dynamics.volterra import solve
from sklearn_ndk.dynamics.volterra._galerkin import solve_mesh
from sklearn_ndk.dynamics.volterra._krylov import gcr
from sklearn_ndk.dynamics.volterra._march import integral_weights, march
from sklearn_ndk.dynamics.volterra._mesh import (
    graded_edges,
    radau_nodes,
    representative_times,
)
from sklearn_ndk.dynamics.volterra._quadrature import panel_rule
from sklearn_ndk.dynamics.volterra._time_basis import (
    Relevance,
    TimeBasis,
    cross_approximation,
)
from sklearn_ndk.kernels._activations import get_activation
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.kernels._two_time import TwoTimeKernel


def make_kernel(X, activation="relu", depth=2, T=0.1, sigma0=1.3, bias=0.0):
    network = InfiniteNetwork(depth, get_activation(activation), T, 1.0, sigma0, bias)
    return TwoTimeKernel(network, gram_matrix(X))


def ndk(kernel, t, t_prime):
    return kernel.network.ndk(kernel.gram, t, t_prime)


def unit_relevance(t, t_prime):
    return np.ones_like(t)


def basis_matrices(basis, kernel):
    """Compute the basis functions, transposed, in double precision."""
    doubles = [np.float64] * len(basis.t)
    return np.array(
        kernel.mixtures(basis.t_prime, basis.t, basis.mixing, doubles, basis.precision)
    )


def rows(n, d=4, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


# Mesh


@pytest.mark.parametrize("kappa", [1e-8, 1e-2, 10.0])
@pytest.mark.parametrize("peak", [1e-9, 1e3, 1e12])
@pytest.mark.parametrize("growth", [-8, 0, 8])
def test_mesh_is_graded_and_bounded(kappa, peak, growth):
    def rate(t):  # changes by 10^growth over the diffusive phase
        return peak * 10 ** (growth * (1 - np.exp(-kappa * np.asarray(t))))

    end = 20 / kappa
    edges = graded_edges(rate, kappa, end, max_panels=1000)
    steps = np.diff(edges)
    assert edges[0] == 0
    assert edges[-2] < end <= edges[-1]
    assert steps[0] <= 0.1 / (rate(0.0) + kappa)
    assert np.all(steps[1:] <= np.maximum(edges[1:-1], 1 / kappa) * (1 + 1e-12))
    assert np.all(np.abs(np.diff(np.log(rate(edges)))) <= 2 + 1e-9)
    assert len(edges) < 40 + 2 * np.log2(1 + (peak + rate(end)) / kappa)


def test_mesh_of_too_many_panels_is_refused():
    with pytest.raises(ValueError, match=r"too many scales .* sigma\^2 / T=1e\+30"):
        graded_edges(lambda t: np.ones_like(t), 1e-30, 1e31)


def test_representative_times_follow_the_scale_of_the_weights():
    edges = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])

    def variance(t):
        return 1 + 8 * np.exp(-2 * t)

    times = representative_times(edges, variance)
    assert np.isin(edges[1:], times).all()
    assert np.all(np.diff(times) > 0)
    assert np.abs(np.diff(np.log(variance(times)))).max() < 0.2
    assert len(times) < 40
    steady = representative_times(edges, np.ones_like)
    assert_allclose(steady, edges[1:], rtol=0)


def test_longer_mesh_continues_a_shorter_one():
    def rate(t):
        return 100.0 + 0 * t

    short, long = graded_edges(rate, 0.1, 3.0), graded_edges(rate, 0.1, 300.0)
    assert_allclose(long[: len(short)], short, rtol=0)


def test_radau_nodes_integrate_polynomials_of_degree_2p_minus_2():
    for p in (2, 3, 5, 8):
        nodes = radau_nodes(p)
        weights = np.linalg.solve(
            np.vander(nodes, increasing=True).T, 1 / np.r_[1 : p + 1]
        )
        for degree in range(2 * p - 1):
            assert_allclose(weights @ nodes**degree, 1 / (degree + 1), rtol=1e-9)


# Quadrature


@pytest.mark.parametrize("t", [0.02, 0.7, 1.0, 2.6, 5.0])
def test_panel_rule_integrates_a_kernel_with_a_square_root_kink(t):
    edges, nodes = np.array([0.0, 1.0, 2.5, 5.0]), radau_nodes(6)
    begun = edges[:-1] < t
    start, end = edges[:-1][begun], edges[1:][begun]
    points, rule = panel_rule(np.full(len(start), t), start, end, nodes, 14)
    at_nodes = start[:, None] + (end - start)[:, None] * nodes
    kernel = np.sqrt(t - points)
    # int_0^t sqrt(t - s) s^2 ds, and a polynomial of degree 2 is exact at nodes
    got = np.einsum("qg,qgj,qj->", kernel, rule, at_nodes**2)
    assert_allclose(got, 16 / 105 * t**3.5, rtol=1e-12)


def test_panel_rule_resolves_a_panel_that_is_short_beside_the_time():
    t, start, end = np.array([[1e8], [0.0], [1e-20]])
    points, rule = panel_rule(t, start, end, radau_nodes(4), 12)
    assert_allclose(rule[0].sum(), 1e-20, rtol=1e-12)
    assert np.all((points[0] > 0) & (points[0] < 1e-20))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_integral_weights_are_those_of_a_fine_quadrature(activation):
    x = np.array([[1.0, 0.5]])
    kernel = make_kernel(x, activation, T=0.5)
    edges, nodes = np.array([0.0, 0.1, 0.3, 0.7, 1.5, 3.0]), radau_nodes(7)
    times = np.array([0.05, 0.3, 1.1, 1.5, 2.9])
    basis = TimeBasis(kernel.probe, edges[1:], edges[1:], unit_relevance, 1e-12)
    matrices = basis_matrices(basis, kernel)[:, 0, 0]
    at_nodes = (edges[:-1, None] + np.diff(edges)[:, None] * nodes).ravel()
    weights = integral_weights(basis, times, edges, nodes)
    got = matrices @ (weights @ at_nodes**3)
    v, w = np.polynomial.legendre.leggauss(200)
    for t, value in zip(times, got, strict=True):
        lag = t * ((v + 1) / 2) ** 4  # fine next to the kink
        k = x.ravel() @ x.ravel() / 2
        ndk = kernel.network.ndk_entries(k, k, k, t, t - lag)
        weight = w / 2 * 4 * t * ((v + 1) / 2) ** 3
        assert_allclose(value, np.sum(weight * ndk * (t - lag) ** 3), rtol=1e-9)


def test_integral_weights_vanish_on_panels_after_the_limit():
    kernel = make_kernel(rows(3))
    edges, nodes = np.array([0.0, 1.0, 2.0, 4.0]), radau_nodes(3)
    basis = TimeBasis(kernel.probe, edges[1:], edges[1:], unit_relevance, 1e-6)
    weights = integral_weights(basis, np.array([0.5, 1.0, 1.5]), edges, nodes)
    assert np.all(weights[:, :2, 3:] == 0)
    assert np.all(weights[:, 2, 6:] == 0)
    assert np.any(weights[:, 2, 3:6] != 0)


# Time basis


def test_cross_approximation_of_a_matrix_of_low_rank_is_exact():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((30, 5)) @ rng.standard_normal((5, 200))
    rows_, columns, lower, upper = cross_approximation(a, 1e-10)
    assert len(rows_) == len(columns) == 5
    cross = a[np.ix_(rows_, columns)]
    assert_allclose(lower @ upper, cross, atol=1e-12)
    assert_allclose(a[:, columns] @ np.linalg.solve(cross, a[rows_]), a, atol=1e-10)
    assert np.abs(np.tril(lower)).max() == 1


@pytest.mark.parametrize("tol", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize(
    ("activation", "sigma0", "bias"),
    [("relu", 1.3, 0.0), ("erf", 1.0, 0.0), ("erf", 1.5, 0.1), ("relu", 0.7, 0.4)],
)
def test_time_basis_spans_the_kernel_at_unseen_times_and_inputs(
    activation, sigma0, bias, tol
):
    X = rows(40)
    X = np.vstack([X, X[:4] + 1e-5, X[:4]])  # near and exact duplicates
    kernel = make_kernel(X, activation, sigma0=sigma0, bias=bias)
    times = np.geomspace(1e-3, 200, 60)
    basis = TimeBasis(kernel.probe, times, times, unit_relevance, tol)
    matrices = basis_matrices(basis, kernel).transpose(0, 2, 1)
    rng = np.random.default_rng(1)
    t = 10 ** rng.uniform(-2, 2.2, 20)
    t_prime = t * rng.uniform(0, 1, 20) ** 3
    coefficients = basis.coefficients(t, t_prime)
    for i in range(20):
        exact = ndk(kernel, t[i], t_prime[i])
        ends = (ndk(kernel, s, s).max() for s in (t[i], t_prime[i]))
        size = np.sqrt(np.prod(list(ends)))
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


def test_basis_of_relevant_pairs_is_smaller_and_predicts_as_well():
    X, y, Xs = rows(60), rows(60, 1, seed=1)[:, 0], rows(5, seed=2)
    times = np.geomspace(1e-3, 100, 12)
    cross = TwoTimeKernel(make_kernel(X).network, gram_matrix(Xs, X))

    def solved(tol):
        kernel = make_kernel(X)
        modes = Modes(kernel.nngp(), kernel.network.kappa)
        return Trajectory(solve(y[None], kernel, modes, 0.1, tol, np.inf))

    trajectories = solved(1e-6), solved(1e-9)
    got, exact = (trajectory.predict(times, cross) for trajectory in trajectories)
    assert_allclose(got, exact, atol=1e-6 * np.abs(y).max())
    assert len(trajectories[0].solution.basis.t) < 20


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_predictions_do_not_depend_on_how_many_rows_are_handled_at_once(activation):
    X, y = rows(30), rows(30, 1, seed=1)[:, 0]
    kernel = make_kernel(X, activation)
    modes = Modes(kernel.nngp(), kernel.network.kappa)
    solution = solve(y[None], kernel, modes, 0.1, 1e-6, np.inf)
    cross = TwoTimeKernel(kernel.network, gram_matrix(rows(50, seed=2), X))
    times = np.array([1.0, 5.0, 30.0])
    at_once = Trajectory(solution).predict(times, cross)
    row_by_row = Trajectory(solution, max_entries=0).predict(times, cross)
    assert_allclose(row_by_row, at_once, atol=1e-6)


# Galerkin iteration


def mesh_problem(activation, n_samples=60):
    X, y = rows(n_samples), rows(2, n_samples, seed=1)
    kernel = make_kernel(X, activation, T=0.01)
    nodes = radau_nodes(4)
    edges = geometric_edges(2.0, 1e-3, 500.0)
    times = (edges[:-1, None] + np.diff(edges)[:, None] * nodes).ravel()
    basis = TimeBasis(kernel.probe, edges[1:], edges[1:], unit_relevance, 1e-11)
    weights = integral_weights(basis, times, edges, nodes)
    matrices = basis_matrices(basis, kernel)
    modes = Modes(kernel.nngp(), kernel.network.kappa)
    return y, matrices, weights, modes


def all_of(matrices):
    """Return sizes of which none can be neglected."""
    return np.full(len(matrices), 1e30)


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("n_samples", [7, 60])
def test_galerkin_iteration_solves_the_whole_equation(activation, n_samples):
    y, matrices, weights, modes = mesh_problem(activation, n_samples)
    panels = []
    residual, defect = solve_mesh(
        y,
        list(matrices),
        all_of(matrices),
        weights,
        modes,
        100.0,
        4,
        1e-9,
        lambda panel, residual: panels.append((panel, residual())),
    )
    assert defect <= 1e-9
    assert [panel for panel, _ in panels] == list(range(weights.shape[1] // 4))
    for panel, found in panels:  # what is reported is solved
        end = 4 * (panel + 1)
        assert_allclose(found[:, :end], residual[:, :end], atol=1e-8)
    integral = np.einsum("jts,osn,jnm->otm", weights, residual, matrices, optimize=True)
    left = np.linalg.norm(y[:, None] - residual - integral, axis=2)
    assert np.all(left <= 1.1e-9 * np.linalg.norm(y, axis=1)[:, None])


def test_galerkin_iteration_meets_the_march_in_all_dimensions():
    y, matrices, weights, modes = mesh_problem("relu", 20)
    residual, _ = solve_mesh(
        y, list(matrices), all_of(matrices), weights, modes, 100.0, 4, 1e-10, None
    )
    targets = np.repeat(y[:, None], weights.shape[1], axis=1)
    threshold = np.full(2, 1e-11)
    marched, defect = march(matrices, weights, targets, 0 * targets, 0, 4, threshold)
    assert np.all(defect <= threshold)
    assert_allclose(residual, marched, atol=1e-8)


def test_galerkin_iteration_tells_how_far_it_came():
    y, matrices, weights, modes = mesh_problem("relu", 60)
    # less than rounding errors cannot be reached, and the iteration knows its end
    _, defect = solve_mesh(
        y, list(matrices), all_of(matrices), weights, modes, 100.0, 4, 1e-18, None
    )
    assert 1e-18 < defect < 1e-9


def test_preconditioner_is_exact_for_functions_of_its_matrix():
    rng = np.random.default_rng(0)
    values = np.geomspace(1, 1e-3, 30)
    vectors = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    modes = Modes((vectors * values) @ vectors.T, 1e-9)
    assert modes.vectors.dtype == np.float64
    assert_allclose(modes.eigenvalues, values, rtol=1e-9)
    weights = np.tril(rng.uniform(size=(1, 6, 6)))
    directions = modes.split(np.ones(30))
    assert_allclose(directions @ directions.T, np.eye(30), atol=1e-12)
    precondition = modes.preconditioner(values[None], weights)
    z = rng.standard_normal((6, 30))
    applied = z + weights[0] @ (z * values)
    assert_allclose(precondition(applied), z, atol=1e-10)
    # and at the last times alone, of a problem solved before
    applied = z[:2] + weights[0, 4:, 4:] @ (z[:2] * values)
    assert_allclose(precondition(applied), z[:2], atol=1e-10)


def test_many_outputs_share_one_subspace_and_do_not_see_each_other():
    y, matrices, weights, modes = mesh_problem("relu", 20)
    panels = []
    both = solve_mesh(
        np.vstack([y, y, y]),
        list(matrices),
        all_of(matrices),
        weights,
        modes,
        100.0,
        4,
        1e-10,
        lambda panel, residual: panels.append((panel, residual())),
    )[0]
    few, _ = solve_mesh(
        y, list(matrices), all_of(matrices), weights, modes, 100.0, 4, 1e-10, None
    )
    assert_allclose(both, np.vstack([few, few, few]), atol=1e-8)
    assert len(panels) == weights.shape[1] // 4
    assert_allclose(panels[-1][1], both)


@pytest.mark.parametrize("n_outputs", [1, 6])
def test_targets_may_depend_on_time(n_outputs):
    _, matrices, weights, modes = mesh_problem("relu", 20)
    rng = np.random.default_rng(0)
    phases = np.linspace(0, 3, weights.shape[1])[:, None] * rng.uniform(size=20)
    wanted = np.cos(phases) * rng.standard_normal((n_outputs, 1, 20))
    integral = np.einsum("jts,osn,jnm->otm", weights, wanted, matrices, optimize=True)
    got, defect = solve_mesh(
        wanted + integral,
        list(matrices),
        all_of(matrices),
        weights,
        modes,
        100.0,
        4,
        1e-10,
        None,
    )
    assert defect <= 1e-10
    size = np.linalg.norm(integral, axis=2).max()
    assert_allclose(got, wanted, atol=1e-8 * size)


# Krylov


def test_gcr_solves_every_system_to_its_threshold():
    rng = np.random.default_rng(0)
    A = np.eye(24) + rng.standard_normal((24, 24)) / 10
    rhs = rng.standard_normal((3, 2, 12))
    rhs[1] = 0  # a system already solved
    threshold = 1e-9 * np.linalg.norm(rhs, axis=(1, 2))

    def apply(z):
        return (z.reshape(3, 24) @ A.T).reshape(z.shape)

    z, norms = gcr(apply, lambda r: r.copy(), rhs, threshold, 24)
    assert np.all(norms <= threshold)
    assert np.all(np.linalg.norm(rhs - apply(z), axis=(1, 2)) <= 1.01 * threshold)
    _, norms = gcr(apply, lambda r: r.copy(), rhs, threshold, 2)
    assert np.any(norms > threshold)


# Order of convergence


def residual_at_ends(kernel, y, edges, n_nodes):
    """Solve for the residual at panel ends, with everything but the mesh exact."""
    nodes = radau_nodes(n_nodes)
    times = (edges[:-1, None] + np.diff(edges)[:, None] * nodes).ravel()
    basis = TimeBasis(kernel.probe, edges[1:], edges[1:], unit_relevance, 1e-13)
    weights = integral_weights(basis, times, edges, nodes)
    target = np.tile(y, (1, len(times), 1))
    matrices = basis_matrices(basis, kernel)
    threshold = np.array([1e-13])
    residual, defect = march(
        matrices, weights, target, 0 * target, 0, n_nodes, threshold
    )
    assert np.all(defect <= threshold)
    return residual[0, n_nodes - 1 :: n_nodes]


def geometric_edges(ratio, first, last):
    n = round(np.log(last / first) / np.log(ratio))
    return np.r_[0, first * (last / first) ** (np.arange(n + 1) / n)]


@pytest.mark.parametrize("n_nodes", [2, 3])
def test_order_in_the_mesh_ratio_is_that_of_radau_without_noise(n_nodes):
    # at T -> 0 the equation is an ODE and Radau IIA has order 2 p - 1
    X, y = np.array([[1.0, 2.0]]), np.ones(1)
    kernel = make_kernel(X, "linear", T=1e-12)
    decay = ndk(kernel, 0.0, 0.0)[0, 0]
    errors = []
    ratios = np.array([1.3, 1.15, 1.07])
    for ratio in ratios:
        edges = geometric_edges(ratio, 1e-4, 3.0)
        got = residual_at_ends(kernel, y, edges, n_nodes)[:, 0]
        errors.append(np.abs(got - np.exp(-decay * edges[1:])).max())
    slope = np.polyfit(np.log(ratios - 1), np.log(errors), 1)[0]
    assert 2 * n_nodes - 1.6 < slope < 2 * n_nodes - 0.6


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_order_in_the_mesh_ratio_with_noise_is_at_least_the_number_of_nodes(activation):
    X, y = rows(5), rows(1, 5, seed=1)[0]
    kernel = make_kernel(X, activation, T=1.0)
    exact = residual_at_ends(kernel, y, geometric_edges(1.25, 1e-3, 3.0), 7)[-1]
    ratios = np.array([1.6, 1.45, 1.3])
    for n_nodes in (2, 3):
        errors = [
            np.abs(
                residual_at_ends(kernel, y, geometric_edges(r, 1e-3, 3.0), n_nodes)[-1]
                - exact
            )
            for r in ratios
        ]
        size = np.max(errors, axis=1)
        slope = np.polyfit(np.log(ratios - 1), np.log(size), 1)[0]
        assert slope > n_nodes


def test_error_falls_geometrically_with_the_number_of_nodes():
    X, y = rows(5), rows(1, 5, seed=1)[0]
    kernel = make_kernel(X, T=1.0)
    edges = geometric_edges(2.0, 1e-5, 10.0)
    exact = residual_at_ends(kernel, y, edges, 10)
    errors = [
        np.abs(residual_at_ends(kernel, y, edges, p) - exact).max() for p in range(2, 7)
    ]
    assert np.all(np.array(errors[:-1]) > 3 * np.array(errors[1:]))
