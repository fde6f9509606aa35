"""Public functions and methods are annotated, so that type checkers know them."""

import inspect

import pytest
from public_api import public_functions

FUNCTIONS = public_functions()


def unannotated(function):
    """Return the parameters, or "return", that have no annotation."""
    signature = inspect.signature(inspect.unwrap(function))
    missing = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name not in ("self", "cls")
    ]
    # the return of a constructor follows where a parameter is annotated (PEP 484)
    constructor = function.__name__ == "__init__"
    if signature.return_annotation is signature.empty and not constructor:
        missing.append("return")
    return missing


@pytest.mark.parametrize("path", FUNCTIONS)
def test_every_parameter_and_return_is_annotated(path):
    assert not unannotated(FUNCTIONS[path])
