"""Meshes of time: graded, bounded, and enough for any rate."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ndk.dynamics.volterra._mesh import (
    graded_edges,
    n_nodes_for,
    radau_nodes,
    representative_times,
)


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
    assert steps[0] <= 0.3 / (rate(0.0) + kappa) * (1 + 1e-12)
    longest = np.minimum(2 * edges[1:-1], np.maximum(1 / kappa, edges[1:-1] / 2))
    assert np.all(steps[1:] <= longest * (1 + 1e-12))
    assert np.all(np.abs(np.diff(np.log(rate(edges)))) <= 2 + 1e-9)
    assert len(edges) < 40 + 2 * np.log2(1 + (peak + rate(end)) / kappa)


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6])
def test_mesh_and_nodes_resolve_any_relaxation(tol):
    nodes = radau_nodes(n_nodes_for(tol))
    powers = np.arange(len(nodes))
    from_values = np.linalg.inv(nodes[:, None] ** powers)
    integral = nodes[:, None] ** (powers + 1) / (powers + 1) @ from_values
    inside = np.linspace(0, 1, 30)[:, None] ** powers @ from_values
    edges = graded_edges(np.ones_like, 1e-6, 1e5)
    for rate in np.geomspace(1e-5, 1, 40):
        left = 1.0  # of the target, at the end of each panel
        for start, step in zip(edges, np.diff(edges), strict=False):
            system = np.eye(len(nodes)) + rate * step * integral
            residual = np.linalg.solve(system, np.full(len(nodes), left))
            times = start + step * np.linspace(0, 1, 30)
            assert_allclose(inside @ residual, np.exp(-rate * times), atol=tol)
            left = residual[-1]


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
    assert_allclose(steady[2:], edges[1:], rtol=0)
    assert np.all((steady[:2] > 0) & (steady[:2] < 1e-3))


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
