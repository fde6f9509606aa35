"""
Figure 4: representational drift
================================

Training is over and the readout frozen, but noise goes on moving the hidden weights.
What is left of a digit's class in the end is the norm of its image.
"""

# %%
# The mean output of networks whose readout froze at equilibrium is ``predict_drift``,
# as a function of the delay since, which we give in units of ``sigma^2 / T``. As in the
# paper, outputs are those for the training images, with labels -1 and 1 for the smaller
# and the larger digit. We take the first 400 images of both digits, ``T = 0.001`` and
# one layer of relu units, which are our choice. A second set of 0 and 1 has 400 images
# drawn at random. Letters on the panels are the paper's, in the order that we take
# them to have.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import NearestCentroid

from sklearn_ndk import NDKClassifier
from sklearn_ndk.datasets import fetch_binary_images
from sklearn_ndk.inspection import DriftDisplay

try:
    pool = {
        digits: fetch_binary_images("mnist", digits, n_train=1500, n_test=1)
        for digits in ((4, 9), (0, 1))
    }
except (OSError, ValueError) as error:  # no images, or too few
    print(f"There is nothing to show without images. {error}")
    pool = {}

T = 1e-3
plt.style.use("seaborn-v0_8-colorblind")  # Okabe and Ito's colours
COLORS = ("C0", "C2", "C1")
MARKERS = ("o", "s", "^")
delays = np.append(np.linspace(0, 6, 25), np.inf)  # times T / sigma^2


def first(digits, n):
    """Return the first n training images and their labels."""
    return pool[digits].X_train[:n], pool[digits].y_train[:n]


def draw(n, rng):
    """Return n images of 0 and 1 and their labels, drawn at random from 1500."""
    rows = rng.permutation(1500)[:n]
    return pool[0, 1].X_train[rows], pool[0, 1].y_train[rows]


def drift(X, y, tau0=np.inf, T=T, **network):
    """Return outputs of shape (n_samples, n_delays) of a readout frozen at tau0."""
    model = NDKClassifier(T=T, **network).fit(X, y)
    return np.column_stack([model.predict_drift(X, d / T, tau0 / T) for d in delays])


def sign_accuracy(f, y):
    """Return the share of images whose output has the sign of the label."""
    return np.mean((f > 0) == (y > 0))


def refitted_accuracy(f, y):
    """Return the share of images whose output is nearest to the mean of their class."""
    return NearestCentroid().fit(f[:, None], y).score(f[:, None], y)


def accuracies(f, y):
    """Return the refitted accuracy at each delay."""
    return np.array([refitted_accuracy(column, y) for column in f.T])


cases = {}
if pool:
    cases["4 or 9"] = first((4, 9), 400)
    cases["0 or 1"] = first((0, 1), 400)
    cases["0 or 1, at random"] = draw(400, np.random.default_rng(0))
outputs = {name: drift(*case) for name, case in cases.items()}
norms = {name: np.linalg.norm(X, axis=1) for name, (X, _) in cases.items()}

# %%
# Outputs start at the labels. In the end they are proportional to the norm of the
# image, with the same sign for all, see Eq. (20). So there are two ways to score them.
# The sign, the rule of :class:`~sklearn_ndk.inspection.DriftDisplay`, ends with the
# share of one class: chance, whatever the digits. A linear classifier that is fitted to
# the outputs anew at each delay, here a threshold halfway between the means of the
# classes, with whichever class above, can read norms. By this rule 0 and 1 end near
# 90%, as in the paper, whose rule we take it to be, and 4 and 9 end at chance, within
# two standard errors. The end is the score of norms alone, whatever the depth, the
# temperature or the time of training.
#
# The paper's 0 and 1 also pass through chance on their way. Whether they do depends on
# the images: the first 400 are never below their end, the 400 drawn at random are.

scores, signs = {}, {}
if cases:
    print(
        "                 mean norms   accuracy at delay 0, 2, infinity; norms; least"
    )
for name, (_, y) in cases.items():
    signs[name] = np.array([sign_accuracy(f, y) for f in outputs[name].T])
    scores[name] = accuracies(outputs[name], y)
    of_norms = refitted_accuracy(norms[name], y)
    at = [0, np.searchsorted(delays, 2), -1]
    low, high = (norms[name][y == label].mean() for label in (-1, 1))
    print(
        f"{name:18}{low:5.2f} {high:5.2f}   sign "
        + "".join(f"{x:6.3f}" for x in signs[name][at])
        + "   refitted "
        + "".join(f"{x:6.3f}" for x in scores[name][at])
        + f"; {of_norms:.3f}; {scores[name].min():.3f}"
    )
    slope = outputs[name][:, -1] / norms[name]
    assert np.allclose(slope, slope[0], rtol=1e-8)
    assert scores[name][-1] == of_norms
    assert signs[name][0] == scores[name][0] == 1
    assert signs[name][-1] in (np.mean(y > 0), np.mean(y < 0))
