"""Brute-force answers to a few small problems, and their hyperparameters."""

import json
from pathlib import Path

import numpy as np

GOLDEN = np.load(Path(__file__).parents[1] / "data" / "golden.npz")
GOLDEN_CASES = json.loads(str(GOLDEN["cases"]))
PARAMETERS = ("depth", "activation", "T", "sigma", "sigma0", "bias")
