"""What the regressor and the classifier share: validation, fit, times, progress."""

import copy
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ndk._checks import check_time, check_times
from sklearn_ndk._length_scale import divided
from sklearn_ndk._parameters import NDKParameters
from sklearn_ndk._validation import check_weights, refuse_non_numbers, warn_of_scales
from sklearn_ndk.kernels._network import (
    NETWORK_CONSTRAINTS,
    InfiniteNetwork,
    make_network,
)
from sklearn_ndk.training._ensemble import InfiniteEnsemble
from sklearn_ndk.training._problem import Problem
from sklearn_ndk.training._samples import TrainingSet
from sklearn_ndk.training._shared import WholeKernel
from sklearn_ndk.training._targets import TargetScale


class BaseNDK(NDKParameters, CallbackSupportMixin, BaseEstimator, ABC):
    """Base of the estimators: an ensemble of infinitely wide networks.

    A fit gathers all that it finds, by the names of the attributes, in one
    dictionary, and sets them at its end: one that fails has changed nothing.
    """

    X_fit_: NDArray[np.float64]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _ensemble: InfiniteEnsemble
    _target_scale: TargetScale
    _length_scale: float | ArrayLike  # that of the fit
    _target_size: ClassVar[float] = 1.0  # of targets that are one to networks

    _time_name = "t"  # attribute that holds the time of predictions
    _check_params: ClassVar[dict] = {}  # for validate_data, of X and y

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_ensemble")

    @_fit_context(prefer_skip_nested_validation=True)
    def _fit(self, X, y, sample_weight):
        """Fit at the time that is a parameter."""
        data, features = self._validate_training_data(X, y, sample_weight)
        self._set_fitted(self._train(*data, features))
        return self

    @with_callbacks
    def _train(self, X, y, sample_weight, features, whole=None):
        """Return the fitted attributes, given validated samples."""
        fitted = features | self._new_ensemble(X, y, sample_weight, whole)
        context = self._init_callback_context(max_subtasks=None)
        self._solve_as_task(fitted, X, y, check_time(self.t), context)
        return fitted

    def _set_fitted(self, fitted):
        vars(self).pop("feature_names_in_", None)  # the only one that may be missing
        vars(self).update(fitted)

    def _validate_training_data(self, X, y, sample_weight):
        """Return the samples, and the attributes that describe their features."""
        refuse_non_numbers(X, "X")
        view = copy.copy(self)  # validate_data sets attributes
        X, y = validate_data(view, X, y, dtype=np.float64, **self._check_params)
        sample_weight = check_weights(sample_weight, X)
        told = {"n_features_in_", "feature_names_in_"}
        features = {k: v for k, v in vars(view).items() if k in told}
        inputs = self._network_inputs(X)
        name = "X" if inputs is X else "X / length_scale"
        names = features.get("feature_names_in_")
        warn_of_scales(inputs[sample_weight > 0], names, name)
        return (X, y, sample_weight), features

    def _validate_inputs(self, X):
        """Return inputs as the networks of the fit see them."""
        refuse_non_numbers(X, "X")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return divided(X, self._length_scale)

    def _network_inputs(self, X):
        """Return inputs as the networks of the parameters see them."""
        return divided(X, self.length_scale)

    def _solve_as_task(self, fitted, X, y, t, context):
        """Solve what predictions at time `t` need, as a task that callbacks see."""
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        fitted["_ensemble"].solve(t, self._progress(fitted, X, y, context))
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes=fitted
        )

    def _network(self) -> InfiniteNetwork:
        return make_network(
            **{name: getattr(self, name) for name in NETWORK_CONSTRAINTS}
        )

    def _new_ensemble(
        self, X, y, sample_weight, whole: WholeKernel | None = None
    ) -> dict[str, Any]:
        """Return the ensemble before training, and what was found in the samples.

        Samples of no weight take no part. The kernel of a whole table, if these are
        a part of it, saves work.
        """
        samples, scale, found = self._training_set(X, y, sample_weight)
        kept = X[sample_weight > 0]
        # rows that differ in features left out are one to the networks, not to the user
        as_given = self._network_inputs(kept) is kept
        first = samples.first if as_given else TrainingSet.of_inputs(kept).first
        problem = Problem(self._network(), samples, whole)
        ensemble = InfiniteEnsemble(problem, self.limit, self.tol)
        return {
            "_ensemble": ensemble,
            "_target_scale": scale,
            "_length_scale": copy.deepcopy(self.length_scale),  # the user's may change
            "X_fit_": kept[np.sort(first)],
            **found,
        }

    def _training_set(self, X, y, sample_weight):
        """Return the samples of positive weight, as the networks see them.

        Also return the scale of targets, and what was found in them.
        """
        kept = sample_weight > 0
        targets, found = self._encode_targets(y[kept])
        scale = TargetScale.identity(targets.shape[1])
        if self.normalize_y:
            scale = TargetScale.of(targets, sample_weight[kept])
        scale = scale._replace(std=scale.std * self._target_size)
        inputs, targets = self._network_inputs(X[kept]), scale.normalize(targets)
        samples = TrainingSet.from_rows(inputs, targets, sample_weight[kept])
        return samples, scale, found

    @abstractmethod
    def _encode_targets(self, y):
        """Return the targets, 2-D, and the attributes that tell what they mean."""

    def _progress(self, fitted, X, y, context):
        """Report each panel of the march to scikit-learn's callbacks."""

        def report(t, ensemble):
            panel = context.subcontext(task_name=f"t = {t:.3g}")
            panel.call_on_fit_task_begin(estimator=self, X=X, y=y)
            panel.call_on_fit_task_end(
                estimator=self,
                X=X,
                y=y,
                reconstruction_attributes=lambda: (
                    fitted | {self._time_name: t, "_ensemble": ensemble()}
                ),
            )

        return report

    def _mean(self, X, times):
        """Return mean outputs of shape (n_samples, n_outputs, n_times)."""
        outputs = self._ensemble.mean(self._validate_inputs(X), times)
        return self._target_scale.restore(outputs).transpose(2, 0, 1)

    def _mean_at(self, X: ArrayLike, t: float | None) -> NDArray[np.float64]:
        """Return mean outputs of shape (n_samples, n_outputs) at one time."""
        check_is_fitted(self)
        return self._mean(X, self._one_time(t))[:, :, 0]

    def _covariance_at(
        self, X: ArrayLike, t: float | None, *, full: bool
    ) -> NDArray[np.float64]:
        """Return variances, or the covariance, of normalized outputs at one time."""
        check_is_fitted(self)
        return self._covariances(X, self._one_time(t), full=full)[0]

    def _one_time(self, t: float | None) -> NDArray[np.float64]:
        """Return a time, the estimator's own if None, in an array."""
        hint = " Use predict_path, or decision_function_path, for several times."
        t = check_time(getattr(self, self._time_name) if t is None else t, hint=hint)
        return np.array([t], dtype=float)

    def _covariances(
        self, X: ArrayLike, times: NDArray[np.float64], *, full: bool
    ) -> NDArray[np.float64]:
        """Return the same at several times, the first axis."""
        check_is_fitted(self)
        return self._ensemble.covariance(self._validate_inputs(X), times, full=full)

    def _drift(self, X: ArrayLike, delay: float, t0: float) -> NDArray[np.float64]:
        """Return mean outputs of shape (n_samples, n_outputs) of a frozen readout."""
        check_is_fitted(self)
        t0 = check_time(t0, "t0")
        delay = check_time(delay, "delay")
        X = self._validate_inputs(X)
        outputs = self._ensemble.drift(X, float(delay), float(t0))
        return self._target_scale.restore(outputs).T

    def _mean_path(self, X: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
        """Return mean outputs of shape (n_samples, n_outputs, n_times)."""
        check_is_fitted(self)
        return self._mean(X, check_times(times))