if cases:
    assert abs(scores["4 or 9"][-1] - 0.5) < 1 / np.sqrt(400)
    assert 0.85 < scores["0 or 1"].min() == scores["0 or 1"][-1] < 0.95
    drawn = scores["0 or 1, at random"]
    assert drawn.min() < 0.6 < 0.85 < drawn[-1] < 0.95


def draw_histograms():
    """Draw outputs of both classes at some delays, each with its own scale."""
    figure, axes = plt.subplots(
        len(cases), 4, figsize=(6.4, 5.2), layout="constrained", squeeze=False
    )
    letters = iter("abcdfghi")
    for row, (name, (_, y)) in zip(axes, cases.items(), strict=True):
        for ax, delay in zip(row, (0, 2, 4.25, np.inf), strict=True):
            if name in list(cases)[:2]:  # the paper's
                ax.set_title(f"({next(letters)})", loc="left", fontsize=9)
            f = outputs[name][:, np.searchsorted(delays, delay)]
            bins = np.histogram_bin_edges(f, int(np.sqrt(len(f))))
            for label, digit, color in zip(
                (-1, 1), (name[0], name[5]), COLORS, strict=False
            ):
                ax.hist(f[y == label], bins, color=color, alpha=0.6, label=digit)
            ax.set_yticks([])
            ax.locator_params(axis="x", nbins=3)
            ax.tick_params(labelsize=8)
            if ax in axes[0]:
                shown = r"$\infty$" if delay == np.inf else f"{delay:g}"
                ax.set_title(f"delay {shown}", fontsize=10)
        row[0].set_ylabel(f"images, {name.replace(', ', chr(10))}", fontsize=9)
        row[0].legend(fontsize=8, loc="upper center")
    figure.supxlabel(r"mean output; delays in units of $\sigma^2 / T$", fontsize=10)


if cases:
    draw_histograms()

# %%
# Why does the accuracy of 0 and 1 pass through chance for some images, and not for
# others? An image of a 0 has the larger norm, and is learned to be on the negative
# side. If final outputs are positive, the order of the classes has to turn round, and
# there is a delay at which they overlap; if they are negative, it stays. Of 20 samples
# of 400 images, just those whose order turns pass through chance; and all end near 90%.
#
# Which sign it is depends on the sample. With one image of each digit, coefficients
# must be larger for the one of the smaller norm, so that it is positive. With many,
# correlations among them decide. The table has the shares of samples for which the
# order turns round. It does for most small samples and for few large ones, though for
# more of them where there is less noise. Shares are those of 40 samples each, and so
# uncertain by 0.08 or less.


def order_turns(X, y, T):
    """Tell whether zeros, of the larger norm, end with the larger outputs."""
    model = NDKClassifier(T=T).fit(X, y)
    return model.predict_drift(X[:1], np.inf)[0] > 0


if pool:
    rng = np.random.default_rng(0)
    samples = [draw(400, rng) for _ in range(20)]
    courses = np.array([accuracies(drift(*sample), sample[1]) for sample in samples])
    turns = np.array([order_turns(*sample, T) for sample in samples])
    least, last = courses.min(axis=1), courses[:, -1]
    print(
        f"of {len(samples)} samples of 400 images {turns.sum()} turn: least accuracy "
        f"{least[turns].min():.3f} to {least[turns].max():.3f}, of the others "
        f"{least[~turns].min():.3f} to {least[~turns].max():.3f}; all end at "
        f"{last.min():.3f} to {last.max():.3f}"
    )
    assert 0 < turns.sum() < 10
    assert np.array_equal(least < 0.6, turns)
    assert np.all(least[~turns] > 0.85)
    assert np.all((last > 0.85) & (last < 0.95))

    sizes, shares = (25, 50, 100, 200, 400), {}
    print("share that turns, of samples of", *(f"{n:6}" for n in sizes))
    for temperature in (1e-3, 1e-5):
        rng = np.random.default_rng(0)
        shares[temperature] = row = [
            np.mean([order_turns(*draw(n, rng), temperature) for _ in range(40)])
            for n in sizes
        ]
        print(f"T = {temperature:<27g}", *(f"{share:6.3f}" for share in row))
    X, y = first((0, 1), 400)
    assert order_turns(X[[np.argmin(y), np.argmax(y)]], np.array([-1.0, 1.0]), T)
    assert shares[T][1] > 0.7
    assert shares[T][-1] < 0.3

# %%
# And if the readout froze early, at a finite time? Then it has learned less, but what
# it has learned lasts longer: at a delay of 2 it reads 4 and 9 better than a readout
# from equilibrium. If it froze at 0.001, it takes the first 400 images of 0 and 1
# through chance, too; at 0.01 it does not. In the end it is norms again.


