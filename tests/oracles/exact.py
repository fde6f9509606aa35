"""Closed forms in 200 digits, and what bounds the error of two asymptotic limits.

It shares no code with the package: kernels by the recursion over layers on arrays of
mpmath numbers, gradient flow (16) by eigenvectors, the equilibrium (18) by elimination.
Its numbers are those of the inputs as doubles, so that no condition number that a
user can reach hides an error of the package behind one of the oracle. It is meant for
a dozen rows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from mpmath import mp, mpf
from numpy.typing import ArrayLike

DIGITS = 200
#: Relative size below which an eigenvalue is exactly zero: a square root of
#: cancelled digits (relu, rows on one line) is known to half of them.
NULL = mpf(10) ** -85

_exact = np.frompyfunc(mpf, 1, 1)
_float = np.frompyfunc(float, 1, 1)


@contextmanager
def digits() -> Iterator[None]:
    """Work with enough digits for any inputs that doubles can hold."""
    with mp.workdps(DIGITS):
        yield


def exact(values: ArrayLike) -> np.ndarray:
    """Return an array of mpmath numbers, each equal to the double given."""
    return _exact(np.asarray(values, dtype=float))


def as_floats(values: np.ndarray) -> np.ndarray:
    """Return the doubles nearest to an array of mpmath numbers."""
    return _float(values).astype(float)


def _relu(u, v, c):
    sine = mp.sqrt(max(u * v - c * c, mpf(0)))
    angle = mp.atan2(sine, c)
    share = (mp.pi - angle) / (2 * mp.pi)
    return sine / (2 * mp.pi) + share * c, share


def _erf(u, v, c):
    square = (1 + 2 * u) * (1 + 2 * v)
    sine = 2 * c / mp.sqrt(square)
    dual = 2 / mp.pi * mp.asin(max(mpf(-1), min(mpf(1), sine)))
    return dual, 4 / mp.pi / mp.sqrt(square - 4 * c * c)


def _linear(u, v, c):
    return c, mpf(1)


DUALS = {
    name: np.frompyfunc(dual, 3, 2)
    for name, dual in {"relu": _relu, "erf": _erf, "linear": _linear}.items()
}


class Network(NamedTuple):
    """The hyperparameters of a network, as the estimators take them."""

    depth: int = 1
    activation: str = "relu"
    T: float = 0.01
    sigma: float = 1.0
    sigma0: float = 1.0
    bias: float = 0.0

    @property
    def kappa(self) -> mpf:
        """The rate of diffusion and the ridge of the equilibrium."""
        return mpf(self.T) / mpf(self.sigma) ** 2

    def ntk(self, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return the NTK, Eq. (10), as mpmath numbers."""
        return self._layers(X, Y, self.sigma0)[1]

    def nngp(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        sigma: float | None = None,
        delay: float = 0.0,
    ) -> np.ndarray:
        """Return ``K^L + b^2`` of the equilibrium, Eqs. (18)-(19), in mpmath numbers.

        Hidden weights of X have drifted for `delay` since they were those of Y.
        """
        # without noise nothing drifts, however long
        decay = mp.exp(-self.kappa * mpf(delay)) if delay and self.kappa else mpf(1)
        return self._layers(X, Y, self.sigma if sigma is None else sigma, decay)[0]

    def _layers(self, X, Y, std, decay=1):
        """Return the NNGP kernel, and the NTK of weights that stay as they are."""
        X, Y = exact(X), exact(Y)
        dual, s, b2 = DUALS[self.activation], mpf(std) ** 2, mpf(self.bias) ** 2
        n_features = X.shape[1]
        xx = (X * X).sum(axis=1) / n_features + b2
        yy = (Y * Y).sum(axis=1) / n_features + b2
        xy = X.dot(Y.T) / n_features + b2
        tangent = xy
        for _ in range(self.depth):
            xy, slope = dual(s * xx[:, None], s * yy, decay * s * xy)
            xx, yy = (dual(s * k, s * k, s * k)[0] + b2 for k in (xx, yy))
            xy = xy + b2
            tangent = s * slope * tangent + xy
        return xy, tangent


