"""Time scikit-ntk on request; run by peers.py in an environment of its own."""

import sys

import numpy as np
from _peer import serve
from skntk import NeuralTangentKernel


def main():
    depth, data = int(sys.argv[2]), sys.argv[3]
    X = np.load(data)
    kernel = NeuralTangentKernel(depth=depth, bias=1e-9)  # it wants a positive bias
    serve(lambda: kernel(X), lambda: {"ntk": kernel(X)})


if __name__ == "__main__":
    main()
