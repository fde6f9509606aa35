"""Two classes of MNIST or CIFAR-10, from a file or from OpenML."""

import hashlib
import math
import os
import tempfile
from collections.abc import Sequence
from http.client import HTTPException
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import fetch_openml, get_data_home
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions

from sklearn_ndk._checks import NumberInterval
from sklearn_ndk._validation import validated


class Archive(NamedTuple):
    """A data set: where it is on OpenML, how many of its rows are for training."""

    data_id: int
    n_train: int
    image_shape: tuple[int, ...]
    class_names: tuple[str, ...]


_CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
ARCHIVES = {
    "mnist": Archive(554, 60_000, (28, 28), ()),
    "cifar10": Archive(40927, 50_000, (32, 32, 3), _CIFAR10_CLASSES),
}
_ARRAYS = ("X_train", "y_train", "X_test", "y_test")


@validated(
    {
        "name": [StrOptions(set(ARCHIVES))],
        "classes": ["array-like"],
        "n_train": [NumberInterval(Integral, 1, None, closed="left")],
        "n_test": [NumberInterval(Integral, 1, None, closed="left")],
        "data_home": [str, os.PathLike, None],
    },
)
def fetch_binary_images(
    name: str,
    classes: Sequence[int] | Sequence[str],
    n_train: int,
    n_test: int,
    data_home: str | os.PathLike[str] | None = None,
) -> Bunch:
    """Load the first images of two classes of MNIST or CIFAR-10.

    The images are those of the two classes in the archive's own order, so their
    numbers are only roughly equal.

    They are read from the file ``mnist.npz`` or ``cifar10.npz`` in `data_home`. If
    there is none, it is made from the copy at https://www.openml.org: data sets 554,
    with 60,000 training images first, and 40927, with 50,000. The download needs
    pandas. Without network, put a file there by hand, in the format of the notes.

    Parameters
    ----------
    name : {"mnist", "cifar10"}
        The archive.
    classes : array-like of shape (2,)
        Two different classes, the negative one first: numbers from 0 to 9, or names
        of classes of CIFAR-10: "airplane", "automobile", "bird", "cat", "deer",
        "dog", "frog", "horse", "ship" and "truck", which are 0 to 9 in this order.
    n_train : int
        Number of training images, of both classes together.
    n_test : int
        Number of test images, of both classes together.
    data_home : str or path-like, default=None
        Folder of the file; the one of :func:`sklearn.datasets.get_data_home` if None.

    Returns
    -------
    Bunch
        Dictionary-like, with attributes:

        - `X_train`, `X_test`: ndarrays of shape (n_train, n_pixels) and
          (n_test, n_pixels), pixels in [0, 1];
        - `y_train`, `y_test`: ndarrays of shape (n_train,) and (n_test,), -1.0 for
          ``classes[0]`` and 1.0 for ``classes[1]``;
        - `classes`: the two classes, as given;
        - `image_shape`: the shape of an image, (28, 28) or (32, 32, 3), to which a row
          can be reshaped;
        - `filename`: path of the file that was read.

    Raises
    ------
    ValueError
        If a parameter is invalid, if there are fewer images than asked for, or if the
        file is damaged or has another format.
    OSError
        If `data_home` is no folder and cannot be made one, or if there is no file and
        OpenML's copy cannot be had.

    Notes
    -----
    The file is an npz archive of four arrays. `X_train` and `X_test` are of type
    uint8 and of shape (n, n_pixels), or (n, height, width) for MNIST and
    (n, height, width, 3) for CIFAR-10. `y_train` and `y_test` are integers from 0 to 9,
    the classes as the archive numbers them. It need not be complete.

    scikit-learn compares a download with the MD5 checksum that OpenML publishes. The
    file made from it has one more entry, `sha256`, a checksum of the arrays that
    every reading verifies. A file made by hand need not have one.

    Examples
    --------
    >>> from sklearn_ndk.datasets import fetch_binary_images
    >>> images = fetch_binary_images("mnist", (4, 9), 500, 500)  # doctest: +SKIP
    >>> images.X_train.shape  # doctest: +SKIP
    (500, 784)
    """
    archive = ARCHIVES[name]
    labels = _labels(name, classes)
    path = _folder(data_home) / f"{name}.npz"
    if not path.exists():
        download(archive, path)
    arrays = _read(path, archive.image_shape)
    images = Bunch(
        classes=tuple(classes), image_shape=archive.image_shape, filename=str(path)
    )
    for part, n_samples in (("train", n_train), ("test", n_test)):
        X, y = arrays[f"X_{part}"], arrays[f"y_{part}"]
        chosen = np.flatnonzero(np.isin(y, labels))
        if n_samples > len(chosen):
            raise ValueError(
                f"n_{part}={n_samples} images were asked for; {path} has "
                f"{len(chosen)} of the classes {tuple(classes)} in its {part} part."
            )
        chosen = chosen[:n_samples]
        images[f"X_{part}"] = X[chosen].reshape(n_samples, -1) / 255.0
        images[f"y_{part}"] = np.where(y[chosen] == labels[0], -1.0, 1.0)
    return images


