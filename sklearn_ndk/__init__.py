"""Infinitely wide neural networks as scikit-learn estimators, at any training time."""

from sklearn_ndk._classifier import NDKClassifier
from sklearn_ndk._classifier_cv import NDKClassifierCV
from sklearn_ndk._regressor import NDKRegressor
from sklearn_ndk._regressor_cv import NDKRegressorCV

__version__ = "0.1.0.dev0"

__all__ = ["NDKClassifier", "NDKClassifierCV", "NDKRegressor", "NDKRegressorCV"]
