"""Product quadrature for a kernel against the polynomials of a panel."""

import numpy as np
from numpy.polynomial.legendre import leggauss


def lagrange_basis(nodes, x):
    """Evaluate the Lagrange polynomials of `nodes`.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        Distinct nodes.
    x : ndarray
        Points at which to evaluate.

    Returns
    -------
    ndarray of shape (*x.shape, n_nodes)
        The value at each point of the polynomial that is one at each node.
    """
    values = np.ones((*x.shape, len(nodes)))
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        for other in others:
            values[..., j] *= (x - other) / (node - other)
    return values


def history_rule(times, edges, nodes, n_points):
    """Return a rule for ``int_0^t k(t, t') r(t') dt'`` with `r` known at nodes.

    On each panel `r` is the polynomial through its nodes. The kernel is
    integrated by Gauss points in ``u = sqrt(t - t')``, in which a kernel with a
    square-root kink at ``t' = t`` is smooth.

    Parameters
    ----------
    times : ndarray of shape (n_times,)
        Upper limits of integration, within the mesh.
    edges : ndarray of shape (n_panels + 1,)
        Panel edges.
    nodes : ndarray of shape (n_nodes,)
        Nodes in [0, 1] of each panel.
    n_points : int
        Gauss points per panel.

    Returns
    -------
    points : ndarray of shape (n_times, n_panels, n_points)
        The times ``t'`` at which the kernel is needed.
    rule : ndarray of shape (n_times, n_panels, n_points, n_nodes)
        The integral is ``sum(k(t, points) * rule @ r)``; zero on panels that
        start at `t` or later.
    """
    x, w = leggauss(n_points)
    x, w = (x + 1) / 2, w / 2
    start, stop = edges[:-1], np.minimum(edges[1:], times[:, None])
    past = np.maximum(stop - start, 0)  # zero on panels not yet begun
    far = np.sqrt(np.maximum(times[:, None] - start, 0))[..., None]
    near = np.sqrt(times[:, None] - stop)[..., None]
    # written without differences of large times: a panel may be short beside t
    span = np.divide(past[..., None], far + near, out=np.zeros_like(far), where=far > 0)
    u = near + span * x
    since_start = span * (1 - x) * (far + u)  # u^2 = t - t'
    weights = 2 * u * span * w  # dt' = 2 u du
    within = since_start / np.diff(edges)[:, None]
    rule = weights[..., None] * lagrange_basis(nodes, within)
    points = np.minimum(start[:, None] + since_start, times[:, None, None])
    return points, rule
