"""The stopping time chosen by cross-validation, from one trajectory per fold."""

import copy
from inspect import signature
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from joblib import Memory
from scipy.stats import rankdata
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from sklearn_ndk._base import BaseNDK
from sklearn_ndk._checks import check_times
from sklearn_ndk._phases import phase_at

_N_TIMES = 30


class BaseEarlyStopping(BaseNDK):
    """Base of the estimators that choose their stopping time."""

    _parameter_constraints: ClassVar[dict] = {
        **{k: v for k, v in BaseNDK._parameter_constraints.items() if k != "t"},
        "times": ["array-like", Interval(Integral, 2, None, closed="left"), None],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "selection": [StrOptions({"best", "1se"})],
        "n_jobs": [Integral, None],
        "memory": [str, Memory, None],
    }

    _time_name = "t_"

    def __init__(
        self,
        depth=2,
        activation="relu",
        *,
        T=0.01,
        sigma=1.0,
        sigma0=1.0,
        bias=0.3,
        times=None,
        cv=None,
        scoring=None,
        selection="best",
        limit=None,
        normalize_y=False,
        tol=1e-6,
        n_jobs=None,
        memory=None,
    ):
        self.depth = depth
        self.activation = activation
        self.T = T
        self.sigma = sigma
        self.sigma0 = sigma0
        self.bias = bias
        self.times = times
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.limit = limit
        self.normalize_y = normalize_y
        self.tol = tol
        self.n_jobs = n_jobs
        self.memory = memory

    def _fit_best(self, X, y, sample_weight, params):
        """Score all times on all folds, choose one, and fit with it."""
        X, y, weight = data = self._validate_training_data(X, y, sample_weight)
        ensemble = self._new_ensemble(*data)
        times = self._candidates(ensemble)
        scorer = self._scorer()
        split_params, score_params = self._route(
            scorer, None if sample_weight is None else weight, params
        )
        folds = self._folds(*data, split_params)
        context = self._init_callback_context(
            max_subtasks=len(folds) + 1, sequential_subtasks=False
        )
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        # made ahead of time: a context cannot grow while it is pickled
        tasks = [
            context.subcontext(task_name="fold", task_id=i) for i in range(len(folds))
        ]
        refit = context.subcontext(
            task_name="refit", task_id=len(folds), max_subtasks=None
        )
        scores = Parallel(n_jobs=self.n_jobs)(
            delayed(_score_fold)(
                self._at(times),
                data,
                fold,
                times,
                scorer,
                _check_method_params(X, score_params, indices=fold[1]),
                self,
                task,
            )
            for fold, task in zip(folds, tasks, strict=True)
        )
        self._choose(times, np.array(scores))
        at_rest = self.limit == "nngp"
        self.phase_ = phase_at(np.inf if at_rest else self.t_, ensemble.diffusion_rate)
        self._solve(ensemble, X, y, self.t_, refit)
        fitted = {"_ensemble": ensemble}
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes=fitted
        )
        self._ensemble = ensemble
        return self

    def _candidates(self, ensemble):
        """Return the times to try, increasing."""
        n_times = _N_TIMES if self.times is None else self.times
        if isinstance(n_times, Integral):
            return ensemble.time_grid(n_times)
        return np.unique(check_times(self.times))

    @property
    def _memory(self):
        return self.memory

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

    def get_metadata_routing(self):
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
        moving = times[(times > 0) & np.isfinite(times)]
        t = float(moving[-1]) if len(moving) else np.inf
        model = self._base(**{name: getattr(self, name) for name in names}, t=t)
        model._memory = self.memory
        return model

    def _folds(self, X, y, sample_weight, split_params):
        """Return the training and test parts of all folds, checked."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        folds = [
            (np.asarray(train), np.asarray(test))
            for train, test in cv.split(X, y, **split_params)
        ]
        if not folds:
            raise ValueError("cv gives no folds; has its iterator been used up?")
        for i, (train, _) in enumerate(folds):
            weighted = y[train][sample_weight[train] > 0]
            part = f"The training part of fold {i} of {len(folds)} has samples"
            if not len(weighted):
                raise ValueError(f"{part} of weight zero only.")
            if is_classifier(self) and len(np.unique(weighted)) < 2:
                raise ValueError(
                    f"{part} of one class only, {weighted.tolist()[0]!r}; shuffle or "
                    "stratify the folds, or use fewer."
                )
        return folds

    def _choose(self, times, scores):
        mean, std = scores.mean(axis=0), scores.std(axis=0)
        if np.all(np.isnan(mean)):
            raise ValueError(
                "Scores are nan at every time, on at least one fold: some test parts "
                "may be too small, or lack a class, for this scoring."
            )
        last = np.nanmin(mean) - 1  # nan ranks last, as in GridSearchCV
        ranks = rankdata(-np.nan_to_num(mean, nan=last, neginf=-np.inf), method="min")
        self.times_ = times
        self.cv_results_ = {
            "param_t": np.ma.MaskedArray(times),
            "params": [{"t": t} for t in times.tolist()],
            **{f"split{i}_test_score": fold for i, fold in enumerate(scores)},
            "mean_test_score": mean,
            "std_test_score": std,
            "rank_test_score": ranks.astype(np.int32),
        }
        self.best_index_ = int(np.nanargmax(mean))
        if self.selection == "1se":
            error = standard_error(std[self.best_index_], len(scores))
            within = mean >= mean[self.best_index_] - error
            if np.any(within):  # none is, if the best score is infinite
                self.best_index_ = int(np.argmax(within))
        self.best_score_ = float(mean[self.best_index_])
        self.t_ = float(times[self.best_index_])


def standard_error(std, n_splits):
    """Return that of the mean over folds, given the deviation that divides by n."""
    return std / np.sqrt(max(1, n_splits - 1))


class _Known:
    """Stands in for an ensemble whose outputs at one time have been computed."""

    def __init__(self, ensemble, X, t, outputs):
        self._ensemble, self._X, self._t, self._outputs = ensemble, X, t, outputs

    def mean(self, X, times):
        if np.array_equal(times, [self._t]) and np.array_equal(X, self._X):
            return self._outputs
        return self._ensemble.mean(X, times)


def _score_fold(model, data, fold, times, scorer, score_params, caller, context):
    """Fit on the training part of a fold, and score all times on its test part."""
    train, test = fold
    X, y, sample_weight = (array[train] for array in data)
    with context.propagate_callback_context(model):
        context.call_on_fit_task_begin(estimator=caller, X=X, y=y)
        model.fit(X, y, sample_weight)
    X_test, y_test = data[0][test], data[1][test]
    outputs = model._ensemble.mean(X_test, times)
    scores = []
    for i, t in enumerate(times):
        view = copy.copy(model).set_params(t=t)
        view._ensemble = _Known(model._ensemble, X_test, t, outputs[:, [i]])
        scores.append(_number(scorer(view, X_test, y_test, **score_params)))
    best = {"t_": times[np.argmax(scores)]}
    context.call_on_fit_task_end(
        estimator=caller,
        X=X,
        y=y,
        reconstruction_attributes=lambda: model._fitted_state() | best,
    )
    return scores


def _number(score):
    """Return a score as a number, or raise."""
    if np.ndim(score) == 0 and isinstance(np.asarray(score).item(), Real):
        return float(score)
    raise ValueError(
        f"scoring must return a number; got {score!r} of type {type(score).__name__}."
    )
