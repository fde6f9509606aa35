"""What the learning curve costs, in units of what its limits cost.

Run as ``python benchmarks/cost.py``, or with the names of some of its tables, as in
``python benchmarks/cost.py trajectory --n-samples 2000``. Every figure is a ratio of
medians of times taken in turn in one process, so that it holds on a noisy machine;
accuracy and memory stand beside time.
"""

import argparse
import itertools
import subprocess
import sys

import numpy as np
from problems import in_turn, mnist, seconds
from scipy.linalg import cho_factor, cho_solve

from sklearn_ndk import NDKRegressor
from sklearn_ndk.kernels import nngp_kernel

NETWORKS = [("relu", 2), ("relu", 3), ("erf", 1)]
TEMPERATURES = [1e-1, 1e-2, 1e-3]
VARIANCES = [0.25, 1.0, 2.0]  # sigma0^2 / sigma^2
TOL = 1e-6
END = 20.0  # of the learning curve, in units of sigma^2 / T


def model(activation="relu", depth=2, T=0.01, variance=2.0, **others):
    others = {"t": END / T, "tol": TOL} | others
    return NDKRegressor(depth, activation, T=T, sigma0=np.sqrt(variance), **others)


def refined_error(fitted, X, y, Xs):
    """Largest error over the trajectory, against one a thousand times finer."""
    rows = np.vstack([Xs, X[:100]])
    times = np.geomspace(1e-4, END / fitted.T, 60)
    refined = NDKRegressor(**fitted.get_params() | {"tol": 1e-3 * fitted.tol})
    gap = fitted.predict_path(rows, times) - refined.fit(X, y).predict_path(rows, times)
    return np.abs(gap).max() / np.abs(y).max()


def trajectory(args):
    """Whole trajectory / eigh, one target."""
    for n_samples in args.n_samples:
        X, y, Xs = mnist(n_samples)
        kernel = nngp_kernel(X, depth=2)
        cases = itertools.product(NETWORKS, TEMPERATURES, VARIANCES)
        for (activation, depth), T, variance in cases:
            curve = model(activation, depth, T, variance)
            one_eigh, time = in_turn(
                [lambda: np.linalg.eigh(kernel), lambda m=curve: m.fit(X, y)],
                args.repeats,
            )
            error = refined_error(curve, X, y, Xs) if args.accuracy else np.nan
            print(
                f"P={n_samples} {activation} depth {depth} T={T:g} "
                f"sigma0^2={variance:g}  "
                f"{time:.2f} s / {one_eigh:.2f} s = {time / one_eigh:.2f}  "
                f"error {error:.1e}",
                flush=True,
            )


def outputs(args):
    """Ten outputs / one."""
    for n_samples, (activation, depth) in itertools.product(args.n_samples, NETWORKS):
        X, Y, _ = mnist(n_samples, multi_output=True)
        one, ten = in_turn(
            [
                lambda: model(activation, depth).fit(X, Y[:, 0]),
                lambda: model(activation, depth).fit(X, Y),
            ],
            args.repeats,
        )
        print(
            f"P={n_samples} {activation} depth {depth}  ten outputs {ten:.2f} s / "
            f"one {one:.2f} s = {ten / one:.2f}",
            flush=True,
        )


def equilibrium(args):
    """Fit at t = inf / the same by hand."""
    for n_samples in args.n_samples:
        X, y, _ = mnist(n_samples)

        def by_hand():
            kernel = nngp_kernel(X, depth=2)
            kernel[np.diag_indices_from(kernel)] += 0.01
            factor = cho_factor(kernel, lower=True, overwrite_a=True)
            cho_solve(factor, y)

        fit, hand = in_turn(
            [lambda: model(t=np.inf).fit(X, y), by_hand],
            args.repeats,
        )
        print(
            f"P={n_samples} fit {fit:.3f} s / by hand {hand:.3f} s = {fit / hand:.2f}"
        )


def prediction(args):
    """predict_path at 50 times / predict at one, 1000 rows; and one row."""
    for n_samples, (activation, depth) in itertools.product(args.n_samples, NETWORKS):
        X, y, Xs = mnist(n_samples, 1000)
        fitted = model(activation, depth).fit(X, y)
        times = np.geomspace(1e-3, END / fitted.T, 50)
        once, path, row = in_turn(
            [
                lambda: fitted.predict(Xs, t=10.0),
                lambda: fitted.predict_path(Xs, times),
                lambda: fitted.predict(Xs[:1], t=10.0),
            ],
            args.repeats,
        )
        print(
            f"P={n_samples} {activation} depth {depth}  path {path:.3f} s / "
            f"once {once:.3f} s = {path / once:.2f}; one row {1e3 * row:.1f} ms",
            flush=True,
        )


