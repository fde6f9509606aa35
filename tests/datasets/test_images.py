"""Two classes of images; nothing here needs a network."""

from http.client import IncompleteRead
from urllib.error import URLError

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_ndk.datasets import _images, fetch_binary_images
from sklearn_ndk.datasets._images import ARCHIVES, download


@pytest.fixture
def arrays():
    """Return a small archive of MNIST: ten images of each digit, in turn."""
    rng = np.random.default_rng(0)
    y = np.tile(np.arange(10, dtype=np.uint8), 10)
    X = rng.integers(0, 256, (100, 784), dtype=np.uint8)
    return {"X_train": X, "y_train": y, "X_test": X[:50], "y_test": y[:50]}


@pytest.fixture
def openml(monkeypatch):
    """Fake OpenML, with few images; returns a list of what it was asked for."""
    asked = []

    def fetch(*, data_id, return_X_y, as_frame, cache):
        assert not cache
        asked.append(data_id)
        n_pixels = {554: 784, 40927: 3072}[data_id]
        X = np.random.default_rng(1).integers(0, 256, (700, n_pixels))
        return X.astype(float), np.tile(np.arange(10), 70).astype(str).astype(object)

    monkeypatch.setattr(_images, "fetch_openml", fetch)
    return asked


def download_few(name, folder):
    """Make a file of 600 training images, and 100 test images, from OpenML's copy."""
    download(ARCHIVES[name]._replace(n_train=600), folder / f"{name}.npz")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(_images, "fetch_openml", None)


@pytest.fixture(
    params=[
        URLError("no route"),
        ValueError("md5 checksum differs"),
        IncompleteRead(b"", 9),
        ImportError("requires pandas"),
    ],
    ids=str,
)
def offline(monkeypatch, request):
    def fetch(**_):
        raise request.param

    monkeypatch.setattr(_images, "fetch_openml", fetch)


def test_file_that_is_missing_is_downloaded(tmp_path, openml):
    with pytest.raises(ValueError, match="has 0 of the classes"):  # of 700 images
        fetch_binary_images("mnist", (0, 1), 1, 1, data_home=tmp_path)
    assert openml == [554]
    assert (tmp_path / "mnist.npz").exists()


@pytest.mark.parametrize("shape", [(-1, 784), (-1, 28, 28)])
def test_file_made_by_hand(tmp_path, arrays, shape):
    X = arrays["X_train"]
    arrays |= {key: arrays[key].reshape(shape) for key in ("X_train", "X_test")}
    np.savez(tmp_path / "mnist.npz", **arrays)
    images = fetch_binary_images("mnist", (4, 9), 7, 2, data_home=tmp_path)
    assert_array_equal(images.X_train, X[[4, 9, 14, 19, 24, 29, 34]] / 255)
    assert_array_equal(images.y_train, [-1, 1, -1, 1, -1, 1, -1])
    assert_array_equal(images.X_test, X[[4, 9]] / 255)
    assert_array_equal(images.y_test, [-1, 1])
    assert images.classes == (4, 9)
    assert images.image_shape == (28, 28)
    assert images.filename == str(tmp_path / "mnist.npz")
    turned = fetch_binary_images("mnist", [9, 4], 7, 2, data_home=str(tmp_path))
    assert_array_equal(turned.y_train, -images.y_train)


def test_download_is_kept(tmp_path, openml):
    download_few("mnist", tmp_path)
    first = fetch_binary_images("mnist", (0, 1), 120, 20, data_home=tmp_path)
    again = fetch_binary_images("mnist", (0, 1), 120, 20, data_home=tmp_path)
    assert openml == [554]
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
    for key in ("X_train", "y_train", "X_test", "y_test"):
        assert_array_equal(first[key], again[key])
    X = np.random.default_rng(1).integers(0, 256, (700, 784))
    assert_array_equal(first.X_train[:3], X[[0, 1, 10]] / 255)
    assert_array_equal(first.X_test[:3], X[[600, 601, 610]] / 255)


def test_classes_of_cifar_by_name_and_channels_last(tmp_path, openml):
    download_few("cifar10", tmp_path)
    images = fetch_binary_images("cifar10", ("cat", "dog"), 3, 1, data_home=tmp_path)
    numbers = fetch_binary_images("cifar10", (3, 5), 3, 1, data_home=tmp_path)
    assert openml == [40927]
    assert_array_equal(images.X_train, numbers.X_train)
    assert images.classes == ("cat", "dog")
    X = np.random.default_rng(1).integers(0, 256, (700, 3, 32, 32))
    picture = images.X_train[1].reshape(images.image_shape)
    assert_array_equal(picture[:, :, 2], X[5, 2] / 255)  # the first dog's blue


