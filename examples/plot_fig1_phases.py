"""
Figure 1: the two phases of learning
====================================

Gradient descent is fast, smooth, and the same at all temperatures. Diffusion is slow,
noisy, and its time is set by the temperature.
"""

# %%
# The paper's synthetic task has orthogonal inputs with random labels. Each test point
# overlaps with one training input, has its label and is orthogonal to the others. The
# overlap of 0.5, the temperatures, and one hidden layer of relu units, are our choice.
# As many labels are positive as negative; then the mean prediction at a test point is
# its label times a function ``g(t)``, which does not depend on the number of samples.
# So we take four, which makes simulations cheap.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ndk import NDKRegressor
from sklearn_ndk.datasets import make_orthogonal
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel
from sklearn_ndk.simulation import simulate_langevin

X, y, X_test, y_test = make_orthogonal(4, overlap=0.5, random_state=1)
assert y.sum() == 0


def course(times, **network):
    """Return g(t), the mean prediction at test points times their labels."""
    path = NDKRegressor(**network).fit(X, y).predict_path(X_test, times)
    return y_test @ path / len(y_test)


Z, z, Z_test, z_test = make_orthogonal(40, overlap=0.5, random_state=7)
assert z.sum() == 0
more = z_test @ NDKRegressor(t=2.0).fit(Z, z).predict(Z_test) / 40
assert np.isclose(more, course([2.0])[0], atol=1e-5)

theta, nngp = ntk_kernel(X), nngp_kernel(X)
rate = theta[0, 0] - theta[0, 1]  # of the mode that the labels are in
ridge_scale = nngp[0, 0] - nngp[0, 1]  # what T / sigma^2 is to be compared with
print(f"gradient descent decays as exp(-{rate:.3f} t)")

# %%
# **Single networks (b).** Networks of width 100 at ``T = 0.001``, with
# ``sigma = sigma0 = 1`` as everywhere but in (d). Each has a twin with the same initial
# weights and no noise. Early on the noise adds a variance of ``2 T t NTK(x, x)`` or
# less, and a network follows its twin. Late, it wanders, while the mean stands still.

T = 1e-3
times = np.geomspace(0.01, 3 / T, 300)
early, late = times < 2 / rate, times > 1 / T
settings = {"width": 100, "n_networks": 16, "step_size": 0.1, "random_state": 0}
noisy = simulate_langevin(X, y, X_test, times, T=T, **settings).predictions
twins = simulate_langevin(X, y, X_test, times[early], T=0.0, **settings).predictions

departure = np.sqrt(np.mean((noisy[..., early] - twins) ** 2, axis=(0, 1)))
expected = np.sqrt(2 * T * times[early] * theta[0, 0])
wandering = np.sqrt(np.mean((noisy[..., -1] - noisy[..., late][..., 0]) ** 2))
standing = np.ptp(course(times[late][[0, -1]], T=T))
print(
    f"departure from the twin at t = {times[early][-1]:.2f}: {departure[-1]:.3f}, "
    f"by the noise at most {expected[-1]:.3f}"
)
print(
    f"from t T = 1 to 3: a network moves by {wandering:.2f}, the mean by {standing:.4f}"
)
n_paths = 16 * 4
assert np.all(departure < expected * (1 + 4 / np.sqrt(2 * n_paths)))  # 4 std errors
assert wandering > 5 * departure[-1]

# %%
# **Temperature (c).** It does not touch the gradient-driven phase: predictions are
# those of the NTK without noise, up to two small terms of opposite signs. By the time
# ``t`` a share ``sqrt(2 T t / sigma^2) / (2 pi)`` of all relu units has switched off
# for a given input, and the NTK's diagonal lost as much; and the weights have decayed
# by ``T t / sigma^2``. In the diffusive phase predictions depend on ``T t`` alone
# (inset), up to the ridge: ``T / sigma^2`` over the eigenvalue of the NNGP kernel. At
# ``T = 0.01`` that is 3% of the prediction, which is a quarter of the rise in this
# phase, and seen in the inset; at ``T = 0.001`` a tenth of it.

temperatures = (1e-4, 1e-3, 1e-2)
grid = np.geomspace(0.01, 2e5, 300)
by_temperature = {T: course(grid, T=T) for T in temperatures}
soon, taus = np.geomspace(0.01, 2 / rate, 50), np.geomspace(0.1, 6, 50)
flow, limit = course(soon, limit="ntk"), course(taus / 1e-7, T=1e-7)
plateau = course([np.inf], limit="ntk")[0]
errors = []
for T in temperatures:
    rise = course([np.inf], T=T)[0] - plateau
    excess = np.abs(course(soon, T=T) - flow)
    errors.append(np.max(np.abs(course(taus / T, T=T) - limit)))
    print(
        f"T = {T:g}: early, off the NTK by at most {excess.max():.1e}, of a rise of "
        f"{rise:.3f}; late, off the limit of small T by at most {errors[-1]:.1e}"
    )
    tolerance = 2e-6  # of two solutions
    assert np.all(excess < np.sqrt(2 * T * soon) / (2 * np.pi) + tolerance)
    assert excess.max() < 0.03 * rise
    assert errors[-1] < T / ridge_scale
apart = np.max(np.abs(by_temperature[1e-3] - by_temperature[1e-4]))
print(f"without rescaling, T = 0.001 and T = 0.0001 differ by up to {apart:.3f}")
assert apart > 10 * errors[1]

