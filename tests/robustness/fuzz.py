"""Fuzz: random problems through the estimators, each judged by an oracle.

``PYTHONPATH=tests python -m robustness.fuzz --n 1000 --seed 0`` prints how many were
answered right, warned about or refused, and the seeds of those that were not;
``--show SEED`` tells all about one.
"""

import argparse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from robustness.cases import Case, draw
from robustness.reference import right_answers, right_kernels
from robustness.sandbox import Outcome, Sandbox
from sklearn_ndk import NDKClassifier, NDKRegressor
from sklearn_ndk.kernels import nngp_kernel, ntk_kernel

KERNEL_TOL = 1e-6
BUDGET = 1e8  # kernel entries of brute force, a few seconds
_NAME = "robustness.fuzz"  # when it is __main__, too
_PATIENCE = 300.0  # seconds for an oracle
_OVERSHOOT = 100.0  # of outputs over targets that no dynamics exceed on the way

RIGHT, BOUNDED = "right", "bounded, no oracle knows more"
WARNED = tuple(f"warned, and {what}" for what in ("right", "off", "no oracle knows"))
REFUSED = "refused in a sentence"
VAGUE = "OFF, and warned of columns, not of accuracy"
EXPECTED = (RIGHT, BOUNDED, *WARNED, REFUSED)
_ACCURACY = {"LinAlgWarning", "ConvergenceWarning"}


class Verdict(NamedTuple):
    """What became of a case: one of `EXPECTED`, or a silent error."""

    seed: int
    name: str
    detail: str = ""

    @property
    def silent(self) -> bool:
        """Whether a user is misled, or left alone."""
        return self.name not in EXPECTED


# What runs in the sandbox


def answer(seed: int) -> list:
    """Return what the package says about the case of a seed."""
    case = draw(seed)
    net = case.network._asdict()
    if case.kind == "kernels":
        shared = {name: net[name] for name in ("depth", "activation", "bias")}
        nngp = nngp_kernel(case.rows, case.X, sigma=net["sigma"], **shared)
        ntk = ntk_kernel(case.rows, case.X, sigma0=net["sigma0"], **shared)
        return np.stack([nngp, ntk], axis=-1).tolist()
    net |= {"limit": case.limit, "tol": case.tol}
    model = NDKClassifier(**net)
    if case.kind == "regressor":
        model = NDKRegressor(**net, normalize_y=case.normalize_y)
    model.fit(case.X, case.y, case.weight)
    if case.delay is not None:
        drifted = [model.predict_drift(case.rows, case.delay, t) for t in case.times]
        return np.stack(drifted, axis=-1).tolist()
    path = model.predict_path if case.kind == "regressor" else None
    path = path or model.decision_function_path
    return path(case.rows, case.times).tolist()


def excess(seed: int, given: list, budget: float) -> tuple[float, str, str]:
    """Return by how much an answer misses its promise at worst, and where.

    Parameters
    ----------
    seed : int
        The case.
    given : list
        The answer.
    budget : float
        The most kernel entries that brute force may compute.

    Returns
    -------
    float
        The largest error beside what is allowed; -1 where no oracle knows.
    str
        The oracle.
    str
        Where the error is.
    """
    case = draw(seed)
    if case.kind == "kernels":
        kernels, norms = right_kernels(case)
        error = np.abs(np.array(given) - kernels)
        allowed = KERNEL_TOL * norms + np.finfo(float).tiny
        worst = np.unravel_index(np.argmax(error / allowed), error.shape)
        where = f"{('NNGP', 'NTK')[worst[2]]} {given[worst[0]][worst[1]][worst[2]]:.6g}"
        where = f"{where} for {kernels[worst]:.6g}"
        return float((error / allowed)[worst]), "exact kernels", where
    outputs = _outputs(case, given)
    size = np.abs(case.targets()[case.weights > 0]).max()
    found = (-1.0, "", "")
    for i, right in enumerate(right_answers(case, budget)):
        if right is None:
            continue
        allowed = (case.tol + right.slack) * size + case.tol * np.abs(right.values)
        error = np.abs(outputs[..., i] - right.values)
        ratio = error / np.maximum(allowed, np.finfo(float).tiny)
        worst = np.unravel_index(np.argmax(ratio), ratio.shape)
        where = (
            f"t = {case.times[i]:.3g}: {outputs[(*worst, i)]:.6g} for "
            f"{right.values[worst]:.6g}, max|y| = {size:.3g}"
        )
        found = max(found, (float(ratio[worst]), right.oracle, where))
    return found


def _outputs(case: Case, given: list) -> np.ndarray:
    """Return outputs of shape (n_rows, n_outputs, n_times)."""
    return np.array(given).reshape(len(case.rows), -1, len(case.times))


# How an answer is judged


