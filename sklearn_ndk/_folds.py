"""The training and test parts of cross-validation, checked before any is fitted."""

import numpy as np
from sklearn.model_selection import check_cv


def checked_folds(cv, X, y, sample_weight, *, classifier, score_weight, split_params):
    """Return the folds of a splitter.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        The folds, as in scikit-learn.
    X, y, sample_weight : ndarray
        All samples.
    classifier : bool
        Whether a training part needs two classes.
    score_weight : ndarray of shape (n_samples,) or None
        What a test part is scored with, if with weights.
    split_params : dict
        Metadata for the splitter.

    Returns
    -------
    list of tuple of ndarray
        The indices of training and of test samples.
    """
    cv = check_cv(cv, y, classifier=classifier)
    folds = list(cv.split(X, y, **split_params))
    if not folds:
        raise ValueError("cv gives no folds; has its iterator been used up?")
    checked = []
    for i, (train, test) in enumerate(folds):
        training_part = f"The training part of fold {i} of {len(folds)}"
        test_part = f"The test part of fold {i} of {len(folds)}"
        train = _indices(train, len(X), training_part)
        test = _indices(test, len(X), test_part)
        weighted = y[train][sample_weight[train] > 0]
        if not len(weighted):
            raise ValueError(f"{training_part} has samples of weight zero only.")
        if classifier and len(np.unique(weighted)) < 2:
            raise ValueError(
                f"{training_part} has samples of one class only, "
                f"{weighted.tolist()[0]!r}; shuffle or stratify the folds, or use "
                "fewer."
            )
        if score_weight is not None and not np.any(score_weight[test]):
            raise ValueError(f"{test_part} has samples of weight zero only.")
        checked.append((train, test))
    return checked


def _indices(part, n_samples, name):
    """Return the indices of a part, given those or a mask."""
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n_samples,):
        part = np.flatnonzero(part)
    if part.size == 0:
        raise ValueError(f"{name} is empty.")
    if part.ndim != 1 or part.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a 1-D array of indices, or a mask of {n_samples} samples; "
            f"got shape {part.shape} of type {part.dtype}."
        )
    outside = part[(part < -n_samples) | (part >= n_samples)]
    if len(outside):
        raise ValueError(
            f"{name} holds the index {outside[0]}, but there are {n_samples} samples."
        )
    return part
