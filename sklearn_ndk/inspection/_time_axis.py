"""What the displays share: a logarithmic axis of time that ends at infinity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._optional_dependencies import check_matplotlib_support

from sklearn_ndk._base import BaseNDK
from sklearn_ndk.inspection._palette import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BEYOND = 4.0  # times the last finite one, where infinity is drawn
_N_TICKS = 5  # where powers of ten are too few


def new_axes(ax: Axes | None, name: str) -> Axes:
    """Return the axes to draw on, new if None are given."""
    check_matplotlib_support(f"{name}.plot")
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def draw_time_axis(
    ax: Axes,
    times: NDArray[np.float64],
    boundaries: dict[str, float] | None,
    label: str = "training time t (gradient flow)",
) -> NDArray[np.float64]:
    """Scale and label a logarithmic axis of time, with the phases of learning.

    Zero lies below the first positive time, and infinity beyond the last finite one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    times : ndarray of shape (n_times,)
        Increasing times.
    boundaries : dict of float or None
        Times at which phases of learning begin, by label; marked if they lie between
        the first and the last of the positive and finite times.
    label : str
        Label of the axis.

    Returns
    -------
    ndarray of shape (n_times,)
        Positions of the times on the axis, positive and finite.
    """
    finite = times[(times > 0) & np.isfinite(times)]
    first, last = (finite[0], finite[-1]) if len(finite) else (1.0, 1.0)
    zero, infinity = first / _BEYOND, last * _BEYOND
    places = np.select([times == 0, times == np.inf], [zero, infinity], times)
    ticks = _ticks(finite)
    ticks |= {zero: "0"} if times[0] == 0 else {}
    ticks |= {infinity: "$\\infty$"} if times[-1] == np.inf else {}
    ax.set_xscale("log")
    ax.set_xlabel(label)
    ax.set_xticks(list(ticks), list(ticks.values()))
    ax.minorticks_off()
    for name, t in (boundaries or {}).items():
        if first <= t <= last:
            _mark(ax, name, t)
    return places


def _ticks(times: NDArray[np.float64]) -> dict[float, str]:
    """Return labels by position: powers of ten, or a few times if there is one or none.

    The powers are about eight at most.
    """
    if not len(times):
        return {}
    low, high = np.ceil(np.log10(times[0])), np.floor(np.log10(times[-1]))
    if high - low < 1:
        some = np.linspace(0, len(times) - 1, min(len(times), _N_TICKS))
        return {t: f"{t:.3g}" for t in times[some.round().astype(int)]}
    step = max(1, np.ceil((high - low) / 7))
    powers = np.arange(low, high + 0.5, step).astype(int)
    return {10.0**power: f"$10^{{{power}}}$" for power in powers}


def _mark(ax: Axes, label: str, t: float) -> None:
    """Draw a vertical line where a phase of learning begins."""
    ax.axvline(t, color=GREY, linestyle=":", linewidth=1)
    ax.annotate(
        label,
        (t, 1),
        xytext=(3, -3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        rotation=90,
        va="top",
        color=GREY,
    )


def boundaries_of(estimator: BaseNDK) -> dict[str, float]:
    """Return where phases of learning of a fitted estimator begin, by label."""
    ensemble = estimator._ensemble
    boundaries = {}
    if ensemble.has_ntk:
        boundaries["$1/\\lambda_{max}$"] = 1 / ensemble.fastest_rate()
    if ensemble.diffusion_rate:
        boundaries["$\\sigma^2/T$"] = 1 / ensemble.diffusion_rate
    return boundaries
