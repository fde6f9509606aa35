"""Scores of the defaults of the CV pair on scikit-learn's small tables."""

import numpy as np
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ndk import NDKClassifierCV, NDKRegressorCV

MOST_ROWS = 400


def mean_score(model, X, y, kind):
    """Return the mean score of two folds, of inputs that are standardised."""
    rows = np.random.default_rng(0).permutation(len(X))[:MOST_ROWS]
    folds = kind(2, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), model)
    return cross_val_score(model, X[rows], y[rows], cv=folds).mean()


class Classes:
    params = ("iris", "wine", "breast_cancer", "digits")
    param_names = ("table",)

    def setup(self, table):
        self.X, self.y = getattr(datasets, f"load_{table}")(return_X_y=True)

    def track_accuracy(self, _):
        return mean_score(NDKClassifierCV(), self.X, self.y, StratifiedKFold)


class Numbers:
    params = ("diabetes", "friedman1", "friedman2", "friedman3")
    param_names = ("table",)

    def setup(self, table):
        if table == "diabetes":
            self.X, self.y = datasets.load_diabetes(return_X_y=True)
        else:
            make = getattr(datasets, f"make_{table}")
            self.X, self.y = make(MOST_ROWS, random_state=0)
            noise = np.random.default_rng(0).standard_normal(MOST_ROWS)
            self.y += 0.3 * self.y.std() * noise

    def track_r2(self, _):
        model = NDKRegressorCV(normalize_y=True)
        return mean_score(model, self.X, self.y, KFold)
