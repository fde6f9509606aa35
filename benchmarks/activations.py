"""What the duals of each activation cost, beside relu and quadrature per entry.

Run as ``python benchmarks/activations.py``, with one thread (``OMP_NUM_THREADS=1``).
Both duals of a block of pairs; medians, all activations and relu timed in turn in one
process. The first use of an activation without closed form makes its tables.

neural-tangents has the closed forms of relu, erf, gelu and sines, and quadrature
(``stax.ElementwiseNumerical``) for the rest. ``peers.py`` compares with it.
"""

import argparse
import sys

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from problems import in_turn, seconds

from sklearn_ndk.activations import Function, Hermite, Monomial, RectifiedMonomial
from sklearn_ndk.activations._registry import ACTIVATIONS

N_QUADRATURE = 25  # points of each variable, as peers have by default
OTHERS = {
    "Monomial(2)": Monomial(2),
    "RectifiedMonomial(2)": RectifiedMonomial(2),
    "Hermite(2)": Hermite(2),
    "Function(np.tanh)": Function(np.tanh),
}


def pairs(n_samples, n_features=20):
    """Return variances and covariances of a block of normal rows and columns."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, n_samples, n_features))
    squares = [np.einsum("ij,ij->i", rows, rows) / n_features for rows in (X, Y)]
    return squares[0][:, None], squares[1], X @ Y.T / n_features


def quadrature(phi, phi_prime, var_u, var_v, cov):
    """Return both duals by Gauss-Hermite quadrature in two dimensions per entry."""
    z, weight = hermegauss(N_QUADRATURE)
    weight = weight / weight.sum()
    root_u, root_v = np.sqrt(var_u), np.sqrt(var_v)
    cosine = cov / (root_u * root_v)
    sine = np.sqrt(1 - cosine**2)
    u = np.broadcast_to(root_u, cov.shape)[..., None] * z
    v = cosine[..., None, None] * z[:, None] + sine[..., None, None] * z
    v *= np.broadcast_to(root_v, cov.shape)[..., None, None]
    return [
        np.einsum("...i,...ij,i,j->...", f(u), f(v), weight, weight, optimize=True)
        for f in (phi, phi_prime)
    ]


def tanh_prime(z):
    return 1 - np.tanh(z) ** 2


def report(name, has_ntk, first, later, ratio):
    """Print a row; times are per entry."""
    ntk = "yes" if has_ntk else "no"
    print(f"{name:24s} {ntk:4s}{first:10.0f}{later:10.1f}{ratio:10.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=1000)
    parser.add_argument("--n-quadrature", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    block = pairs(args.n_samples)
    named = dict(ACTIVATIONS) | OTHERS
    relu = named["relu"]
    relu.duals(*block)  # pages and libraries are there, for the first of all
    first = {name: seconds(lambda: one.duals(*block)) for name, one in named.items()}

    print(f"ns per entry, both duals, {args.n_samples} x {args.n_samples} pairs")
    print(f"{'activation':24s} {'NTK':4s}{'first':>10s}{'later':>10s}{'/ relu':>10s}")
    unit = 1e9 / args.n_samples**2
    for name, one in named.items():
        later, base = in_turn(
            [lambda: one.duals(*block), lambda: relu.duals(*block)], args.repeats
        )
        times = unit * first[name], unit * later, later / base
        report(name, one.has_ntk, *times)

    few = pairs(args.n_quadrature)
    time, base = in_turn(
        [lambda: quadrature(np.tanh, tanh_prime, *few), lambda: relu.duals(*block)],
        args.repeats,
    )
    time *= 1e9 / args.n_quadrature**2
    report("tanh by quadrature", True, time, time, time / (unit * base))
    fine = named["tanh"].duals(*few)
    coarse = quadrature(np.tanh, tanh_prime, *few)
    off = [np.abs(a - b).max() for a, b in zip(coarse, fine, strict=True)]
    print(f"its duals differ from ours by {off[0]:.0e} and {off[1]:.0e} at most")


if __name__ == "__main__":
    sys.exit(main())
