"""
Theory against your own network
===============================

The theory is exact for infinite width. How wide must a network be for it to hold?
One call of :func:`~sklearn_ndk.simulation.simulate_langevin` trains an ensemble of
networks of finite width on the data, parameters and times given to
:class:`~sklearn_ndk.NDKRegressor`, and knows nothing of the theory.

Here the data are 0s and 1s of scikit-learn's digits. Targets of 3 in place of 1 make
the networks learn features, which infinitely wide ones do not, so that the gap to the
theory is seen above the sampling error. It should shrink like one over the width.
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
# The gap closes like one over the width
# --------------------------------------
# The exponent is that of a weighted fit of the gap at ``t = 3`` to the widest four.
i = 2
wide = widths >= 256
exponent, variance = np.polyfit(
    np.log(widths[wide]),
    np.log(gaps[wide, i]),
    1,
    w=gaps[wide, i] / errors[wide, i],
    cov="unscaled",
)
exponent, exponent_error = exponent[0], np.sqrt(variance[0, 0])
print(f"gap at t = {times[i]:g}: width^({exponent:.2f} ± {exponent_error:.2f})")
assert abs(exponent + 1) < 3 * exponent_error + 0.1
assert np.all(gaps[-1] < np.maximum(gaps[0] / 4, 4 * errors[-1]))

# %%
# Both phases, and the gap against the width
# ------------------------------------------
blue, orange, green = "#0072B2", "#D55E00", "#009E73"
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
fine = np.geomspace(0.1, 30, 60)
curve = NDKRegressor(**network).fit(X, y).predict_path(X_eval, fine)
left.plot(fine, (np.sign(theory[:, -1:]) * curve).mean(axis=0), "k", label="theory")
final = (np.sign(theory) * theory).mean(axis=0)
for row, marker, color in ((0, "v", orange), (2, "s", green), (5, "o", blue)):
    left.errorbar(
        times, final + size * gaps[row], size * 2 * errors[row],
        fmt=marker, color=color, markersize=5, label=f"width {widths[row]}",
    )  # fmt: skip
left.axvline(1 / network["T"], color="#666666", linestyle=":", linewidth=1)
left.annotate(
    r"$\sigma^2/T$",
    (1 / network["T"], left.get_ylim()[0]),
    xytext=(3, 3),
    textcoords="offset points",
    color="#666666",
)
left.set_xscale("log")
left.set_xlabel("training time t (gradient flow)")
left.set_ylabel("mean output towards its final sign")
left.legend()

for j, marker, color in ((1, "v", orange), (2, "s", green), (4, "o", blue)):
    right.errorbar(
        widths, gaps[:, j], 2 * errors[:, j],
        fmt=marker, color=color, markersize=5, label=f"t = {times[j]:g}",
    )  # fmt: skip
right.plot(widths, gaps[3, i] * widths[3] / widths, "k--", label="1 / width")
right.set_xscale("log", base=2)
right.set_yscale("log")
right.set_ylim(1e-3, 1)
right.set_xticks(widths, widths)
right.set_xlabel("width")
right.set_ylabel("excess over the theory / final size")
right.legend()
plt.show()