FREEZES = (1e-3, 1e-2, np.inf)
frozen = {}
for name in ("4 or 9", "0 or 1") if cases else ():
    X, y = cases[name]
    for tau0 in FREEZES:
        f = drift(X, y, tau0)
        frozen[name, tau0] = row = accuracies(f, y)
        print(
            f"{name}, frozen at {tau0:<5g}: rms training error "
            f"{np.sqrt(np.mean((f[:, 0] - y) ** 2)):.2f}, accuracy at delay 0, 2: "
            f"{row[0]:.3f}, {row[delays == 2][0]:.3f}; least {row.min():.3f}, "
            f"last {row[-1]:.3f}"
        )


def draw_accuracies():
    """Draw accuracies against delays, by rule and by the time of freezing."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(6.4, 3.6), layout="constrained", sharey=True
    )
    at = np.append(delays[:-1], 7)
    for name, color, marker in zip(cases, COLORS, MARKERS, strict=True):
        style = {"color": color, "marker": marker, "markersize": 4, "markevery": 2}
        left.plot(at, scores[name], **style, label=name)
        left.plot(at, signs[name], "--", color=color, linewidth=1)
    left.set_title("(e, j) refitted threshold; dashed: sign", fontsize=10)
    for tau0, color, marker in zip(FREEZES, COLORS, MARKERS, strict=True):
        style = {"color": color, "marker": marker, "markersize": 4, "markevery": 2}
        shown = r"$\infty$" if tau0 == np.inf else f"{tau0:g}"
        right.plot(at, frozen["0 or 1", tau0], **style, label=shown)
        right.plot(at, frozen["4 or 9", tau0], ":", **style)
    right.set_title("by time of freezing; dotted: 4 or 9", fontsize=10)
    left.legend(fontsize=8, loc="lower left")
    right.legend(title=r"frozen at $T t / \sigma^2 =$", fontsize=8, loc="lower left")
    left.set_ylim(bottom=0.3)  # room for the legends
    left.set_ylabel("accuracy on training images")
    for ax in (left, right):
        ax.axhline(0.5, color="0.4", linewidth=1)
        ax.set_xticks([0, 2, 4, 6, 7], ["0", "2", "4", "6", r"$\infty$"])
    figure.supxlabel(r"delay in units of $\sigma^2 / T$", fontsize=10)


if frozen:
    at_2 = delays == 2
    for tau0 in FREEZES[:2]:
        assert frozen["4 or 9", tau0][at_2] > frozen["4 or 9", np.inf][at_2]
    assert frozen["0 or 1", FREEZES[0]].min() < 0.6
    assert frozen["0 or 1", FREEZES[1]].min() > 0.85
    assert all(row[-1] == scores[name][-1] for (name, _), row in frozen.items())
    draw_accuracies()

# %%
# Deep networks drift faster, for each layer forgets. erf units are odd: their mean is
# zero, so in the end nothing is left at all, not even norms. But the order of the
# outputs stays, as they shrink by ``exp(-tau)`` in one layer: the linear part of what
# was learned.

if cases:
    X, y = cases["4 or 9"]
    at_2 = []
    for depth in (1, 2, 3):
        f = drift(X, y, depth=depth)
        at_2.append(refitted_accuracy(f[:, np.searchsorted(delays, 2)], y))
        assert refitted_accuracy(f[:, -1], y) == scores["4 or 9"][-1]
    warm = drift(X, y, T=0.1)
    assert refitted_accuracy(warm[:, -1], y) == scores["4 or 9"][-1]
    print("4 or 9 at delay 2, relu, depths 1 to 3:", *np.round(at_2, 3))
    assert at_2[0] > at_2[1] > at_2[2]

    f = drift(X, y, activation="erf")
    late = refitted_accuracy(f[:, -2], y)
    size = np.abs(f).mean(axis=0)
    print(f"4 or 9, erf, delay 6: mean |output| {size[-2]:.5f}, accuracy {late:.3f}")
    print(f"4 or 9, erf, infinite delay: largest |output| {np.abs(f[:, -1]).max():g}")
    ratio = size[-2] / size[-3]
    assert np.isclose(ratio, np.exp(delays[-3] - delays[-2]), rtol=1e-3)
    assert late > 0.99
    assert np.all(f[:, -1] == 0)

# %%
# One call draws the like for any fitted estimator, with the rule of the sign. Here a
# readout for 4 (class -1) and 9 (class 1) that froze at 0.01, and other images than
# those of the training.

if cases:
    X, y = first((4, 9), 1000)
    model = NDKClassifier(T=T).fit(X[:400], y[:400])
    DriftDisplay.from_estimator(model, X[400:], y[400:], t0=1e-2 / T)
plt.show()
