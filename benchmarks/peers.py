"""Kernels side by side with neural-tangents and scikit-ntk.

Run as ``python benchmarks/peers.py``. Each peer gets a virtual environment of its own
in the folder ``benchmarks/.peers``, from the pinned requirements beside this file. It
stays up, and runs in turn with ours on the same rows; the kernels are compared too.

neural-tangents also has gelu, and quadrature for tanh, which takes 5 kB per entry:
``--activations gelu tanh --depth 1 --n-samples 500``.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median

import numpy as np
from problems import seconds

from sklearn_ndk.kernels import nngp_kernel, ntk_kernel

HERE = Path(__file__).parent


class Peer:
    """A peer at work on given rows, in a process and environment of its own."""

    def __init__(self, name, activation, depth, data):
        self.name = name
        script = HERE / f"_peer_{name.replace('-', '_')}.py"
        command = [environment(name), script, activation, str(depth), data]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()  # "ready"

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"{self.name} stopped; run its script by hand to see why."
            )
        return line

    def _ask(self, line):
        print(line, file=self._process.stdin, flush=True)
        return self._answer()

    def seconds(self):
        return float(self._ask("run"))

    def kernels(self):
        with tempfile.TemporaryDirectory() as folder:
            self._ask(f"save {folder}/kernels.npz")
            with np.load(f"{folder}/kernels.npz") as file:
                return dict(file)

    def stop(self):
        self._process.stdin.close()
        self._process.wait()


def environment(name):
    """Return the interpreter of a peer's environment, made if it is not there."""
    python = HERE / ".peers" / name / "bin" / "python"
    if not python.exists():
        print(f"making an environment for {name}", flush=True)
        venv.create(python.parent.parent, with_pip=True)
        for suffix, options in (("", []), ("-no-deps", ["--no-deps"])):
            file = HERE / f"requirements-{name}{suffix}.txt"
            if file.exists():
                install = [python, "-m", "pip", "install", "-q", *options, "-r", file]
                subprocess.run(install, check=True)
    return python


def compare(peer, ours, n_samples, repeats):
    """Print the times of a peer and of functions of ours, by turns."""
    times = [(peer.seconds(), *map(seconds, ours.values())) for _ in range(repeats)]
    theirs, *mine = (1e9 / n_samples**2 * median(t) for t in zip(*times, strict=True))
    print(f"  {peer.name:40s} {theirs:6.1f} ns per entry")
    for label, time in zip(ours, mine, strict=True):
        print(
            f"  {label:40s} {time:6.1f} ns per entry, {theirs / time:.1f} times faster"
        )


def largest_difference(theirs, ours):
    """Relative difference, but for a constant factor of convention."""
    return np.abs(theirs / theirs[0, 0] * ours[0, 0] / ours - 1).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=2000)
    parser.add_argument("--n-features", type=int, default=100)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--activations", nargs="+", default=["relu", "erf"])
    args = parser.parse_args()
    X = np.random.default_rng(0).standard_normal((args.n_samples, args.n_features))
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/rows.npy", X)
        pairs = [("neural-tangents", activation) for activation in args.activations]
        if "relu" in args.activations:  # all that it has
            pairs.append(("scikit-ntk", "relu"))
        for name, activation in pairs:
            network = {"depth": args.depth, "activation": activation}
            print(f"{name}, {activation}, depth {args.depth}, P = {args.n_samples}")
            peer = Peer(name, activation, args.depth, f"{folder}/rows.npy")
            if name == "scikit-ntk":
                ours = {"ntk_kernel": lambda n=network: ntk_kernel(X, **n)}
            else:
                ours = ours_of_both(X, network)
            compare(peer, ours, args.n_samples, args.repeats)
            kernels = peer.kernels()
            for key, function in (("ntk", ntk_kernel), ("nngp", nngp_kernel)):
                if key in kernels:
                    gap = largest_difference(kernels[key], function(X, **network))
                    print(f"  largest relative difference of the {key}: {gap:.0e}")
            peer.stop()


def ours_of_both(X, network):
    single = X.astype(np.float32)
    return {
        "nngp_kernel and ntk_kernel": lambda: (
            nngp_kernel(X, **network),
            ntk_kernel(X, **network),
        ),
        "ntk_kernel(return_nngp=True)": lambda: ntk_kernel(
            X, **network, return_nngp=True
        ),
        "the same in single precision": lambda: ntk_kernel(
            single, **network, return_nngp=True
        ),
    }


if __name__ == "__main__":
    sys.exit(main())
