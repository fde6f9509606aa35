"""
Which features matter?
======================

Networks of standardised inputs look at all features alike. Length scales of the
features, found by the evidence of a Gaussian process, tell which ones matter, and
an NDK regressor takes them over.
"""

# %%
# One feature in ten
# ------------------
# Of ten features, the target depends on the first alone: ``sin(3 x)`` of a standard
# deviation of 3.7, and noise of 0.5. There are 300 rows. Errors below are those of
# predictions of the sine without noise.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

from sklearn_ndk import NDKRegressor, NDKRegressorCV
from sklearn_ndk.gaussian_process import NNGP

rng = np.random.default_rng(0)
N_FEATURES = 10


def signal(X):
    """Return the target without its noise."""
    return 3.7 * np.sqrt(2) * np.sin(3 * X[:, 0])


X = rng.standard_normal((300, N_FEATURES))
y = signal(X) + 0.5 * rng.standard_normal(300)
X_test = rng.standard_normal((1000, N_FEATURES))
errors = {}


def record(name, model):
    """Keep the root mean squared error of a fitted model."""
    error = signal(X_test) - model.predict(X_test)
    errors[name] = np.sqrt(np.mean(error**2))
    print(f"{name:32s}{errors[name]:7.3f}")


print("root mean squared error")
errors["the mean of y"] = np.sqrt(np.mean((signal(X_test) - y.mean()) ** 2))
print(f"{'the mean of y':32s}{errors['the mean of y']:7.3f}")

# %%
# Kernels of one scale do not find it: neither that of the Bayesian network, nor the
# NTK, nor any time between. The best that cross-validation can do is to stop at once.
# Trees, which choose features one at a time, do find it.

network = {"depth": 1, "activation": "erf", "bias": 1.0, "normalize_y": True}
record("NNGP, one scale", NDKRegressor(limit="nngp", **network).fit(X, y))
record("NTK, one scale", NDKRegressor(limit="ntk", **network).fit(X, y))
record("NDKRegressorCV, one scale", NDKRegressorCV(**network).fit(X, y))
boosting = HistGradientBoostingRegressor(random_state=0).fit(X, y)
record("HistGradientBoostingRegressor", boosting)

# %%
# Scales by the evidence
# ----------------------
# ``NNGP`` is the kernel of the Bayesian network, for scikit-learn's Gaussian process.
# That maximises the evidence, the marginal likelihood of the targets: here over ten
# length scales, the bias, a factor and the noise. It has gradients of all of them.
# Where a scale ends at the upper bound, scikit-learn warns that the bound is close;
# here this is the answer: the feature is not needed.

BOUNDS = (1e-2, 1e3)
kernel = ConstantKernel() * NNGP(
    activation="erf",
    bias=1.0,
    length_scale=np.ones(N_FEATURES),
    sigma_bounds="fixed",
    length_scale_bounds=BOUNDS,
)
process = GaussianProcessRegressor(kernel + WhiteKernel(0.1), normalize_y=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    process.fit(X, y)
found = process.kernel_.k1.k2
factor = process.kernel_.k1.k1.constant_value
noise = process.kernel_.k2.noise_level
print(f"\nscales {found.length_scale.round(2)}")
print(f"bias {found.bias:.2f}, factor {factor:.3g}, noise {noise:.3g} of var(y)\n")

# %%
# The regressor takes the scales, the bias and, for `T`, the noise over the factor. A
# scale far above the values of its feature might as well be infinite, which leaves
# the feature out. At infinite time the regressor is the Gaussian process; earlier it
# is a network in training, now one that looks at the right feature.

scales = np.where(found.length_scale > 30, np.inf, found.length_scale)
scaled = network | {"bias": found.bias, "length_scale": scales, "T": noise / factor}
record("Gaussian process, ten scales", process)
record("NDKRegressor, ten scales", NDKRegressor(**scaled).fit(X, y))
record("NDKRegressorCV, ten scales", NDKRegressorCV(**scaled).fit(X, y))

assert errors["NNGP, one scale"] > 0.9 * errors["the mean of y"]
assert errors["NTK, one scale"] > 0.9 * errors["the mean of y"]
assert errors["NDKRegressorCV, one scale"] > 0.9 * errors["the mean of y"]
assert errors["NDKRegressor, ten scales"] < 0.1 * errors["the mean of y"]
assert errors["NDKRegressorCV, ten scales"] < 0.1 * errors["the mean of y"]
assert errors["HistGradientBoostingRegressor"] > errors["NDKRegressor, ten scales"]
assert np.argmin(scales) == 0
assert np.all(found.length_scale[1:] > 30)

# %%
# This is a case made for length scales: one feature, and noise well below the signal.
# The evidence has several maxima, and the optimiser ends in one of them: started from
# scales of one with "relu" at depth 1, it finds nothing but noise. Try several starts,
# ``n_restarts_optimizer``, and compare ``log_marginal_likelihood_value_``. With as many
# scales as features it can also overfit, the more so the fewer rows there are.

plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
names = [f"x{i}" for i in range(N_FEATURES)]
colors = ["C2", *["C0"] * (N_FEATURES - 1)]
left.bar(names, found.length_scale, color=colors)
left.axhline(BOUNDS[1], color="k", linestyle=":", linewidth=1)
left.text(9.4, 1.1 * BOUNDS[1], "upper bound", ha="right", va="bottom")
left.set(yscale="log", ylim=(0.1, 3e3), ylabel="length scale")
left.set(title="scales found by the evidence")
shown = list(errors)[::-1]
own = ["C2" if "ten scales" in name else "C0" for name in shown]
bars = right.barh(shown, [errors[name] for name in shown], color=own)
right.bar_label(bars, fmt="%.2f", padding=3, fontsize="small")
right.set(xlabel="root mean squared error", title="predictions of held-out rows")
right.set_xlim(0, 5.3)
plt.show()
