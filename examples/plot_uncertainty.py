"""
From deep ensemble to Bayes
===========================

Networks of one ensemble differ in their initial weights and in the noise of their
training. Early on, their spread is that of a deep ensemble; in the end, it is that of
the Bayesian posterior.
"""

# %%
# Three points on a line
# ----------------------
# ``predict_path(X, times, return_std=True)`` gives the standard deviation over networks
# of the output. It depends on the inputs of training, but not on the targets. Weights
# start wider, ``sigma0 = 1.5``, than the prior, ``sigma = 1``. Biases let networks of
# one input do more than scale it.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import normalize

from sklearn_ndk import NDKRegressor
from sklearn_ndk.inspection import PredictionPathDisplay
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel
from sklearn_ndk.simulation import simulate_langevin

T = 0.02
network = {"depth": 1, "activation": "relu", "sigma0": 1.5, "bias": 1.0}
X = np.array([[-1.5], [0.0], [1.5]])
y = np.cos(2 * X[:, 0])
line = np.linspace(-3, 3, 121)[:, None]

model = NDKRegressor(T=T, **network).fit(X, y)
flow = NDKRegressor(limit="ntk", **network).fit(X, y)
rates = np.linalg.eigvalsh(ntk_kernel(X, sigma0=1.5, bias=1.0))
print(f"gradient descent learns at the rates {rates.round(2)}, diffusion at {T}")

# %%
# At ``t = 3`` gradient descent has learned the three points, and the weights have
# hardly diffused, ``tau = T t / sigma^2 = 0.06``. Away from the data the spread is that
# of gradient flow without noise: of a deep ensemble, which remembers for ever where it
# started. At the data, noise keeps the networks apart. In the end they have forgotten
# ``sigma0``, and the variance is that of Gaussian process regression with the NNGP
# kernel and noise of variance `T`.

times = np.array([0.3, 3, 100])
mean, std = model.predict_path(line, [*times, np.inf], return_std=True)
ensemble = flow.predict(line, return_std=True)[1]  # after infinite time

kernel, cross = nngp_kernel(X, bias=1.0), nngp_kernel(line, X, bias=1.0)
prior = np.diag(nngp_kernel(line, bias=1.0))
solved = np.linalg.solve(kernel + T * np.eye(len(X)), cross.T)
posterior = np.sqrt(prior - np.sum(cross * solved.T, axis=1))

heads = "".join(f"   t = {t:<5g}" for t in times)
print(f"\n   x   deep ensemble{heads}    Bayes")
for i in range(0, 121, 20):
    cells = "".join(f"{s:12.3f}" for s in std[i, :3])
    print(f"{line[i, 0]:4g}{ensemble[i]:16.3f}{cells}{posterior[i]:9.3f}")
assert np.allclose(std[:, 3], posterior, atol=1e-6)
far = np.abs(line[:, 0]) > 2
assert np.allclose(std[far, 1], ensemble[far], rtol=0.1)
assert np.allclose(std[:, 2], posterior, rtol=0.1)
assert np.all(ensemble[far] > 1.3 * posterior[far])
at_data = [np.argmin(np.abs(line[:, 0] - x)) for x in X[:, 0]]
assert np.all(ensemble[at_data] < 1e-3)

# %%
# Real networks, of width 128, do the same. The standard deviation over 200 of them has
# a standard error of ``1 / sqrt(2 * 200)`` of its size, and differs from the theory by
# four of these at most. Away from the data, Bayes is ruled out early, and the deep
# ensemble late.

n_networks = 200
X_eval = line[::15]
simulated = simulate_langevin(
    X, y, X_eval, times, T=T, **network, width=128, n_networks=n_networks,
    random_state=0,
)  # fmt: skip
found = simulated.predictions.std(axis=0, ddof=1)
share = 1 / np.sqrt(2 * n_networks)  # the standard error, relative


def distance(theory, rows=slice(None)):
    """Return by how many standard errors rows are off at most, at each time."""
    ratio = found[rows] / theory[::15][rows]
    return np.max(np.abs(ratio - 1), axis=0) / share


off = distance(std[:, :3])
off_bayes = distance(posterior[:, None], far[::15])
off_ensemble = distance(ensemble[:, None], far[::15])
print("\nat times" + "".join(f"{t:6g}" for t in times) + ", in standard errors, off")
for what, row in (
    ("theory", off), ("Bayes", off_bayes), ("deep ensemble", off_ensemble)
):  # fmt: skip
    print("        " + "".join(f"{d:6.1f}" for d in row) + f"  {what}")
assert np.all(off < 4)
assert off_bayes[1] > 8
assert off_ensemble[2] > 8

# %%
# Bands are two standard deviations wide to each side.

plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
COLORS = ("C2", "C1", "C0")
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for i, color, name in ((1, "C1", "t = 3"), (3, "C0", r"t = $\infty$")):
    left.plot(line, mean[:, i], color=color, label=name)
    edges = mean[:, i] - 2 * std[:, i], mean[:, i] + 2 * std[:, i]
    left.fill_between(line[:, 0], *edges, color=color, alpha=0.2, linewidth=0)
