"""
Figure 3: early stopping, by depth and initial weights
======================================================

Networks that start with small weights generalise best before equilibrium, those that
start with large ones at equilibrium. How deep they may be is a matter of temperature.
"""

# %%
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
COLORS = ("#0072B2", "#D55E00", "#009E73", "#666666")
MARKERS = ("o", "s", "^", "D")
tau = np.append(np.geomspace(1e-3, 15, 400), np.inf)  # T t / sigma^2


def early_stopping(depth, ratio, T=1e-3, overlap=0.5):
    """Return t_opt, t_eq and t_fit in units of sigma^2 / T, and the loss saved.

    At t_fit, training predictions are 1 - 1/e of those at equilibrium. The loss saved
    is a share of that at equilibrium.
    """
    X, y, X_test, y_test = make_orthogonal(20, overlap=overlap, random_state=2)
    assert y.sum() == 0
    model = NDKRegressor(depth, T=T, sigma0=np.sqrt(ratio), tol=1e-4).fit(X, y)
    error = y_test[:, None] - model.predict_path(X_test, tau / T)
    loss = np.mean(error**2, axis=0)
    t_eq = tau[1 + np.flatnonzero(np.abs(loss / loss[-1] - 1) > SHARE)[-1]]
    saved = 1 - loss.min() / loss[-1]
    t_opt = tau[loss.argmin()] if saved > SHARE else t_eq
    fitted = y[0] * model.predict_path(X[:1], tau / T)[0]
    return t_opt, t_eq, tau[np.argmax(fitted > (1 - np.exp(-1)) * fitted[-1])], saved


ratios, depths = np.array([0.03, 0.1, 0.3, 0.5, 1, 2, 4, 10]), (1, 2, 3, 4)
stops = np.array([[early_stopping(L, ratio) for ratio in ratios] for L in depths])
early = stops[:, :, 3] > SHARE

print("(t_eq - t_opt) T / sigma^2; a dash where equilibrium is the best time")
print("sigma0^2 / sigma^2 " + "".join(f"{ratio:7g}" for ratio in ratios))
for L, row, is_early in zip(depths, stops, early, strict=True):
    cells = [
        f"{t_eq - t_opt:7.2f}" if e else "      -"
        for (t_opt, t_eq, *_), e in zip(row, is_early, strict=True)
    ]
    print(f"depth {L}            " + "".join(cells))

# %%
# Up to depth 3 there is an early optimum if the weights start smaller than they end,
# and none if they start as large or larger. At depth 4 there is none for small weights.

small, deep = ratios < 1, np.array(depths) > 3
assert np.all(early[~deep][:, small])
assert not np.any(early[~deep][:, ~small])
assert not np.any(early[deep][:, small])

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for L, row, color, marker in zip(depths, stops, COLORS, MARKERS, strict=True):
    ax.semilogx(ratios, row[:, 1] - row[:, 0], marker=marker, color=color, label=L)
ax.set(
    xlabel=r"variance of the initial weights, $\sigma_0^2 / \sigma^2$",
    ylabel=r"$(t_{eq} - t_{opt})\, T / \sigma^2$",
)
ax.annotate("saves only 0.2%", (2, 0.62), color=COLORS[3])
ax.legend(title="depth")

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
# overshoots. None of this depends on depth. The solver agrees up to terms of first
# order in ``T``.


def course(ratio, tau, T):
    """Return g, at times tau, of networks of depth 1."""
    X, y, X_test, y_test = make_orthogonal(20, random_state=2)
    model = NDKRegressor(1, T=T, sigma0=np.sqrt(ratio)).fit(X, y)
    return y_test @ model.predict_path(X_test, tau / T) / len(y_test)


