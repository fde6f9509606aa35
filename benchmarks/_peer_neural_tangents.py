"""Time neural-tangents on request; run by peers.py in an environment of its own."""

import sys

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _peer import serve  # noqa: E402
from neural_tangents import stax  # noqa: E402

N_QUADRATURE = 25  # points of each variable, "a good place to start"


def tanh_prime(z):
    return 1 - jnp.tanh(z) ** 2


def main():
    activation, depth, data = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    X = jnp.asarray(np.load(data))
    nonlinearity = {
        "relu": stax.Relu,
        "erf": stax.Erf,
        "gelu": stax.Gelu,
        "tanh": lambda: stax.ElementwiseNumerical(jnp.tanh, N_QUADRATURE, tanh_prime),
    }[activation]
    layers = [stax.Dense(1), nonlinearity()] * depth + [stax.Dense(1)]
    *_, kernel_fn = stax.serial(*layers)

    @jax.jit
    def kernels(X):
        kernel = kernel_fn(X, None, ("nngp", "ntk"))
        return {"nngp": kernel.nngp, "ntk": kernel.ntk}

    def run():
        jax.block_until_ready(kernels(X))

    run()  # compiles
    serve(run, lambda: kernels(X))


if __name__ == "__main__":
    main()
