"""What is public: the names of the modules on the API page, and their methods."""

import importlib
import inspect
from collections.abc import Iterator

MODULES = (
    "sklearn_ndk",
    "sklearn_ndk.activations",
    "sklearn_ndk.datasets",
    "sklearn_ndk.gaussian_process",
    "sklearn_ndk.inspection",
    "sklearn_ndk.kernels",
    "sklearn_ndk.preprocessing",
    "sklearn_ndk.simulation",
)
SPECIAL = ("__init__", "__call__")


def public_objects() -> dict[str, object]:
    """Return public functions and classes by their names, each with its module."""
    objects = {}
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            objects[f"{module.__name__}.{name}"] = getattr(module, name)
    return objects


def methods(cls: type) -> Iterator[tuple[str, object]]:
    """Return constructor, methods and properties that this package gives a class."""
    for name in dir(cls):
        if name.startswith(("_", "set_")) and name not in SPECIAL:
            continue
        member = inspect.getattr_static(cls, name)
        member = member.fget if isinstance(member, property) else member
        member = getattr(member, "__func__", member)  # of a class or static method
        module = getattr(inspect.unwrap(member), "__module__", "") or ""
        if inspect.isfunction(member) and module.startswith("sklearn_ndk"):
            yield name, member


def public_functions() -> dict[str, object]:
    """Return public functions and all methods of public classes by their names."""
    functions = {}
    for path, obj in public_objects().items():
        if inspect.isclass(obj):
            functions |= {f"{path}.{name}": method for name, method in methods(obj)}
        else:
            functions[path] = obj
    return functions
