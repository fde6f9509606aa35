"""
When to stop
============

Two data sets, one network: on handwritten digits it generalises best inside the
diffusive phase, on noisy medical data long before.
"""

# %%
# Is a digit odd or even? Weights start wide, ``sigma0 = 2``, and relax towards
# ``sigma = 1``. Gradient descent learns the training digits; then, while the weights
# diffuse, the kernel changes, and the best predictions come from the middle of that
# change. They are better than at equilibrium, and better than all that gradient flow
# reaches without noise, ``limit="ntk"``: in every fold here.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from sklearn_ndk import NDKRegressorCV
from sklearn_ndk.inspection import EarlyStoppingDisplay

network = {"depth": 1, "T": 0.001, "sigma0": 2.0, "bias": 0.3, "length_scale": 1.0}
folds = KFold(5, shuffle=True, random_state=0)


def fit(X, y, **parameters):
    """Return the network with the best time, chosen on the folds."""
    return NDKRegressorCV(times=50, cv=folds, **network | parameters).fit(X, y)


def scores(model, index):
    """Return the score of each fold at one of the times."""
    results = model.cv_results_
    return np.array([results[f"split{i}_test_score"][index] for i in range(5)])


def gains(name, model, flow):
    """Print scores; return by fold what is gained on equilibrium and on the flow."""
    best, tau = scores(model, model.best_index_), model.t_ * model.T
    print(f"{name}: R^2 is {best.mean():.3f} at tau = {tau:.3g}, {model.phase_} phase")
    differences = []
    for what, other in (
        ("at equilibrium", scores(model, -1)),
        ("at best in gradient flow", scores(flow, flow.best_index_)),
    ):
        differences.append(best - other)
        cells = " ".join(f"{d:.3f}" for d in differences[-1])
        print(f"  {other.mean():.3f} {what}; gained, by fold: {cells}")
    return differences


X, digit = load_digits(return_X_y=True)
some = np.random.default_rng(0).permutation(len(digit))[:300]
X, y = X[some] / 16, np.where(digit[some] % 2, 1.0, -1.0)
digits, flow_digits = fit(X, y), fit(X, y, limit="ntk")
on_equilibrium, on_flow = gains("digits", digits, flow_digits)
assert digits.phase_ == "diffusive"
assert np.all(on_equilibrium > 0)
assert np.all(on_flow > 0)

# %%
# That is so at this temperature and with these weights. Noise costs: at ``T = 0.01`` it
# keeps the network from learning what gradient flow would. With less noise or smaller
# weights at the start, equilibrium does as well as any time before.

for changed in ({"T": 0.01}, {"T": 1e-6}, {"sigma0": 1.0}):
    model = fit(X, y, **changed)
    best, end = model.best_score_, scores(model, -1).mean()
    print(f"digits, {changed}: R^2 at best {best:.3f}, at equilibrium {end:.3f}")
    if "T" in changed:
        assert (best > flow_digits.best_score_) == (model.T < 0.001)
    assert (best - end < 1e-3) == (changed != {"T": 0.01})

# %%
# Progression of diabetes is mostly noise, and most of what training goes on to learn
# makes predictions worse: the best time is that of the first few eigenvectors. Gradient
# flow, stopped as early, does the same.

X, y = load_diabetes(return_X_y=True)
diabetes, flow_diabetes = fit(scale(X), scale(y)), fit(scale(X), scale(y), limit="ntk")
on_equilibrium, on_flow = gains("diabetes", diabetes, flow_diabetes)
ends = scores(diabetes, -1).mean(), scores(flow_diabetes, -1).mean()
print("diabetes: R^2 in the end {:.3f}, of gradient flow {:.3f}".format(*ends))
assert diabetes.phase_ == "gradient"
assert abs(on_flow.mean()) < 0.01
assert diabetes.best_score_ > 0.05 + max(ends)

# %%
# The displays mark where gradient descent begins, ``1 / lambda_max``, and where the
# weights have diffused, ``sigma^2 / T``. Dashed: gradient flow.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, model, flow, title, ylim in (
    (axes[0], digits, flow_digits, "digits, odd or even", (0.4, 0.97)),
    (axes[1], diabetes, flow_diabetes, "diabetes", (0, 0.6)),
):
    shown = flow.times_ < model.times_[-2]
    mean = flow.cv_results_["mean_test_score"][shown]
    ax.plot(flow.times_[shown], mean, "k--", linewidth=1, label="gradient flow")
    EarlyStoppingDisplay.from_estimator(model, ax=ax)
    ax.set(title=title, ylim=ylim)
plt.show()
