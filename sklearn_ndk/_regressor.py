"""Regression with an ensemble of infinitely wide networks."""

from numbers import Integral
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state, check_scalar

from sklearn_ndk._base import BaseNDK
from sklearn_ndk._checks import check_times
from sklearn_ndk._validation import refuse_non_numbers


class NDKRegressor(MultiOutputMixin, RegressorMixin, BaseNDK):
    """Infinitely wide network trained by Langevin dynamics, for regression.

    The estimator predicts the mean output, at any training time, of an ensemble
    of fully connected networks of infinite width under noisy gradient descent.
    Early in training it is neural tangent kernel (NTK) gradient flow; at infinite
    time it is the Bayesian network with the NNGP kernel; in between it diffuses
    from one to the other on the scale ``tau = T t / sigma**2`` of order one.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    T : float, default=0.01
        Temperature of the noise. ``T / sigma**2`` is both the rate of diffusion
        and the ridge of the equilibrium; 0 is noiseless gradient flow.
    sigma : float, default=1.0
        Standard deviation of the weights' prior.
    sigma0 : float, default=1.0
        Standard deviation of the initial weights.
    bias : float, default=0.0
        Scale of the biases, trained like the weights.
    length_scale : float or array-like of shape (n_features,), default=1.0
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out.
    t : float, default=inf
        Training time at which `predict` predicts by default, in units of gradient
        flow on the summed squared loss. A finite `t` is solved for in `fit`.
    limit : {None, "ntk", "nngp"}, default=None
        None for Langevin dynamics; "ntk" for noiseless gradient flow, Eq. (16),
        whatever `T`; "nngp" for the equilibrium, Eq. (18), whatever `t`.
    normalize_y : bool, default=False
        Whether to scale the targets to zero mean and unit variance for the fit.
    tol : float, default=1e-4
        Accuracy of predictions, relative to the largest target. Finite times are
        solved to it; a warning tells where rounding errors exceed it.

    Attributes
    ----------
    X_fit_ : ndarray of shape (n_distinct_samples, n_features)
        Training inputs of positive weight, each once.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if all are strings.

    See Also
    --------
    NDKClassifier : The same for classification.
    sklearn_ndk.kernels.ndk_kernel : The kernel at two times.

    Notes
    -----
    The loss is ``1/2 sum_i w_i (f(x_i) - y_i)^2``, a sum and not a mean: times
    shrink as samples are added. Finite times solve the Volterra equation (14)-(15)
    once, on first demand; any later time is then a prediction.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP: A Unified Theoretical
    Framework for Neural Network Learning Dynamics in the Kernel Regime",
    arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ndk import NDKRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), NDKRegressor(T=10.0, normalize_y=True))
    >>> model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.45
    True
    """

    _flat: bool  # whether predictions are 1-D
    _check_params: ClassVar[dict] = {"multi_output": True, "y_numeric": True}

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the ensemble, at least as far as predictions at ``self.t`` need.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights in the loss. Weight 2 counts twice, 0 not at all.

        Returns
        -------
        NDKRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are invalid, or if the kernel matrices would
            not fit in memory.
        """
        return self._fit(X, y, sample_weight)

    def _validate_training_data(self, X, y, sample_weight):
        refuse_non_numbers(y, "y")
        return super()._validate_training_data(X, y, sample_weight)

    def _encode_targets(self, y):
        flat = y.size == len(y)  # as GaussianProcessRegressor
        return self._targets(y), {"_flat": flat}

    def _targets(self, y):
        """Return the targets, 2-D."""
        return np.reshape(y, (len(y), -1)).astype(float)

    @overload
    def predict(
        self,
        X: ArrayLike,
        t: float | None = None,
        return_std: Literal[False] = False,
        return_cov: Literal[False] = False,
    ) -> NDArray[np.float64]: ...

    @overload
    def predict(
        self,
        X: ArrayLike,
        t: float | None = None,
        return_std: bool = False,
        return_cov: bool = False,
    ) -> Any: ...

    def predict(
        self,
        X: ArrayLike,
        t: float | None = None,
        return_std: bool = False,
        return_cov: bool = False,
    ) -> Any:
        """Predict the mean output at one time, and its spread over networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        t : float, default=None
            Training time, in [0, inf]; if None, the estimator's own: ``t``, or ``t_``
            where it was chosen in `fit`.
        return_std : bool, default=False
            Whether to return standard deviations as well.
        return_cov : bool, default=False
            Whether to return the covariance of all pairs of inputs as well.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The mean outputs; 1-D if there is one.
        y_std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Standard deviations, only if `return_std`.
        y_cov : ndarray of shape (n_samples, n_samples) or \
                (n_samples, n_samples, n_outputs)
            Covariances, only if `return_cov`.

        Raises
        ------
        TypeError
            If `t` is not a single number.
        ValueError
            If `t` is negative or nan, or `X` is invalid, if both standard
            deviations and covariances are asked for, or if covariances of so many
            rows would not fit in memory.

        Notes
        -----
        The spread is that of the output f over networks, their initialisation and the
        noise of their training, not that of a new y. Where the Bayesian reading holds,
        at equilibrium, that has the variance ``y_std**2 + T / weight``. Variances do
        not depend on y. They are accurate to ``min(1e-3, 10 * tol)`` times those of
        networks that see no data; in closed form at ``t = 0``, in both limits, and at
        equilibrium.

        Nothing of the size of a kernel matrix is kept: what is needed beyond the mean
        is computed when it is asked for.

        Examples
        --------
        >>> from sklearn_ndk import NDKRegressor
        >>> model = NDKRegressor(T=0.1).fit([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0])
        >>> for t in (0, 1, float("inf")):
        ...     print(model.predict([[1.0, 0.0]], t=t, return_std=True)[1].round(2))
        [0.5]
        [0.34]
        [0.26]
        """
        if return_std and return_cov:
            raise ValueError("Only one of return_std and return_cov can be true.")
        if return_cov:  # first of all: it may be too large
            covariance = self._covariance_at(X, t, full=True)
            covariance = covariance[..., None] * self._target_scale.spread**2
            outputs = self._flattened(self._mean_at(X, t))
            return outputs, self._flattened(covariance, axis=2)
        outputs = self._flattened(self._mean_at(X, t))
        if return_std:
            return outputs, self._spread(np.sqrt(self._covariance_at(X, t, full=False)))
        return outputs

    def sample_y(
        self,
        X: ArrayLike,
        n_samples: int = 1,
        t: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> NDArray[np.float64]:
        """Draw outputs of trained networks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Inputs.
        n_samples : int, default=1
            Number of networks.
        t : float, default=None
            Training time, as in :meth:`predict`.
        random_state : int, RandomState instance or None, default=0
            Makes the draws reproducible.

        Returns
        -------
        ndarray of shape (n_rows, n_samples) or (n_rows, n_outputs, n_samples)
            Outputs of one network at all inputs, in each column.

        Raises
        ------
        TypeError
            If `t` or `n_samples` is no number of its kind.
        ValueError
            If `t` is negative or nan, `n_samples` is less than one, or `X` is invalid.
        """
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        squares, vectors = eigh(self._covariance_at(X, t, full=True))
        means = self._mean_at(X, t)
        rng = check_random_state(random_state)
        independent = rng.standard_normal((len(means), means.shape[1] * n_samples))
        draws = (vectors * np.sqrt(np.maximum(squares, 0))) @ independent
        draws = draws.reshape(*means.shape, n_samples)
        spread = self._target_scale.spread[:, None]
        return self._flattened(means[..., None] + spread * draws)

    def _flattened(self, outputs, axis=1):
        """Return outputs without the axis of the outputs, if there is but one."""
        return np.take(outputs, 0, axis=axis) if self._flat else outputs

    def _spread(self, std):
        """Return standard deviations of each output, of normalized ones."""
        shape = (1, -1, *[1] * (std.ndim - 1))
        return self._flattened(std[:, None] * self._target_scale.spread.reshape(shape))

    def predict_drift(
        self, X: ArrayLike, delay: float, t0: float = np.inf
    ) -> NDArray[np.float64]:
        """Predict the mean output of a frozen readout while hidden weights drift.

        The readout is frozen at time `t0` and the loss switched off. The noise then
        carries the hidden weights away from those that the readout was trained with.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        delay : float
            Time since `t0`, in [0, inf]. Drift takes place on the scale
            ``T delay / sigma**2`` of order one.
        t0 : float, default=inf
            Training time, in [0, inf], at which the readout froze, whatever the `t`
            of the estimator. With ``limit="nngp"`` it is that of equilibrium.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The mean outputs; 1-D if there is one.

        Raises
        ------
        TypeError
            If `delay` or `t0` is not a single number.
        ValueError
            If `delay` or `t0` is negative or nan, or `X` is invalid.

        Notes
        -----
        It is Eq. (19) for infinite `t0` and Eqs. (20)-(21) for infinite `delay` as
        well. Without noise, ``T = 0`` or the limit "ntk", nothing drifts.

        Examples
        --------
        >>> from sklearn_ndk import NDKRegressor
        >>> X, y = [[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0]
        >>> model = NDKRegressor(T=0.1).fit(X, y)
        >>> model.predict_drift(X, delay=5.0).round(2)
        array([ 0.34, -0.34])
        """
        return self._flattened(self._drift(X, delay, t0))

    @overload
    def predict_path(
        self, X: ArrayLike, times: ArrayLike, return_std: Literal[False] = False
    ) -> NDArray[np.float64]: ...

    @overload
    def predict_path(
        self, X: ArrayLike, times: ArrayLike, return_std: bool = False
    ) -> Any: ...

    def predict_path(
        self, X: ArrayLike, times: ArrayLike, return_std: bool = False
    ) -> Any:
        """Predict the mean output at several times.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        times : array-like of shape (n_times,)
            Training times, in [0, inf], in any order.
        return_std : bool, default=False
            Whether to return standard deviations as well, see :meth:`predict`.

        Returns
        -------
        y_mean : ndarray of shape (n_samples, n_times) or \
                (n_samples, n_outputs, n_times)
            The mean outputs; time is the last axis.
        y_std : ndarray of the same shape
            Standard deviations, only if `return_std`.

        Raises
        ------
        ValueError
            If a time is negative or nan, or `X` is invalid.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_ndk import NDKRegressor
        >>> X, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, -1.0])
        >>> NDKRegressor().fit(X, y).predict_path(X, [0, 1, 10, np.inf]).round(2)
        array([[ 0.  ,  0.33,  0.93,  0.94],
               [ 0.  , -0.33, -0.93, -0.94]])
        """
        outputs = self._flattened(self._mean_path(X, times))
        if not return_std:
            return outputs
        variances = self._covariances(X, check_times(times), full=False)
        return outputs, self._spread(np.sqrt(variances.T))
