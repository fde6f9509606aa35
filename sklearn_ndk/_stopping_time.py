"""The stopping time chosen by cross-validation, from one trajectory per fold."""

import copy
from collections.abc import Callable
from functools import cached_property
from inspect import signature
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import _fit_context, is_classifier
from sklearn.callback import with_callbacks
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from sklearn_ndk._auto import AutoHyperparameters
from sklearn_ndk._base import BaseNDK
from sklearn_ndk._checks import check_times
from sklearn_ndk._compute._threads import threads_for
from sklearn_ndk._folds import checked_folds
from sklearn_ndk._held_out import HeldOut
from sklearn_ndk._parameters import StoppingTimeParameters
from sklearn_ndk._phases import phase_at
from sklearn_ndk.training._samples import TrainingSet
from sklearn_ndk.training._shared import WholeKernel
from sklearn_ndk.training._targets import power_of_two

_N_TIMES = 30


class BaseStoppingTime(StoppingTimeParameters, AutoHyperparameters, BaseNDK):
    """Base of the estimators that choose their stopping time."""

    t_: float
    phase_: str
    best_score_: float
    best_index_: int
    times_: NDArray[np.float64]
    cv_results_: dict[str, Any]
    depth_: int
    T_: float
    sigma_: float
    sigma0_: float
    bias_: float
    length_scale_: float | NDArray[np.float64]

    _base: ClassVar[type]  # the estimator of one time
    _default_scoring: ClassVar[str]
    _default_scores: ClassVar[Callable]  # the same at all times at once
    _fit_noise: ClassVar[Callable]  # of targets about outputs
    _time_name = "t_"

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def _fit_best(self, X, y, sample_weight, params):
        """Score all times on all folds, choose one, and fit with it."""
        model, auto = self._without_auto()
        data, fitted = model._validate_training_data(X, y, sample_weight)
        self._check_trainable(model, data)
        scorer, (X, y, _) = self._scorer(), data
        folds = self._folds(data, scorer, sample_weight is not None, params)
        context = self._init_callback_context(
            max_subtasks=len(folds) + 1 + bool(auto), sequential_subtasks=False
        )
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        if auto:
            self._choose_numbers(model, data, auto, context, len(folds) + 1)
        inputs = TrainingSet.of_inputs(model._network_inputs(X))
        whole = WholeKernel(model._network(), inputs)
        fitted |= model._numbers() | model._new_ensemble(*data, whole)
        ensemble = fitted["_ensemble"]
        times = self._candidates(ensemble)
        ensemble.share(_last_moving(times))
        scored = self._score_folds(model, data, folds, times, scorer, whole, context)
        scores, errors, outputs = zip(*scored, strict=True)
        fitted |= choose(times, np.array(scores), np.array(errors), self.selection)
        t = fitted["t_"]
        fitted["_held_out"] = HeldOut(
            model=model._at(times),
            data=data,
            folds=[indices for indices, _ in folds],
            outputs=[part[:, :, fitted["best_index_"]] for part in outputs],
            t=t,
            fit=self._fit_noise,
            length_scale=model._chosen_scales if "length_scale" in auto else None,
        )
        rest = np.inf if ensemble.at_rest else t
        fitted["phase_"] = phase_at(rest, ensemble.diffusion_rate)
        refit = context.subcontext(
            task_name="refit", task_id=len(folds), max_subtasks=None
        )
        self._solve_as_task(fitted, X, y, t, refit)
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes=fitted
        )
        whole.close()
        self._set_fitted(fitted)
        return self

    def _check_trainable(self, model, data):
        """Raise ahead of all work what numbers that are chosen cannot change."""
        samples, _, _ = model._training_set(*data)
        WholeKernel.check_size(samples)
        automatic = self.times is None or isinstance(self.times, Integral)
        moves = automatic or _last_moving(check_times(self.times)) < np.inf
        if moves and self.limit != "nngp":
            model._network().check_ntk()

    def _choose_numbers(self, model, data, auto, context, task_id):
        """Choose numbers for a neutral model, as a task that callbacks see."""
        X, y, _ = data
        task = context.subcontext(task_name="hyperparameters", task_id=task_id)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        model._set_numbers(data, auto)
        task.call_on_fit_task_end(estimator=self, X=X, y=y)

    def _folds(self, data, scorer, weighted, params):
        """Return the indices of each fold, and what its scorer is to be given."""
        X, _, weight = data
        split_params, score_params = self._route(
            scorer, weight if weighted else None, params
        )
        folds = checked_folds(
            self.cv,
            *data,
            classifier=is_classifier(self),
            score_weight=score_params.get("sample_weight"),
            split_params=split_params,
        )
        return [
            (fold, _check_method_params(X, score_params, indices=fold[1]))
            for fold in folds
        ]

    def _score_folds(self, model, data, folds, times, scorer, whole, context):
        """Return scores, squared errors and outputs of all folds, at all times."""
        # made ahead of time: a context cannot grow while it is pickled
        tasks = [
            context.subcontext(task_name="fold", task_id=i) for i in range(len(folds))
        ]
        # kernels of the whole are in the memory of this process
        with threads_for(len(data[0])):
            return Parallel(n_jobs=self.n_jobs, require="sharedmem")(
                delayed(_score_fold)(
                    model._at(times), data, *fold, times, scorer, whole, self, task
                )
                for fold, task in zip(folds, tasks, strict=True)
            )

    def _candidates(self, ensemble):
        """Return the times to try, increasing."""
        n_times = _N_TIMES if self.times is None else self.times
        if isinstance(n_times, Integral):
            return ensemble.time_grid(n_times)
        return np.unique(check_times(self.times))

    def _scorer(self):
        if self.scoring is not None:
            return check_scoring(self._base(), self.scoring)
        scorer = copy.copy(get_scorer(self._default_scoring))
        if _routing_enabled():
            scorer.set_score_request(sample_weight=True)
        return scorer

    def _route(self, scorer, sample_weight, params):
        """Return what the splitter and what the scorer is to be given."""
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed.splitter.split, routed.scorer.score
        if sample_weight is None:
            return {}, {}
        accepted = signature(getattr(scorer, "_score_func", scorer)).parameters
        if "sample_weight" not in accepted:
            return {}, {}
        return {}, {"sample_weight": sample_weight}

    def get_metadata_routing(self) -> MetadataRouter:
        """Return where metadata given to `fit` goes: to the splitter and the scorer.

        Returns
        -------
        MetadataRouter
            The routing, see scikit-learn's user guide on metadata routing.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(
                scorer=self._scorer(),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
        )

    def _at(self, times):
        """Return the estimator that scores `times` on a fold, before it is fitted."""
        names = set(self._base().get_params()) - {"t"}
        parameters = {name: getattr(self, name) for name in names}
        model = self._base(**parameters, t=_last_moving(times))
        model._target_size = self._target_size
        return model


def _last_moving(times: NDArray[np.float64]) -> float:
    """Return the last finite time after the start, infinity if there is none."""
    moving = times[(times > 0) & np.isfinite(times)]
    return float(moving[-1]) if len(moving) else np.inf


def choose(
    times: NDArray[np.float64],
    scores: NDArray[np.float64],
    errors: NDArray[np.float64],
    selection: str,
) -> dict[str, Any]:
    """Choose a time by its scores.

    Parameters
    ----------
    times : ndarray of shape (n_times,)
        The times, increasing.
    scores : ndarray of shape (n_folds, n_times)
        The scores of all times on all folds.
    errors : ndarray of shape (n_folds, n_times)
        Errors, the smaller the better, that decide between times of equal scores.
    selection : {"best", "1se"}
        The time of the best mean, or the earliest within its standard error.

    Returns
    -------
    dict
        The attributes of a fitted estimator that tell of the choice.
    """
    finite = np.isfinite(scores)
    unit = power_of_two(np.max(np.abs(scores), where=finite, initial=0))
    in_units = scores / unit  # their squares do not overflow
    mean, std = in_units.mean(axis=0) * unit, in_units.std(axis=0) * unit
    if np.all(np.isnan(mean)):
        raise ValueError(
            "Scores are nan at every time, on at least one fold: some test parts "
            "may be too small, or lack a class, for this scoring."
        )
    last = np.nanmin(mean) - 1  # nan ranks last, as in GridSearchCV
    ranks = rankdata(-np.nan_to_num(mean, nan=last, neginf=-np.inf), method="min")
    ties = np.flatnonzero(np.isclose(mean, np.nanmax(mean), rtol=1e-12, atol=0))
    best = int(ties[np.argmin(errors.mean(axis=0)[ties])])
    if selection == "1se":
        within = mean >= mean[best] - standard_error(std[best], len(scores))
        if np.any(within):  # none is, if the best score is infinite
            best = int(np.argmax(within))
    return {
        "times_": times,
        "cv_results_": {
            "param_t": np.ma.MaskedArray(times),
            "params": [{"t": t} for t in times.tolist()],
            **{f"split{i}_test_score": fold for i, fold in enumerate(scores)},
            "mean_test_score": mean,
            "std_test_score": std,
            "rank_test_score": ranks.astype(np.int32),
        },
        "best_index_": best,
        "best_score_": float(mean[best]),
        "t_": float(times[best]),
    }


def standard_error(std: Any, n_splits: int) -> Any:
    """Return the standard error of mean scores.

    Parameters
    ----------
    std : float or ndarray
        Standard deviations over the folds, which divide by their number.
    n_splits : int
        Number of folds; the error of one alone is zero.

    Returns
    -------
    float or ndarray
        The standard errors.
    """
    return std / np.sqrt(max(1, n_splits - 1))


class _Known:
    """Stands in for an ensemble whose outputs at some times have been computed."""

    def __init__(self, ensemble, X, times, outputs):
        self._ensemble, self._X = ensemble, X
        self._times, self._outputs = times, outputs

    def mean(self, X, times):
        if X is not self._X:
            return self._ensemble.mean(X, times)
        return self._outputs[:, np.searchsorted(self._times, times)]

    def covariance(self, X, times, *, full):
        if X is not self._X or full:
            return self._ensemble.covariance(X, times, full=full)
        return self._variances[np.searchsorted(self._times, times)]

    @cached_property
    def _variances(self):
        """Variances at all times, if any are asked for."""
        return self._ensemble.covariance(self._X, self._times, full=False)


def _view(model, fitted, X, inputs, t, known):
    """Return an estimator at time `t` that knows its outputs for `X`, validated.

    Its networks see the `inputs`.
    """
    view = copy.copy(model)
    view.t = t
    view._set_fitted(fitted | {"_ensemble": known})
    validate = view._validate_inputs
    view._validate_inputs = lambda rows: inputs if rows is X else validate(rows)
    return view


def _score_fold(model, data, fold, score_params, times, scorer, whole, caller, context):
    """Fit on the training part of a fold, and score all times on its test part.

    Also return the squared errors of outputs, and the mean outputs of the test part,
    (n_samples, n_outputs, n_times).
    """
    train, test = fold
    X, y, sample_weight = (array[train] for array in data)
    features = {"n_features_in_": X.shape[1]}
    with context.propagate_callback_context(model):
        context.call_on_fit_task_begin(estimator=caller, X=X, y=y)
        fitted = model._train(X, y, sample_weight, features, whole)
    X_test, y_test = data[0][test], data[1][test]
    inputs = model._network_inputs(X_test)
    outputs = fitted["_ensemble"].mean(inputs, times)
    known = _Known(fitted["_ensemble"], inputs, times, outputs)
    views = [_view(model, fitted, X_test, inputs, t, known) for t in times]
    scale = fitted["_target_scale"]
    restored = scale.restore(outputs).transpose(2, 0, 1)
    errors = np.zeros(len(times))  # a scorer of the user's decides alone
    if caller.scoring is None:
        scores = caller._default_scores(views[0], y_test, restored, **score_params)
        targets = scale.normalize(views[0]._targets(y_test))
        with np.errstate(over="ignore"):
            errors = np.mean((outputs - targets.T[:, None]) ** 2, axis=(0, 2))
    else:
        scores = [_number(scorer(v, X_test, y_test, **score_params)) for v in views]
    context.call_on_fit_task_end(
        estimator=caller,
        X=X,
        y=y,
        reconstruction_attributes=fitted | {"t_": times[np.argmax(scores)]},
    )
    return scores, errors, restored


def _number(score):
    """Return a score as a number, or raise."""
    if np.ndim(score) == 0 and isinstance(np.asarray(score).item(), Real):
        return float(score)
    raise ValueError(
        f"scoring must return a number; got {score!r} of type {type(score).__name__}."
    )
