"""xRFM (PyPI) with scikit-learn's manners: it holds out a fifth to choose a round."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from xrfm import xRFM


class _XRFM(BaseEstimator):
    def __init__(self, bandwidth=10.0, reg=1e-3):
        self.bandwidth = bandwidth
        self.reg = reg

    def _fit(self, X, y, metric, stratify=None):
        parts = train_test_split(
            X.astype(np.float32), y, test_size=0.2, random_state=0, stratify=stratify
        )
        kernel = {"kernel": "l2", "bandwidth": self.bandwidth, "exponent": 1.0}
        kernel |= {"diag": False, "bandwidth_mode": "constant"}
        fit = {"reg": self.reg, "iters": 5, "early_stop_rfm": True}
        self.model_ = xRFM(
            {"model": kernel, "fit": fit},
            device="cpu",
            tuning_metric=metric,
            verbose=False,
            random_state=0,
        )
        X, X_val, y, y_val = parts
        self.model_.fit(X, y, X_val, y_val)
        return self

    def _outputs(self, X):
        return np.ravel(self.model_.predict(X.astype(np.float32)))


class XRFMClassifier(ClassifierMixin, _XRFM):
    """Classes are numbered, as xRFM wants them."""

    def fit(self, X, y):
        self.classes_, codes = np.unique(y, return_inverse=True)
        alone = np.bincount(codes).min() == 1  # a row cannot be in both parts
        return self._fit(X, codes, "accuracy", stratify=None if alone else codes)

    def predict(self, X):
        return self.classes_[self._outputs(X).astype(int)]

    def predict_proba(self, X):
        return self.model_.predict_proba(X.astype(np.float32))


class XRFMRegressor(RegressorMixin, _XRFM):
    """A single output."""

    def fit(self, X, y):
        return self._fit(X, y.astype(np.float32), "mse")

    def predict(self, X):
        return self._outputs(X)
