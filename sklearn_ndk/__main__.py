"""The demo: digits classified at every training time, ``python -m sklearn_ndk``."""

import argparse
import math
import os
from importlib.util import find_spec
from pathlib import Path

from sklearn.callback import ProgressBar

from sklearn_ndk import NDKClassifier, _demo
from sklearn_ndk.kernels._activations import ACTIVATIONS

_DESCRIPTION = """Classify scikit-learn's digits with infinitely wide networks at every
training time: fit NDKClassifier once, draw its learning curve through the
gradient-driven and the diffusive phase to equilibrium, choose the time to stop on
validation images, and compare with other models tuned on the same images."""

_FOOTER = """
Every model was fitted on the training images, chosen among {n} candidates by accuracy
on the same validation images (the first of equals) and scored on the test images;
+- is the standard error, sqrt(p (1 - p) / n). A candidate of the NDK is a time, all
{n} from one fit of the network above; one of another model is a setting, with a fit
of its own. The same validation images had chosen beforehand the defaults of the NDK's
options, out of about 50, and the ranges of the other models' settings.
"""


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
    curve : LearningCurve
        The learning curve of the network.
    rows : list of Row
        The rows of the table.
    """
    network, output = _parse(argv)
    split = _demo.load_split(*sizes)
    print("Digits: {} training, {} validation, {} test images.".format(*sizes))
    print("Network:", _demo.listed(network))
    print("Solving its training once, for all times up to equilibrium:", flush=True)
    curve = _demo.learning_curve(_with_progress(network), split)
    print(curve.summary(), _demo.Row.HEADER, sep="\n\n")
    rows = []
    for row in _demo.compare(curve, split):
        print(row, flush=True)  # at once: it shows how far the comparison is
        rows.append(row)
    print(_FOOTER.format(n=_demo.N_CANDIDATES))
    _demo.plot(curve, split, output)
    print(f"Figure: {output}")
    print("(Below: the test image whose class changes most often after tau = 0.05.)")
    return curve, rows


def _parse(argv):
    """Return the network's parameters and the path of the figure."""
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_ndk",
        description=_DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    # The defaults: the best on validation of about 50 settings of depth, activation, T
    # and sigma0 (0.994; of equals, one that is quick and gains over its two limits).
    add("--depth", type=_depth, default=1, help="number of hidden layers")
    add("--activation", choices=sorted(ACTIVATIONS), default="erf", help="nonlinearity")
    add("--T", type=_positive, default=0.01, help="temperature of the noise")
    add("--sigma", type=_positive, default=1.0, help="std of the weights' prior")
    add("--sigma0", type=_positive, default=2.0, help="std of the initial weights")
    add("--output", type=_png, default="ndk_digits.png", help="PNG file to write")
    network = vars(parser.parse_args(argv))
    if find_spec("matplotlib") is None:
        parser.error("the figure needs matplotlib: pip install sklearn-ndk[plot]")
    return network, network.pop("output")


def _depth(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer from 1; got {text}")
    return int(text)


def _positive(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number; got {text}")
    return value


def _png(text):
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"must end in .png; got {text}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text} cannot be written")
    return path


def _with_progress(settings):
    network = NDKClassifier(**settings, tol=1e-3)
    try:
        return network.set_callbacks(ProgressBar())
    except ImportError:
        print("(pip install sklearn-ndk[progress] shows a progress bar)", flush=True)
        return network


if __name__ == "__main__":
    main()
