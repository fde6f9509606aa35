"""The models of the tabular benchmark, each with the grid to tune it on.

LightGBM, CatBoost and xRFM are compared if their packages (``lightgbm``, ``catboost``,
``xrfm``) are installed. Gaussian processes choose their scales by the evidence.
"""

from functools import cache
from importlib import import_module

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR

from sklearn_ndk import NDKClassifierCV, NDKRegressorCV
from sklearn_ndk.preprocessing import TableScaler

OURS = "NDK CV"
FIXED = {"T": 0.01, "bias": 0.3, "length_scale": 1.0}

WIDTHS = 2.0 ** np.arange(-5, 2)  # of RBF kernels, times 1 / n_features
COSTS = 10.0 ** np.arange(-1, 4)
RIDGES = 10.0 ** np.arange(-4, 1)
TREES = {"n_estimators": 300, "random_state": 0}
FOREST = {"max_features": ["sqrt", 0.5, 1.0], "min_samples_leaf": [1, 5]}
RATES = [0.03, 0.1]
BOOSTING = {
    "learning_rate": RATES,
    "max_leaf_nodes": [4, 15],
    "min_samples_leaf": [5, 20],
}
LIGHTGBM = {
    "learning_rate": RATES,
    "num_leaves": [4, 15],
    "min_child_samples": [5, 20],
}
CATBOOST = {"learning_rate": RATES, "depth": [4, 6]}
NETWORK = {"alpha": [1e-4, 1e-2, 1.0], "learning_rate_init": [1e-3, 1e-2]}
XRFM = {"bandwidth": [2.0, 5.0, 10.0, 20.0, 40.0], "reg": RIDGES}
MOST_SCALES = 50  # of an ARD kernel, which has a gradient of rows x rows for each


class SignRegression(ClassifierMixin, BaseEstimator):
    """Classification by regression on +-1 for each class, the largest wins."""

    def __init__(self, alpha=1.0, gamma=None):
        self.alpha = alpha
        self.gamma = gamma

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        targets = np.where(y[:, None] == self.classes_, 1.0, -1.0)
        self._ridge = KernelRidge(alpha=self.alpha, gamma=self.gamma, kernel="rbf")
        self._ridge.fit(X, targets)
        return self

    def decision_function(self, X):
        outputs = self._ridge.predict(X)
        return outputs[:, 1] if len(self.classes_) == 2 else outputs

    def predict(self, X):
        return self.classes_[self._ridge.predict(X).argmax(axis=1)]


def ours(model):
    """Return the documented pipeline, and what becomes of it with parts left out."""
    limits = {name: clone(model).set_params(limit=name) for name in ("ntk", "nngp")}
    return {
        OURS: (of_table(model), {}),
        "NTK": (of_table(limits["ntk"]), {}),
        "NNGP": (of_table(limits["nngp"]), {}),
        "NDK CV, StandardScaler": (model, {}),
        "NDK CV, fixed": (clone(model).set_params(**FIXED), {}),
    }


def of_table(model):
    """Return a model behind the scaler of this package."""
    return make_pipeline(TableScaler(), model)


def classifiers(n_features):
    """Return each model with the grid to tune it on."""
    gamma = WIDTHS / n_features
    isotropic, ard = gaussians(n_features, size=10.0)  # from 1, rare classes vanish
    return (
        ours(NDKClassifierCV())
        | {
            "SVC": (SVC(), {"C": COSTS, "gamma": gamma}),
            "KernelRidge": (SignRegression(), {"alpha": RIDGES, "gamma": gamma}),
            "GP": (GaussianProcessClassifier(isotropic), {}),
            "GP, TableScaler": (of_table(GaussianProcessClassifier(isotropic)), {}),
            "GP, ARD": (GaussianProcessClassifier(ard), {}),
            "RandomForest": (RandomForestClassifier(**TREES), FOREST),
            "ExtraTrees": (ExtraTreesClassifier(**TREES), FOREST),
            "HistGradientBoosting": (
                HistGradientBoostingClassifier(max_iter=200, random_state=0),
                BOOSTING,
            ),
            "MLP": (MLPClassifier(max_iter=300, random_state=0), NETWORK),
        }
        | optional("Classifier")
    )


def regressors(n_features):
    """Return each model with the grid to tune it on."""
    gamma = WIDTHS / n_features
    isotropic, ard = (k + WhiteKernel(0.1) for k in gaussians(n_features, size=1.0))
    return (
        ours(NDKRegressorCV(normalize_y=True))
        | {
            "SVR": (SVR(), {"C": COSTS, "gamma": gamma}),
            "KernelRidge": (
                KernelRidge(kernel="rbf"),
                {"alpha": RIDGES, "gamma": gamma},
            ),
            "GP": (GaussianProcessRegressor(isotropic, normalize_y=True), {}),
            "GP, TableScaler": (
                of_table(GaussianProcessRegressor(isotropic, normalize_y=True)),
                {},
            ),
            "GP, ARD": (GaussianProcessRegressor(ard, normalize_y=True), {}),
            "RandomForest": (RandomForestRegressor(**TREES), FOREST),
            "ExtraTrees": (ExtraTreesRegressor(**TREES), FOREST),
            "HistGradientBoosting": (
                HistGradientBoostingRegressor(max_iter=200, random_state=0),
                BOOSTING,
            ),
            "MLP": (MLPRegressor(max_iter=300, random_state=0), NETWORK),
        }
        | optional("Regressor")
    )


def gaussians(n_features, size):
    """Return RBF kernels with one scale, and with one for each feature, to start at."""
    scale = np.sqrt(n_features)
    scales = np.full(n_features, scale) if n_features <= MOST_SCALES else scale
    return tuple(ConstantKernel(size) * RBF(start) for start in (scale, scales))


def optional(kind):
    """Return the models of other packages that are installed, with their grids."""
    models = {}
    if light := installed("lightgbm"):
        model = getattr(light, f"LGBM{kind}")(
            n_estimators=200, n_jobs=1, random_state=0, verbose=-1
        )
        models["LightGBM"] = model, LIGHTGBM
    if cat := installed("catboost"):
        model = getattr(cat, f"CatBoost{kind}")(
            iterations=200,
            thread_count=1,
            random_seed=0,
            verbose=False,
            allow_writing_files=False,
        )
        models["CatBoost"] = model, CATBOOST
    if xrfm := installed("xrfm_models"):
        models["xRFM"] = getattr(xrfm, f"XRFM{kind}")(), XRFM
    return models


@cache
def installed(module):
    """Return a module; if there is none, say so once."""
    try:
        return import_module(module)
    except ImportError as error:
        print(f"left out: {error}")
        return None
