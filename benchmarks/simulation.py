"""Networks of finite width against the theory, at full size.

Run as ``python benchmarks/simulation.py``, or with the names of some of its tables, as
in ``python benchmarks/simulation.py agreement --only orthogonal-relu-1``. Each network
has a mirror image: the law is unchanged if readouts, noise and targets all change sign,
so half the difference of networks of one seed trained on y and on -y has the mean of
one, and deviates from it by the order of 1 / sqrt(width) only.
"""

import argparse
import os

import numpy as np
from problems import MNIST_FILE, seconds

from sklearn_ndk import NDKRegressor
from sklearn_ndk.datasets import fetch_binary_images, make_orthogonal
from sklearn_ndk.simulation import simulate_langevin

T = 0.1  # weights forget at the rate 1 / 10
EARLY = np.array([0.3, 1.0, 2.5])  # over the fastest rate
LATE = np.array([3.0, 8.0, 14.0])
SHARES = (0.01, 0.1)  # steps times the fastest rate, in each of these phases
N_EVAL = 5
NETWORKS = [("relu", 1), ("relu", 2), ("erf", 1)]
WRONG = [
    {"depth": 3},
    {"sigma0": 1.0},
    {"sigma": 1.3},
    {"T": T / 2},
    {"limit": "ntk"},
    {"limit": "nngp"},
]


def orthogonal(n_samples=10):
    X, y, X_test, _ = make_orthogonal(n_samples, overlap=0.8, random_state=0)
    return X, y, X_test[:N_EVAL]


def mnist():
    if MNIST_FILE not in os.environ:
        data = fetch_binary_images("mnist", (0, 1), 30, N_EVAL)
        return data.X_train, data.y_train, data.X_test
    with np.load(os.environ[MNIST_FILE]) as file:
        chosen = np.flatnonzero(file["y_train"] < 2)[: 30 + N_EVAL]
        X, y = file["X_train"][chosen] / 255, 2.0 * file["y_train"][chosen] - 1
    return X[:30], y[:30], X[30:]


DATA = {"orthogonal": orthogonal, "mnist": mnist}
CASES = {
    f"{name}-{activation}-{depth}": (data, activation, depth)
    for name, data in DATA.items()
    for activation, depth in NETWORKS
}


def theory(data, times, **params):
    X, y, X_test = data
    rows = np.vstack([X_test, X])
    return NDKRegressor(**params).fit(X, y).predict_path(rows, times)


def step_of_share(data, share, **params):
    """Return the step that is a given share of one over the fastest rate."""
    X, y, _ = data
    automatic = simulate_langevin(X, y, X, LATE[-1:], width=1, n_networks=1, **params)
    return share / 0.05 * automatic.step_size


def mirrored(data, times, n_networks, **params):
    """Return outputs at test and training inputs, averaged over mirror images."""
    X, y, X_test = data
    params["n_networks"] = n_networks // 2
    one, other = (simulate_langevin(X, t, X_test, times, **params) for t in (y, -y))
    keys = ("predictions", "train_predictions")
    return np.concatenate([(one[key] - other[key]) / 2 for key in keys], axis=1)


def mean_and_error(outputs):
    return outputs.mean(axis=0), outputs.std(axis=0, ddof=1) / np.sqrt(len(outputs))


def combine(factors, values, errors):
    """Return a linear combination of independent values, and its standard error."""
    squares = np.square(factors)
    return np.tensordot(factors, values, 1), np.sqrt(
        np.tensordot(squares, np.square(errors), 1)
    )


