"""What the regressor and the classifier share: validation, fit, times, progress."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_memory,
    validate_data,
)

from sklearn_ndk._checks import check_time, check_times
from sklearn_ndk.kernels._network import NETWORK_CONSTRAINTS, make_network
from sklearn_ndk.training._ensemble import InfiniteEnsemble
from sklearn_ndk.training._samples import TrainingSet


class BaseNDK(CallbackSupportMixin, BaseEstimator):
    """Base of the estimators: an ensemble of infinitely wide networks."""

    _parameter_constraints: ClassVar[dict] = {
        **NETWORK_CONSTRAINTS,
        "t": [Interval(Real, 0, None, closed="both")],
        "limit": [StrOptions({"ntk", "nngp"}), None],
        "normalize_y": ["boolean"],
        "tol": [Interval(Real, 1e-10, 1e-1, closed="both")],
    }

    def __init__(
        self,
        depth=1,
        activation="relu",
        *,
        T=0.01,
        sigma=1.0,
        sigma0=1.0,
        bias=0.0,
        t=np.inf,
        limit=None,
        normalize_y=False,
        tol=1e-6,
    ):
        self.depth = depth
        self.activation = activation
        self.T = T
        self.sigma = sigma
        self.sigma0 = sigma0
        self.bias = bias
        self.t = t
        self.limit = limit
        self.normalize_y = normalize_y
        self.tol = tol

    _time_name = "t"  # attribute that holds the time of predictions
    _memory = None  # a place for what fits share, see check_memory
    _check_params: ClassVar[dict] = {}  # for validate_data, of X and y

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_ensemble")

    def _validate_params(self):
        self.__dict__.pop("_ensemble", None)  # a fit that fails leaves none
        super()._validate_params()

    def _validate_training_data(self, X, y, sample_weight):
        self.__dict__.pop("_ensemble", None)  # validation of parameters can be off
        X, y = validate_data(self, X, y, dtype=np.float64, **self._check_params)
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        return X, y, sample_weight

    def _solve(self, ensemble, X, y, t, context):
        """Solve what predictions at time `t` need, as a task of its own."""
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        ensemble.solve(t, self._progress(X, y, context))
        fitted = {"_ensemble": ensemble}
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes=fitted
        )

    def _new_ensemble(self, X, y, sample_weight):
        """Return the ensemble before training; samples of no weight take no part."""
        kept = sample_weight > 0
        X, sample_weight = X[kept], sample_weight[kept]
        self._check_targets(y[kept])
        targets = self._targets(y[kept])
        self._y_mean, self._y_scale = self._target_scale(targets, sample_weight)
        targets = (targets - self._y_mean) / self._y_scale
        samples = TrainingSet.from_rows(X, targets, sample_weight)
        self.X_fit_ = X[np.sort(samples.first)]
        network = make_network(
            **{name: getattr(self, name) for name in NETWORK_CONSTRAINTS}
        )
        return InfiniteEnsemble(
            network,
            samples,
            self.limit,
            self.tol,
            check_memory(self._memory),
        )

    def _target_scale(self, targets, sample_weight):
        if not self.normalize_y:
            return np.zeros(targets.shape[1]), np.ones(targets.shape[1])
        mean = np.average(targets, axis=0, weights=sample_weight)
        variance = np.average((targets - mean) ** 2, axis=0, weights=sample_weight)
        constant = variance <= (10 * np.finfo(float).eps * mean) ** 2
        return mean, np.sqrt(np.where(constant, 1, variance))

    def _fitted_state(self):
        """Return what `fit` has set, by name."""
        names = {"_ensemble", "_y_mean", "_y_scale", "_flat"}
        return {
            name: value
            for name, value in vars(self).items()
            if name in names or name.endswith("_")
        }

    def _progress(self, X, y, context):
        """Report each panel of the march to scikit-learn's callbacks."""

        def report(t, ensemble):
            panel = context.subcontext(task_name=f"t = {t:.3g}")
            panel.call_on_fit_task_begin(estimator=self, X=X, y=y)
            panel.call_on_fit_task_end(
                estimator=self,
                X=X,
                y=y,
                reconstruction_attributes=lambda: {
                    self._time_name: t,
                    "_ensemble": ensemble(),
                },
            )

        return report

    def _mean(self, X, times):
        """Return mean outputs of shape (n_samples, n_outputs, n_times)."""
        X = validate_data(self, X, dtype=np.float64, reset=False)
        outputs = self._ensemble.mean(X, times).transpose(2, 0, 1)
        return outputs * self._y_scale[:, None] + self._y_mean[:, None]

    def _mean_at(self, X, t):
        """Return mean outputs of shape (n_samples, n_outputs) at one time."""
        check_is_fitted(self)
        hint = " Use predict_path, or decision_function_path, for several times."
        t = check_time(getattr(self, self._time_name) if t is None else t, hint=hint)
        return self._mean(X, np.array([t], dtype=float))[:, :, 0]

    def _drift(self, X, delay, t0):
        """Return mean outputs of shape (n_samples, n_outputs) of a frozen readout."""
        check_is_fitted(self)
        t0 = check_time(t0, "t0")
        delay = check_time(delay, "delay")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        outputs = self._ensemble.drift(X, float(delay), float(t0))
        return outputs.T * self._y_scale + self._y_mean

    def _mean_path(self, X, times):
        """Return mean outputs of shape (n_samples, n_outputs, n_times)."""
        check_is_fitted(self)
        return self._mean(X, check_times(times))
