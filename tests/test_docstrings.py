"""Every public object is documented to numpydoc's standard."""

import pytest
from numpydoc.validate import validate
from public_api import public_functions, public_objects

# extended summaries, references and examples where they help, not everywhere
IGNORED = {"ES01", "SA01", "EX01"}
DOCUMENTED = public_objects() | {
    path: function
    for path, function in public_functions().items()
    if not path.endswith("__init__")  # numpydoc documents it with the class
    and not function.__doc__.startswith("See :meth:`")  # nor what overrides another
}


@pytest.mark.parametrize("path", DOCUMENTED)
def test_docstring(path):
    errors = [error for error in validate(path)["errors"] if error[0] not in IGNORED]
    assert not errors, errors
