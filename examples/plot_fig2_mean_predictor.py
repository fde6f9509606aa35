"""
Figure 2: the mean predictor on images
======================================

What networks predict for images of CIFAR-10 and MNIST: first that of the NTK, then,
slowly, that of the NNGP kernel. On the way, small initial weights overshoot.
"""

# %%
# The theory is for small ``T``. We take ``T = 1e-6`` and ``sigma = 1``, the first 200
# training images of both classes with pixels in [0, 1], and 300 test images. These are
# our choice; the paper's own is not known to us. In units of ``tau = T t / sigma^2``
# weights diffuse at 1; the labels are learned long before. Predictions are multiplied
# by the labels, so that 1 is right, and means are over test images.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ndk import NDKRegressor
from sklearn_ndk.datasets import fetch_binary_images

try:
    cats = fetch_binary_images("cifar10", ("cat", "dog"), n_train=200, n_test=300)
    digits = fetch_binary_images("mnist", (0, 1), n_train=200, n_test=300)
except OSError as error:
    print(f"There is nothing to show without images. {error}")
    cats = digits = None

tau = np.append(np.geomspace(1e-8, 15, 300), np.inf)
RATIOS = (0.1, 0.5, 2, 10)  # sigma0^2 / sigma^2
COLORS = ("#0072B2", "#D55E00", "#009E73", "#666666")
MARKERS = ("o", "s", "^", "D")


def courses(images, depth, activation, ratio, T=1e-6):
    """Return predictions times labels, those of gradient flow, and when labels fit.

    The last is the first index of tau at which the training labels are met to 1%.
    """
    X, y, X_test, y_test = (
        images[part] for part in ("X_train", "y_train", "X_test", "y_test")
    )
    network = {"depth": depth, "activation": activation, "sigma0": np.sqrt(ratio)}
    model, flow = (
        NDKRegressor(**network, T=T, limit=limit).fit(X, y) for limit in (None, "ntk")
    )
    error = np.sqrt(np.mean((model.predict_path(X, tau / T).T - y) ** 2, axis=1))
    paths = (m.predict_path(X_test, tau / T) * y_test[:, None] for m in (model, flow))
    return *paths, np.argmax(error < 0.01)


def rms(values):
    """Return the root mean square over test images."""
    return np.sqrt(np.mean(values**2, axis=0))


# %%
# The networks of the figure: on CIFAR-10 one hidden layer of relu units, on MNIST one
# or two, or one of erf units. All of them follow gradient flow at first. The kernel of
# relu units changes as the square root of the time that noise has had, so up to
# ``tau = 1e-4`` we allow for deviations of 0.01. All end at the NNGP prediction.

networks = {("cifar10", 1, "relu", 2): cats} | {
    ("mnist", *layers, ratio): digits
    for layers in ((1, "relu"), (2, "relu"), (1, "erf"))
    for ratio in RATIOS
}
found = {key: courses(images, *key[1:]) for key, images in networks.items() if images}

if found:
    print("          depth  act.  ratio  labels met at tau  off NTK flow  off NNGP")
for key, (path, flow, fit) in found.items():
    early = rms(path - flow)[tau <= 1e-4].max()
    late = np.abs(path[:, -2] - path[:, -1]).max()
    print(
        "{:>9}{:>6}{:>6}{:>7}".format(*key)
        + f"{tau[fit]:19.1e}{early:14.0e}{late:10.0e}"
    )
    assert tau[fit] < 0.1  # the phases are apart
    assert early < 0.01
    assert late < 2e-6  # tol=1e-6 and exp(-15)

# %%
# The figure has the three images of cats and dogs, and the image of a digit, for which
# the two limits differ most; dotted lines are NTK gradient flow.


def draw(ax, path, flow, color, marker=None, label=None):
    """Draw one image's prediction against time, up to infinity."""
    at = np.append(tau[:-1], 60)
    style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.4}
    ax.semilogx(at, path, **style, markevery=(15, 30), label=label)
    ax.semilogx(at, flow, ":", color=color, linewidth=1)
    ax.plot(at[-1], path[-1], ">", color=color, markersize=5)


def draw_figure():
    """Draw panels a to d."""
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 5.8), layout="constrained")
    a, *others = axes.flat
    path, flow, _ = found["cifar10", 1, "relu", 2]
    chosen = np.argsort(-np.abs(path - flow)[:, -1])[:3]
    for i, color, marker in zip(chosen, COLORS, MARKERS, strict=False):
        draw(a, path[i], flow[i], color, marker)
    a.set_title("(a) cat or dog, depth 1, relu, ratio 2", fontsize=10)
    path, flow, _ = found["mnist", 2, "relu", 2]
    i = np.argmax(np.abs(path - flow)[:, -1])
    layers = ((1, "relu"), (2, "relu"), (1, "erf"))
    for ax, letter, (depth, activation) in zip(others, "bcd", layers, strict=True):
        for ratio, color, marker in zip(RATIOS, COLORS, MARKERS, strict=True):
            path, flow, _ = found["mnist", depth, activation, ratio]
            draw(ax, path[i], flow[i], color, marker, f"{ratio:g}")
        title = f"({letter}) 0 or 1, depth {depth}, {activation}"
        ax.set_title(title, fontsize=10)
    others[0].legend(title=r"$\sigma_0^2 / \sigma^2$", fontsize=9)
    for ax in axes.flat:
        ticks = [1e-8, 1e-6, 1e-4, 1e-2, 1, 60]
        names = [f"$10^{{{k}}}$" for k in (-8, -6, -4, -2, 0)] + [r"$\infty$"]
        ax.set_xticks(ticks, names)
        ax.minorticks_off()
    figure.supxlabel(r"training time $\tau = T t / \sigma^2$", fontsize=10)
    figure.supylabel("prediction times label", fontsize=10)