def _labels(name: str, classes: Any) -> list[int]:
    """Return the two classes as numbers."""
    names = ARCHIVES[name].class_names
    if np.shape(classes) == (2,):
        labels = [names.index(c) if c in names else c for c in classes]
        known = [c in range(10) and not isinstance(c, bool) for c in labels]
        if all(known) and labels[0] != labels[1]:
            return labels
    raise ValueError(
        f"classes of {name!r} must be two different ones of the numbers 0 to 9"
        + (f" or the names {names}" if names else "")
        + f"; got {classes!r}."
    )


def _folder(data_home: Any) -> Path:
    try:
        return Path(get_data_home(data_home))
    except OSError as error:
        raise OSError(
            f"data_home={data_home!r} is no folder, and none can be made: {error}"
        ) from error


def download(archive: Archive, path: Path) -> None:
    """Write a file from OpenML's copy.

    Parameters
    ----------
    archive : Archive
        The data set.
    path : Path
        The file.

    Raises
    ------
    OSError
        If the copy cannot be had, or the file cannot be written.
    """
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"There is no file {path}, and its folder cannot be written to.")
    try:
        X, y = fetch_openml(
            data_id=archive.data_id, return_X_y=True, as_frame=False, cache=False
        )
    except (OSError, EOFError, HTTPException, ValueError, ImportError) as error:
        raise OSError(
            f"There is no file {path}, and OpenML's data set {archive.data_id} could "
            f"not be had ({error}). Put the file there by hand: an npz archive of the "
            "uint8 images X_train and X_test, of shape (n_samples, "
            f"{math.prod(archive.image_shape)}), and of their classes y_train and "
            "y_test, integers from 0 to 9."
        ) from error
    n_channels = math.prod(archive.image_shape[2:])  # which come first on OpenML
    X = X.astype(np.uint8).reshape(len(X), n_channels, -1).transpose(0, 2, 1)
    X, y = X.reshape(len(X), -1), y.astype(np.uint8)
    n = archive.n_train
    _write(path, dict(zip(_ARRAYS, (X[:n], y[:n], X[n:], y[n:]), strict=True)))


def _write(path: Path, arrays: dict[str, Any]) -> None:
    """Write a file as a whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / path.name
        np.savez_compressed(written, **arrays, sha256=np.array(_checksum(arrays)))
        os.replace(written, path)


def _read(path: Path, image_shape: tuple[int, ...]) -> dict[str, NDArray]:
    """Return the arrays of a file, checked."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            known = {*_ARRAYS, "sha256"}.intersection(file.files)
            arrays = {key: file[key] for key in known}
    except (MemoryError, PermissionError):
        raise  # the file may be good
    except Exception as error:  # anything, from a damaged file
        raise ValueError(
            f"{path} is damaged, or no npz archive; remove it. ({error})"
        ) from error
    missing = [key for key in _ARRAYS if key not in arrays]
    if missing:
        raise ValueError(f"{path} must have the arrays {_ARRAYS}; it lacks {missing}.")
    checksum = arrays.pop("sha256", None)
    if checksum is not None and str(checksum) != _checksum(arrays):
        raise ValueError(f"{path} is damaged: its checksum differs; remove it.")
    for part in ("train", "test"):
        _check_part(path, part, arrays[f"X_{part}"], arrays[f"y_{part}"], image_shape)
    return arrays


def _check_part(
    path: Path, part: str, X: NDArray, y: NDArray, image_shape: tuple[int, ...]
) -> None:
    n_pixels = math.prod(image_shape)
    if X.dtype != np.uint8 or X.shape[1:] not in ((n_pixels,), image_shape):
        raise ValueError(
            f"X_{part} in {path} must be images of type uint8, of shape (n, {n_pixels})"
            f" or (n, {', '.join(map(str, image_shape))}); got shape {X.shape}, type "
            f"{X.dtype}."
        )
    if y.shape != X.shape[:1] or y.dtype.kind not in "iu" or np.any((y < 0) | (y > 9)):
        raise ValueError(
            f"y_{part} in {path} must be {len(X)} integers from 0 to 9; got shape "
            f"{y.shape}, type {y.dtype}."
        )


def _checksum(arrays: dict[str, NDArray]) -> str:
    digest = hashlib.sha256()
    for key in _ARRAYS:
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {array.shape} {array.dtype.str}".encode())
        digest.update(array.data)
    return digest.hexdigest()
