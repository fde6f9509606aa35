"""A batch of networks of finite width: parameters, outputs and their dynamics."""

from math import exp, expm1, prod, sqrt

_BYTES = 4  # of a number in single precision
_MAX_ROWS = 256  # evaluated at once


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

    def __init__(self, network, shapes, backend):
        self._network, self._backend = network, backend
        self._width = shapes[-1][0] - (network.bias > 0)
        self._n_hidden = sum(map(prod, shapes[:-1]))  # parameters below the readout
        n_parameters = sum(map(prod, shapes))
        self._parameters = backend.empty(n_parameters)
        self._noise = backend.empty(n_parameters)
        self.weights, start = [], 0
        for shape in shapes:  # views of the parameters
            layer = self._parameters[:, start : start + prod(shape)]
            self.weights.append(layer.reshape(-1, *shape))
            start += prod(shape)
        backend.fill_normal(self._parameters)
        self._parameters *= network.sigma0

    def outputs(self, signals):
        """Compute the outputs.

        Parameters
        ----------
        signals : array of shape (n_rows, fan_in)
            The signals that enter the first layer.

        Returns
        -------
        array of shape (n_networks, n_rows, n_outputs)
            The outputs.
        """
        out = self._backend.empty(len(signals), self.weights[-1].shape[2])
        for start in range(0, len(signals), _MAX_ROWS):
            rows = slice(start, start + _MAX_ROWS)
            layer = signals[rows]
            for weights in self.weights[:-1]:
                layer = self._signals(layer @ weights)
            out[:, rows] = layer @ self.weights[-1]
        return out

    def train(self, signals, targets, sample_weight, step):
        """Move all parameters by one step of Langevin dynamics, Eq. (3).

        The gradient of the loss is that at the start of the step; decay and noise
        are exact.

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
        for signals, weights in zip(layers[::-1], self.weights[::-1], strict=True):
            change = signals.swapaxes(-1, -2) @ error
            if slopes:
                error = error @ weights[:, : self._width].swapaxes(-1, -2)
                error *= slopes.pop()
                error *= 1 / sqrt(self._width)
            # single precision would round the factor exp(-kappa step)
            change -= expm1(-self._network.kappa * step) * weights
            weights -= change
        self._diffuse(step)

    def drift(self, delay):
        """Let the hidden weights diffuse freely, while the readout stays.

        Parameters
        ----------
        delay : float
            For how long; any length is exact.
        """
        self._parameters[:, : self._n_hidden] *= exp(-self._network.kappa * delay)
        self._diffuse(delay, self._n_hidden)

    def _signals(self, inputs):
        signals = self._backend.empty(inputs.shape[1], self.weights[-1].shape[1])
        signals[..., : self._width] = self._network.activation(inputs)
        signals *= 1 / sqrt(self._width)
        signals[..., self._width :] = self._network.bias
        return signals

    def _diffuse(self, time, n_first=None):
        """Add the noise of some time to the first parameters, or to all."""
        network = self._network
        if network.T > 0:
            noise = self._noise[:, :n_first]
            self._backend.fill_normal(noise)
            noise *= network.sigma * sqrt(-expm1(-2 * network.kappa * time))
            self._parameters[:, :n_first] += noise


def layer_shapes(fan_in, depth, width, n_outputs, with_bias):
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


def bytes_per_network(shapes, n_samples, n_rows):
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
        Bytes of parameters, noise and gradient, and of signals.
    """
    signals, depth, sizes = shapes[-1][0], len(shapes) - 1, [prod(s) for s in shapes]
    n_signals = signals * max(2 * depth * n_samples, 3 * min(n_rows, _MAX_ROWS))
    return _BYTES * (2 * sum(sizes) + 2 * max(sizes) + n_signals)
