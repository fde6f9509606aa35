"""
Which features matter?
======================

Networks of one length scale look at all features alike. Scales of the features, chosen
from the data, tell which ones matter.
"""

# %%
# One feature in ten
# ------------------
# Of ten features, the target depends on the first alone: ``sin(2 x)`` of a standard
# deviation of 3.7, and noise of 0.5. There are 300 rows. Errors below are those of
# predictions of the sine without noise.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from sklearn_ndk import NDKRegressor, NDKRegressorCV
from sklearn_ndk.inspection import LengthScaleDisplay

rng = np.random.default_rng(0)
X, X_test = rng.standard_normal((300, 10)), rng.standard_normal((1000, 10))
noise = 0.5 * rng.standard_normal(300)


def signal(X, frequency=2):
    """Return the target without its noise."""
    return 3.7 * np.sqrt(2) * np.sin(frequency * X[:, 0])


def error(model, frequency=2):
    """Return the root mean squared error of a model, once it is fitted."""
    model.fit(X, signal(X, frequency) + noise)
    off = signal(X_test, frequency) - model.predict(X_test)
    return np.sqrt(np.mean(off**2))


# %%
# Kernels of one scale hardly find it: neither that of the Bayesian network, nor the
# NTK, nor any time between. Trees, which choose features one at a time, do. So does
# ``length_scale="auto"``, the default of `NDKRegressorCV`: each feature has a scale of
# its own, which is the shorter the more the target depends on it.

one = {"depth": 2, "T": 0.01, "bias": 0.3, "length_scale": 1.0, "normalize_y": True}
model = NDKRegressorCV(normalize_y=True)
models = {
    "NNGP, one scale": NDKRegressor(limit="nngp", **one),
    "NTK, one scale": NDKRegressor(limit="ntk", **one),
    "NDKRegressorCV, one scale": NDKRegressorCV(**one),
    "HistGradientBoostingRegressor": HistGradientBoostingRegressor(random_state=0),
    "NDKRegressorCV, ten scales": model,
}
errors = {"the mean": signal(X_test).std()}
errors |= {name: error(other) for name, other in models.items()}
for name, value in errors.items():
    print(f"{name:32s}{value:7.3f}")
print(f"\nscales {model.length_scale_.round(2)}")

assert all(errors[name] > 0.8 * errors["the mean"] for name in list(models)[:3])
assert errors["NDKRegressorCV, ten scales"] < 0.05 * errors["the mean"]
assert errors["HistGradientBoostingRegressor"] > 0.2 * errors["the mean"]
assert np.all(model.length_scale_[1:] > 100 * model.length_scale_[0])

# %%
# Where it ends
# -------------
# The choice starts from what networks of one scale have learned. Of a faster wave they
# learn nothing, and then nothing is found, whereas trees still find it. Another start
# may help: see :doc:`../length_scale`.

print("\nfrequency    one scale    ten scales")
for frequency in (1, 2, 3):
    off = [error(other, frequency) for other in (NDKRegressorCV(**one), model)]
    print(f"{frequency:<9d}{off[0]:13.3f}{off[1]:14.3f}")
    assert (off[1] < 1) == (frequency < 3)
assert error(HistGradientBoostingRegressor(random_state=0), 3) < 2

# %%
# `LengthScaleDisplay` draws one over each scale.

plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
error(model)
LengthScaleDisplay.from_estimator(model, ax=left)
left.set_title("scales chosen from the data")
shown = list(errors)[::-1]
bars = right.barh(shown, [errors[name] for name in shown])
right.bar_label(bars, fmt="%.2f", padding=3, fontsize="small")
right.set(xlabel="root mean squared error", title="predictions of held-out rows")
right.set_xlim(0, 4.5)
plt.show()
