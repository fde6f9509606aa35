"""Classification, with the stopping time chosen by cross-validation."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metadata_routing import _raise_for_params
from sklearn.utils.validation import check_is_fitted

from sklearn_ndk._classifier import NDKClassifier
from sklearn_ndk._held_out import vote_noise
from sklearn_ndk._stopping_time import BaseStoppingTime


class NDKClassifierCV(BaseStoppingTime, NDKClassifier):
    """:class:`NDKClassifier` that stops training when cross-validation says so.

    One solution of the dynamics per fold scores every time; the time of the best
    score is then used for all samples.

    Parameters
    ----------
    depth : int or "auto", default=2
        Number of hidden layers. "auto" is one of 1, 2 and 3, chosen by the evidence,
        see the notes.
    activation : str, callable or Activation, default="relu"
        The nonlinearity of the hidden layers: a name, see
        :mod:`sklearn_ndk.activations`, a function of arrays, or an object.
    T : float or "auto", default=None
        Temperature of the noise. ``T / sigma**2`` is both the rate of diffusion
        and the ridge of the equilibrium; 0 is noiseless gradient flow. "auto" has it
        chosen by the evidence; None is "auto", and 0 in the limit "ntk".
    sigma : float or "auto", default=1.0
        Standard deviation of the weights' prior. With a homogeneous activation such as
        "relu", it and the length scales do much the same: choose one.
    sigma0 : float or "auto", default=1.0
        Standard deviation of the initial weights; "auto" is `sigma`.
    bias : float or "auto", default="auto"
        Scale of the biases, trained like the weights.
    length_scale : float, array-like of shape (n_features,) or "auto", default="auto"
        Scales of the features: inputs are divided by it. A feature of infinite scale
        is left out. "auto" is one of each, by how much networks of a common scale have
        learned to depend on the feature.
    times : int or array-like, default=None
        Training times tried, in units of gradient flow on the summed squared loss:
        an array, which is sorted, or the length of a logarithmic grid from a tenth
        of ``1 / lambda_max``, with the largest eigenvalue of the NTK, to
        ``5 sigma**2 / T``, or over eight decades in the limit "ntk", and infinity;
        in the limit "nngp" to infinity alone. None is a grid of 30 times.
    cv : int, splitter or iterable, default=None
        The folds, as in :class:`~sklearn.model_selection.GridSearchCV`; None is
        five stratified folds. Splitters and scorers are given arrays.
    scoring : str or callable, default=None
        Scores a fold at a time, as in
        :class:`~sklearn.model_selection.GridSearchCV`; None is accuracy, and of
        times that tie the one whose outputs have the smallest squared error.
    selection : {"best", "1se"}, default="best"
        The time of the best mean score, the earliest if several tie, or the
        earliest whose mean score is within one standard error of the best: the
        shorter the training, the fewer eigenvectors of the kernel are learned, so
        that the earlier of two times is the simpler model.
    limit : {None, "ntk", "nngp"}, default=None
        None for Langevin dynamics; "ntk" for noiseless gradient flow, Eq. (16),
        whatever `T`; "nngp" for the equilibrium, Eq. (18), at any time.
    normalize_y : bool, default=False
        Whether to scale the targets to zero mean and unit variance for the fit.
    tol : float, default=1e-4
        Accuracy of predictions, relative to the largest target. Finite times are
        solved to it; a warning tells where rounding errors exceed it.
    n_jobs : int, default=None
        Number of folds fitted at a time, by joblib; None is 1 unless a
        :func:`joblib.parallel_config` says otherwise. One fold alone uses all
        threads that BLAS would.

    Attributes
    ----------
    t_ : float
        The chosen time, at which `predict` predicts by default.
    phase_ : {"gradient", "diffusive", "equilibrium"}
        Where it lies: at ``tau = T t / sigma**2`` below 0.1, up to 5, or beyond. In
        the limit "ntk" all finite times are gradient.
    best_score_ : float
        Mean score of the chosen time.
    best_index_ : int
        Its index in `times_`.
    times_ : ndarray of shape (n_times,)
        The times tried, increasing.
    depth_, T_, sigma_, sigma0_, bias_ : number
        Hyperparameters, given or chosen.
    length_scale_ : float or ndarray of shape (n_features,)
        The same.
    cv_results_ : dict
        Scores of all times on all folds; keys as in
        :class:`~sklearn.model_selection.GridSearchCV`: `param_t`, `params`,
        `split0_test_score`, ..., `mean_test_score`, `std_test_score` and
        `rank_test_score`.
    noise_ : float
        Variance that is added to that of each output before networks vote: the one
        that gives the test parts of the folds the smallest log loss at `t_`. It is
        found when probabilities, or it, are first asked for.
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
    NDKClassifier : The same at one time.
    sklearn_ndk.inspection.EarlyStoppingDisplay : Shows the scores against time.

    Notes
    -----
    The scores are those of a :class:`~sklearn.model_selection.GridSearchCV` over `t`.
    The loss is a sum over samples: a time found on the larger part of them is used
    for all. A transformer before this estimator in a pipeline sees all folds.

    Networks agree more than they are right. `predict_proba` therefore adds `noise_`,
    the same for all inputs and times, to the spread of outputs over networks; the
    shares of networks as they are come from :class:`NDKClassifier`, and so do scores
    of probabilities in the folds.

    What is "auto" is chosen before the time is, once, on all samples: it is what has
    the largest evidence, the likelihood of the targets if outputs were those of
    networks at equilibrium, Eq. (18), targets had noise of variance proportional to
    `T`, and the size of both were the one that suits best, which spreads of outputs
    then have. Length scales are at first a common one. Those of features are
    proportional to one over the root of the root mean square derivative of its outputs
    along each feature, as in recursive feature machines [2]_.
    Labels of plus and minus one have no Gaussian noise, and this evidence would fit
    scales to each of them: for classes, scales are those of the gradient times a common
    factor, and the noise is at least 0.03 of the prior variance of outputs.
    Of more than 300 distinct samples, 300 are used, or 150 if duals of the activation
    have no closed form. At ``T=0``, and in the limit "ntk", the noise is chosen along
    with the rest and then left. `noise_` is of folds whose
    scales were chosen on their training parts.

    Columns of inputs should be standardised. The default `depth` differs from that of
    :class:`NDKClassifier`: it was chosen for tables.

    References
    ----------
    .. [1] Avidan, Li and Sompolinsky, "Connecting NTK and NNGP: A Unified Theoretical
       Framework for Neural Network Learning Dynamics in the Kernel Regime",
       arXiv:2309.04522.
    .. [2] Radhakrishnan, Beaglehole, Pandit and Belkin, "Mechanism for feature learning
       in neural networks and backpropagation-free machine learning models", Science
       383, 1461 (2024).

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ndk import NDKClassifierCV
    >>> from sklearn_ndk.preprocessing import TableScaler
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(TableScaler(), NDKClassifierCV())
    >>> model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9
    True
    >>> model[-1].phase_ in {"gradient", "diffusive", "equilibrium"}
    True
    """

    _base = NDKClassifier
    _default_scoring = "accuracy"
    _fit_noise = staticmethod(vote_noise)

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Score every time on every fold, and fit with the best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights in the loss, and in the scores if `scoring` takes
            weights. Weight 2 counts twice, 0 not at all.
        **params : dict
            Metadata for the splitter and the scorer, such as `groups`, with
            scikit-learn's metadata routing enabled.

        Returns
        -------
        NDKClassifierCV
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are invalid, if there are fewer samples than
            folds, or only one class in all or in the training part of a fold, if all
            scores are nan, or if the kernel matrices would not fit in memory.
        """
        _raise_for_params(params, self, "fit")
        return self._fit_best(X, y, sample_weight, params)

    @property
    def noise_(self) -> float:
        """The variance of labels about mean outputs, see the class."""
        check_is_fitted(self)
        return self._held_out.noise

    def _vote_noise(self):
        return self.noise_

    @staticmethod
    def _default_scores(model, y, outputs, sample_weight=None):
        """Return accuracies; outputs are (n_samples, n_outputs, n_times)."""
        right = model._labels(outputs) == y[:, None]
        return np.average(right, axis=0, weights=sample_weight)
