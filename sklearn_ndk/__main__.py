"""The demo: digits classified at every training time, ``python -m sklearn_ndk``."""

import argparse
import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sklearn.callback import ProgressBar

from sklearn_ndk import NDKClassifierCV, _demo
from sklearn_ndk._phases import GRADIENT_END

_ACTIVATIONS = "erf", "linear", "relu"  # with which digits train within a minute

_DESCRIPTION = """Classify scikit-learn's digits with infinitely wide networks at every
training time: fit NDKClassifierCV, draw its accuracy through the gradient and the
diffusive phase to equilibrium, stop at the time that is best on validation images, and
compare with other models tuned on the same images."""

_FOOTER = """
Every model was chosen among {n} candidates by accuracy on the same validation images,
fitted on the training images (the first of equals), then fitted with the choice on
both and scored on the test images; +- is the standard error, sqrt(p (1 - p) / n). A
candidate of the NDK is a time, all {n} from one fit of the network above; one of
another model is a setting, with a fit of its own. About 50 settings of the NDK's
options, and the ranges of the other models' settings, had been tried beforehand on
images that are no test images.
"""


def main(
    argv: Sequence[str] | None = None, sizes: tuple[int, int, int] = (500, 500, 500)
) -> tuple[NDKClassifierCV, list[_demo.Row]]:
    """Run the demo.

    Parameters
    ----------
    argv : list of str, default=None
        Command line arguments; those of the process if None.
    sizes : tuple of int, default=(500, 500, 500)
        Numbers of training, validation and test images.

    Returns
    -------
    network : NDKClassifierCV
        The fitted network.
    rows : list of Row
        The rows of the table.
    """
    settings, output = _parse(argv)
    digits = _demo.load_split(*sizes)
    print("Digits: {} training, {} validation, {} test images.".format(*sizes))
    print("Network:", _demo.listed(settings))
    print("Solving its training for all times up to equilibrium, twice:", flush=True)
    network = _with_progress(settings | {"cv": digits.cv})
    network.fit(digits.X, digits.y)
    tested = _demo.plot(network, digits, output)
    print(_demo.summary(network, tested), _demo.Row.HEADER, sep="\n\n")
    rows = []
    for row in _demo.compare(network, digits):
        print(row, flush=True)  # at once: it shows how far the comparison is
        rows.append(row)
    print(_FOOTER.format(n=_demo.N_CANDIDATES))
    print(f"Figure: {output}")
    print(
        "(Below: the test image whose class changes most often after tau = "
        f"{GRADIENT_END:g}.)"
    )
    return network, rows


def _parse(argv: Sequence[str] | None) -> tuple[dict[str, Any], Path]:
    """Return the network's parameters and the path of the figure."""
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_ndk",
        description=_DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    # The defaults: the best on validation of about 50 settings of depth, activation, T
    # and sigma0 (of equals, one that is quick and gains over its two limits).
    add("--depth", type=_depth, default=1, help="number of hidden layers, 1 to 3")
    add("--activation", choices=_ACTIVATIONS, default="erf", help="nonlinearity")
    # The ranges keep the demo to a minute: time grows with the ratio of the rates of
    # gradient descent and diffusion.
    for option, default, low, high, text in (
        ("--T", 0.01, 1e-3, 10.0, "temperature of the noise"),
        ("--sigma", 1.0, 0.5, 3.0, "std of the weights' prior"),
        ("--sigma0", 2.0, 0.5, 3.0, "std of the initial weights"),
    ):
        text += f", {low:g} to {high:g}"
        add(option, type=_between(low, high), default=default, help=text)
    add("--output", type=_png, default="ndk_digits.png", help="PNG file to write")
    network = vars(parser.parse_args(argv))
    if find_spec("matplotlib") is None:
        parser.error("the figure needs matplotlib: pip install sklearn-ndk[plot]")
    return network, network.pop("output")


def _depth(text: str) -> int:
    if text not in list("123"):
        raise argparse.ArgumentTypeError(f"must be an integer from 1 to 3; got {text}")
    return int(text)


def _between(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"must be a positive number from {low:g} to {high:g}; got {text}"
            )
        return value

    return parse


def _png(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"must end in .png; got {text}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    try:
        is_new = not path.exists()
        path.open("ab").close()  # the only sure test, and changes nothing
        if is_new:
            path.unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{text} cannot be written: {error.strerror}"
        ) from error
    return path


def _with_progress(settings: dict[str, Any]) -> NDKClassifierCV:
    numbers = settings | {"bias": 0.0, "length_scale": 1.0}
    network = NDKClassifierCV(**numbers, times=_demo.N_CANDIDATES, tol=1e-3)
    try:
        return network.set_callbacks(ProgressBar())
    except ImportError:
        print("(pip install sklearn-ndk[progress] shows a progress bar)", flush=True)
        return network


if __name__ == "__main__":
    main()