left.plot(X, y, "ko", label="training data")
left.set(title="outputs of the ensemble", xlabel="input x", ylabel="output")
left.legend(loc="upper center", ncols=3, fontsize="small")
left.set_ylim(top=3)  # room for the legend
for i, (color, marker) in enumerate(zip(COLORS, "vso", strict=True)):
    name = f"t = {times[i]:g}, " + rf"$\tau$ = {T * times[i]:g}"
    right.plot(line, std[:, i], color=color, label=name)
    right.errorbar(
        X_eval[:, 0], found[:, i], 2 * share * found[:, i],
        fmt=marker, color=color, markersize=4,
    )  # fmt: skip
right.plot(line, ensemble, "k--", linewidth=1, label="deep ensemble, no noise")
right.plot(line, posterior, "k:", label="Bayes")
right.plot(X, np.zeros(len(X)), "k|", markersize=12)
right.set(title="spread; marks: real networks, 2 s.e.", xlabel="input x")
right.set(ylabel="standard deviation of the output", ylim=(0, None))
right.legend(fontsize="small", loc="upper center")
plt.show()

# %%
# Digits that the networks have not seen
# --------------------------------------
# The networks learn to tell 0 from 1, from 150 images. How far apart are they on held
# out images of both, on other digits, and on images of 0 and 1 whose pixels are
# shuffled? All are scaled to the same norm. So, before training, all have the same
# spread.

images, digit = load_digits(return_X_y=True)
images = normalize(images) * np.sqrt(images.shape[1])
rng = np.random.default_rng(0)
own, other = (rng.permutation(np.flatnonzero((digit < 2) == b)) for b in (True, False))
X, y = images[own[:150]], 2.0 * digit[own[:150]] - 1
held_out = {
    "0 and 1": images[own[150:300]],
    "other digits": images[other[:150]],
    "shuffled pixels": rng.permuted(images[own[150:300]], axis=1),
}

T = 0.01
model = NDKRegressor(T=T).fit(X, y)
times = np.concatenate([[0], np.geomspace(1e-4, 5 / T, 60), [np.inf]])
spread = {
    name: model.predict_path(rows, times, return_std=True)[1]
    for name, rows in held_out.items()
}
quartiles = {name: np.quantile(s, (0.25, 0.5, 0.75), 0) for name, s in spread.items()}

# %%
# Training narrows the spread where it has data. Images from outside keep a larger one:
# late in training, it is a score that tells them from those of 0 and 1. The area under
# the curve (AUC) is the chance that an image from outside has a larger spread than one
# of 0 and 1.

shown = [np.searchsorted(times, t) for t in (1e-3, 1e-2, 0.1, 1, 10, np.inf)]
print("\nmedian spread and, in brackets, the AUC")
print(f"{'t':<16}" + "".join(f"{times[i]:14.2g}" for i in shown))
auc = {}
for name, (_, median, _) in quartiles.items():
    auc[name] = [
        roc_auc_score(np.repeat([0, 1], 150), np.r_[inside, outside])
        for inside, outside in zip(spread["0 and 1"].T, spread[name].T, strict=True)
    ]
    cells = "".join(f"  {median[i]:.3f} ({auc[name][i]:.2f})" for i in shown)
    print(f"{name:<16}{cells}")
    assert np.allclose(spread[name][:, 0], median[0])
    if name != "0 and 1":
        assert quartiles[name][0, -1] > 1.5 * quartiles["0 and 1"][2, -1]
        assert auc[name][-1] > 0.99
assert auc["other digits"][shown[0]] < 0.9
before, after = (quartiles["0 and 1"][1, i] for i in (0, -1))
assert after < 0.2 * before

# %%
# Left: medians and quartiles. Right: three single images, one of each kind, by the
# display, which marks the fastest rate of gradient descent and that of diffusion.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
moving = slice(1, -1)  # finite times on a logarithmic axis
for name, color, style in zip(spread, COLORS[::-1], ("-", "--", "-."), strict=True):
    low, median, high = quartiles[name][:, moving]
    left.plot(times[moving], median, style, color=color, label=name)
    left.fill_between(times[moving], low, high, color=color, alpha=0.2, linewidth=0)
left.set(xscale="log", xlabel="training time t (gradient flow)", ylim=(0, None))
left.set(ylabel="standard deviation of the output", title="held-out images")
left.legend(loc="lower left", fontsize="small")
above = left.secondary_xaxis("top", functions=(lambda t: T * t, lambda tau: tau / T))
above.set_xlabel(r"$\tau = T t / \sigma^2$")

some = np.array([rows[0] for rows in held_out.values()])
display = PredictionPathDisplay.from_estimator(model, some, std=True, ax=right)
for curve, band, color in zip(
    display.lines_, display.bands_, COLORS[::-1], strict=True
):
    curve.set_color(color)
    band.set(color=color, alpha=0.2)
right.set(title="one of each, mean output and spread", ylim=(-2.2, None))
right.legend(loc="lower left", fontsize="small")
plt.show()
