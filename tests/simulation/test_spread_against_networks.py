"""The covariance of finite networks against that of infinite width."""

from functools import cache

import numpy as np
import pytest
from simulated import orthogonal

from sklearn_ndk import NDKRegressor
from sklearn_ndk.simulation import simulate_langevin

TIMES = np.array([0.5, 2.0, 5.0])
N_NETWORKS, WIDTH = 600, 48
CASES = {
    "relu": ({"sigma0": 1.4}, 0.0167),
    "two layers": ({"depth": 2, "sigma0": 0.7}, 0.025),
    "erf": ({"activation": "erf", "sigma0": 1.3, "bias": 0.3}, 0.02),
    "erf, two layers": ({"activation": "erf", "depth": 2}, 0.02),
}
WRONG = {
    "relu": [{"sigma0": 1.0}, {"depth": 2}, {"limit": "nngp"}],
    "two layers": [{"sigma0": 1.0}, {"limit": "ntk"}],
    "erf": [{"sigma0": 0.8}, {"limit": "nngp"}],
    "erf, two layers": [{"sigma0": 0.7}, {"sigma0": 1.5}],
}


@cache
def simulated(case):
    """Return covariances at infinite width: the term in 1 / width is removed."""
    params, step_size = CASES[case]
    X, y, X_test = orthogonal()
    covariances = []
    for width in (WIDTH // 2, WIDTH):
        networks = simulate_langevin(
            X,
            y,
            X_test,
            TIMES,
            T=0.2,
            width=width,
            n_networks=N_NETWORKS,
            step_size=step_size,
            random_state=width,
            **params,
        )
        outputs = networks["predictions"].transpose(2, 1, 0)
        covariances.append(np.array([np.cov(at_one_time) for at_one_time in outputs]))
    return 2 * covariances[1] - covariances[0]


def deviation(case, **wrong):
    """Return the largest difference from theory, in standard errors."""
    X, y, X_test = orthogonal()
    model = NDKRegressor(**{"T": 0.2, **CASES[case][0], **wrong}).fit(X, y)
    theory = np.array([model.predict(X_test, t=t, return_cov=True)[1] for t in TIMES])
    variances = np.einsum("tii->ti", theory)
    # of a sample covariance of Gaussians; the two widths add up
    squares = variances[:, :, None] * variances[:, None] + theory**2
    errors = np.sqrt((2**2 + 1) * squares / N_NETWORKS)
    return np.abs((simulated(case) - theory) / errors).max()


@pytest.mark.parametrize("case", CASES)
def test_spread_is_that_of_networks(case):
    assert deviation(case) < 4


@pytest.mark.parametrize("case", CASES)
def test_networks_find_out_a_wrong_spread(case):
    for wrong in WRONG[case]:
        assert deviation(case, **wrong) > 5, wrong
