"""
When to stop
============

Two data sets, one network: on handwritten digits it generalises best inside the
diffusive phase, on noisy medical data long before.
"""

# %%
# Is a digit odd or even? Weights start wide, ``sigma0 = 2``, and relax towards
# ``sigma = 1``. Gradient descent fits the training digits early; then, while the
# weights diffuse, the kernel changes, and the best predictions come from the middle
# of that change: better than all that gradient descent reaches, and than equilibrium.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from sklearn_ndk import NDKRegressorCV
from sklearn_ndk.inspection import EarlyStoppingDisplay

folds = KFold(5, shuffle=True, random_state=0)
network = {"depth": 1, "T": 0.01, "sigma0": 2.0, "bias": 0.3}


def summary(name, model):
    """Print the best score in each phase."""
    tau = model.times_ * model.T
    mean = model.cv_results_["mean_test_score"]
    phases = {"gradient": tau < 0.1, "diffusive": (tau >= 0.1) & (tau <= 5)}
    best = ", ".join(f"{phase} {mean[at].max():.3f}" for phase, at in phases.items())
    print(
        f"{name}: best R^2 by phase: {best}, equilibrium {mean[-1]:.3f}; "
        f"chosen tau = {model.t_ * model.T:.3g} ({model.phase_})"
    )


X, digit = load_digits(return_X_y=True)
some = np.random.default_rng(0).permutation(len(digit))[:300]
digits = NDKRegressorCV(times=50, cv=folds, **network)
digits.fit(X[some] / 16, np.where(digit[some] % 2, 1.0, -1.0))
summary("digits", digits)

# %%
# Progression of diabetes is mostly noise: every eigenvector of the kernel that
# training goes on to learn makes predictions worse, and the best time is that of the
# first few.

X, y = load_diabetes(return_X_y=True)
diabetes = NDKRegressorCV(times=50, cv=folds, **network).fit(scale(X), scale(y))
summary("diabetes", diabetes)

# %%
# The displays mark where gradient descent begins, ``1 / lambda_max``, and where the
# weights have diffused, ``sigma^2 / T``.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, model, title in zip(
    axes, (digits, diabetes), ("digits, odd or even", "diabetes"), strict=True
):
    EarlyStoppingDisplay.from_estimator(model, ax=ax)
    ax.set(title=title, ylim=(0, None))
plt.show()
