"""Hyperparameters that are "auto": numbers are chosen for them before the time is."""

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from sklearn_ndk._parameters import CHOSEN_BY_EVIDENCE
from sklearn_ndk.hyperparameters import most_likely

_NAMES = *CHOSEN_BY_EVIDENCE, "sigma0"


class AutoHyperparameters:
    """Part of an estimator that chooses its hyperparameters by the evidence."""

    def _without_auto(self) -> tuple[Self, list[str]]:
        """Return a copy, neutral where hyperparameters are "auto", and their names."""
        model: Any = copy.copy(self)
        if model.T is None:
            model.T = 0.0 if model.limit == "ntk" else "auto"
        auto = [name for name in _NAMES if is_auto(getattr(model, name))]
        if "T" in auto and model.limit == "ntk":
            raise ValueError(
                'T="auto" has no meaning with limit="ntk", which is without noise: '
                "give T a number."
            )
        model.length_scale = copy.deepcopy(model.length_scale)  # the user's may change
        vars(model).update(dict.fromkeys(auto, 1))
        return model, auto

    def _set_numbers(self, data: tuple[NDArray, ...], auto: list[str]) -> None:
        """Choose numbers for a neutral copy, and the size of targets that suits it."""
        free = [name for name in auto if name != "sigma0"]
        if free:
            chosen = self._most_likely(data, free)
            self._target_size = chosen.pop("size")
            vars(self).update(chosen)
        if "sigma0" in auto:
            self.sigma0 = self.sigma  # type: ignore[attr-defined]

    def _numbers(self) -> dict[str, Any]:
        """Return the attributes of a fitted estimator that tell of its numbers."""
        return {f"{name}_": copy.deepcopy(getattr(self, name)) for name in _NAMES}

    def _most_likely(
        self: Any, data: tuple[NDArray, ...], free: list[str]
    ) -> dict[str, Any]:
        """Return what has the largest evidence of samples, and the size of targets.

        Noise that the dynamics have not is chosen along, and left.
        """
        samples, _, _ = self._training_set(*data)
        noisy = self.T > 0 and self.limit != "ntk"
        given = {name: getattr(self, name) for name in ("T", "sigma", "bias")}
        chosen = most_likely(
            samples,
            self._network(),
            given=given | {"length_scale": 1.0},
            free=free if noisy else ["T", *free],
            labels=is_classifier(self),
        )
        return {name: chosen[name] for name in [*free, "size"]}

    def _chosen_scales(self, data: tuple[NDArray, ...]) -> NDArray[np.float64]:
        """Return length scales that samples tell, for the numbers of the rest."""
        model = copy.copy(self)
        model.length_scale = 1.0  # type: ignore[attr-defined]
        scales: NDArray[np.float64] = model._most_likely(data, ["length_scale"])[
            "length_scale"
        ]
        return scales


def is_auto(value: Any) -> bool:
    """Tell whether a hyperparameter is to be chosen.

    Parameters
    ----------
    value : object
        What a user gave.

    Returns
    -------
    bool
        Whether it is "auto".
    """
    return isinstance(value, str) and value == "auto"
