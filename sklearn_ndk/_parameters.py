"""Parameters of the estimators: their defaults and their constraints."""

from numbers import Integral, Real
from types import FunctionType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import StrOptions

from sklearn_ndk._checks import NumberInterval
from sklearn_ndk._length_scale import LENGTH_SCALE
from sklearn_ndk.activations._registry import ActivationLike
from sklearn_ndk.dynamics import LIMITS
from sklearn_ndk.kernels._network import NETWORK_CONSTRAINTS

_COMMON_CONSTRAINTS = {
    **NETWORK_CONSTRAINTS,
    "length_scale": LENGTH_SCALE,
    "limit": [StrOptions(LIMITS.keys()), None],
    "normalize_y": ["boolean"],
    "tol": [NumberInterval(Real, 1e-10, 1e-1, closed="both")],
}


class NDKParameters:
    """Parameters of the estimators that predict at a given time."""

    _parameter_constraints: ClassVar[dict] = {
        **_COMMON_CONSTRAINTS,
        "t": [NumberInterval(Real, 0, None, closed="both")],
    }

    def __init__(
        self,
        depth: int = 1,
        activation: ActivationLike = "relu",
        *,
        T: float = 0.01,
        sigma: float = 1.0,
        sigma0: float = 1.0,
        bias: float = 0.0,
        length_scale: float | ArrayLike = 1.0,
        t: float = np.inf,
        limit: str | None = None,
        normalize_y: bool = False,
        tol: float = 1e-4,
    ):
        self.depth = depth
        self.activation = activation
        self.T = T
        self.sigma = sigma
        self.sigma0 = sigma0
        self.bias = bias
        self.length_scale = length_scale
        self.t = t
        self.limit = limit
        self.normalize_y = normalize_y
        self.tol = tol

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" not in vars(cls):  # a bad argument is told with its name
            cls.__init__ = _renamed(cls.__init__, f"{cls.__qualname__}.__init__")


#: What the estimators that choose their time choose by evidence, if it is "auto".
CHOSEN_BY_EVIDENCE = ("depth", "T", "sigma", "bias", "length_scale")


class StoppingTimeParameters:
    """Parameters of the estimators that choose their time by cross-validation."""

    _parameter_constraints: ClassVar[dict] = {
        **_COMMON_CONSTRAINTS,
        **{
            name: [*_COMMON_CONSTRAINTS[name], StrOptions({"auto"})]
            for name in (*CHOSEN_BY_EVIDENCE, "sigma0")
        },
        "T": [*_COMMON_CONSTRAINTS["T"], StrOptions({"auto"}), None],
        "times": ["array-like", NumberInterval(Integral, 2, None, closed="left"), None],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "selection": [StrOptions({"best", "1se"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        depth: int | str = 2,
        activation: ActivationLike = "relu",
        *,
        T: float | str | None = None,
        sigma: float | str = 1.0,
        sigma0: float | str = 1.0,
        bias: float | str = "auto",
        length_scale: float | ArrayLike | str = "auto",
        times: int | ArrayLike | None = None,
        cv: Any = None,
        scoring: Any = None,
        selection: str = "best",
        limit: str | None = None,
        normalize_y: bool = False,
        tol: float = 1e-4,
        n_jobs: int | None = None,
    ):
        self.depth = depth
        self.activation = activation
        self.T = T
        self.sigma = sigma
        self.sigma0 = sigma0
        self.bias = bias
        self.length_scale = length_scale
        self.times = times
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.limit = limit
        self.normalize_y = normalize_y
        self.tol = tol
        self.n_jobs = n_jobs


def _renamed(function, qualname):
    """Return a copy of a function under the name that its error messages show."""
    copied = FunctionType(
        function.__code__, function.__globals__, argdefs=function.__defaults__
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    copied.__annotations__ = function.__annotations__
    copied.__qualname__ = qualname
    return copied
