"""The CV pair with numbers in place of what it would choose."""

FIXED = {"T": 0.01, "bias": 0.3, "length_scale": 1.0}


def fixed(kind, *args, **params):
    """Return an estimator whose hyperparameters are given."""
    return kind(*args, **FIXED | params)