class Problem(NamedTuple):
    """Training data of a network: weighted rows and targets, 2-D."""

    network: Network
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def root(self) -> np.ndarray:
        """Return the roots of the weights, a column."""
        return np.frompyfunc(mp.sqrt, 1, 1)(exact(self.weight))[:, None]

    def modes(self, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eigenvalues and -vectors of a kernel between weighted rows."""
        root = self.root()
        matrix = root * kernel * root.T
        # rounding of the last digit must not make the matrix unsymmetric
        values, vectors = mp.eigsy(mp.matrix(((matrix + matrix.T) / 2).tolist()))
        values = np.array(list(values), dtype=object)
        vectors = np.array(vectors.tolist(), dtype=object)
        values[values <= NULL * max(values.max(), mpf(0))] = mpf(0)
        return values, vectors.reshape(len(values), -1)


def gradient_flow(
    problem: Problem, Xs: np.ndarray, times: Iterable[float]
) -> np.ndarray:
    """Return the noiseless flow, Eq. (16), of shape (n_rows, n_outputs, n_times)."""
    with digits():
        net = problem.network
        modes = problem.modes(net.ntk(problem.X, problem.X))
        cross = net.ntk(Xs, problem.X)
        return _filtered(problem, modes, cross, [_learned(t) for t in times])


def equilibrium(problem: Problem, Xs: np.ndarray, delay: float = 0.0) -> np.ndarray:
    """Return the equilibrium, Eqs. (18)-(21), of shape (n_rows, n_outputs).

    With a delay, since when the readout is frozen and hidden weights drift.
    """
    with digits():
        net = problem.network
        modes = problem.modes(net.nngp(problem.X, problem.X))
        cross = net.nngp(Xs, problem.X, delay=delay)
        ridge = net.kappa

        def shrunk(value):
            return 1 / (value + ridge) if value + ridge > 0 else mpf(0)

        return _filtered(problem, modes, cross, [shrunk])[..., 0]


def _learned(t):
    """Return the function ``(1 - exp(-lambda t)) / lambda`` of an eigenvalue."""

    def learned(value):
        if value == 0:  # no prediction has a component in its direction
            return mpf(0)
        return 1 / value if np.isinf(t) else -mp.expm1(-value * mpf(t)) / value

    return learned


def _filtered(problem, modes, cross, filters):
    """Return ``k f(K) y`` for functions f of the eigenvalues of a kernel K."""
    (values, vectors), root = modes, problem.root()
    modal = vectors.T.dot(root * exact(problem.y))
    out = []
    for function in filters:
        gains = np.array([function(value) for value in values], dtype=object)
        duals = root * vectors.dot(gains[:, None] * modal)
        out.append(as_floats(cross.dot(duals)))
    return np.stack(out, axis=-1)


def smallest_angle(problem: Problem, Xs: np.ndarray) -> float:
    """Return the smallest angle, not zero, between rows at the entry of the last layer.

    Diffusion by tau blurs a kernel over an angle of sqrt(tau): it leaves the flow
    alone only where that is small beside every angle.
    """
    with digits():
        net, X = problem.network, np.vstack([problem.X, Xs])
        entry = net._replace(depth=net.depth - 1).nngp(X, X, net.sigma0)
        norms = np.diag(entry)
        squares = [
            1 - entry[i, j] ** 2 / (norms[i] * norms[j])
            for i in range(len(X))
            for j in range(i)
            if norms[i] * norms[j] > 0
        ]
        return float(mp.sqrt(min((s for s in squares if s > NULL), default=mpf(1))))


def flow_error(problem: Problem, Xs: np.ndarray, t: float) -> float:
    """Return about how far the NDK at time `t` is from the flow, beside the targets."""
    net = problem.network
    tau = float(net.kappa) * t * (1 + (net.sigma / net.sigma0) ** 2)
    angle = smallest_angle(problem, Xs)
    if net.activation == "erf":  # of large inputs, it tells smaller angles apart
        largest = max(np.mean(X**2, axis=1).max() for X in (problem.X, Xs))
        variance = float(net.sigma0) ** 2 * (largest + float(net.bias) ** 2)
        angle = min(angle, 1 / np.sqrt(1 + 4 * variance))
    return 20 * (net.depth + 1) * np.sqrt(tau) / angle


def at_rest(problem: Problem, t: float) -> bool:
    """Tell whether the initial weights are forgotten beyond any accuracy."""
    net = problem.network
    memory = max(0.0, np.log(net.sigma0 / net.sigma))
    return float(net.kappa) * t > 60 + 4 * net.depth * memory