if found:
    draw_figure()

# %%
# Overshoot. Once the labels are met, how far does a prediction go beyond equilibrium,
# as seen from the NTK's? We count test images for which the two limits differ by more
# than 0.01, and give their median as a share of that difference. The mean is that of
# all test images. The last column is the time of the least mean squared test error.
#
# Two layers with ``sigma0^2 = 0.1 sigma^2`` overshoot on most images and in the mean,
# and the test error is least in the middle of the diffusive phase. One layer overshoots
# too, a little less. If weights start larger than they end, the mean does not: the
# convolution formula of the example for figure 3 tells why.


def overshoot(path, flow, fit):
    """Return the share of images that overshoot, by how much, and by how much the mean.

    Last comes the index of the time of the least mean squared error.
    """
    step = path[:, -1] - flow[:, -1]
    kept = np.abs(step) > 0.01
    beyond = (path[kept, fit:-1] - path[kept, -1:]) / step[kept, None]
    mean = path.mean(axis=0)
    best = np.argmin(np.mean((1 - path) ** 2, axis=0))
    beyond = beyond.max(axis=1)
    return np.mean(beyond > 0.01), np.median(beyond), max(mean[fit:] - mean[-1]), best


if found:
    print("depth  ratio  mean: NTK    NNGP  over     images over  median  best tau")
for key, (path, flow, fit) in found.items():
    name, depth, activation, ratio = key
    if name == "mnist" and activation == "relu":
        share, median, mean, best = overshoot(path, flow, fit)
        ntk, nngp = flow[:, -1].mean(), path[:, -1].mean()
        print(
            f"{depth:5}{ratio:7}{ntk:12.4f}{nngp:8.4f}{mean:8.4f}{share:12.0%}"
            f"{median:8.0%}{tau[best]:10.2g}"
        )
        if ratio == 0.1:
            assert share > 0.8
            assert mean > 0.1 * (nngp - ntk) > 0
        if ratio > 1:
            assert share < 0.2
            assert mean < 1e-5
        if (depth, ratio) == (2, 0.1):
            assert tau[fit] < tau[best] < 1

# %%
# The theory's small ``T`` is needed. At ``T = 0.001`` the gradient of a network that
# starts small is so weak that it goes on learning while the weights grow, and the mean
# does not overshoot. Large weights do overshoot then, for another reason: before they
# shrink, the ridge ``T / sigma^2`` matters less.

if found:
    print("by how much the mean at depth 2 goes beyond equilibrium")
    excess = {}
    for T in (1e-3, 1e-4, 1e-5, 1e-6):
        for ratio in (0.1, 10):
            mean = courses(digits, 2, "relu", ratio, T)[0].mean(axis=0)
            excess[T, ratio] = mean.max() - mean[-1]
        print(f"T = {T:g}: {excess[T, 0.1]:.4f} (ratio 0.1), {excess[T, 10]:.4f} (10)")
    assert excess[1e-3, 0.1] < 1e-5 < 1e-3 < excess[1e-3, 10]
    assert excess[1e-6, 10] < 1e-5 < 1e-3 < excess[1e-6, 0.1]

# %%
# How far are the limits apart? relu networks are homogeneous: ``sigma0`` scales the
# NTK and leaves the end of gradient flow as it is, so that the gap is one number for
# all ratios. In erf networks ``sigma0`` sets how nonlinear the units are, and the gap
# depends on it. It is wider than that of relu, as in the paper, where ``sigma0`` and
# ``sigma`` differ much; where they are nearly equal, it is narrower. A scale of inputs
# three times as large does not change that.

if found:
    print("rms gap of NTK and NNGP predictions, depth 1")
    ratios = (0.1, 0.5, 1, 2, 10)
    print("              ratio" + "".join(f"{ratio:8}" for ratio in ratios))
for scale in (1, 3) if found else ():
    X, X_test = scale * digits.X_train, scale * digits.X_test
    gap = {}
    for activation in ("relu", "erf"):
        gap[activation] = np.empty(len(ratios))
        for i, ratio in enumerate(ratios):
            ntk, nngp = (
                NDKRegressor(1, activation, T=1e-6, sigma0=np.sqrt(ratio), limit=limit)
                .fit(X, digits.y_train)
                .predict(X_test)
                for limit in ("ntk", "nngp")
            )
            gap[activation][i] = rms(nngp - ntk)
        row = "".join(f"{x:8.4f}" for x in gap[activation])
        print(f"pixels x {scale}{activation:>9}{row}")
    assert np.ptp(gap["relu"]) < 1e-6
    assert list(gap["erf"] > gap["relu"]) == [True, False, False, True, True]
plt.show()
