"""The iteration for the residual at all times."""

import numpy as np
import pytest
from dynamics.problems import (
    basis_matrices,
    geometric_edges,
    make_kernel,
    rows,
    unit_relevance,
)
from numpy.testing import assert_allclose

from sklearn_ndk.dynamics import Modes
from sklearn_ndk.dynamics.volterra._galerkin import MeshEquation, solve_mesh
from sklearn_ndk.dynamics.volterra._march import integral_weights, march
from sklearn_ndk.dynamics.volterra._mesh import radau_nodes
from sklearn_ndk.dynamics.volterra._time_basis import TimeBasis


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


def equation(targets, matrices, weights):
    """Return an equation in which no matrix is left out."""
    if targets.ndim == 2:
        targets = np.repeat(targets[:, None], weights.shape[1], axis=1)
    sizes = np.full(len(matrices), 1e30)
    return MeshEquation(targets, list(matrices), sizes, weights, n_nodes=4)


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("n_samples", [7, 60])
def test_galerkin_iteration_solves_the_whole_equation(activation, n_samples):
    y, matrices, weights, modes = mesh_problem(activation, n_samples)
    panels = []
    residual, defect = solve_mesh(
        equation(y, matrices, weights),
        modes,
        100.0,
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
    residual, _ = solve_mesh(equation(y, matrices, weights), modes, 100.0, 1e-10)
    targets = np.repeat(y[:, None], weights.shape[1], axis=1)
    threshold = np.full(2, 1e-11)
    marched, defect = march([matrices], weights, targets, 0 * targets, 0, 4, threshold)
    assert np.all(defect <= threshold)
    assert_allclose(residual, marched, atol=1e-8)


def test_galerkin_iteration_tells_how_far_it_came():
    y, matrices, weights, modes = mesh_problem("relu", 60)
    # less than rounding errors cannot be reached, and the iteration knows its end
    _, defect = solve_mesh(equation(y, matrices, weights), modes, 100.0, 1e-18)
    assert 1e-18 < defect < 1e-9


def test_preconditioner_is_exact_for_functions_of_its_matrix():
    rng = np.random.default_rng(0)
    values = np.geomspace(1, 1e-3, 20)
    vectors = np.linalg.qr(rng.standard_normal((20, 20)))[0]
    modes = Modes((vectors * values) @ vectors.T, 1e-9)
    assert modes.vectors.dtype == np.float64
    assert_allclose(modes.eigenvalues, values, rtol=1e-9)
    weights = np.tril(rng.uniform(size=(1, 6, 6)))
    directions = modes.split(np.ones(20))
    assert_allclose(directions @ directions.T, np.eye(20), atol=1e-12)
    precondition = modes.preconditioner(values[None], weights, 1)
    z = rng.standard_normal((6, 20))
    applied = z + weights[0] @ (z * values)
    assert_allclose(precondition(applied), z, atol=1e-10)
    # and at the last times alone, of a problem solved before
    applied = z[:2] + weights[0, 4:, 4:] @ (z[:2] * values)
    assert_allclose(precondition(applied), z[:2], atol=1e-10)


def test_many_outputs_share_one_subspace_and_do_not_see_each_other():
    y, matrices, weights, modes = mesh_problem("relu", 20)
    panels = []
    both = solve_mesh(
        equation(np.vstack([y, y, y]), matrices, weights),
        modes,
        100.0,
        1e-10,
        lambda panel, residual: panels.append((panel, residual())),
    )[0]
    few, _ = solve_mesh(equation(y, matrices, weights), modes, 100.0, 1e-10)
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
        equation(wanted + integral, matrices, weights), modes, 100.0, 1e-10
    )
    assert defect <= 1e-10
    size = np.linalg.norm(integral, axis=2).max()
    assert_allclose(got, wanted, atol=1e-8 * size)