u, deviations = np.linspace(0, 5, 1001), []
Y = 1 + 9 * np.exp(-2 * u)  # depth 1, r = 0.1
clock = np.log(1 + 0.1 * np.expm1(2 * u[2::2])) / 2  # tau
for T in (1e-4, 1e-5):
    G = course(1.0, u, T)
    past = np.convolve(np.diff(Y[::2]), G[1::2])[: len(clock)]  # midpoint rule
    g = (Y[0] * G[2::2] + past) / Y[2::2]
    difference = np.abs(course(0.1, clock, T) - g)
    deviations.append(difference[clock > 0.05].max())
    print(f"T = {T:g}: the formula is off by {deviations[-1]:.1e} at most")
assert np.all(np.diff(G) > 0)
assert 5 < deviations[0] / deviations[1] < 20

# %%
# So the depth at which early stopping ceases to pay is set by ``T``. A layer of relu
# units with ``sigma = 1`` halves the kernel at equilibrium, and small weights make it
# smaller still. In a deep network the gradient is so weak that the weights diffuse
# before it has learned, and networks that learn with weights of equilibrium do not
# overshoot. The table has the loss saved with ``sigma0^2 = 0.1 sigma^2``, and beside it
# the time ``tau`` when training predictions reach 63% of their final values. The
# variance of the weights relaxes as ``exp(-2 tau)``: networks that learn after
# ``tau = 1/2`` save nothing.

temperatures, all_depths = (1e-2, 1e-3, 1e-4, 1e-5), np.arange(1, 9)
table = [[early_stopping(L, 0.1, T)[2:] for L in all_depths] for T in temperatures]
t_fit, saved = np.moveaxis(table, -1, 0)
print("test loss saved, % (tau when 63% are learned), for depths 1 to 8")
for T, times, gains in zip(temperatures, t_fit, saved, strict=True):
    cells = [f" {100 * b:.2f} ({a:.3f})" for a, b in zip(times, gains, strict=True)]
    print(f"T = {T:<6g}" + "".join(cells))

limits = [all_depths[row > SHARE].max() for row in saved]
print("deepest network that is best before equilibrium:", *limits)
assert limits[1] == 3
assert np.all(np.diff(limits) > 0)
assert np.all(saved[t_fit > 0.5] < SHARE)
assert np.all(saved[t_fit < 0.1] > SHARE)

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for T, row, color, marker in zip(temperatures, saved, COLORS, MARKERS, strict=True):
    ax.plot(all_depths, 100 * row, marker=marker, color=color, label=f"{T:g}")
ax.set(xlabel="depth", ylabel="test loss saved by stopping early, %")
ax.legend(title="temperature T")

# %%
# At the other end, the first table has an early optimum at depth 4 for large weights.
# It saves 0.2%, and has another reason: kernels of deep networks are so small that the
# ridge ``T / sigma^2`` matters. Before they relax, large weights fit the training
# labels better than equilibrium does. At a tenth of the temperature there is none.

X, y, *_ = make_orthogonal(20, random_state=2)
fits = {}
for T in (1e-3, 1e-4):
    t_opt, _, _, gain = early_stopping(4, 5.0, T)
    model = NDKRegressor(4, T=T, sigma0=np.sqrt(5)).fit(X, y)
    stopped, equilibrium = (y[0] * model.predict(X, t)[0] for t in (t_opt / T, np.inf))
    print(
        f"T = {T:g}: saves {100 * gain:.2f}%; training labels are fitted to "
        f"{stopped:.4f} at t_opt and {equilibrium:.4f} at equilibrium"
    )
    fits[T] = stopped - equilibrium
    assert (gain > SHARE) == (T == 1e-3)
assert fits[1e-3] > 5 * abs(fits[1e-4])

# %%
# Other overlaps give the same picture. At 0.95 the optimum at depth 3 is gone too.

for overlap in (0.25, 0.5, 0.75, 0.95):
    gains = np.array([early_stopping(L, 0.1, overlap=overlap)[3] for L in depths])
    print(f"overlap {overlap:4}: test loss saved, %:", *np.round(100 * gains, 2))
    assert gains[0] > SHARE > gains[3]
    assert (gains[2] > SHARE) == (overlap < 0.9)
plt.show()
