"""Classification with an ensemble of infinitely wide networks."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from sklearn_ndk._base import BaseNDK
from sklearn_ndk._checks import check_times
from sklearn_ndk._vote import vote


class NDKClassifier(ClassifierMixin, BaseNDK):
    """Infinitely wide network trained by Langevin dynamics, for classification.

    The network regresses on +1 for a sample's class and -1 for the others (a
    single output when there are two classes), and the class of the largest mean
    output is predicted. See :class:`NDKRegressor` for the dynamics.

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
        Whether to scale the +-1 targets to zero mean and unit variance for the fit.
    tol : float, default=1e-4
        Accuracy of decision values, relative to the largest target. Finite times are
        solved to it; a warning tells where rounding errors exceed it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    X_fit_ : ndarray of shape (n_distinct_samples, n_features)
        Training inputs of positive weight, each once.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`, if all are strings.

    See Also
    --------
    NDKRegressor : The same for regression.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP: A Unified Theoretical
    Framework for Neural Network Learning Dynamics in the Kernel Regime",
    arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ndk import NDKClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), NDKClassifier(bias=1.0, t=10.0))
    >>> model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9
    True
    """

    classes_: NDArray[Any]

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the ensemble, at least as far as predictions at ``self.t`` need.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights in the loss. Weight 2 counts twice, 0 not at all.

        Returns
        -------
        NDKClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are invalid, if there is only one class, or
            if the kernel matrices would not fit in memory.
        """
        return self._fit(X, y, sample_weight)

    def _encode_targets(self, y):
        """Return the targets of training, and the classes."""
        check_classification_targets(y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least two classes with "
                f"positive weight; got one class, {classes.tolist()[0]!r}."
            )
        return _signs(y, classes), {"classes_": classes}

    def _targets(self, y):
        """Return the targets of labels, once the classes are known."""
        return _signs(y, self.classes_)

    def decision_function(
        self, X: ArrayLike, t: float | None = None
    ) -> NDArray[np.float64]:
        """Return the mean outputs at one time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        t : float, default=None
            Training time, in [0, inf]; if None, the estimator's own: ``t``, or ``t_``
            where it was chosen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The mean outputs; with two classes, positive for ``classes_[1]``.

        Raises
        ------
        TypeError
            If `t` is not a single number.
        ValueError
            If `t` is negative or nan, or `X` is invalid.
        """
        return _squeeze_binary(self._mean_at(X, t))

    def predict(self, X: ArrayLike, t: float | None = None) -> NDArray[Any]:
        """Predict the class at one time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        t : float, default=None
            Training time, in [0, inf]; if None, the estimator's own: ``t``, or ``t_``
            where it was chosen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The class labels.

        Raises
        ------
        TypeError
            If `t` is not a single number.
        ValueError
            If `t` is negative or nan, or `X` is invalid.
        """
        return self._labels(self._mean_at(X, t))

    def predict_proba(
        self, X: ArrayLike, t: float | None = None
    ) -> NDArray[np.float64]:
        """Return the share of networks that vote for each class at one time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        t : float, default=None
            Training time, in [0, inf]; if None, the estimator's own: ``t``, or ``t_``
            where it was chosen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``. Classes that are tied share
            alike; `predict` tells the first of them.

        Raises
        ------
        TypeError
            If `t` is not a single number.
        ValueError
            If `t` is negative or nan, or `X` is invalid.

        Notes
        -----
        A network votes for the class of its largest output. Outputs are Gaussian over
        networks and independent, with the variances of :meth:`NDKRegressor.predict`:
        the share is a one-dimensional integral, and ``Phi(mean / std)`` for two
        classes. Variances are the same for all classes, and most networks vote for
        the class that `predict` tells, unless `normalize_y` gave them scales.

        :class:`NDKClassifierCV` adds its `noise_` to the variances.

        Examples
        --------
        >>> from sklearn_ndk import NDKClassifier
        >>> model = NDKClassifier(T=0.1).fit([[1.0, 0.0], [0.0, 1.0]], ["a", "b"])
        >>> for t in (0, 1, float("inf")):
        ...     print(model.predict_proba([[1.0, 0.0]], t=t).round(2))
        [[0.5 0.5]]
        [[0.81 0.19]]
        [[0.99 0.01]]
        """
        check_is_fitted(self)
        return self._votes(X, self._one_time(t))[:, :, 0]

    def predict_proba_path(self, X: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
        """Return the share of networks that vote for each class at several times.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        times : array-like of shape (n_times,)
            Training times, in [0, inf], in any order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes, n_times)
            Probabilities; time is the last axis.

        Raises
        ------
        ValueError
            If a time is negative or nan, or `X` is invalid.
        """
        return self._votes(X, check_times(times))

    def _votes(self, X, times):
        """Return votes of shape (n_samples, n_classes, n_times)."""
        check_is_fitted(self)
        means = self._mean(X, times)
        variances = self._covariances(X, times, full=False)
        variances = variances[..., None] * self._target_scale.spread**2
        noise = self._vote_noise()
        shares = [
            vote(means[:, :, i], variance + noise)
            for i, variance in enumerate(variances)
        ]
        return np.stack(shares, axis=2)

    def _vote_noise(self):
        """Return the variance that is added to that of each output before the vote."""
        return 0.0

    def predict_drift(
        self, X: ArrayLike, delay: float, t0: float = np.inf
    ) -> NDArray[np.float64]:
        """Predict the mean outputs of a frozen readout while hidden weights drift.

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
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The mean outputs; with two classes, positive for ``classes_[1]``.

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
        >>> from sklearn_ndk import NDKClassifier
        >>> X, y = [[1.0, 0.0], [0.0, 1.0]], ["a", "b"]
        >>> model = NDKClassifier(T=0.1).fit(X, y)
        >>> model.predict_drift(X, delay=5.0).round(2)
        array([-0.34,  0.34])
        """
        return _squeeze_binary(self._drift(X, delay, t0))

    def decision_function_path(
        self, X: ArrayLike, times: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the mean outputs at several times.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        times : array-like of shape (n_times,)
            Training times, in [0, inf], in any order.

        Returns
        -------
        ndarray of shape (n_samples, n_times) or (n_samples, n_classes, n_times)
            The mean outputs; time is the last axis.

        Raises
        ------
        ValueError
            If a time is negative or nan, or `X` is invalid.
        """
        return _squeeze_binary(self._mean_path(X, times))

    def predict_path(self, X: ArrayLike, times: ArrayLike) -> NDArray[Any]:
        """Predict the class at several times.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        times : array-like of shape (n_times,)
            Training times, in [0, inf], in any order.

        Returns
        -------
        ndarray of shape (n_samples, n_times)
            The class labels; time is the last axis.

        Raises
        ------
        ValueError
            If a time is negative or nan, or `X` is invalid.
        """
        return self._labels(self._mean_path(X, times))

    def _labels(self, outputs):
        if outputs.shape[1] == 1:
            return self.classes_[(outputs[:, 0] > 0).astype(int)]
        return self.classes_[outputs.argmax(axis=1)]


def _signs(y, classes):
    """Return +1 for the class of each sample and -1 for others, 2-D."""
    signs = np.where(np.asarray(y)[:, None] == classes, 1.0, -1.0)
    return signs[:, 1:] if len(classes) == 2 else signs


def _squeeze_binary(outputs):
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs
