"""Runs functions in processes of their own, with bounds on time and memory.

A server, one process that has imported what calls need, forks for each call: a call
has the cost of a fork, and limits of its own. Warnings, errors and the value come
back as JSON.
"""

import importlib
import json
import math
import os
import select
import signal
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import sklearn_ndk

ROOT = Path(sklearn_ndk.__file__).parents[1]
TESTS = Path(__file__).parents[1]
SECONDS, GIB = 30.0, 4.0
_PATIENCE = 5  # wall clock beside processor time, on a machine that others use


class Told(NamedTuple):
    """A warning or an error."""

    kind: str
    bases: list[str]
    message: str
    raised_in: str = ""

    @property
    def one_sentence(self) -> bool:
        """Whether a user is told in a line by the package, or by scikit-learn."""
        return (
            ("ValueError" in self.bases or "TypeError" in self.bases)
            and self.kind not in {"LinAlgError", "UnicodeDecodeError"}
            and "\n" not in self.message.strip()
            and 20 < len(self.message) < 600
            and any(part in self.raised_in for part in ("/sklearn_ndk/", "/sklearn/"))
        )

    @property
    def useful(self) -> bool:
        """Whether a warning is meant for users, not one of NumPy's."""
        return bool({"UserWarning", "LinAlgWarning"} & set(self.bases))


class Outcome(NamedTuple):
    """What came of a call: a value, an error, or neither in time."""

    value: Any
    error: Told | None
    warnings: list[Told]
    seconds: float
    peak_gib: float

    @property
    def warned(self) -> bool:
        """Whether a warning for users was given."""
        return any(told.useful for told in self.warnings)

    @property
    def stray(self) -> list[Told]:
        """Warnings that are no use to users, NumPy's of overflow among them."""
        return [
            told
            for told in self.warnings
            if not told.useful and "RuntimeWarning" in told.bases
        ]


class Sandbox:
    """A server to call functions in, by the name of their module and their own.

    Parameters
    ----------
    seconds, gib : float
        Limits of each call, on processor time and on address space.
    """

    def __init__(self, seconds: float = SECONDS, gib: float = GIB) -> None:
        path = os.pathsep.join([str(ROOT), str(TESTS)])
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        self._server = subprocess.Popen(
            [sys.executable, "-W", "default", "-m", "robustness.sandbox"],
            env=os.environ | threads | {"PYTHONPATH": path, "MPLBACKEND": "Agg"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._seconds, self._gib = seconds, gib

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()

    def call(
        self, module: str, name: str, *args: Any, seconds: float | None = None
    ) -> Outcome:
        """Call a function with arguments that JSON can hold, see the class."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = [seconds or self._seconds, self._gib, module, name, args]
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        value, error, told, seconds, peak = json.loads(self._server.stdout.readline())
        return Outcome(
            value,
            Told(*error) if error else None,
            [Told(*warning) for warning in told],
            seconds,
            peak,
        )


def _serve() -> None:
    """Answer requests, one a line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a call prints is no answer
    for line in sys.stdin:
        seconds, gib, module, name, args = json.loads(line)
        importlib.import_module(module)
        print(_in_fork(seconds, gib, module, name, args), file=answers, flush=True)
    answers.close()


def _in_fork(seconds: float, gib: float, module: str, name: str, args: Any) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _limit(seconds, gib)
        with os.fdopen(writer, "w") as pipe:
            pipe.write(json.dumps(_result(module, name, args)))
        os._exit(0)
    os.close(writer)
    text = _read(reader, child, _PATIENCE * seconds)
    _, status, usage = os.wait4(child, 0)
    spent = [usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20]
    if status == 0:
        return json.dumps([*json.loads(text), *spent])
    error = ["Killed", [], f"the process died of signal {status & 127}", ""]
    if status & 127 in {signal.SIGKILL, signal.SIGXCPU}:
        error = ["Timeout", [], f"no answer within {seconds:g} s", ""]
    return json.dumps([None, error, [], *spent])


def _read(reader: int, child: int, seconds: float) -> bytes:
    """Return what a child writes, unless it takes longer than some time."""
    end = time.monotonic() + seconds
    parts = [b""]
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
            part = pipe.read(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    os.kill(child, signal.SIGKILL)
    return b""


def _limit(seconds: float, gib: float) -> None:
    import resource

    size = int(gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), -1))


def _result(module: str, name: str, args: Any) -> list[Any]:
    """Return the value or the error of a call, and its warnings."""
    value = error = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = getattr(sys.modules[module], name)(*args)
        except BaseException as raised:
            frame = traceback.extract_tb(raised.__traceback__)[-1]
            place = f"{frame.filename}:{frame.lineno}"
            error = [*_told(type(raised), raised), place]
    told = [[*_told(w.category, w.message), f"{w.filename}:{w.lineno}"] for w in caught]
    return [value, error, told]


def _told(kind: type, message: object) -> list[Any]:
    return [kind.__name__, [base.__name__ for base in kind.__mro__], str(message)]


if __name__ == "__main__":
    _serve()
