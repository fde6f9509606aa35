"""Fits and predictions of the estimators."""

import numpy as np
from sklearn.datasets import load_digits

from sklearn_ndk import NDKClassifier, NDKRegressor

T = 0.01


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:1000] / 16, np.where(y[:1000] % 2, 1.0, -1.0), X[-200:] / 16


class Fit:
    params = (["relu", "erf"], [20 / T, np.inf], [1e-3, 1e-6])
    param_names = ("activation", "t", "tol")

    def setup(self, activation, t, tol):
        self.X, self.y, _ = digits()
        self.model = NDKRegressor(2, activation, T=T, sigma0=1.4, t=t, tol=tol)

    def time_fit(self, *_):
        self.model.fit(self.X, self.y)

    def peakmem_fit(self, *_):
        self.model.fit(self.X, self.y)


class Accuracy:
    params = (["relu", "erf"], [1e-3, 1e-6])
    param_names = ("activation", "tol")
    timeout = 600

    def track_error(self, activation, tol):
        X, y, Xs = digits()
        times = np.geomspace(1e-4, 20 / T, 40)
        coarse, refined = (
            NDKRegressor(2, activation, T=T, sigma0=1.4, t=20 / T, tol=accuracy)
            .fit(X, y)
            .predict_path(Xs, times)
            for accuracy in (tol, 1e-3 * tol)
        )
        return np.abs(coarse - refined).max()


class Predict:
    def setup(self):
        X, y, self.Xs = digits()
        self.model = NDKRegressor(2, T=T, sigma0=1.4, t=20 / T).fit(X, y)
        self.times = np.geomspace(1e-3, 20 / T, 50)

    def time_predict(self):
        self.model.predict(self.Xs, t=10.0)

    def time_predict_one_row(self):
        self.model.predict(self.Xs[:1], t=10.0)

    def time_predict_path(self):
        self.model.predict_path(self.Xs, self.times)


class Classify:
    def setup(self):
        X, y = load_digits(return_X_y=True)
        self.X, self.y = X[:500] / 16, y[:500]

    def time_fit_ten_classes(self):
        NDKClassifier(2, T=T, t=20 / T).fit(self.X, self.y)
