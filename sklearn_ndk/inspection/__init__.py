"""Pictures of learning and of drift against time, and of which features matter."""

from sklearn_ndk.inspection._drift import DriftDisplay
from sklearn_ndk.inspection._early_stopping import EarlyStoppingDisplay
from sklearn_ndk.inspection._length_scale import LengthScaleDisplay
from sklearn_ndk.inspection._prediction_path import PredictionPathDisplay

__all__ = [
    "DriftDisplay",
    "EarlyStoppingDisplay",
    "LengthScaleDisplay",
    "PredictionPathDisplay",
]
