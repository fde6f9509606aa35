"""Langevin dynamics of networks of finite width."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_array, check_X_y
from sklearn.utils._param_validation import StrOptions

from sklearn_ndk._checks import NumberInterval, check_times
from sklearn_ndk._compute._memory import total_memory
from sklearn_ndk._length_scale import LENGTH_SCALE, divided
from sklearn_ndk._validation import check_weights, refuse_non_numbers, validated
from sklearn_ndk.activations._registry import ActivationLike
from sklearn_ndk.dynamics import largest_eigenvalue
from sklearn_ndk.kernels._families import NDK
from sklearn_ndk.kernels._gram import gram_matrix
from sklearn_ndk.kernels._network import (
    NETWORK_CONSTRAINTS,
    InfiniteNetwork,
    make_network,
)
from sklearn_ndk.kernels._range import check_range
from sklearn_ndk.simulation._backends import NumpyBackend, TorchBackend, import_torch
from sklearn_ndk.simulation._finite_network import input_signals
from sklearn_ndk.simulation._simulation import Simulation

_STEP = 0.05  # the automatic step times the fastest rate
_N_RATES = 9  # times at which that is looked for
_LAYER_BYTES = 1000  # of Python's objects for a layer
_SEED_BYTES = 500  # of those for the seed of a network


@validated(
    {
        "X": ["array-like"],
        "y": ["array-like"],
        "X_eval": ["array-like"],
        "times": ["array-like"],
        **NETWORK_CONSTRAINTS,
        "length_scale": LENGTH_SCALE,
        "width": [NumberInterval(Integral, 1, None, closed="left")],
        "n_networks": [NumberInterval(Integral, 1, None, closed="left")],
        "sample_weight": ["array-like", None],
        "t0": [NumberInterval(Real, 0, None, closed="both")],
        "step_size": [
            StrOptions({"auto"}),
            NumberInterval(Real, 0, None, closed="neither"),
        ],
        "device": [str, None],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    },
)
def simulate_langevin(
    X: ArrayLike,
    y: ArrayLike,
    X_eval: ArrayLike,
    times: ArrayLike,
    *,
    depth: int = 1,
    activation: ActivationLike = "relu",
    T: float = 0.01,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    bias: float = 0.0,
    length_scale: float | ArrayLike = 1.0,
    width: int = 512,
    n_networks: int = 16,
    sample_weight: ArrayLike | None = None,
    t0: float = np.inf,
    step_size: float | str = "auto",
    device: str | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Bunch:
    """Train an ensemble of networks of finite width by Langevin dynamics.

    It integrates the equation of motion (1)-(3) of every parameter and uses theory
    to choose its step only, so that it can prove the theory wrong: the mean differs
    from what :class:`~sklearn_ndk.NDKRegressor` predicts by terms of the order of
    one over the width, the step, and the sampling error, the standard deviation
    over networks divided by ``sqrt(n_networks)``.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Training inputs.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    X_eval : array-like of shape (n_eval, n_features)
        Other inputs at which to record the outputs.
    times : array-like of shape (n_times,)
        Finite training times at which to record the outputs, in units of gradient
        flow on the summed squared loss and in any order.
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object. An
        activation of your own needs the methods `__call__` and `derivative` here.
    T : float, default=0.01
        Temperature of the noise; 0 is gradient descent.
    sigma : float, default=1.0
        Standard deviation of the weights' prior: they decay at the rate
        ``T / sigma**2``.
    sigma0 : float, default=1.0
        Standard deviation of the initial weights.
    bias : float, default=0.0
        Scale of the biases, trained like the weights.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.
    width : int, default=512
        Number of units in each hidden layer.
    n_networks : int, default=16
        Number of networks, which differ in their initial weights and noise.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights in the loss; ones if None.
    t0 : float, default=inf
        Time at which the readout and the output's bias freeze and training ends.
        Hidden weights diffuse freely from then on, as in
        :meth:`~sklearn_ndk.NDKRegressor.predict_drift` with ``delay = t - t0``.
    step_size : "auto" or float, default="auto"
        Longest step in time. If "auto", 0.05 over the fastest rate of the
        infinitely wide network; see Notes.
    device : str, default=None
        If None, NumPy. Otherwise a device of PyTorch, such as "cpu" or "cuda".
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights and noise. With NumPy the same seed and inputs give
        the same bits on one machine whatever `n_jobs`, and the first networks stay
        the same when there are more of them.
    n_jobs : int, default=None
        Number of processes, through joblib, each with one thread of BLAS. NumPy
        only: with PyTorch, batches of networks run one after another.
    verbose : int, default=0
        If positive, tell the number of steps and of batches of networks, and how
        many batches are done (the verbosity of joblib).

    Returns
    -------
    Bunch
        Dictionary-like, with attributes:

        - `times`: ndarray of shape (n_times,), as given;
        - `predictions`: ndarray of shape (n_networks, n_eval, n_times), or
          (n_networks, n_eval, n_outputs, n_times) if `y` is 2-D, the outputs of each
          network at `X_eval`;
        - `train_predictions`: ndarray, the same at `X`;
        - `step_size`: float, the longest step allowed.

    Raises
    ------
    ValueError
        If a parameter or the data are invalid, if `step_size` is so long that it may
        be unstable, if there would be more than 1e9 steps or too little memory, or if
        a network diverges all the same.
    TypeError
        If the activation lacks a method that finite networks need.
    ImportError
        If `device` is given and PyTorch is not installed.

    See Also
    --------
    sklearn_ndk.NDKRegressor : The mean of infinitely wide networks, without simulation.

    Notes
    -----
    The loss is ``1/2 sum_i w_i (f(x_i) - y_i)^2``, a sum and not a mean. Parameters
    move by steps ``h``, equal between consecutive times: Euler steps along the
    gradient of the loss, with exact decay and noise. A mode of the outputs that
    relaxes at the rate ``lambda`` is then off by at most ``h lambda / (2 e)`` of its
    target, to first order, and its variance at rest is too large by the share
    ``h lambda / 2``. With the automatic step, ``h (lambda_max + T / sigma**2) = 0.05``,
    that is 1% and 2.5% for the fastest mode, and less for all others. ``lambda_max``
    is the largest eigenvalue of the NDK of the weighted training inputs, at any time
    of the training, estimated to a tenth. Steps beyond
    ``2 / (lambda_max + T / sigma**2)`` are refused; those beyond ``2 / lambda_max`` are
    unstable.

    These are statements about wide networks. Narrow ones with large targets change
    their kernel as they learn, and may need a shorter step: halve it and compare.

    Inputs of large norm make ``lambda_max`` large and steps short; a warning tells if
    there are more than 1e7 of them, and more than 1e9 are refused.

    Parameters are in single precision. Noise keeps changes from being lost that are
    too small for it; if ``T = 0``, steps should not be shorter than they need be, so
    centre and scale the inputs.

    Besides the outputs returned, which are twice in memory at the end, a process
    takes about 10 MB for a batch of networks, with PyTorch 100 MB, or what one network
    takes if that is more.

    Only the projections of the first weights on the inputs matter, and projections of
    white noise are white noise. So inputs are replaced by coordinates in an
    orthonormal basis of their span where these are fewer, which is exact.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP", arXiv:2309.04522.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ndk import NDKRegressor
    >>> from sklearn_ndk.simulation import simulate_langevin
    >>> X, y = np.eye(3), np.array([1.0, -1.0, 1.0])
    >>> X_eval, times = np.array([[0.6, 0.8, 0.0]]), [1.0, 10.0, 30.0]
    >>> simulated = simulate_langevin(
    ...     X, y, X_eval, times, T=0.1, width=64, n_networks=400, random_state=0
    ... )
    >>> simulated.predictions.shape
    (400, 1, 3)
    >>> mean = simulated.predictions.mean(axis=0)
    >>> theory = NDKRegressor(T=0.1).fit(X, y).predict_path(X_eval, times)
    >>> bool(np.abs(mean - theory).max() < 0.1)
    True
    """
    X, y, X_eval, sample_weight = _check_data(X, y, X_eval, sample_weight, length_scale)
    times = _check_finite_times(times)
    network = _new_network(depth, activation, T, sigma, sigma0, bias)
    if device is not None:
        import_torch(device)
    rows, targets = np.vstack([X, X_eval]), y.reshape(len(y), -1)
    _check_size(rows, targets, len(times), depth, width, n_networks)
    marks, order = np.unique(times, return_inverse=True)
    t0 = _as_float("t0", t0)
    simulation = Simulation(
        network,
        width,
        input_signals(rows, network.bias),
        targets,
        sample_weight[:, None],
        marks,
        t0,
        _check_step_size(step_size, network, X, sample_weight, min(t0, marks[-1])),
    )
    simulation.check_length()
    outputs = simulation.run(
        n_networks,
        backend=NumpyBackend if device is None else TorchBackend,
        device=device,
        random_state=random_state,
        n_jobs=n_jobs if device is None else 1,
        verbose=verbose,
    )
    outputs = outputs[..., order].reshape(n_networks, -1, *y.shape[1:], len(times))
    return Bunch(
        times=times,
        predictions=outputs[:, len(X) :],
        train_predictions=outputs[:, : len(X)],
        step_size=simulation.step_size,
    )


def _new_network(
    depth: int, activation: ActivationLike, *reals: float
) -> InfiniteNetwork:
    names = ("T", "sigma", "sigma0", "bias")
    values = {n: _as_float(n, value) for n, value in zip(names, reals, strict=True)}
    network = make_network(depth=depth, activation=activation, **values)
    for method in (network.activation, network.activation.derivative):
        method(np.zeros((1, 1, 1), np.float32))  # raises if it is not defined
    return network


def _as_float(name: str, value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be in the range of double precision.") from None


def _check_data(
    X: Any, y: Any, X_eval: Any, sample_weight: Any, length_scale: Any
) -> tuple[NDArray[np.float64], ...]:
    for name, values in (("X", X), ("y", y), ("X_eval", X_eval)):
        refuse_non_numbers(values, name)
    X, y = check_X_y(X, y, dtype=np.float64, multi_output=True, y_numeric=True)
    y = y.astype(np.float64)
    X_eval = check_array(X_eval, dtype=np.float64, input_name="X_eval")
    if X_eval.shape[1] != X.shape[1]:
        raise ValueError(
            f"X_eval has {X_eval.shape[1]} features, but X has {X.shape[1]} features."
        )
    sample_weight = check_weights(sample_weight, X)
    X, X_eval = divided(X, length_scale), divided(X_eval, length_scale, "X_eval")
    largest = np.finfo(np.float32).max
    for name, values in zip(
        ("X", "X_eval", "y", "sample_weight"),
        (X, X_eval, y, sample_weight),
        strict=True,
    ):
        if np.abs(values).max() > largest:
            raise ValueError(f"{name} has values that exceed single precision.")
    return X, y, X_eval, sample_weight


def _check_finite_times(times: Any) -> NDArray[np.float64]:
    refuse_non_numbers(times, "times")
    times = check_times(times)
    if np.any(times == np.inf):
        raise ValueError("times of a simulation must be finite; got inf among them.")
    return times


def _check_size(
    rows: NDArray[np.float64],
    targets: NDArray[np.float64],
    n_times: int,
    depth: int,
    width: int,
    n_networks: int,
) -> None:
    """Raise if one network, or the outputs of all, would not fit in memory."""
    sizes = {"depth": depth, "width": width, "n_networks": n_networks}
    for name, size in sizes.items():
        _as_float(name, size)  # larger ones cannot be told in a sentence
    n_samples, n_outputs = targets.shape
    n_weights = width * (min(rows.shape) + 1 + (depth - 1) * (width + 1))
    n_values = len(rows) * n_outputs * n_times
    needed = {
        f"one network of width {width:.3g} and depth {depth:.3g}": (
            16 * n_weights + _LAYER_BYTES * depth
        ),
        f"the outputs of {n_networks:.3g} networks": (
            n_networks * (16 * n_values + _SEED_BYTES)
        ),
        f"the kernel of {n_samples} samples": 24 * n_samples**2,
    }
    memory = total_memory()
    for what, n_bytes in needed.items():
        if n_bytes > memory:
            raise ValueError(
                f"This simulation needs {n_bytes / 2**30:.3g} GiB for {what}, but the "
                f"machine has {memory / 2**30:.3g} GiB."
            )


def _check_step_size(
    step_size: float | str,
    network: InfiniteNetwork,
    X: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
    end: float,
) -> float:
    """Return the step size, chosen or checked, from the fastest rate of the outputs."""
    rate = _fastest_rate(network, X, sample_weight, end)
    if step_size == "auto":
        return float(_STEP / (rate or 1.0))  # any step will do if nothing moves
    step_size = _as_float("step_size", step_size)
    if step_size * rate > 2:
        raise ValueError(
            f"step_size={step_size} is too long: it must be at most {2 / rate:.3g}, "
            "two over the fastest rate of the training outputs, to be stable; "
            f"{_STEP / rate:.3g} is accurate."
        )
    return step_size


def _fastest_rate(
    network: InfiniteNetwork,
    X: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
    end: float,
) -> float:
    """Return the fastest rate of the training outputs, diffusion included."""
    root = np.sqrt(sample_weight)
    gram = gram_matrix(X).scaled(root, root)
    check_range(network, gram)
    ndks = (NDK(network).matrix(gram, t, t) for t in _spread_times(network, end))
    return max(map(largest_eigenvalue, ndks)) + network.kappa


def _spread_times(
    network: InfiniteNetwork, end: float
) -> NDArray[np.float64] | list[float]:
    """Return times from 0 to `end`, even in the variance that weights have then."""
    if network.kappa == 0 or network.sigma == network.sigma0 or end == 0:
        return [0.0]  # the variance stays what it is
    forgotten = np.linspace(0, -np.expm1(-2 * network.kappa * end), _N_RATES)
    with np.errstate(divide="ignore"):  # at equilibrium
        return -np.log1p(-forgotten) / (2 * network.kappa)
