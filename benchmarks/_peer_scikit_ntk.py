"""Time scikit-ntk on request; run by peers.py in an environment of its own.

Each line read asks for one run and is answered with its seconds; the line "save FILE"
writes the kernel.
"""

import sys
import time

import numpy as np
from skntk import NeuralTangentKernel


def main():
    depth, data = int(sys.argv[2]), sys.argv[3]
    X = np.load(data)
    kernel = NeuralTangentKernel(depth=depth, bias=1e-9)  # it wants a positive bias
    kernel(X[:10])
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("save"):
            np.savez(line.split()[1], ntk=kernel(X))
            print("saved", flush=True)
        else:
            start = time.perf_counter()
            kernel(X)
            print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
