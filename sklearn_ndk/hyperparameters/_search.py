"""The search for the hyperparameters of the largest evidence."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sklearn_ndk.activations._numerical import Numerical
from sklearn_ndk.hyperparameters._evidence import Evidence
from sklearn_ndk.hyperparameters._relevance import relevance
from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.training._samples import TrainingSet

# of T they are in units of the prior's variance, of the length scale in those of inputs
_BOUNDS = {
    "T": (1e-5, 1e3),
    "sigma": (1e-1, 1e1),
    "bias": (1e-2, 1e1),
    "length_scale": (1e-2, 1e4),
}
_START = {"T": 0.1, "sigma": 1.0, "bias": 0.5, "length_scale": 1.0}
_LEAST_NOISE_OF_LABELS = 0.03
_FACTORS = 1e-2, 1e-1, 1.0, 10.0  # of where searches start
_PLAIN = {"depth": 2, "size": 1.0}
_DEPTHS = 1, 2, 3
_SPREAD, _DEGREES = 0.25, 4.0  # of Student's prior of deviations
_MOST_APART = 7.0  # deviation of a logarithm from the shape
_MOST_ROWS, _MOST_BY_TABLES = 300, 150  # tables of duals are slow where scales change
_FEWEST_ROWS = 3
_MOST_STEPS, _FIRST_STEPS = 60, 8
_PRECISION = 3e-5  # of an evidence in the hundreds


def most_likely(
    samples: TrainingSet,
    network: InfiniteNetwork,
    given: dict[str, float],
    free: Sequence[str],
    labels: bool = False,
) -> dict[str, Any]:
    """Return the hyperparameters of the largest evidence.

    Parameters
    ----------
    samples : TrainingSet
        Inputs, as if all length scales were one, targets and weights. Of many, some
        hundreds tell.
    network : InfiniteNetwork
        The network.
    given : dict of float
        The hyperparameters `T`, `sigma`, `bias` and `length_scale` that are not free.
    free : sequence of {"depth", "T", "sigma", "bias", "length_scale"}
        What is to be chosen, in this order. Length scales of features are drawn
        towards what the networks of a common one have learned: the evidence alone
        would fit noise by them.
    labels : bool, default=False
        Whether targets are labels, plus and minus one: their noise is not Gaussian,
        and the evidence that takes it for such finds too little of it, in scales that
        fit each label. Then noise has a larger least value, and scales of features are
        those that the networks of a common one have learned.

    Returns
    -------
    dict
        Those that are free; `length_scale` has one entry for each feature. And `size`,
        the size of targets that suits them.
    """
    names = [name for name in free if name in _START]
    few = len(samples) < _FEWEST_ROWS
    if few or not np.any(samples.targets):
        seen = f"{len(samples)} distinct samples are" if few else "targets all zero are"
        warnings.warn(
            f"{seen} too little to choose hyperparameters by; taken are those that the "
            "choice starts from.",
            stacklevel=2,
        )
        values = _Search(samples, network, given, names, labels).at_start()
        return {name: (_PLAIN | values)[name] for name in [*free, "size"]}
    by_tables = isinstance(network.activation, Numerical)
    samples = _thinned(samples, _MOST_BY_TABLES if by_tables else _MOST_ROWS)
    tried = []
    for depth in _DEPTHS if "depth" in free else (network.depth,):
        of_depth = replace(network, depth=depth)
        value, values = _Search(samples, of_depth, given, names, labels).best()
        tried.append((value, values | {"depth": depth}))
    _, values = max(tried, key=lambda one: one[0])
    return {name: values[name] for name in [*free, "size"]}


class _Search:
    """The search among networks of one depth, for the numbers that are free.

    While it goes on, `T` is in units of the prior's mean variance, if it is free.
    """

    def __init__(
        self,
        samples: TrainingSet,
        network: InfiniteNetwork,
        given: dict[str, float],
        free: Sequence[str],
        labels: bool,
    ) -> None:
        self._samples, self._network, self._given = samples, network, given
        self._labels = labels
        self._evidence = Evidence(samples, network)
        units = {"length_scale": _size(samples.X)}
        self._start = {name: _START[name] * units.get(name, 1.0) for name in free}
        self._bounds = {
            name: np.array(_BOUNDS[name]) * units.get(name, 1.0) for name in free
        }
        if labels and "T" in free:
            self._bounds["T"][0] = _LEAST_NOISE_OF_LABELS

    def at_start(self) -> dict[str, Any]:
        """Return what the search starts from."""
        values: dict[str, Any] = self._absolute(self._start)
        if "length_scale" in values:
            values["length_scale"] *= np.ones(self._samples.X.shape[1])
        return values

    def best(self) -> tuple[float, dict[str, Any]]:
        """Return the largest evidence, less what the prior takes off, and where."""
        found = self._climb(max(self._starts(), key=lambda one: self._value(one)[0]))
        if "length_scale" in self._start:
            found = self._of_features(found)
        values = self._absolute(found.values())
        return found.value, values | {
            "size": self._evidence.size(**self._given | values)
        }

    def _starts(self) -> list[dict[str, float]]:
        """Return where a search may start: that all is noise is a maximum, too."""
        for name in ("T", "length_scale"):  # of scales, where the noise is given
            if name in self._start:
                size = self._start[name]
                return [self._start | {name: size * factor} for factor in _FACTORS]
        return [self._start]

    def _of_features(self, common: "_Found") -> "_Found":
        """Return what is found from a common scale if features have their own."""
        shape = 1 / self._relevance(self._given | self._absolute(common.values()))
        scaled = self._climb(common.numbers, shape)
        if self._labels:
            return scaled
        # there are several maxima, and neither start leads to the better one always
        tries = [
            self._climb(one.numbers, shape, np.ones_like(shape), _FIRST_STEPS)
            for one in (common, scaled)
        ]
        first = max(tries, key=lambda found: found.value)
        return self._climb(first.numbers, shape, first.apart)

    def _value(self, values: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Return the evidence and its gradient."""
        return self._evidence(**self._given | values, relative="T" in values)

    def _absolute(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return values with the temperature itself."""
        if "T" not in values:
            return dict(values)
        prior = {name: v for name, v in (self._given | values).items() if name != "T"}
        return values | {"T": values["T"] * self._evidence.variance(**prior)}

    def _relevance(self, values: dict[str, Any]) -> NDArray[np.float64]:
        """Return how much each feature matters to networks of a common scale."""
        sigma, bias = values["sigma"], values["bias"]
        network = replace(self._network, sigma=sigma, sigma0=sigma, bias=bias)
        samples = replace(self._samples, X=self._samples.X / values["length_scale"])
        return relevance(samples, network, values["T"])

    def _climb(
        self,
        start: dict[str, float],
        shape: float | NDArray[np.float64] = 1.0,
        apart: NDArray[np.float64] | None = None,
        most_steps: int = _MOST_STEPS,
    ) -> "_Found":
        """Return the largest evidence that is found from a start.

        Length scales are a number times a shape, from which they deviate at a price, at
        first by the factors `apart`; None keeps them at it.
        """
        names, n_apart = list(start), 0 if apart is None else len(apart)

        def at(logs: NDArray[np.float64], value: float = 0.0) -> _Found:
            numbers, own = np.split(np.exp(logs), [len(names)])
            named = dict(zip(names, numbers.tolist(), strict=True))
            return _Found(value, named, shape, own if n_apart else None)

        def loss(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            value, slopes = self._value(at(logs).values())
            price, price_slopes = _price(logs[len(names) :])
            common = [np.sum(slopes[name]) for name in names]
            own = slopes["length_scale"] - price_slopes if n_apart else []
            return price - value, -np.concatenate([common, own])

        if not names:
            return _Found(self._value({})[0], {}, shape, None)
        bounds = [self._bounds[name] for name in names]
        bounds += [np.exp([-_MOST_APART, _MOST_APART])] * n_apart
        found = minimize(
            loss,
            np.log(np.r_[list(start.values()), [] if apart is None else apart]),
            jac=True,
            method="L-BFGS-B",
            bounds=np.log(bounds),
            options={"maxiter": most_steps, "ftol": _PRECISION},
        )
        return at(found.x, -float(found.fun))


class _Found(NamedTuple):
    """What a climb led to; length scales are a number, times a shape, times factors."""

    value: float
    numbers: dict[str, float]
    shape: float | NDArray[np.float64]
    apart: NDArray[np.float64] | None

    def values(self) -> dict[str, Any]:
        """Return the hyperparameters."""
        if "length_scale" not in self.numbers:
            return dict(self.numbers)
        scale = self.numbers["length_scale"] * self.shape
        own = scale if self.apart is None else scale * self.apart
        return self.numbers | {"length_scale": own}


def _price(apart: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return minus the logarithm of Student's prior of deviations, and its slopes."""
    size = _DEGREES * _SPREAD**2
    price = (_DEGREES + 1) / 2 * np.sum(np.log1p(apart**2 / size))
    return float(price), (_DEGREES + 1) * apart / (size + apart**2)


def _size(X: NDArray[np.float64]) -> float:
    """Return the root mean square of inputs, one if they are all zero."""
    return float(np.sqrt(np.mean(X**2))) or 1.0


def _thinned(samples: TrainingSet, most: int) -> TrainingSet:
    """Return at most so many samples, the same for any order of rows and of columns."""
    if len(samples) <= most:
        return samples
    order = np.argsort(samples.X.sum(axis=1), kind="stable")
    kept = np.sort(order[np.linspace(0, len(order) - 1, most).astype(int)])
    return TrainingSet(
        samples.X[kept],
        samples.scale[kept],
        samples.targets[:, kept],
        samples.first[kept],
    )
