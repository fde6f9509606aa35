"""Pictures of learning against training time."""

from sklearn_ndk.inspection._early_stopping import EarlyStoppingDisplay
from sklearn_ndk.inspection._prediction_path import PredictionPathDisplay

__all__ = ["EarlyStoppingDisplay", "PredictionPathDisplay"]
