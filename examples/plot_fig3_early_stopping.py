"""
Figure 3: early stopping, by depth and initial weights
======================================================

At a low temperature, networks that start with small weights generalise best before
equilibrium, those that start with large ones at equilibrium. How low it must be
depends on depth.
"""

# %%
# In the paper there is such an optimum before equilibrium for small initial weights and
# none for large ones, at depths 1, 2 and 3, and none at greater depth. We find:
#
# - depths 1 to 3 as in the paper, at ``T = 0.001``;
# - "none beyond depth 3" at ``T = 0.001`` and small initial weights only. Of the four
#   temperatures below it is the only one where the limit is 3: the deepest networks
#   with an optimum have depths 1, 3, 5 and 7 at ``T`` from 0.01 to 0.00001, with
#   ``sigma0^2 = 0.1 sigma^2``;
# - at ``T = 0.001`` an optimum for large initial weights at depths 4 to 6, which the
#   ridge ``T / sigma^2`` explains. It saves more the deeper the network.
#
# The task is the paper's synthetic one: orthogonal inputs with random labels, and for
# each a test point that overlaps with it alone and has its label. The paper's measure
# is the test loss of the mean prediction, ``mean((y_test - f)**2)``; every test point
# is classified correctly at all times. We stop at ``t_opt``, where it is smallest, or
# at ``t_eq``, from when on it stays within 0.1% of its value at equilibrium. An optimum
# that is better than equilibrium by no more than that does not count.
#
# ``T = 0.001``, ``sigma = 1`` and an overlap of 0.5 are our choice. As many labels are
# positive as negative. Then, by symmetry, the mean prediction at a test point is its
# label times a function ``g(t)``, which does not depend on the number of samples: 20
# are enough.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ndk import NDKRegressor
from sklearn_ndk.datasets import make_orthogonal

SHARE = 1e-3  # of the equilibrium's test loss, below which differences do not count
plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
COLORS = ("C0", "C2", "C1", "0.4", "C3", "C5")
MARKERS = ("o", "s", "^", "D", "v", "P")
tau = np.append(np.geomspace(1e-3, 15, 400), np.inf)  # T t / sigma^2


def course(depth, ratio, T=1e-3, overlap=0.5, tau=tau):
    """Return label times prediction at a test and at a training point, at times tau."""
    X, y, X_test, y_test = make_orthogonal(20, overlap=overlap, random_state=2)
    assert y.sum() == 0
    assert y[0] == y_test[0]
    model = NDKRegressor(depth, T=T, sigma0=np.sqrt(ratio), tol=1e-4).fit(X, y)
    return y[0] * model.predict_path([X_test[0], X[0]], tau / T)


def early_stopping(g):
    """Return t_opt and t_eq, in units of sigma^2 / T, and the share of loss saved."""
    loss = (1 - g) ** 2
    t_eq = tau[1 + np.flatnonzero(np.abs(loss / loss[-1] - 1) > SHARE)[-1]]
    saved = 1 - loss.min() / loss[-1]
    return tau[loss.argmin()] if saved > SHARE else t_eq, t_eq, saved


ratios, depths = np.array([0.03, 0.1, 0.3, 0.5, 1, 2, 4, 10]), np.arange(1, 7)
curves = np.array([[course(L, ratio) for ratio in ratios] for L in depths])
stops = np.apply_along_axis(early_stopping, -1, curves[:, :, 0])
t_opt, t_eq, saved = np.moveaxis(stops, -1, 0)
early = saved > SHARE

print("(t_eq - t_opt) T / sigma^2; a dash where equilibrium is the best time")
print("sigma0^2 / sigma^2 " + "".join(f"{ratio:7g}" for ratio in ratios))
for L, row, is_early in zip(depths, t_eq - t_opt, early, strict=True):
    cells = [f"{d:7.2f}" if e else "-" for d, e in zip(row, is_early, strict=True)]
    print(f"depth {L}            " + "".join(f"{cell:>7}" for cell in cells))
