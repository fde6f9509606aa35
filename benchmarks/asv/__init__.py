"""The asv suite: time, peak memory and accuracy, tracked from commit to commit.

Run as ``asv run --config benchmarks/asv.conf.json``. The data are scikit-learn's
digits, so that it runs without a network.
"""
