"""Time neural-tangents on request; run by peers.py in an environment of its own.

Each line read asks for one run and is answered with its seconds; the line "save FILE"
writes the kernels.
"""

import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from neural_tangents import stax  # noqa: E402


def main():
    activation, depth, data = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    X = jnp.asarray(np.load(data))
    nonlinearity = {"relu": stax.Relu, "erf": stax.Erf}[activation]
    layers = [stax.Dense(1), nonlinearity()] * depth + [stax.Dense(1)]
    *_, kernel_fn = stax.serial(*layers)

    @jax.jit
    def kernels(X):
        kernel = kernel_fn(X, None, ("nngp", "ntk"))
        return kernel.nngp, kernel.ntk

    jax.block_until_ready(kernels(X))
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("save"):
            nngp, ntk = kernels(X)
            np.savez(line.split()[1], nngp=nngp, ntk=ntk)
            print("saved", flush=True)
        else:
            start = time.perf_counter()
            jax.block_until_ready(kernels(X))
            print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
