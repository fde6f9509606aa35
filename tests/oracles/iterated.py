"""Gaussian expectations of products by iterated quadrature, as an oracle.

The inner integral is taken over the conditional law of v, the outer over u; both are
split where the function breaks, and graded towards these points.
"""

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_REACH = 9.0


def iterated_expectation(function, var_u, var_v, corr, breaks=()):
    """Return ``E[f(u) f(v)]``; `breaks` are those of f, but for zero."""
    points = np.append(np.array(breaks, float), 0.0)
    sine = np.sqrt((1 - corr) * (1 + corr))
    layers = (points / np.sqrt(var_v))[:, None] / corr if corr else np.zeros((0, 1))
    widths = sine / max(abs(corr), 1e-3) * np.array([-6, -3, -1, 0, 1, 3, 6])
    x, weight = _rule(
        np.concatenate([points / np.sqrt(var_u), (layers + widths).ravel()])
    )
    weight = weight * np.exp(-(x**2) / 2) * function(np.sqrt(var_u) * x)
    inner = []
    for mean in corr * x:
        y, rule = _rule((points / np.sqrt(var_v) - mean) / sine)
        values = function(np.sqrt(var_v) * (mean + sine * y))
        inner.append(np.sum(rule * np.exp(-(y**2) / 2) * values))
    return weight @ inner / (2 * np.pi)


def _rule(points):
    """Return nodes and weights, graded to some points of the line."""
    octaves = 2.0 ** np.arange(-14, 4)
    graded = points[:, None] + np.concatenate([-octaves, [0], octaves])
    edges = np.unique(np.append(np.linspace(-_REACH, _REACH, 19), graded))
    edges = edges[np.abs(edges) <= _REACH]
    lengths = np.diff(edges)[:, None]
    nodes = edges[:-1, None] + lengths * (_NODES + 1) / 2
    return nodes.ravel(), (lengths * _WEIGHTS / 2).ravel()
