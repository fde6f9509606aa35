"""Weights of integrals over a kernel with a kink."""

import numpy as np
import pytest
from dynamics.problems import basis_matrices, make_kernel, rows, unit_relevance
from numpy.testing import assert_allclose

from sklearn_ndk.dynamics.volterra._march import integral_weights
from sklearn_ndk.dynamics.volterra._mesh import (
    radau_nodes,
)
from sklearn_ndk.dynamics.volterra._quadrature import panel_rule
from sklearn_ndk.dynamics.volterra._time_basis import (
    TimeBasis,
)


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
        ndk = kernel.family.entries(k, k, k, t, t - lag)
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
