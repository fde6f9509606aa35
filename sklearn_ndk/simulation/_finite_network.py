"""A batch of networks of finite width: parameters, outputs and their dynamics."""

from collections.abc import Sequence
from math import expm1, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ndk.kernels._network import InfiniteNetwork
from sklearn_ndk.simulation._backends import Backend

MAX_ROWS = 256  #: evaluated at once
_BYTES = 4  # of a number in single precision


class FiniteNetworks:
    """Networks of equal shape in the NTK parameterisation, Eq. (1), drawn at random.

    Each layer multiplies a row of signals with one matrix. The signals are the
    activations below over the square root of the width, followed by the constant
    `bias` if it is positive, so that biases are the last row of the matrix.

    Parameters
    ----------
    network : InfiniteNetwork
        Hyperparameters.
    shapes : list of (int, int)
        Fan-in, with the bias, and fan-out of each layer; see :func:`layer_shapes`.
    backend : NumpyBackend or TorchBackend
        Arrays and random numbers.
    """

    def __init__(
        self,
        network: InfiniteNetwork,
        shapes: Sequence[tuple[int, int]],
        backend: Backend,
    ) -> None:
        self._network, self._backend = network, backend
        self._width = shapes[-1][0] - (network.bias > 0)
        self._n_hidden = sum(map(prod, shapes[:-1]))  # parameters below the readout
        n_parameters = sum(map(prod, shapes))
        self._parameters = backend.empty(n_parameters)
        self._moves = backend.empty(n_parameters)
        self.weights = _layers(self._parameters, shapes)
        self._moves_of_weights = _layers(self._moves, shapes)
        backend.fill_normal(self._parameters)
        self._parameters *= network.sigma0

    def outputs(self, signals: Any, max_rows: int = MAX_ROWS) -> Any:
        """Compute the outputs.

        Parameters
        ----------
        signals : array of shape (n_rows, fan_in)
            The signals that enter the first layer.
        max_rows : int, default=256
            Number of rows evaluated at once.

        Returns
        -------
        array of shape (n_networks, n_rows, n_outputs)
            The outputs.
        """
        out = self._backend.empty(len(signals), self.weights[-1].shape[2])
        for start in range(0, len(signals), max_rows):
            rows = slice(start, start + max_rows)
            layer = signals[rows]
            for weights in self.weights[:-1]:
                layer = self._signals(layer @ weights)
            out[:, rows] = layer @ self.weights[-1]
        return out

    def train(
        self, signals: Any, targets: Any, sample_weight: Any, step: float
    ) -> None:
        """Move all parameters by one step of Langevin dynamics, Eq. (3).

        The gradient of the loss is that at the start of the step; decay and noise
        are exact. Each parameter is rounded once, with its noise: changes too small
        for single precision are rounded at random then, and right on average.

        Parameters
        ----------
        signals : array of shape (n_samples, fan_in)
            The signals that enter the first layer.
        targets : array of shape (n_samples, n_outputs)
            Targets.
        sample_weight : array of shape (n_samples, 1)
            Weights in the loss.
        step : float
            The step in time.
        """
        layers, slopes = [signals], []
        for weights in self.weights[:-1]:
            inputs = layers[-1] @ weights
            slopes.append(self._network.activation.derivative(inputs))
            layers.append(self._signals(inputs))
        error = layers[-1] @ self.weights[-1]
        error -= targets
        error *= step * sample_weight
        self._draw_noise(step)
        for signals, weights, move in zip(
            layers[::-1], self.weights[::-1], self._moves_of_weights[::-1], strict=True
        ):
            move -= signals.swapaxes(-1, -2) @ error
            if slopes:
                error = error @ weights[:, : self._width].swapaxes(-1, -2)
                error *= slopes.pop()
                error *= 1 / sqrt(self._width)
            move += self._decay(weights, step)
        self._parameters += self._moves

    def drift(self, delay: float) -> None:
        """Let the hidden weights diffuse freely, while the readout stays.

        Parameters
        ----------
        delay : float
            For how long; any length is exact.
        """
        hidden = self._parameters[:, : self._n_hidden]
        moves = self._draw_noise(delay, self._n_hidden)
        moves += self._decay(hidden, delay)
        hidden += moves

    def _signals(self, inputs: Any) -> Any:
        signals = self._backend.empty(inputs.shape[1], self.weights[-1].shape[1])
        signals[..., : self._width] = self._network.activation(inputs)
        signals *= 1 / sqrt(self._width)
        signals[..., self._width :] = self._network.bias
        return signals

    def _decay(self, weights: Any, time: float) -> Any:
        # single precision would round the factor exp(-kappa time)
        return expm1(-self._network.kappa * time) * weights

    def _draw_noise(self, time: float, n_first: int | None = None) -> Any:
        """Fill the moves with the noise of some time; those of the first parameters."""
        network, moves = self._network, self._moves[:, :n_first]
        if network.T > 0:
            self._backend.fill_normal(moves)
            moves *= network.sigma * sqrt(-expm1(-2 * network.kappa * time))
        else:
            moves[:] = 0
        return moves


def _layers(parameters: Any, shapes: Sequence[tuple[int, int]]) -> list[Any]:
    """Return views of the parameters, one of each shape."""
    ends = np.cumsum([prod(shape) for shape in shapes])
    return [
        parameters[:, end - prod(shape) : end].reshape(-1, *shape)
        for end, shape in zip(ends, shapes, strict=True)
    ]


def input_signals(X: NDArray[np.float64], bias: float) -> NDArray[np.float64]:
    """Return what enters the first layer: scaled coordinates, and the bias if any.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Inputs; where they have more features than rows, coordinates in an orthonormal
        basis of their span take their place.
    bias : float
        Scale of the biases.

    Returns
    -------
    ndarray of shape (n_rows, fan_in)
        The signals.
    """
    signals = X / np.sqrt(X.shape[1])
    if len(X) < X.shape[1]:
        signals = np.asarray(np.linalg.qr(signals.T, mode="r")).T
    return np.hstack([signals, np.full((len(X), 1 if bias else 0), bias)])


def layer_shapes(
    fan_in: int, depth: int, width: int, n_outputs: int, with_bias: bool
) -> list[tuple[int, int]]:
    """Return the shapes of the matrices of a network, biases included.

    Parameters
    ----------
    fan_in : int
        Number of signals that enter the first layer, the constant of the biases
        included.
    depth, width, n_outputs : int
        Number and width of the hidden layers, and number of outputs.
    with_bias : bool
        Whether hidden layers send on a constant.

    Returns
    -------
    list of (int, int)
        Fan-in and fan-out of each layer.
    """
    signals = width + with_bias
    between = [(signals, width)] * (depth - 1)
    return [(fan_in, width), *between, (signals, n_outputs)]


def bytes_per_network(
    shapes: Sequence[tuple[int, int]], n_samples: int, n_rows: int
) -> int:
    """Estimate the memory that one network takes.

    Parameters
    ----------
    shapes : list of (int, int)
        Of its matrices.
    n_samples, n_rows : int
        Number of rows it is trained on, and evaluated on.

    Returns
    -------
    int
        Bytes of parameters, moves and gradient, and of signals.
    """
    signals, depth, sizes = shapes[-1][0], len(shapes) - 1, [prod(s) for s in shapes]
    n_signals = signals * max(2 * (depth + 1) * n_samples, 3 * min(n_rows, MAX_ROWS))
    return _BYTES * (2 * sum(sizes) + 2 * max(sizes) + n_signals)
