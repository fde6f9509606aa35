"""The demo, on few images: what it prints, draws, chooses and refuses."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from sklearn_ndk import __main__, _demo
from sklearn_ndk.__main__ import main

pytest.importorskip("matplotlib")

SIZES = (60, 50, 50)
MODELS = ["NDK, stopped", "NTK, t=inf", "NNGP, t=inf", *list(_demo.rivals())[2:]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo once: its figure, what it returns and what it prints."""
    path = tmp_path_factory.mktemp("demo") / "curve.png"
    argv = ["--depth", "1", "--T", "0.1", "--output", str(path)]
    with redirect_stdout(io.StringIO()) as printed:
        results = main(argv, SIZES)
    return path, results, printed.getvalue()


@pytest.fixture
def results(demo):
    return demo[1]


def test_figure_is_a_png(demo):
    assert demo[0].read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_output_tells_the_story(demo):
    path, (curve, rows), printed = demo
    for part in (curve.summary(), *map(str, rows), "standard error", f"Figure: {path}"):
        assert part in printed


def test_chosen_time_is_the_earliest_best_on_validation(results):
    curve, rows = results
    split = _demo.load_split(*SIZES)
    t = curve.times[curve.candidates]
    labels = [curve.network.predict(split.X_val, t=time) for time in t]
    accuracies = [accuracy_score(split.y_val, label) for label in labels]
    best = int(np.argmax(accuracies))
    assert rows[0].chosen == {"t": t[best]}
    assert rows[0].val == accuracies[best]
    labels = curve.network.predict(split.X_test, t=t[best])
    assert rows[0].test == accuracy_score(split.y_test, labels)
    assert f"Validation chose t = {t[best]:.3g}," in curve.summary()


def test_times_span_both_phases_to_equilibrium(results):
    curve, _ = results
    assert np.all(np.diff(curve.times) > 0)
    assert curve.kappa * curve.times[0] < 0.01
    assert curve.kappa * curve.times[-2] == pytest.approx(20)
    assert curve.times[-1] == np.inf


def test_every_model_has_as_many_candidates(results):
    curve, _ = results
    assert len(curve.candidates) == _demo.N_CANDIDATES
    for estimator, grid in _demo.rivals().values():
        assert len(_demo.ParameterGrid(grid)) == _demo.N_CANDIDATES
        assert set(grid) <= set(estimator.get_params())


def test_table_has_every_model(results):
    _, rows = results
    assert [row.model for row in rows] == MODELS
    for row in rows:
        error = np.sqrt(row.test * (1 - row.test) / SIZES[2])
        assert str(row).startswith(row.model)
        assert f"{row.test:.3f} +- {error:.3f}" in str(row)
        assert row.val > 0.5  # chance is 0.1


def test_help(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--help"])
    assert error.value.code == 0
    printed = capsys.readouterr().out
    for option in ("depth", "activation", "T", "sigma", "sigma0", "output"):
        assert f"--{option} " in printed
    assert "(default: ndk_digits.png)" in printed


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--depth", "0", "must be an integer from 1; got 0"),
        ("--depth", "1.5", "must be an integer from 1; got 1.5"),
        ("--T", "-1", "must be a positive number; got -1"),
        ("--T", "nan", "must be a positive number; got nan"),
        ("--sigma", "inf", "must be a positive number; got inf"),
        ("--sigma0", "one", "must be a positive number; got one"),
        ("--activation", "tanh", "invalid choice: 'tanh'"),
        ("--output", "curve.pdf", "must end in .png; got curve.pdf"),
        ("--output", "no-such-folder/curve.png", "there is no folder no-such-folder"),
    ],
)
def test_bad_option_is_refused_in_one_sentence(capsys, option, value, reason):
    with pytest.raises(SystemExit) as error:
        main([option, value])
    assert error.value.code == 2
    usage, message = capsys.readouterr().err.split("error: ")
    assert usage.startswith("usage: ")
    assert message.startswith(f"argument {option}: {reason}")
    assert message.count("\n") == 1


def test_missing_matplotlib_is_told_at_once(capsys, monkeypatch):
    monkeypatch.setattr(__main__, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as error:
        main([])
    assert error.value.code == 2
    assert "pip install sklearn-ndk[plot]" in capsys.readouterr().err


def test_progress_without_rich_is_a_hint(capsys, monkeypatch):
    def missing():
        raise ImportError("rich")

    monkeypatch.setattr(__main__, "ProgressBar", missing)
    assert __main__._with_progress({"depth": 3}).depth == 3
    assert "pip install sklearn-ndk[progress]" in capsys.readouterr().out
