"""Tables and a plot that compare models by saved runs of ``tabular.py``.

Run as ``python benchmarks/tabular_report.py RUN.jsonl ... --plot ranks.png``. Of fits
that several files have, those of the last count. Scores are means over folds; tests,
ranks and standard errors are over tables, of those on which all models were run.
"""

import argparse
import json
from pathlib import Path

import critical_difference
import numpy as np
import pandas as pd
from paired_tests import gaps, holm, mean_ranks, wilcoxon_p
from scipy.stats import friedmanchisquare

PROTOCOL = ["folds", "max_train"]
KEY = ["table", "model", "fold", *PROTOCOL]
SCORES = "accuracy", "R²"
LOSSES = "log loss", "neg. log density"
COLUMNS = {  # of the summary, and the digits of each
    "log loss": 4,
    "Brier": 4,
    "ECE": 4,
    "neg. log density": 3,
    "90 % hold": 3,
}


def key(fit):
    """Return what identifies a fit."""
    return tuple(fit[name] for name in KEY)


def read(files):
    """Return the fits of some files, of those that are alike the last."""
    lines = [line for file in files for line in file.read_text().splitlines()]
    return list({key(fit): fit for fit in map(json.loads, lines)}.values())


def arranged(fits):
    """Return the name of the score, and frames of tables and models for each column."""
    fits = pd.DataFrame(fits)
    protocols = fits[PROTOCOL].drop_duplicates()
    scores = [name for name in SCORES if name in fits]
    if len(protocols) > 1 or len(scores) > 1:
        raise SystemExit("The fits are of different protocols.")
    cells = fits.groupby(["table", "model"], sort=False)
    complete = (cells.size().unstack() == protocols["folds"].item()).all(axis=1)
    if not complete.any():
        raise SystemExit("No table has the fits of all models.")
    for table in complete.index[~complete]:
        print(f"left out, for lack of some fits: {table}")
    means = cells.mean(numeric_only=True).unstack()
    return scores[0], means[complete]


def told(values):
    """Return the models that tell a column, on the tables where all of them do."""
    return values.dropna(axis=1, how="all").dropna()


def print_table(header, rows):
    print("\n|", " | ".join(header), "|")
    print("|" + "---|" * len(header))
    for row in rows:
        print("|", " | ".join(row), "|")


def summary(means, score):
    """Print mean scores, ranks and costs, the best rank first."""
    scores = means[score]
    ranks = mean_ranks(scores.to_numpy())
    best = (scores.sub(scores.max(axis=1), axis=0) > -1e-9).sum()
    others = {name: told(means[name]) for name in COLUMNS if name in means}
    rows = []
    for i in np.argsort(ranks, kind="stable"):
        name = scores.columns[i]
        row = [name, f"{scores[name].mean():.4f}", f"{ranks[i]:.2f}", str(best[name])]
        for column, values in others.items():
            digits = COLUMNS[column]
            row.append(f"{values[name].mean():.{digits}f}" if name in values else "")
        rows.append([*row, f"{means['fit (s)'][name].median():.1f}"])
    header = ["model", score, "mean rank", "best on"]
    print_table([*header, *others, "fit (s)"], rows)
    for column, values in others.items():
        if len(values) < len(scores):
            print(f"\n{column}: of {len(values)} tables.")
    if scores.shape[1] > 2 and len(scores) > 1:
        p = friedmanchisquare(*scores.to_numpy().T).pvalue
        print(f"\nAll models alike: p = {p:.1g} (Friedman test of {score}).")


def versus(values, ours, column):
    """Print what each model differs by from ours, and paired tests."""
    lower = column in LOSSES
    print(
        f"\n{ours} beside each, {len(values)} tables; {column}, the "
        f"{'lower' if lower else 'higher'} the better"
    )
    names = [name for name in values if name != ours]
    differences = [gaps(values[ours].to_numpy(), values[n].to_numpy()) for n in names]
    p = [wilcoxon_p(gap) for gap in differences]
    rows = []
    for name, gap, raw, corrected in zip(names, differences, p, holm(p), strict=True):
        better = -gap if lower else gap
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        counts = [np.sum(better > 0), np.sum(better == 0), np.sum(better < 0)]
        cells = [f"{gap.mean():+.4f} ± {error:.4f}", " / ".join(map(str, counts))]
        rows.append((better.mean(), [name, *cells, f"{raw:.2g}", f"{corrected:.2g}"]))
    header = ["other", "ours less theirs", "better / tied / worse", "p", "p, Holm"]
    print_table(header, [row for _, row in sorted(rows)])


def report(fits, ours, plot=None):
    """Print all tables, and draw the ranks to a file."""
    score, means = arranged(fits)
    scores = means[score]
    print(f"\n{len(scores)} tables")
    summary(means, score)
    for column in (score, *LOSSES):
        if column in means and ours in (values := told(means[column])):
            versus(values, ours, column)
    rows = [
        [table, *(f"{value:.3f}" for value in row)]
        for table, row in zip(scores.index, scores.to_numpy(), strict=True)
    ]
    print_table(["table", *scores.columns], rows)
    if plot:
        critical_difference.plot(scores.to_numpy(), list(scores), plot, ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="what --save has saved")
    parser.add_argument(
        "--ours", default="NDK CV", help="the model others stand beside"
    )
    parser.add_argument("--plot", help="a PNG file for the mean ranks")
    args = parser.parse_args()
    report(read(args.files), args.ours, args.plot)


if __name__ == "__main__":
    main()