def agreement(args):
    """Compare the mean over networks with the theory, and with wrong theories."""
    for name in args.only:
        load, activation, depth = CASES[name]
        data = load()
        params = {"T": T, "sigma0": 1.4, "activation": activation, "depth": depth}
        unit = step_of_share(data, 1.0, **params)
        phases = list(zip((EARLY * unit, LATE), SHARES, strict=True))

        def simulate(width, data=data, params=params, unit=unit, phases=phases):
            outputs = [
                mirrored(
                    data,
                    times,
                    args.n_networks,
                    width=width,
                    step_size=share * unit,
                    random_state=width + i,
                    device=args.device,
                    n_jobs=args.n_jobs,
                    **params,
                )
                for i, (times, share) in enumerate(phases)
            ]
            return mean_and_error(np.concatenate(outputs, axis=-1))

        runs = []
        took = seconds(
            lambda: runs.extend(simulate(args.width // k) for k in (4, 2, 1))
        )
        steps = [f"{times[-1] / share / unit:.0f}" for times, share in phases]
        print(f"\n{name}: {' and '.join(steps)} steps, {took:.0f} s")
        times = np.concatenate([times for times, _ in phases])
        compare(
            data, params, times, args.width, *map(np.array, zip(*runs, strict=True))
        )


def compare(data, params, times, width, means, errors):
    """Print how far means at a quarter, half and all of a width are from the theory.

    Smaller widths predict the gap at the full width up to 1 / width^3; the three of
    them the mean at infinite width.
    """
    gaps = means - theory(data, times, **params)
    gap, error = gaps[2], errors[2]
    allowance, allowance_error = combine((-1 / 8, 3 / 4, 0), gaps, errors)
    limit, limit_error = combine((1 / 3, -2, 8 / 3), means, errors)

    def distance(**wrong):
        exact = theory(data, times, **params | wrong)
        return np.abs((limit - exact) / limit_error).max()

    both = np.hypot(error, allowance_error)
    within = np.all(np.abs(gap) <= 4 * both + np.abs(allowance))
    worst = np.unravel_index(np.abs(gap).argmax(), gap.shape)
    print(
        f"  |mean - theory| at t = {times.round(2)}: "
        f"{np.abs(gap).max(axis=0).round(4)}\n"
        f"  the largest {gap[worst]:.4f} +- {error[worst]:.4f}, by smaller widths "
        f"c / width = {allowance[worst]:.4f} +- {allowance_error[worst]:.4f} with "
        f"c = {width * allowance[worst]:.1f} +- {width * allowance_error[worst]:.1f}\n"
        f"  in standard errors: mean - theory {np.abs(gap / error).max():.1f}, less "
        f"c / width {np.abs((gap - allowance) / both).max():.1f}, at infinite width "
        f"{distance():.1f}: {'pass' if within and distance() < 4 else 'FAIL'}"
    )
    for wrong in WRONG:
        z = distance(**wrong)
        print(f"  wrong {wrong}: {z:.1f}, {'found' if z > 4 else 'NOT FOUND'}")
    print(end="", flush=True)


def width(args):
    """Exponent of the gap: linear combination of training outputs, orthogonal task."""
    data, times, widths = orthogonal(4), [1.0, 2.0, 4.0], np.array([16, 32, 64, 128])
    _, y, X_test = data
    for activation, depth in NETWORKS:
        params = {"T": T, "sigma0": 1.4, "activation": activation, "depth": depth}
        step_size = step_of_share(data, 0.02, **params)
        exact = y @ theory(data, times, **params)[len(X_test) :] / len(y)
        runs = []
        for n in widths:
            outputs = mirrored(
                data,
                times,
                args.n_networks * 1024 // n,
                width=n,
                step_size=step_size,
                random_state=n,
                device=args.device,
                n_jobs=args.n_jobs,
                **params,
            )
            runs.append(mean_and_error(y @ outputs[:, len(X_test) :] / len(y)))
        means, errors = map(np.array, zip(*runs, strict=True))
        for i, t in enumerate(times):
            gap, error = np.abs(means[:, i] - exact[i]), errors[:, i]
            (slope, _), covariance = np.polyfit(
                np.log(widths), np.log(gap), 1, w=gap / error, cov="unscaled"
            )
            scaled = ", ".join(
                f"{g:.2f} +- {e:.2f}"
                for g, e in zip(widths * gap, widths * error, strict=True)
            )
            print(
                f"{activation} depth {depth} t = {t:g}: gap x width {scaled} at "
                f"{widths}; exponent {slope:.2f} +- {np.sqrt(covariance[0, 0]):.2f}",
                flush=True,
            )


def step(args):
    """Errors of steps in time: of the mean, and of the variance at rest."""
    data, shares = orthogonal(4), np.array([1 / 256, 1 / 32, 1 / 16, 1 / 8, 1 / 4])
    for activation in ("linear", "relu"):
        params = {"T": 0.0, "activation": activation}
        t = step_of_share(data, 1.0, **params)  # one over the fastest rate
        runs = [
            mirrored(
                data,
                [t],
                args.n_networks,
                width=256,
                step_size=share * t,
                random_state=0,
                **params,
            ).mean(axis=0)[N_EVAL:]
            for share in shares
        ]
        errors = np.array([np.abs(run - runs[0]).mean() for run in runs[1:]])
        order = np.polyfit(np.log(shares[1:]), np.log(errors), 1)[0]
        bound = (shares[1:] - shares[0]) / (2 * np.e)
        print(
            f"{activation}, T = 0, step x rate {shares[1:]}: error of the mean "
            f"{errors.round(4)}, stated {bound.round(4)}; order {order:.2f}"
        )
    X, y, kernel = 2 * np.sqrt(3) * np.eye(1, 3), [1.0], 2.0  # the NTK is 4
    for share in (1 / 2, 1 / 4, 1 / 8):
        outputs = simulate_langevin(
            X,
            y,
            X,
            20 + share / 4 * np.arange(0, 1600, 4),  # whole steps
            T=T,
            width=512,
            n_networks=args.n_networks,
            step_size=share / 4,
            random_state=0,
            device=args.device,
            n_jobs=args.n_jobs,
        ).predictions[:, 0]
        variance, error = mean_and_error(((outputs - outputs.mean()) ** 2).mean(axis=1))
        exact = T * kernel / (kernel + T)
        print(
            f"step x rate {share}: variance at rest / exact {variance / exact:.3f} +- "
            f"{error / exact:.3f}, stated {1 / (1 - share / 2):.3f}"
        )


TABLES = [agreement, width, step]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [table.__name__ for table in TABLES]
    parser.add_argument("tables", nargs="*", metavar="table", help=", ".join(names))
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--width", type=int, default=1000)
    parser.add_argument("--n-networks", type=int, default=200)
    parser.add_argument("--device", help="of PyTorch; NumPy if left out")
    parser.add_argument("--n-jobs", type=int, help="processes, with NumPy")
    args = parser.parse_args()
    unknown = set(args.tables) - set(names)
    if unknown:
        parser.error(f"tables are {', '.join(names)}; got {', '.join(unknown)}")
    for table in TABLES:
        if table.__name__ in (args.tables or names):
            print(f"\n{table.__doc__.strip()}", flush=True)
            took = seconds(lambda table=table: table(args))
            print(f"({took:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
