"""Random problems, from ordinary to extreme, each a function of its seed."""

from typing import NamedTuple

import numpy as np
from oracles.exact import Network, Problem
from oracles.refined import TwoTimeNetwork

N_FRESH = 3  # rows that no case is trained on


class Case(NamedTuple):
    """A problem, what asks for it, and where and when it is asked."""

    seed: int
    kind: str  # "regressor", "classifier" or "kernels"
    network: Network
    limit: str | None
    tol: float
    normalize_y: bool
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    fresh: np.ndarray
    times: np.ndarray
    delay: float | None  # if hidden weights are to drift below a frozen readout

    @property
    def rows(self) -> np.ndarray:
        """Training rows and fresh ones, which predictions are asked for."""
        return np.vstack([self.X, self.fresh])

    @property
    def weights(self) -> np.ndarray:
        """The weights, one if none are given."""
        return np.ones(len(self.X)) if self.weight is None else self.weight

    @property
    def frozen(self) -> bool:
        """Whether there is no noise."""
        return self.limit == "ntk" or (self.limit is None and self.network.T == 0)

    def targets(self) -> np.ndarray:
        """Return what networks learn, 2-D, before it is normalised."""
        if self.kind != "classifier":
            return self.y.reshape(len(self.y), -1)
        classes = np.unique(self.y[self.weights > 0])
        signs = np.where(self.y[:, None] == classes, 1.0, -1.0)
        return signs[:, 1:] if len(classes) == 2 else signs

    def scaling(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and the scale that targets are normalised with."""
        y = self.targets()
        if not self.normalize_y:
            return np.zeros(y.shape[1]), np.ones(y.shape[1])
        mean = np.average(y, axis=0, weights=self.weights)
        std = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=self.weights))
        constant = np.ptp(y[self.weights > 0], axis=0) <= 1e-14 * np.abs(mean)
        return mean, np.where(constant, 1, std)

    def problem(self) -> Problem:
        """Return what the oracles solve."""
        kept = self.weights > 0
        mean, scale = self.scaling()
        y = (self.targets() - mean) / scale
        return Problem(self.network, self.X[kept], y[kept], self.weights[kept])

    def __str__(self) -> str:
        """Return the case in a line, for tables of failures."""
        net = {k: v for k, v in self.network._asdict().items() if v}
        shown = ", ".join(
            f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}"
            for k, v in net.items()
        )
        size = np.abs(self.X).max(axis=0)
        extras = [f"limit={self.limit}"] if self.limit else []
        extras += ["normalize_y"] if self.normalize_y else []
        extras += [] if self.delay is None else [f"delay={self.delay:.3g}"]
        if self.weight is not None:
            extras.append(f"weights {self.weight.min():.1g}..{self.weight.max():.1g}")
        return (
            f"{self.kind} {self.X.shape}, {shown}, tol={self.tol:g}, columns "
            f"{np.array2string(size, precision=1)}, {' '.join(extras)}"
        )


def draw(seed: int) -> Case:
    """Return the case of a seed.

    Parameters
    ----------
    seed : int
        Of the random numbers.

    Returns
    -------
    Case
        Each of its traits is ordinary or extreme, independently of the others.
    """
    rng = np.random.default_rng([13, seed])
    kind = rng.choice(["regressor", "classifier", "kernels"], p=[0.7, 0.2, 0.1])
    network = _network(rng)
    n = int(rng.integers(1, 13) if rng.random() < 0.7 else rng.integers(13, 41))
    X = _rows(rng, n + N_FRESH)
    X, fresh = X[:n], X[n:]
    weight = _weights(rng, n)
    y = _targets(rng, n, kind)
    limit = rng.choice(["", "ntk", "nngp"], p=[0.7, 0.15, 0.15])
    used = np.ones(n) if weight is None else weight
    return Case(
        seed,
        str(kind),
        network,
        str(limit) or None,
        float(rng.choice([1e-6, 1e-4, 1e-3])),
        bool(kind == "regressor" and rng.random() < 0.15),
        X,
        y,
        weight,
        fresh,
        _times(rng, network, X, used),
        _delay(rng, network) if kind != "kernels" else None,
    )


def _power(rng, low, high):
    """Return a power of ten, its exponent uniform."""
    return float(10 ** rng.uniform(low, high))


def _network(rng):
    sigma = 1.0 if rng.random() < 0.5 else _power(rng, -1, 1)
    ratio = rng.choice([1.0, _power(rng, -0.5, 0.5), _power(rng, -2, 2)])
    temperatures = [0.01, _power(rng, -4, 1), _power(rng, -20, 3), 0.0]
    return Network(
        depth=int(rng.integers(1, 4) if rng.random() < 0.6 else rng.integers(1, 13)),
        activation=str(rng.choice(["relu", "erf", "linear"], p=[0.4, 0.4, 0.2])),
        T=float(rng.choice(temperatures, p=[0.25, 0.3, 0.35, 0.1])),
        sigma=sigma,
        sigma0=sigma * float(ratio),
        bias=0.0 if rng.random() < 0.6 else _power(rng, -2, 1),
    )


def _rows(rng, n):
    X = rng.standard_normal((n, int(rng.integers(1, 7))))
    trait = rng.random()
    if trait < 0.35:
        X *= 10 ** rng.uniform(-12, 12, X.shape[1])
    elif trait < 0.5:
        X *= _power(rng, -12, 12)
    elif trait < 0.6:
        X += _power(rng, 0, 8)
    if rng.random() < 0.2:  # duplicates
        X[rng.integers(0, n, n // 3)] = X[0]
    if rng.random() < 0.05:
        X[rng.integers(n)] = 0
    return X


def _weights(rng, n):
    trait = rng.random()
    if trait < 0.6:
        return None
    weight = 10 ** rng.uniform(-6, 6, n if trait < 0.85 else 1) * np.ones(n)
    if n > 2 and rng.random() < 0.3:
        weight[rng.integers(n)] = 0
    return weight


def _targets(rng, n, kind):
    if kind == "classifier":
        y = rng.integers(0, rng.integers(2, 4), n)
        y[:2] = np.arange(len(y[:2]))
        return y
    scale = 1.0 if rng.random() < 0.7 else _power(rng, -6, 6)
    shape = n if rng.random() < 0.7 else (n, int(rng.integers(1, 4)))
    return scale * rng.standard_normal(shape)


def _times(rng, network, X, weight):
    """Return some times on the scales of training, of diffusion and on none."""
    k = (X**2).mean(axis=1)
    with np.errstate(all="ignore"):
        trace = weight @ TwoTimeNetwork(network).entries(k, k, k, 0.0, 0.0)
    choices = [0.0, np.inf, _power(rng, -6, 6)]
    if 0 < trace < np.inf:
        choices += [_power(rng, -2, 3) / trace, _power(rng, -2, 10) / trace]
    if network.T > 0:
        choices += [_power(rng, -3, 2) / float(network.kappa)]
        choices += [_power(rng, -2, 1) / float(network.kappa)]
    return np.unique(rng.choice(choices, int(rng.integers(1, 5))))


def _delay(rng, network):
    if rng.random() < 0.9:
        return None
    choices = [0.0, np.inf, _power(rng, -6, 6)]
    if network.T > 0:
        choices += [_power(rng, -2, 1) / float(network.kappa)] * 2
    return float(rng.choice(choices))
