"""
Figure 2: the mean predictor on images
======================================

What networks predict for images of CIFAR-10 and MNIST. At low temperature it is first
the prediction of the NTK, then, slowly, that of the NNGP kernel. On the way, small
initial weights overshoot.
"""

# %%
# We take ``T = 1e-6`` and ``sigma = 1``, the first 200 training images of both classes
# with pixels in [0, 1], and 300 test images. These are our choice; the paper's own is
# not known to us. Time is ``tau = T t / sigma^2``, in which weights diffuse at 1.
# Predictions are multiplied by the labels, so that 1 is right, and means are over test
# images.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ndk import NDKRegressor
from sklearn_ndk.datasets import fetch_binary_images

images = {}
for name, classes in {"cifar10": ("cat", "dog"), "mnist": (0, 1)}.items():
    try:
        images[name] = fetch_binary_images(name, classes, n_train=1000, n_test=300)
    except (OSError, ValueError) as error:  # no images, or too few
        print(f"{name} is left out. {error}")

tau = np.append(np.geomspace(1e-8, 15, 300), np.inf)
RATIOS = (0.1, 0.5, 2, 10)  # sigma0^2 / sigma^2
plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
COLORS = ("C0", "C2", "C1", "0.4")
MARKERS = ("o", "s", "^", "D")


def rms(values):
    """Return the root mean square over images."""
    return np.sqrt(np.mean(values**2, axis=0))


def courses(name, depth, activation, ratio, T):
    """Return predictions times labels, those of gradient flow, and when labels are met.

    The last is the first index of tau at which the training labels are met to 1%.
    """
    X, y = images[name].X_train[:200], images[name].y_train[:200]
    X_test, y_test = images[name].X_test, images[name].y_test
    network = {"depth": depth, "activation": activation, "sigma0": np.sqrt(ratio)}
    model, flow = (
        NDKRegressor(**network, T=T, limit=limit).fit(X, y) for limit in (None, "ntk")
    )
    error = rms(model.predict_path(X, tau / T) - y[:, None])
    assert error.min() < 0.01
    paths = (m.predict_path(X_test, tau / T) * y_test[:, None] for m in (model, flow))
    return *paths, np.argmax(error < 0.01)


# %%
# The networks of the figure: on CIFAR-10 one hidden layer of relu units, on MNIST one
# or two, or one of erf units. All of them follow gradient flow at first. The kernel of
# relu units changes as the square root of the time that noise has had, so up to
# ``tau = 1e-4`` we allow for deviations of 0.01. All end at the NNGP prediction.
#
# Are the phases apart, so that the labels are learned long before weights diffuse? Then
# predictions are still near gradient flow when the labels are met. The table has the
# time ``tau`` of that, and root mean squares of the deviation: the largest until
# ``tau = 1e-4``, the one when labels are met, and the one in the end, which is the gap
# between the limits. The second is about a third of the gap or less, with one
# exception: two layers with ``sigma0^2 = 0.1 sigma^2``. They learn slowly. When they
# meet the labels, the variance of their weights has grown 1.8 times, and they are
# nearly as far from gradient flow as in the end. At ``T = 1e-8`` their phases are apart
# too.

layers = ((1, "relu"), (2, "relu"), (1, "erf"))
unseparated = ("mnist", 2, "relu", 0.1, 1e-6)
networks = [("cifar10", 1, "relu", 2, 1e-6)]
networks += [("mnist", *layer, ratio, 1e-6) for layer in layers for ratio in RATIOS]
networks += [("mnist", 2, "relu", 0.1, 1e-8)]
found = {key: courses(*key) for key in networks if key[0] in images}

if found:
    print("                              labels  off NTK flow            off")
    print("       depth act. ratio      T    met  to 1e-4   then  at end    NNGP")
for key, (path, flow, fit) in found.items():
    off = rms(path - flow)
    early = off[tau <= 1e-4].max()
    late = np.abs(path[:, -2] - path[:, -1]).max()
    print(
        "{:>7}{:>5}{:>5}{:>6}{:7g}".format(*key)
        + f"{tau[fit]:8.1e}{early:8.4f}{off[fit]:8.4f}{off[-1]:8.4f}{late:8.0e}"
    )
    assert early < 0.01
    assert late < 2e-6  # tol=1e-6 and exp(-15)
    assert (off[fit] < 0.4 * off[-1]) == (key != unseparated)

# %%
# The figure has the three images of cats and dogs, and for each network the image of a
# digit, for which the two limits differ most; with erf units, at a ratio of 2. The
# peaks in (d) belong to gradient flow, which is drawn dotted.


