"""What the steps of docs/messy_tables.md add, and what is lost without them.

Run as ``python benchmarks/messy_tables.py``; it needs pandas and skrub. Tables and
pipelines are those of the page, whose code it runs. Made-up tables, each split once:
mean R^2 on the test part, the difference from the pipeline of the page, both with the
standard error over tables, and the median time of a fit.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import re
import warnings
from pathlib import Path

import numpy as np
from problems import seconds
from rivals import FIXED
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from skrub import TableVectorizer, tabular_pipeline

PAGE = Path(__file__).parents[1] / "docs" / "messy_tables.md"


def code_of_page():
    """Return what the page defines, as far as the second of its pipelines."""
    found = {"__name__": "__main__"}
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall("```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), found)
        if "model" in found:
            return found
    raise ValueError(f"{PAGE} fits no model.")


def of_columns(page):
    """Return the first pipeline of the page, and others for tidy tables."""
    columns, ndk = page["plain"]
    (_, numbers, _), *rest = columns.transformers
    powers = make_pipeline(PowerTransformer(), page["fill"])
    symmetric = make_column_transformer(
        (powers, ["area", "distance"]),
        (numbers, ["built", "day", "pool", "sauna"]),
        *[(part, names) for _, part, names in rest],
    )
    standard, given = StandardScaler(), clone(ndk).set_params(**FIXED)
    plain = replaced(columns, **{"pipeline-1__tablescaler": standard})
    quiet = replaced(columns, **{"pipeline-1__simpleimputer__add_indicator": False})
    return {
        "scikit-learn": (columns, ndk),
        "PowerTransformer for area and distance": (symmetric, ndk),
        "StandardScaler": (plain, ndk),
        "no indicators of what is missing": (quiet, ndk),
        "all columns standardised at the end": (columns, standard, ndk),
        "numbers given": (columns, given),
        "given, and all columns standardised": (columns, standard, given),
    }


def of_skrub(page):
    """Return the second pipeline of the page, and others for tables as they are."""
    vectorizer, ndk = page["model"]
    standard, imputer = StandardScaler(), SimpleImputer(add_indicator=True)
    simple = replaced(TableVectorizer(), high_cardinality__random_state=0)
    seed = {"tablevectorizer__high_cardinality__random_state": 0}
    short = [tabular_pipeline(clone(ndk)), tabular_pipeline("regressor")]
    short = [replaced(pipeline, **seed) for pipeline in short]
    scalers = [f"{kind}__squashingscaler" for kind in ("numeric", "datetime")]
    plain = replaced(vectorizer, **dict.fromkeys(scalers, standard))
    return {
        "skrub": (vectorizer, ndk),
        "StandardScaler": (plain, ndk),
        "all columns standardised at the end": (vectorizer, standard, ndk),
        "imputed and standardised": (simple, imputer, standard, ndk),
        "tabular_pipeline": short[:1],
        "tabular_pipeline of boosted trees": short[1:],
    }


def replaced(transformer, **parameters):
    """Return a transformer with other parameters."""
    return clone(transformer).set_params(**parameters)


def compare(pipelines, prepare, make_homes, n_tables):
    """Print a table of pipelines, and how the first differs from the others."""
    models = [clone(make_pipeline(*steps)) for steps in pipelines.values()]
    scores, times = np.empty((2, len(models), n_tables))
    for seed in range(n_tables):
        homes = make_homes(seed=seed)
        y = np.log(homes.pop("price"))
        parts = train_test_split(prepare(homes), y, train_size=400, random_state=0)
        X, X_test, y, y_test = parts
        for i, model in enumerate(models):
            times[i, seed] = seconds(lambda: model.fit(X, y))
            scores[i, seed] = model.score(X_test, y_test)
    print("\n| | R^2 | difference | fit (s) |\n|---|---|---|---|")
    for name, score, time in zip(pipelines, scores, times, strict=True):
        gap = mean_and_error(score - scores[0])
        print(f"| {name} | {mean_and_error(score)} | {gap} | {np.median(time):.2f} |")


def mean_and_error(values):
    """Return the mean over tables and its standard error."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=10)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # of levels and of columns that are new
    page = code_of_page()
    compare(of_columns(page), page["tidy"], page["make_homes"], args.tables)
    compare(of_skrub(page), lambda X: X, page["make_homes"], args.tables)


if __name__ == "__main__":
    main()
