"""
Intervals for new targets
=========================

The spread of networks is not an interval for a new target: that has noise of its own.
One line adds it where the temperature is that of the noise. Conformal prediction finds
intervals at any temperature.
"""

# %%
# Three intervals for the progression of diabetes, at a confidence of 90%, scored on
# held-out rows of 10 random splits:
#
# - of the output f: its mean and its standard deviation over networks, at equilibrium,
#   where they are those of the Bayesian posterior;
# - of a new target y: the same, with the variance of the noise added, which is `T`, in
#   units of the variance of the training targets with ``normalize_y=True``, if all
#   hyperparameters are given;
# - conformal, by `MAPIE <https://mapie.readthedocs.io>`_, around the predictions at the
#   best time. It takes residuals of rows that were not trained on, and promises that
#   90% of new targets lie inside, on average over splits, whatever the model.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ndk import NDKRegressorCV

try:
    from mapie.regression import SplitConformalRegressor
except ImportError as error:
    print(f"There is nothing to show without MAPIE: pip install mapie. {error}")
    temperatures = ()
else:
    temperatures = (0.1, 0.2, 0.5, 1.0, 2.0)

CONFIDENCE, N_SPLITS = 0.9, 10
NETWORK = {"bias": 0.3, "length_scale": 1.0, "normalize_y": True}
KINDS = ("f alone", "with noise", "conformal")
X, y = load_diabetes(return_X_y=True)


def score(T, seed):
    """Return the coverage and the mean width of intervals of each kind."""
    X_train, X_rest, y_train, y_rest = train_test_split(
        X, y, train_size=200, random_state=seed
    )
    X_calibrate, X_test, y_calibrate, y_test = train_test_split(
        X_rest, y_rest, train_size=100, random_state=seed
    )
    model = make_pipeline(StandardScaler(), NDKRegressorCV(T=T, **NETWORK))
    model.fit(X_train, y_train)

    mean, std = model.predict(X_test, t=np.inf, return_std=True)
    std_y = np.sqrt(std**2 + T * y_train.var())  # the one line
    reach = norm.ppf((1 + CONFIDENCE) / 2)

    conformal = SplitConformalRegressor(model, CONFIDENCE, prefit=True)
    conformal.conformalize(X_calibrate, y_calibrate)
    low, high = conformal.predict_interval(X_test)[1][:, :, 0].T

    lows = np.array([mean - reach * std, mean - reach * std_y, low])
    highs = np.array([mean + reach * std, mean + reach * std_y, high])
    inside = (lows <= y_test) & (y_test <= highs)
    return inside.mean(axis=1), (highs - lows).mean(axis=1)


# %%
# Networks agree on far more than they know: of new targets, less than half lie within
# 1.6 standard deviations of f. With the noise, intervals are right if `T` is the
# variance of the noise. Models explain half of the variance of these targets, so
# ``T = 0.5`` is about right; there the line is as good as conformal prediction, and
# takes no rows away from training. At other temperatures, intervals are too narrow or
# too wide. Conformal ones cover 90% at each of them; they are as wide for all rows.

scores = []  # of shape (n_temperatures, 2, 3) in the end
if temperatures:
    print("coverage (mean width)" + "".join(f"{kind:>16}" for kind in KINDS))
for T in temperatures:
    coverage, width = np.mean([score(T, seed) for seed in range(N_SPLITS)], axis=0)
    scores.append((coverage, width))
    cells = (f"{c:10.3f} ({w:3.0f})" for c, w in zip(coverage, width, strict=True))
    print(f"T = {T:<17g}" + "".join(cells))

# %%
# Dotted: what was asked for.

if temperatures:
    coverages, widths = np.swapaxes(scores, 0, 1)
    assert np.all(coverages[:, 0] < 0.5)
    assert abs(coverages[2, 1] - CONFIDENCE) < 0.03
    assert coverages[0, 1] < 0.7
    assert coverages[-1, 1] > 0.98
    assert np.all(np.abs(coverages[:, 2] - CONFIDENCE) < 0.03)
    plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for i, (color, marker) in enumerate((("C2", "v"), ("C1", "s"), ("C0", "o"))):
        style = {"color": color, "marker": marker, "label": KINDS[i]}
        left.plot(temperatures, coverages[:, i], **style)
        right.plot(temperatures, widths[:, i], **style)
    left.axhline(CONFIDENCE, color="0.4", linestyle=":", linewidth=1)
    for ax in (left, right):
        ax.set(xscale="log", xlabel="temperature T (variance of the targets = 1)")
        ax.set_xticks(temperatures, temperatures)
        ax.minorticks_off()
    left.set(ylabel="share of held-out targets inside", ylim=(0, 1.02))
    right.set(ylabel="mean width (units of the target)", ylim=(0, None))
    left.legend()
    plt.show()