print("test loss saved, %, with sigma0^2 / sigma^2 = 2 and 10:")
for L in (4, 5, 6):
    print(f"depth {L}", *np.round(100 * saved[L - 1, [-3, -1]], 2))

# %%
# Up to depth 3 there is an early optimum if the weights start smaller than they end,
# and none if they start as large or larger. Deeper networks have none if the weights
# start small, but one if they start with twice the variance or more.

deep = depths > 3
assert np.array_equal(early, np.where(deep[:, None], ratios > 1, ratios < 1))
assert np.all(curves[:, :, 0] > 0)  # every test point is classified correctly

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for L, row, color, marker in zip(depths, t_eq - t_opt, COLORS, MARKERS, strict=True):
    ax.semilogx(ratios, row, marker=marker, color=color, label=L)
    if early[L - 1, -1]:
        text = f"saves {saved[L - 1, -1]:.1%}"
        ax.annotate(text, (ratios[-1], row[-1] - 0.2), color=color, ha="right")
ax.set(
    xlabel=r"variance of the initial weights, $\sigma_0^2 / \sigma^2$",
    ylabel=r"$(t_{eq} - t_{opt})\, T / \sigma^2$",
)
ax.legend(title="depth", ncols=3, loc=(0.05, 0.15))

# %%
# Why so? In the limit of small ``T`` the training points are fitted at all times that
# matter, and relu networks obey a closed formula, which is not in the paper. Let
# ``G(tau)``, with ``tau = T t / sigma^2``, be the course of ``g`` when
# ``sigma0 = sigma``. It rises from the prediction of the NTK to that of the NNGP
# kernel. Other ratios ``r = sigma0^2 / sigma^2`` have another clock,
# ``exp(2u) = 1 + (exp(2 tau) - 1) / r``. With
# ``Y(u) = (1 - (1 - 1/r) exp(-2u))^((L+1)/2)``, which goes from ``r^(-(L+1)/2)`` to 1,
#
# .. math:: g(u) = \frac{1}{Y(u)} \Big[ Y(0) G(u) + \int_0^u G(u - v) Y'(v) dv \Big] .
#
# With ``r > 1``, ``Y`` rises: ``g`` is an average of past values of ``G`` and cannot
# exceed its end. With ``r < 1``, ``Y`` falls: the past is subtracted, and ``g``
# overshoots. At depths 1 to 3 the solver agrees up to terms of first order in ``T``,
# but the ``T`` that is small enough falls with depth.

u, r = np.linspace(0, 5, 1001), 0.1
clock = np.log(1 + r * np.expm1(2 * u[2::2])) / 2  # tau
temperatures, deviations = (1e-3, 1e-4, 1e-5, 1e-6), []
print("the formula is off by at most, with T =", *temperatures)
for L in (1, 2, 3):
    Y = (1 - (1 - 1 / r) * np.exp(-2 * u)) ** ((L + 1) / 2)
    row = []
    for T in temperatures:
        G = course(L, 1.0, T, tau=u)[0]
        past = np.convolve(np.diff(Y[::2]), G[1::2])[: len(clock)]  # midpoint rule
        g = (Y[0] * G[2::2] + past) / Y[2::2]
        difference = np.abs(course(L, r, T, tau=clock)[0] - g)
        row.append(difference[clock > 0.05].max())
        assert np.all(np.diff(G) > -1e-6)  # rises, up to the solver's tolerance
    assert g.max() > 1.01 * g[-1]
    print(f"depth {L}:", *(f"{d:.5f}" for d in row), f"where g ends at {g[-1]:.3f}")
    deviations.append(row)
deviations = np.array(deviations)
assert np.all(deviations[:, :-1] > deviations[:, 1:])
assert np.all(deviations[:, -2] > 5 * deviations[:, -1])

# %%
# At the first table's ``T = 0.001`` the formula describes depth 1, and says little
# about depths 2 and 3: there it is off by more than half of ``g`` at equilibrium.

assert deviations[0, 0] < 0.05
assert np.all(deviations[1:, 0] > 0.2)

