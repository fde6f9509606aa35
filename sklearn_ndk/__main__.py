"""The demo: digits classified at every training time, ``python -m sklearn_ndk``."""

import argparse
import math
import os
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

from sklearn.callback import ProgressBar

from sklearn_ndk import NDKClassifier
from sklearn_ndk._demo import (
    N_CANDIDATES,
    PHASES,
    LearningCurve,
    Row,
    learning_curve,
    load_split,
    plot,
    rivals,
    standard_error,
    tune,
)
from sklearn_ndk.kernels._activations import ACTIVATIONS

_DESCRIPTION = """\
Classify scikit-learn's digits with infinitely wide networks at every training time:
fit NDKClassifier once, draw its learning curve from the first step through the
gradient-driven and the diffusive phase to equilibrium, choose the time to stop on
validation data, and compare with other models tuned on the same data."""

_FOOTER = """\
Each model was fitted on the training images, chosen among {n} candidates by its
accuracy on the same validation images (the first of equals) and scored on the test
images; +- is the standard error, sqrt(p (1 - p) / n). A candidate of the NDK is a
time, all {n} from one fit of the network above; a candidate of another model is a
setting, one fit each. The same validation images had chosen, beforehand, the defaults
of the NDK's options, out of 36 settings, and the ranges of the other models' settings.
"""


class Results(NamedTuple):
    """What the demo found: the learning curve and the rows of the table."""

    curve: LearningCurve
    rows: list[Row]


def main(argv=None, sizes=(797, 500, 500)):
    """Run the demo.

    Parameters
    ----------
    argv : list of str, default=None
        Command line arguments; those of the process if None.
    sizes : tuple of int, default=(797, 500, 500)
        Numbers of training, validation and test images.

    Returns
    -------
    Results
        The learning curve and the rows of the table.
    """
    options = _parse(argv)
    split = load_split(*sizes)
    print("Digits: {} training, {} validation, {} test images.".format(*sizes))
    curve = _run_network(options, split)
    rows = _compare(curve, split)
    print("\n" + fill(_FOOTER.format(n=N_CANDIDATES), 88))
    plot(curve, split, options.output)
    print(f"\nFigure: {options.output}")
    return Results(curve, rows)


def _parse(argv):
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_ndk",
        description=_DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    # The defaults: of erf and relu, depth 1 and 2, T in 0.001, 0.01, 0.1 and sigma0 in
    # 1, 2, 4 the best on validation, and of equals the one that gains most there over
    # the sum of its own two limits, then the first.
    add = parser.add_argument
    add("--depth", type=int, default=1, help="number of hidden layers")
    names = sorted(ACTIVATIONS)
    add("--activation", choices=names, default="erf", help="nonlinearity")
    add("--T", type=float, default=0.01, help="temperature of the noise")
    add("--sigma", type=float, default=1.0, help="deviation of the weights' prior")
    add("--sigma0", type=float, default=2.0, help="deviation of the initial weights")
    add("--output", type=Path, default="ndk_digits.png", help="PNG file to write")
    options = parser.parse_args(argv)
    if problem := _problem(options):
        parser.error(problem)
    return options


def _problem(options):
    """Return what is wrong with the options in a sentence, or None."""
    if options.depth < 1:
        return f"--depth must be at least 1; got {options.depth}."
    for name in ("T", "sigma", "sigma0"):
        value = getattr(options, name)
        if not 0 < value < math.inf:
            return f"--{name} must be positive and finite; got {value}."
    output = options.output
    if output.suffix.lower() != ".png":
        return f"--output must name a .png file; got {output}."
    if not output.parent.is_dir():
        return f"--output is in a folder that does not exist: {output.parent}."
    if output.is_dir() or not os.access(
        output if output.exists() else output.parent, os.W_OK
    ):
        return f"--output cannot be written: {output}."
    if find_spec("matplotlib") is None:
        return "the figure needs matplotlib; pip install sklearn-ndk[plot]."
    return None


def _run_network(options, split):
    """Fit the network once, and say when to stop it and in which phase that is."""
    names = ("depth", "activation", "T", "sigma", "sigma0")
    settings = {name: getattr(options, name) for name in names}
    print("Network:", _listed(settings))
    print("Solving its training once, for all times up to equilibrium:", flush=True)
    network = NDKClassifier(**settings, tol=1e-4)
    try:
        network.set_callbacks(ProgressBar())
    except ImportError:
        print("(pip install sklearn-ndk[progress] for a progress bar)", flush=True)
    curve = learning_curve(network, split)
    t = curve.times[curve.chosen]
    print(
        f"Chosen on validation: t={t:.3g}, tau = T t / sigma^2 = {curve.kappa * t:.3g},"
    )
    print(f"in the phase: {curve.phase} (", _phases(), ").", sep="")
    print(f"Its own limits, on test: NTK {curve.ntk:.3f}, NNGP {curve.test[-1]:.3f}.\n")
    return curve


def _compare(curve, split):
    """Print the table, a row as soon as it is known."""
    print(f"{'model':<13} {'test accuracy':<16} {'validation':<11} chosen")
    best = curve.chosen
    stopped = {"t": float(curve.times[best])}
    rows = [Row("NDK, stopped", curve.val[best], curve.test[best], stopped)]
    _print_row(rows[0], split)
    for name, (estimator, grid) in rivals().items():
        rows.append(tune(name, estimator, grid, split))
        _print_row(rows[-1], split)
    return rows


def _print_row(row, split):
    error = standard_error(row.test, len(split.y_test))
    accuracy = f"{row.test:.3f} +- {error:.3f}"
    print(
        f"{row.name:<13} {accuracy:<16} {row.val:<11.3f} {_listed(row.chosen)}",
        flush=True,
    )


def _listed(settings):
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in settings.items()
    )


if __name__ == "__main__":
    main()
