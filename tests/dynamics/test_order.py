"""Order of convergence of the dynamics in the mesh and in the nodes."""

import numpy as np
import pytest
from dynamics.problems import (
    basis_matrices,
    geometric_edges,
    make_kernel,
    ndk,
    rows,
    unit_relevance,
)

from sklearn_ndk.dynamics.volterra._march import integral_weights, march
from sklearn_ndk.dynamics.volterra._mesh import radau_nodes
from sklearn_ndk.dynamics.volterra._time_basis import TimeBasis


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
        [matrices], weights, target, 0 * target, 0, n_nodes, threshold
    )
    assert np.all(defect <= threshold)
    return residual[0, n_nodes - 1 :: n_nodes]


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
