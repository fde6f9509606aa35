"""
Theory against your own network
===============================

The theory is exact for infinite width. How wide must a network be for it to hold?
One call of :func:`~sklearn_ndk.simulation.simulate_langevin` trains an ensemble of
networks of finite width on the data, parameters and times given to
:class:`~sklearn_ndk.NDKRegressor`, and knows nothing of the theory.

Here the data are 0s and 1s of scikit-learn's digits. Their targets are large, 3 and -3,
so that the gap to the theory is seen above the sampling error. It should shrink like
one over the width, if the networks are wide enough.
"""

# %%
# The theory, and networks of width 64 to 2048
# --------------------------------------------
# Replace `X`, `y` and `X_eval` by data of your own. The wider the networks the fewer
# are trained, so that each width costs about the same.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklearn_ndk import NDKRegressor
from sklearn_ndk.simulation import simulate_langevin

X, y = load_digits(n_class=2, return_X_y=True)
X, y = X / 16, 3.0 * (2 * y - 1)
X, y, X_eval = X[:10], y[:10], X[100:110]
network = {"depth": 1, "activation": "relu", "T": 0.2}
times = np.array([0.3, 1, 3, 7, 15])

theory = NDKRegressor(**network).fit(X, y).predict_path(X_eval, times)
size = np.abs(theory[:, -1]).mean()

widths = np.array([64, 128, 256, 512, 1024, 2048])
gaps, errors = [], []
for width in widths:
    n_networks = max(64, 2**16 // width)
    simulated = simulate_langevin(
        X, y, X_eval, times, **network, width=width, n_networks=n_networks,
        random_state=width, n_jobs=2,
    )  # fmt: skip
    # of each network: the excess over the theory, averaged over the inputs
    excess = (np.sign(theory) * (simulated.predictions - theory)).mean(axis=1) / size
    gaps.append(excess.mean(axis=0))
    errors.append(excess.std(axis=0, ddof=1) / np.sqrt(n_networks))
gaps, errors = np.array(gaps), np.array(errors)

print("Excess of the mean output over the theory, relative to its final size")
print("width  " + "".join(f"      t = {t:<7g}" for t in times))
for width, gap, error in zip(widths, gaps, errors, strict=True):
    cells = (f"{g:8.4f} ± {e:.4f}" for g, e in zip(gap, error, strict=True))
    print(f"{width:5d}  " + " ".join(cells))

# %%
# Wide networks: the gap closes like one over the width
# -----------------------------------------------------
# We fit a power of the width to the gaps, weighted by their errors, from width 256 on
# and from 512 on. Three standard errors decide. At ``t = 3`` and 7 the gap agrees with
# one over the width from 256 on, and at ``t = 7`` a power of -0.7 is rejected. At
# ``t = 15`` a power of -1 is rejected: late in training, higher orders still matter at
# widths of some hundreds. From 512 on, -1 is within the error, which is larger: it
# does not reject -0.7 either.


def fit_power(i, narrowest):
    """Return the power of the width that the gap at times[i] follows, and its error."""
    wide = widths >= narrowest
    gap, error = gaps[wide, i], errors[wide, i]
    (power, _), covariance = np.polyfit(
        np.log(widths[wide]), np.log(gap), 1, w=gap / error, cov="unscaled"
    )
    return np.array([power, np.sqrt(covariance[0, 0])])


powers, power_errors = np.moveaxis(
    [[fit_power(i, width) for width in (256, 512)] for i in (2, 3, 4)], -1, 0
)
print("The power of the width from 256 on, and from 512 on")
for t, row, error_row in zip(times[2:], powers, power_errors, strict=True):
    cells = (f"{p:5.2f} ± {e:.2f}" for p, e in zip(row, error_row, strict=True))
    print(f"t = {t:<4g}" + "   ".join(cells))
deviations = np.abs(powers + 1) / power_errors
assert np.all(deviations[:2] < 3)
assert powers[1, 0] + 3 * power_errors[1, 0] < -0.7
assert deviations[2, 0] > 3 > deviations[2, 1]
law = gaps[2, 3] * widths[2] / widths[-1]
assert abs(gaps[-1, 3] - law) < 3 * errors[-1, 3]

# %%
# Both phases, and the gap against the width
# ------------------------------------------
plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
fine = np.geomspace(0.1, 30, 60)
curve = NDKRegressor(**network).fit(X, y).predict_path(X_eval, fine)
left.plot(fine, (np.sign(theory[:, -1:]) * curve).mean(axis=0), "k", label="theory")
final = (np.sign(theory) * theory).mean(axis=0)
for row, marker, color in ((0, "v", "C2"), (2, "s", "C1"), (5, "o", "C0")):
    left.errorbar(
        times, final + size * gaps[row], size * 2 * errors[row],
        fmt=marker, color=color, markersize=5, label=f"width {widths[row]}",
    )  # fmt: skip
left.axvline(1 / network["T"], color="0.4", linestyle=":", linewidth=1)
left.annotate(
    r"$\sigma^2/T$",
    (1 / network["T"], left.get_ylim()[0]),
    xytext=(3, 3),
    textcoords="offset points",
    color="0.4",
)
left.set_xscale("log")
left.set_xlabel("training time t (gradient flow)")
left.set_ylabel("mean output towards its final sign")
left.legend()

for j, marker, color in ((2, "v", "C2"), (3, "s", "C1"), (4, "o", "C0")):
    right.errorbar(
        widths, gaps[:, j], 2 * errors[:, j],
        fmt=marker, color=color, markersize=5, label=f"t = {times[j]:g}",
    )  # fmt: skip
right.plot(widths, gaps[2, 3] * widths[2] / widths, "k--", label="1 / width")
right.set_xscale("log", base=2)
right.set_yscale("log")
right.set_ylim(5e-3, 2)
right.set_xticks(widths, widths)
right.set_xlabel("width")
right.set_ylabel("excess over the theory / final size")
right.legend()
plt.show()