# %%
# **Variance of the weights (d).** With ``sigma^2 = sigma0^2`` twice as large, the NTK
# of one hidden layer is twice as large, and the rate of diffusion ``T / sigma^2`` half
# of what it was. We measure when ``g`` is half way to where the gradient-driven phase
# ends, and half way from there to equilibrium.

variances = (1.0, 2.0, 4.0)
T = 1e-4
by_variance, halves = {}, []
for variance in variances:
    sigma = np.sqrt(variance)
    g = course(grid, T=T, sigma=sigma, sigma0=sigma)
    equilibrium = course([np.inf], T=T, sigma=sigma)[0]
    half_ways = (plateau / 2, (plateau + equilibrium) / 2)
    halves.append(np.exp(np.interp(half_ways, g, np.log(grid))))
    by_variance[variance] = g
    print(
        f"sigma^2 = {variance:g}: half way at t = {halves[-1][0]:.3f} in the gradient "
        f"phase, at t = {halves[-1][1]:.0f} in the diffusive phase"
    )
    # relu networks: time and temperature can be rescaled instead of the weights
    assert np.allclose(g, course(variance * grid, T=T / variance**2), atol=1e-5)
faster, slower = (np.array(halves) / halves[0]).T
assert np.allclose(faster, 1 / np.array(variances), rtol=0.02)
assert np.allclose(slower, variances, rtol=0.02)

# %%
# **Simulation (e).** The mean over networks of width 100 at ``T = 0.01`` lies on the
# curve of the theory, within four standard errors. The law of a network is unchanged
# if readouts, noise and targets all change sign. So networks come in pairs that share
# a seed, one trained on the labels and one on their opposites, and half the difference
# of the two stands for both: its mean is the same, and it fluctuates by a fraction of
# what single networks do. Wrong theories are off by more: the NTK alone, or two layers.

T, marks = 1e-2, np.geomspace(0.03, 300, 25)
settings["n_networks"] = 200
pairs = [
    sign * simulate_langevin(X, sign * y, X_test, marks, T=T, **settings).predictions
    for sign in (1, -1)
]
means = np.mean((pairs[0] + pairs[1]) / 2 * y_test[:, None], axis=1)  # of each pair
mean, error = means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(len(means))


def distance(**network):
    """Return the largest distance of the simulated mean, in standard errors."""
    return np.max(np.abs(mean - course(marks, **network)) / error)


shares = np.mean((pairs[0] + pairs[1]).std(axis=0) / 2 / pairs[0].std(axis=0), axis=0)
print(
    f"a pair fluctuates by {shares[0]:.3f} to {shares[-1]:.2f} of what a network does, "
    "from the first time to the last"
)
assert shares.max() < 0.5
off = np.abs(mean - course(marks, T=T))
wrong = distance(T=T, limit="ntk"), distance(T=T, depth=2)
print(f"off the theory by up to {off.max():.4f}, {distance(T=T):.1f} standard errors;")
print("off the NTK's course by {:.1f}, off that of depth 2 by {:.1f}".format(*wrong))
assert distance(T=T) < 4
assert min(wrong) > 6

# %%
# All together:

plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
COLORS, STYLES = ("C0", "C2", "C1"), ("-", "--", "-.")
figure, axes = plt.subplots(2, 2, figsize=(6.4, 5.8), layout="constrained")
singles, warm, large, ensemble = axes.flat
singles.set_title("(b) three networks, T = 0.001")
for path, color in zip(y_test[0] * noisy[:3, 0], COLORS, strict=True):
    singles.plot(times, path, color=color, linewidth=1)
singles.lines[0].set_label("networks")
singles.plot(times, course(times, T=1e-3), color="black", label="mean, theory")
warm.set_title("(c) temperature")
warm.set_ylim(top=0.65)  # room for the legend
large.set_title("(d) variance of weights, T = 0.0001")
for ax, curves, name in (
    (warm, by_temperature, "T"),
    (large, by_variance, r"$\sigma^2 = \sigma_0^2$"),
):
    for (value, g), color, style in zip(curves.items(), COLORS, STYLES, strict=True):
        ax.plot(grid, g, style, color=color, label=f"{name} = {value:g}")
ensemble.set_title("(e) mean of 200 pairs, T = 0.01")
smooth = np.geomspace(marks[0], marks[-1], 200)
ensemble.plot(smooth, course(smooth, T=1e-2), color="black", label="theory")
points = {"fmt": "o", "color": COLORS[0], "markersize": 4}
ensemble.errorbar(marks, mean, 2 * error, label="simulation, 2 s.e.", **points)
collapse = warm.inset_axes((0.56, 0.14, 0.42, 0.36), xscale="log", xlim=(3e-2, 30))
collapse.set_title("against T t", fontsize="small")
collapse.tick_params(labelsize="small")
for (T, g), color, style in zip(by_temperature.items(), COLORS, STYLES, strict=True):
    collapse.plot(T * grid, g, style, color=color)
collapse.set_ylim(plateau - 0.02, plateau + 0.08)
for ax in axes.flat:
    ax.set(xscale="log")
    ax.title.set_size("medium")
    ax.legend(fontsize="small", loc="upper left" if ax is warm else "best")
for ax in axes[1]:
    ax.set_xlabel("time t (gradient flow)")
for ax in axes[:, 0]:
    ax.set_ylabel("output times label")
plt.show()
