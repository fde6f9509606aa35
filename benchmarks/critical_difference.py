"""A plot of mean ranks, with bars that join models no test tells apart (Demsar, 2006).

The bars are those of Wilcoxon tests of all pairs, corrected by Holm's method, and not
of mean ranks as Demsar's are: whether two models differ does not depend on the others.
"""

import numpy as np
from paired_tests import mean_ranks, not_told_apart, pairwise_p

LEVEL = 0.05
BAR = 0.45  # height that one takes; a label takes 1


def plot(scores, names, file, ours=None):
    """Draw the ranks of models, the columns of scores, of which the highest is best."""
    from matplotlib.figure import Figure

    order = np.argsort(mean_ranks(scores), kind="stable")
    scores, names = scores[:, order], [names[i] for i in order]
    ranks = mean_ranks(scores)
    bars = not_told_apart(pairwise_p(scores), LEVEL)
    top = BAR * (len(bars) + 2)  # of the labels
    n_rows = (len(names) + 1) // 2
    figure = Figure(figsize=(8, 0.22 * (top + n_rows) + 0.5))
    ax = figure.subplots()
    low, high = _draw_axis(ax, ranks, bottom=top + n_rows - 0.5)
    ax.set_xlabel(f"mean rank over {len(scores)} tables; bars: not told apart")
    for i, (first, last) in enumerate(bars):
        ends = ranks[first], ranks[last]
        ax.plot(ends, [BAR * (i + 1)] * 2, color="black", linewidth=3.5)
    for i, (rank, name) in enumerate(zip(ranks, names, strict=True)):
        left = i < n_rows
        row = top + (i if left else len(names) - 1 - i)
        edge = low if left else high
        color = "tab:red" if name == ours else "black"
        ax.plot([rank, rank, edge], [0, row, row], color=color, linewidth=0.8)
        number = f"{rank:.2f}"
        ax.annotate(
            f"{name}  {number}" if left else f"{number}  {name}",
            (edge, row),
            xytext=(-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            color=color,
        )
    figure.savefig(file, dpi=200, bbox_inches="tight")


def _draw_axis(ax, ranks, bottom):
    """Draw an axis of ranks on top, return where labels end."""
    first = np.floor(ranks.min())
    last = max(np.ceil(ranks.max()), first + 1)
    margin = 0.05 * (last - first)
    ax.set(xlim=(first - margin, last + margin), ylim=(bottom, 0), yticks=[])
    ax.set_xticks(np.arange(first, last + 1))
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.spines["top"].set_bounds(first, last)
    ax.spines[["left", "right", "bottom"]].set_visible(False)
    return first - margin, last + margin