def judge(sandbox: Sandbox, seed: int, budget: float = BUDGET) -> Verdict:
    """Return what became of the case of a seed.

    Parameters
    ----------
    sandbox : Sandbox
        Where it runs.
    seed : int
        The case.
    budget : float
        The most kernel entries that brute force may compute.

    Returns
    -------
    Verdict
        The first thing wrong, if anything is.
    """
    outcome = sandbox.call(_NAME, "answer", seed)
    told = "; ".join(f"{w.kind}: {w.message}" for w in outcome.warnings)
    fault = _fault(draw(seed), outcome)
    if fault:
        return Verdict(seed, fault[0], "; ".join(filter(None, [fault[1], told])))
    if outcome.error:
        return Verdict(seed, REFUSED, outcome.error.message)
    checked = sandbox.call(
        _NAME, "excess", seed, outcome.value, budget, seconds=_PATIENCE
    )
    if checked.error:
        return Verdict(seed, "the oracle fails", str(checked.error))
    ratio, oracle, where = checked.value
    detail = f"{ratio:.2g} of what is allowed at {where}" if ratio >= 0 else ""
    if outcome.warned:
        name = WARNED[2 if ratio < 0 else int(ratio > 1)]
        if ratio > 1 and _ACCURACY.isdisjoint(w.kind for w in outcome.warnings):
            name = VAGUE
        return Verdict(seed, name, "; ".join(filter(None, [told, detail])))
    if ratio > 1:
        return Verdict(seed, f"WRONG beside {oracle}", detail)
    return Verdict(seed, RIGHT if ratio >= 0 else BOUNDED, detail)


def _fault(case: Case, outcome: Outcome) -> tuple[str, str] | None:
    """Return what is wrong with an answer whatever is right."""
    error = outcome.error
    if error and not error.one_sentence:
        return f"ERROR {error.kind}", f"{error.message} ({error.raised_in})"
    if error:
        return None
    values = np.array(outcome.value)
    if not np.all(np.isfinite(values)):
        return "NOT FINITE", f"{np.mean(~np.isfinite(values)):.0%} of the values"
    if outcome.stray:
        return "STRAY WARNING", outcome.stray[0].raised_in
    if case.kind != "kernels" and not outcome.warned:
        return _unbounded(case, _outputs(case, outcome.value))
    return None


def _unbounded(case: Case, outputs: np.ndarray) -> tuple[str, str] | None:
    """Return where trained outputs exceed the targets as no training can."""
    mean, _ = case.scaling()
    root = np.sqrt(case.weights)[:, None]
    learned = np.linalg.norm(root * (case.targets() - mean), axis=0)
    trained = outputs[: len(case.X)] - mean[:, None]
    norms = np.linalg.norm(root[..., None] * trained, axis=0)
    # without noise, or with sigma = sigma0, the map from targets to outputs only grows
    balanced = case.frozen or case.network.sigma == case.network.sigma0
    for i, t in enumerate(case.times):
        monotone = balanced or case.limit == "nngp" or t == np.inf
        monotone &= not case.delay or case.frozen
        most = learned * (1 + 2 * case.tol if monotone else _OVERSHOOT)
        if np.any(norms[:, i] > most + 1e-12 * np.abs(mean) * np.linalg.norm(root)):
            ratio = np.max(norms[:, i] / np.maximum(learned, np.finfo(float).tiny))
            regime = "at rest" if t == np.inf or case.limit == "nngp" else "on the way"
            return f"UNBOUNDED {regime}", f"|f| is {ratio:.4g} of |y| at t = {t:.3g}"
    return None


# The long form


def main(argv: list[str] | None = None) -> list[Verdict]:
    """Run the fuzz and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=1000, help="number of cases")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--show", type=int, help="seed of one case to tell all about")
    args = parser.parse_args(argv)
    seeds = range(args.seed, args.seed + args.n)
    if args.show is not None:
        seeds = range(args.show, args.show + 1)
    parts = [seeds[i :: args.jobs] for i in range(args.jobs)]
    with ThreadPoolExecutor(args.jobs) as pool:
        verdicts = sorted(v for part in pool.map(_judge_all, parts) for v in part)
    if args.show is not None:
        print(verdicts[0], draw(args.show), sep="\n")
    print_table(verdicts)
    return verdicts


def _judge_all(seeds: range) -> list[Verdict]:
    verdicts = []
    with Sandbox() as sandbox:
        for seed in seeds:
            verdict = judge(sandbox, seed)
            if verdict.silent:
                line = f"{seed}: {verdict.name}: {verdict.detail}\n    {draw(seed)}"
                print(line, flush=True)
            verdicts.append(verdict)
    return verdicts


def print_table(verdicts: list[Verdict]) -> None:
    """Print how many cases had each verdict, with the seeds of silent errors."""
    counts = Counter(verdict.name for verdict in verdicts)
    for name in EXPECTED:
        print(f"{counts.pop(name, 0):6d}  {name}")
    print(f"{counts.total():6d}  SILENT ERRORS")
    for name, count in counts.most_common():
        seeds = [verdict.seed for verdict in verdicts if verdict.name == name]
        print(f"{count:6d}    {name}: seeds {', '.join(map(str, seeds[:12]))}")


if __name__ == "__main__":
    main()
