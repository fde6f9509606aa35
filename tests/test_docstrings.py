"""Every public object is documented to numpydoc's standard."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

MODULES = [
    "sklearn_ndk",
    "sklearn_ndk.datasets",
    "sklearn_ndk.inspection",
    "sklearn_ndk.kernels",
    "sklearn_ndk.simulation",
]
# extended summaries and cross references where they help, not everywhere
IGNORED = {"ES01", "SA01", "EX01", "GL08", "SA04", "GL01", "SS06"}


def public_objects():
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            path = f"{module}.{name}"
            yield path
            obj = getattr(importlib.import_module(module), name)
            if inspect.isclass(obj):
                for method, _ in inspect.getmembers(obj, inspect.isfunction):
                    own = method in vars(obj) and not method.startswith(("_", "set_"))
                    if own:
                        yield f"{path}.{method}"


@pytest.mark.parametrize("path", list(public_objects()))
def test_docstring(path):
    errors = [error for error in validate(path)["errors"] if error[0] not in IGNORED]
    assert not errors, errors