def draw(ax, path, flow, color, marker, label):
    """Draw one image's prediction against time, up to infinity."""
    at = np.append(tau[:-1], 60)
    style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.4}
    ax.semilogx(at, path, **style, markevery=(15, 30), label=label)
    ax.semilogx(at, flow, ":", color=color, linewidth=1)
    ax.plot(at[-1], path[-1], ">", color=color, markersize=5)


def draw_figure():
    """Draw panels a to d, as far as there are images."""
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 6.2), layout="constrained")
    a, *others = axes.flat
    if "cifar10" in images:
        path, flow, _ = found[networks[0]]
        chosen = np.argsort(-np.abs(path - flow)[:, -1])[:3]
        for i, color, marker in zip(chosen, COLORS, MARKERS, strict=False):
            kind = "dog" if images["cifar10"].y_test[i] > 0 else "cat"
            draw(a, path[i], flow[i], color, marker, f"{kind}, image {i}")
        a.set_title("(a) cat or dog, depth 1, relu, ratio 2", fontsize=10)
        a.legend(loc="lower left", fontsize=8)
    if "mnist" in images:
        for ax, letter, layer in zip(others, "bcd", layers, strict=True):
            path, flow, _ = found["mnist", *layer, 2, 1e-6]
            i = np.argmax(np.abs(path - flow)[:, -1])
            for ratio, color, marker in zip(RATIOS, COLORS, MARKERS, strict=True):
                path, flow, _ = found["mnist", *layer, ratio, 1e-6]
                draw(ax, path[i], flow[i], color, marker, f"{ratio:g}")
            title = "({}) 0 or 1, depth {}, {}".format(letter, *layer)
            ax.set_title(title, fontsize=10)
        others[0].legend(title=r"$\sigma_0^2 / \sigma^2$", fontsize=9)
    for ax in axes.flat:
        ax.set_visible(bool(ax.lines))
        ticks = [1e-8, 1e-6, 1e-4, 1e-2, 1, 60]
        names = [f"$10^{{{k}}}$" for k in (-8, -6, -4, -2, 0)] + [r"$\infty$"]
        ax.set_xticks(ticks, names)
        ax.minorticks_off()
    handles = [
        plt.Line2D([], [], color="k", linestyle=":", label="NTK gradient flow"),
        plt.Line2D([], [], color="k", linestyle="", marker=">", label="NNGP, the end"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=9)
    figure.supxlabel(r"training time $\tau = T t / \sigma^2$", fontsize=10)
    figure.supylabel("prediction times label", fontsize=10)


if found:
    draw_figure()

# %%
# Overshoot. Once the labels are met, how far does a prediction go beyond equilibrium,
# as seen from the NTK's? We count test images for which the two limits differ by more
# than 0.01, and give their median as a share of that difference. The mean is that of
# all test images. Two layers with ``sigma0^2 = 0.1 sigma^2`` overshoot on most images
# and in the mean. One layer overshoots as well, on every image and by about the same
# share of the difference. Its mean goes less far beyond, as its limits are closer to
# each other.
#
# If weights start larger than they end, the mean does not overshoot. The formula of the
# example for figure 3 is linear and at small ``T`` holds image by image: a prediction
# is then an average of what it would have been until then with ``sigma0 = sigma``. It
# goes beyond its end only on images where that does, which are few.


def overshoot(path, flow, fit):
    """Return the share of images that overshoot, by how much, and by how much the mean.

    What is not above zero is not beyond equilibrium.
    """
    step = path[:, -1] - flow[:, -1]
    kept = np.abs(step) > 0.01
    beyond = (path[kept, fit:-1] - path[kept, -1:]) / step[kept, None]
    beyond = beyond.max(axis=1)
    mean = path.mean(axis=0)
    return np.mean(beyond > 0.01), np.median(beyond), max(mean[fit:] - mean[-1])


def best_time(path, flow):
    """Return the index of the least test error, and what it saves.

    First of the error at equilibrium, with the standard error over images, then of the
    error at the best time of gradient flow.
    """
    errors, flow_error = (1 - path) ** 2, np.mean((1 - flow) ** 2, axis=0).min()
    best = np.argmin(errors.mean(axis=0))
    least, end = errors[:, best], errors[:, -1]
    uncertainty = np.std(end - least, ddof=1) / np.sqrt(len(end)) / end.mean()
    return (
        best,
        1 - least.mean() / end.mean(),
        uncertainty,
        1 - least.mean() / flow_error,
    )


# %%
# And the mean squared error on test images? The table has the time ``tau`` of the
# least, and how much of the error it saves: of that at equilibrium, with a standard
# error over images, and of the least that gradient flow reaches at any time.
#
# Two layers with ``sigma0^2 = 0.1 sigma^2`` are best in the middle of the diffusive
# phase, whether the phases are apart (``T = 1e-8``) or not: better than at both of its
# ends. With ``sigma0^2 > sigma^2`` they are best at equilibrium. One layer has an
# optimum in the diffusive phase at every ratio.

relu = {
    key: value for key, value in found.items() if key[0] == "mnist" and key[2] == "relu"
}
if relu:
    print("                     mean predictions        images     test error least")
    print(
        "depth  ratio      T     NTK    NNGP    over    over  median   at tau", end=""
    )
    print("  saved (NNGP)  (NTK)")
for (_, depth, _, ratio, T), (path, flow, fit) in relu.items():
    share, median, mean = overshoot(path, flow, fit)
    best, saved, uncertainty, saved_of_flow = best_time(path, flow)
    ntk, nngp = flow[:, -1].mean(), path[:, -1].mean()
    print(
        f"{depth:5}{ratio:7}{T:7g}{ntk:8.4f}{nngp:8.4f}{mean:8.4f}{share:8.0%}"
        f"{median:8.0%}{tau[best]:9.2g}{saved:7.2%} ± {uncertainty:.2%}"
        f"{saved_of_flow:7.1%}"
    )
    if ratio == 0.1:
        assert share > 0.8
        assert 0.1 < median < 0.3
        assert mean > 0.1 * (nngp - ntk) > 0
        assert tau[fit] < tau[best] < 1
        assert saved_of_flow > 0.05
        assert saved > 2 * uncertainty
    if ratio > 1:
        assert share < 0.2
        assert mean < 1e-5
        assert (saved < 1e-3) == (depth == 2)

# %%
# The theory holds at any ``T``; it is the phases that are apart at small ``T`` only. At
# ``T = 0.001`` the gradient of a network that starts small is so weak that it goes on
# learning while the weights grow, and the mean does not overshoot. Large weights do
# overshoot then, for another reason: before they shrink, the ridge ``T / sigma^2``
# matters less.

if "mnist" in images:
    digits = images["mnist"]
    print("by how much the mean at depth 2 goes beyond equilibrium")
    excess = {}
    for T in (1e-3, 1e-4, 1e-5, 1e-6):
        for ratio in (0.1, 10):
            model = NDKRegressor(2, T=T, sigma0=np.sqrt(ratio))
            model.fit(digits.X_train[:200], digits.y_train[:200])
            path = model.predict_path(digits.X_test, tau / T)
            mean = digits.y_test @ path / len(path)
            excess[T, ratio] = mean.max() - mean[-1]
        print(f"T = {T:g}: {excess[T, 0.1]:.4f} (ratio 0.1), {excess[T, 10]:.4f} (10)")
    assert excess[1e-3, 0.1] < 1e-5 < 1e-3 < excess[1e-3, 10]
    assert excess[1e-6, 10] < 1e-5 < 1e-3 < excess[1e-6, 0.1]

# %%
# How far are the limits apart? relu networks are homogeneous: ``sigma0`` scales the
# NTK and leaves the end of gradient flow as it is, so that the gap is one number for
# all ratios. In erf networks ``sigma0`` sets how nonlinear the units are, and the gap
# depends on it. For ratios of 0.1, 2 and 10 it is wider than that of relu, as in the
# paper. For 0.5 and 1 that depends on the number of images. The gap of erf is widest
# near 400, above all if weights start small. Such networks are nearly linear, and
# linear regression predicts worst where samples are as many as directions to learn.


def gap(activation, ratio, n):
    """Return the rms difference between predictions of the NTK and the NNGP kernel."""
    ntk, nngp = (
        NDKRegressor(1, activation, T=1e-6, sigma0=np.sqrt(ratio), limit=limit)
        .fit(digits.X_train[:n], digits.y_train[:n])
        .predict(digits.X_test)
        for limit in ("ntk", "nngp")
    )
    return rms(nngp - ntk)


if "mnist" in images:
    ratios = (0.1, 0.5, 1, 2, 10)
    print("rms gap of NTK and NNGP predictions, depth 1")
    print("              ratio" + "".join(f"{ratio:8}" for ratio in ratios))
    for n in (200, 400, 1000):
        gaps = {}
        for activation in ("relu", "erf"):
            row = np.array([gap(activation, ratio, n) for ratio in ratios])
            gaps[activation] = row
            cells = "".join(f"{x:8.4f}" for x in row)
            print(f"{n:5} images{activation:>8}{cells}")
        assert np.ptp(gaps["relu"]) < 1e-6
        wider = [True, n == 400, n == 400, True, True]
        assert list(gaps["erf"] > gaps["relu"]) == wider
plt.show()