MEMORY = """
import sys
sys.path.insert(0, {folder!r})
from cost import model
from problems import mnist
X, y, _ = mnist({n_samples})
def peak():  # ru_maxrss would be that of the parent
    with open("/proc/self/status") as status:
        return 1024 * int(status.read().split("VmHWM:")[1].split()[0])
before = peak()
model(T={T}, variance={variance}).fit(X, y)
print((peak() - before) / 8 / {n_samples} ** 2)
"""


def peak_memory(n_samples, T, variance):
    """Rise of the peak memory by a fit, in a fresh process, in P^2 doubles (Linux)."""
    script = MEMORY.format(
        folder=sys.path[0], n_samples=n_samples, T=T, variance=variance
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return float(output.stdout)


def memory(args):
    """Peak memory of a fit, relu."""
    cases = itertools.product(args.n_samples, TEMPERATURES, VARIANCES)
    for n_samples, T, variance in cases:
        peak = peak_memory(n_samples, T, variance)
        print(
            f"P={n_samples} relu depth 2 T={T:g} sigma0^2={variance:g}  "
            f"{peak:.1f} P^2 doubles",
            flush=True,
        )


def growth(args):
    """Growth with the number of samples, depth and 1 / T, and a figure of it."""
    sizes = [500, 1000, 2000, 4000, 8000]
    depths, temperatures = [1, 2, 4, 8], [1e-1, 1e-2, 1e-3, 1e-4]
    repeats = min(3, args.repeats)
    times, eighs, peaks = [], [], []
    for n_samples in sizes:
        X, y, _ = mnist(n_samples)
        kernel = nngp_kernel(X, depth=2)
        time, one_eigh = in_turn(
            [lambda: model().fit(X, y), lambda: np.linalg.eigh(kernel)],
            repeats if n_samples <= 2000 else 1,
        )
        times.append(time)
        eighs.append(one_eigh)
        peaks.append(peak_memory(n_samples, 0.01, 2.0) * n_samples**2 * 8 / 2**30)
        print(
            f"P={n_samples}  {time:.2f} s, eigh {one_eigh:.2f} s, {peaks[-1]:.2f} GiB"
        )
    exponent, rise = (
        np.polyfit(np.log(sizes), np.log(v), 1)[0] for v in (times, peaks)
    )
    print(f"exponents of P: time {exponent:.2f}, memory {rise:.2f}")
    X, y, _ = mnist(1000)
    by_depth, by_T = (
        in_turn([lambda m=m: m.fit(X, y) for m in models], repeats)
        for models in (
            [model(depth=depth) for depth in depths],
            [model(T=T) for T in temperatures],
        )
    )
    print("P=1000, depth", dict(zip(depths, np.round(by_depth, 2), strict=True)))
    print("P=1000, T", dict(zip(temperatures, np.round(by_T, 2), strict=True)))
    draw((sizes, times, eighs), (depths, by_depth), (temperatures, by_T), args.figure)


def draw(by_size, by_depth, by_temperature, file):
    """Draw time against the number of samples, depth and 1 / T."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    sizes, times, eighs = by_size
    axes[0].loglog(sizes, times, "o-", label="whole trajectory")
    axes[0].loglog(sizes, eighs, "s--", label="one eigh")
    axes[0].set(xlabel="training samples P", ylabel="time (s)")
    axes[0].set_xticks(sizes, sizes)
    axes[0].minorticks_off()
    axes[0].legend()
    axes[1].plot(*by_depth, "o-")
    axes[1].set(xlabel="depth", ylabel="time (s), P = 1000", ylim=(0, None))
    temperatures, times = by_temperature
    axes[2].semilogx(1 / np.array(temperatures), times, "o-")
    axes[2].set(xlabel="1 / T", ylabel="time (s), P = 1000", ylim=(0, None))
    figure.savefig(file, dpi=100)


def imports(args):
    """Time that importing sklearn_ndk adds to importing scikit-learn."""
    script = (
        "import time, sklearn; start = time.perf_counter(); import sklearn_ndk; "
        "print(time.perf_counter() - start)"
    )
    times = [
        float(subprocess.check_output([sys.executable, "-c", script]))
        for _ in range(args.repeats)
    ]
    print(f"import adds {np.median(times):.3f} s")


TABLES = [trajectory, outputs, equilibrium, prediction, memory, growth, imports]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [table.__name__ for table in TABLES]
    parser.add_argument("tables", nargs="*", choices=[*names, []])
    parser.add_argument("--n-samples", type=int, nargs="+", default=[2000, 4000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--accuracy", action="store_true", help="check the trajectory")
    parser.add_argument(
        "--figure", default="cost.png", help="file of the plot of growth"
    )
    args = parser.parse_args()
    for table in TABLES:
        if table.__name__ in (args.tables or names):
            print(f"\n{table.__doc__.strip()}")
            took = seconds(lambda table=table: table(args))
            print(f"({took:.0f} s)")


if __name__ == "__main__":
    main()
