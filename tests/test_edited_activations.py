"""A memory never answers for an activation that has been edited."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_ndk import NDKClassifierCV, NDKRegressorCV
from sklearn_ndk.kernels import Activation

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 30))  # more features than samples: kernels of full rank
LABELS = (X[:, 0] > 0).astype(int)


def activation(power):
    """Return an activation; all have one name, as the versions of an edited class."""

    class Edited(Activation):
        name = "edited"
        homogeneous = False

        def duals(self, var_u, var_v, cov):
            return cov**power, power * cov ** (power - 1)

    return Edited


Edited = None  # joblib pickles by this name


@pytest.mark.parametrize("make", [NDKRegressorCV, NDKClassifierCV])
@pytest.mark.parametrize("limit", [None, "ntk", "nngp"])
def test_memory_follows_an_edited_activation(make, limit, tmp_path, monkeypatch):
    params = {"depth": 1, "times": [1.0, np.inf], "cv": 2, "limit": limit}
    for power in (1, 3):
        version = activation(power)
        version.__qualname__ = "Edited"
        monkeypatch.setattr(sys.modules[__name__], "Edited", version)
        plain = make(activation=version(), **params).fit(X, LABELS)
        kept = make(activation=version(), memory=str(tmp_path), **params)
        kept.fit(X, LABELS)
        assert_array_equal(kept.predict(X), plain.predict(X))
        assert kept.best_score_ == plain.best_score_


SCRIPT = """
import numpy as np
from sklearn_ndk import NDKRegressorCV
from sklearn_ndk.kernels import Activation

class Mine(Activation):
    name = "mine"
    homogeneous = False

    def duals(self, var_u, var_v, cov):
        return 1.0 * cov, np.ones_like(cov)

X = np.random.default_rng(0).standard_normal((12, 2))
model = NDKRegressorCV(activation=Mine(), times=[1.0], cv=2, n_jobs=2)
model.set_params(memory={folder!r})
print("score", model.fit(X, X[:, 0]).best_score_)
"""


def test_activation_of_a_script_works_in_processes_with_memory(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path / "memory")))
    run = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert "score" in run.stdout, run.stderr