# %%
# So the depth at which early stopping ceases to pay is set by ``T``. A layer of relu
# units with ``sigma = 1`` halves the kernel at equilibrium, and small weights make it
# smaller still. In a deep network the gradient is so weak that the weights diffuse
# before it has learned, and networks that learn with weights of equilibrium do not
# overshoot. The table has the loss saved with ``sigma0^2 = 0.1 sigma^2``, and beside it
# the time ``tau`` when training predictions reach 63% of their final values. The
# variance of the weights relaxes as ``exp(-2 tau)``. In this table networks that learn
# before ``tau = 0.25`` save something, and those that learn after 0.4 nothing. Between,
# it depends on more than this time.

temperatures, all_depths = (1e-2, 1e-3, 1e-4, 1e-5), np.arange(1, 9)
pairs = np.array([[course(L, 0.1, T) for L in all_depths] for T in temperatures])
gains = np.apply_along_axis(early_stopping, -1, pairs[:, :, 0])[:, :, 2]
fit = pairs[:, :, 1]
t_fit = tau[np.argmax(fit > (1 - np.exp(-1)) * fit[:, :, -1:], axis=-1)]
print("test loss saved, % (tau when 63% are learned), for depths 1 to 8")
for T, times, row in zip(temperatures, t_fit, gains, strict=True):
    cells = (f" {100 * b:.2f} ({a:.3f})" for a, b in zip(times, row, strict=True))
    print(f"T = {T:<6g}" + "".join(cells))

limits = [all_depths[row > SHARE].max() for row in gains]
print("deepest network that is best before equilibrium:", *limits)
assert limits == [1, 3, 5, 7]
assert np.all(gains[t_fit < 0.25] > SHARE)
assert np.all(gains[t_fit > 0.4] < SHARE)

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for T, row, color, marker in zip(temperatures, gains, COLORS, MARKERS, strict=False):
    ax.plot(all_depths, 100 * row, marker=marker, color=color, label=f"{T:g}")
ax.set(xlabel="depth", ylabel="test loss saved by stopping early, %")
ax.legend(title="temperature T")

# %%
# At the other end, deep networks with large initial weights have an early optimum for
# another reason: their kernels at equilibrium are so small that the ridge
# ``T / sigma^2`` matters. Before they relax, large weights fit the training labels
# better than equilibrium does. This is all they gain: relative to the prediction at
# the training point, that at the test point is smaller than at equilibrium. At a tenth
# of the temperature the ridge is a tenth, and there is no such optimum up to depth 6.

print("sigma0^2 / sigma^2 = 10. Fit of the training labels, and test relative to")
print("training prediction: when stopped early -> at equilibrium")
cold = [course(L, 10, 1e-4) for L in depths[deep]]
for T, pairs in ((1e-3, curves[deep, -1]), (1e-4, cold)):
    for L, (g, fit) in zip(depths[deep], pairs, strict=True):
        gain, best, relative = early_stopping(g)[2], g.argmax(), g / fit
        print(
            f"T = {T:g}, depth {L}: saves {gain:.2%}; {fit[best]:.3f} -> {fit[-1]:.3f}"
            f"; {relative[best]:.4f} -> {relative[-1]:.4f}"
        )
        assert (gain > SHARE) == (T == 1e-3)
        if gain > SHARE:
            assert fit[best] > fit[-1]
            assert relative[best] < relative[-1]

# %%
# Other overlaps give the same picture with small weights. At 0.95 the optimum at
# depth 3 is gone too.

for overlap in (0.25, 0.5, 0.75, 0.95):
    pairs = [course(L, 0.1, overlap=overlap) for L in (1, 2, 3, 4)]
    row = np.array([early_stopping(g)[2] for g, _ in pairs])
    print(f"overlap {overlap:4}: test loss saved, %:", *np.round(100 * row, 2))
    assert row[0] > SHARE > row[3]
    assert (row[2] > SHARE) == (overlap < 0.9)
plt.show()