def test_damage_is_noticed(tmp_path, openml):
    download_few("mnist", tmp_path)
    fetch_binary_images("mnist", (0, 1), 1, 1, data_home=tmp_path)
    path = tmp_path / "mnist.npz"
    with np.load(path) as file:
        arrays = dict(file)
    arrays["X_train"][5, 5] ^= 1
    np.savez(path, **arrays)
    with pytest.raises(
        ValueError, match=r"mnist\.npz is damaged: its checksum differs"
    ):
        fetch_binary_images("mnist", (0, 1), 1, 1, data_home=tmp_path)
    whole = path.read_bytes()
    for broken in (b"", whole[:-100], whole[:5000] + b"x" + whole[5001:], b"not zip"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"mnist\.npz is damaged, or no npz"):
            fetch_binary_images("mnist", (0, 1), 1, 1, data_home=tmp_path)


def test_memory_that_does_not_suffice_is_no_damage(tmp_path, monkeypatch):
    def load(stream):
        raise MemoryError

    (tmp_path / "mnist.npz").touch()
    monkeypatch.setattr(np, "load", load)
    with pytest.raises(MemoryError):
        fetch_binary_images("mnist", (0, 1), 1, 1, data_home=tmp_path)


def test_data_home_that_is_no_folder_is_told(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(OSError, match=r"data_home=.*file.* is no folder"):
        fetch_binary_images("mnist", (0, 1), 1, 1, data_home=path)


def test_without_file_or_network_the_error_tells_what_to_do(tmp_path, offline):
    with pytest.raises(OSError, match=r"could not be had \(.*\w") as error:
        fetch_binary_images("cifar10", ("cat", "dog"), 1, 1, data_home=tmp_path)
    for words in (str(tmp_path / "cifar10.npz"), "3072", "y_test", "40927"):
        assert words in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"X_test": np.zeros((50, 784))}, "X_test .* type uint8, .* type float64"),
        ({"X_train": np.zeros((100, 783), np.uint8)}, r"\(n, 784\).*783"),
        ({"y_train": np.zeros(99, int)}, "y_train .* 100 integers .*; got shape"),
        ({"y_test": np.zeros(50)}, "y_test .* integers .* float64"),
        ({"y_test": None}, r"lacks \['y_test'\]"),
        ({"y_test": np.full(50, 10)}, "y_test .* integers from 0 to 9"),
        ({"X_test": np.zeros((50, 14, 56), np.uint8)}, r"or \(n, 28, 28\); got shape"),
        ({"X_train": np.zeros((), np.uint8)}, r"X_train .* got shape \(\)"),
    ],
)
def test_file_of_another_format(tmp_path, arrays, wrong, message):
    kept = {k: v for k, v in (arrays | wrong).items() if v is not None}
    np.savez(tmp_path / "mnist.npz", **kept)
    with pytest.raises(ValueError, match=message):
        fetch_binary_images("mnist", (0, 1), 1, 1, data_home=tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "svhn"}, "'name' parameter .* among {.*'mnist'"),
        ({"classes": (3, 3)}, "two different ones of the numbers 0 to 9; got"),
        ({"classes": (3, 10)}, r"got \(3, 10\)"),
        ({"classes": (True, False)}, r"got \(True, False\)"),
        ({"classes": {3, 5}}, r"got \{3, 5\}"),
        ({"classes": [[3, 5]]}, r"got \[\[3, 5\]\]"),
        ({"classes": (1, 2, 3)}, r"got \(1, 2, 3\)"),
        ({"classes": ("cat", "dog")}, r"got \('cat', 'dog'\)"),
        ({"name": "cifar10", "classes": ("cat", "cow")}, "or the names .*'airplane'"),
        ({"name": "cifar10", "classes": ("cat", 3)}, "two different"),
        ({"n_train": 0}, "'n_train' parameter"),
        ({"n_test": 0}, "'n_test' parameter"),
        ({"n_train": 21}, r"n_train=21 .* has 20 of the classes \(0, 1\) in its train"),
        ({"n_test": 11}, r"n_test=11 .* has 10 of the classes"),
    ],
)
def test_bad_parameters_of_images(tmp_path, arrays, wrong, message):
    np.savez(tmp_path / "mnist.npz", **arrays)
    asked = {"name": "mnist", "classes": (0, 1), "n_train": 1, "n_test": 1} | wrong
    with pytest.raises(ValueError, match=message):
        fetch_binary_images(**asked, data_home=tmp_path)
