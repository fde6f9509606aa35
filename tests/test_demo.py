"""The demo, on few images: what it prints, draws, chooses and refuses."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import ParameterGrid

from sklearn_ndk import NDKClassifier, __main__, _demo
from sklearn_ndk.__main__ import main
from sklearn_ndk._phases import EQUILIBRIUM_TAU, GRADIENT_END

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
    path, (_, rows), printed = demo
    for part in (*map(str, rows), "standard error", f"Figure: {path}"):
        assert part in printed


def test_chosen_time_is_best_on_validation(results):
    network, rows = results
    digits = _demo.load_split(*SIZES)
    ((train, val),) = digits.cv.split()
    params = {name: network.get_params()[name] for name in NDKClassifier().get_params()
              if name != "t"}  # fmt: skip
    alone = NDKClassifier(**params, t=network.times_[-2])
    labels = alone.fit(digits.X[train], digits.y[train]).predict_path(
        digits.X[val], network.times_
    )
    accuracies = [accuracy_score(digits.y[val], label) for label in labels.T]
    best = network.best_index_
    assert accuracies[best] == max(accuracies)
    t = network.times_[best]
    assert rows[0].chosen == {"t": t}
    assert rows[0].val == accuracies[best]
    labels = alone.fit(digits.X, digits.y).predict(digits.X_test, t=t)
    assert rows[0].test == accuracy_score(digits.y_test, labels)
    assert str(rows[0]).endswith(f"t={t:.3g}")


def test_parts_of_the_data_have_no_image_in_common():
    digits = _demo.load_split(*SIZES)
    ((train, val),) = digits.cv.split()
    assert (len(train), len(val), len(digits.y_test)) == SIZES
    rows = {row.tobytes() for row in np.vstack([digits.X, digits.X_test])}
    assert len(rows) == sum(SIZES)


def test_times_span_both_phases_to_equilibrium(results):
    network, _ = results
    kappa = network.T / network.sigma**2
    assert np.all(np.diff(network.times_) > 0)
    assert kappa * network.times_[0] < 0.01
    assert kappa * network.times_[-2] == pytest.approx(EQUILIBRIUM_TAU)
    assert network.times_[-1] == np.inf


def test_every_model_has_as_many_candidates(results):
    network, _ = results
    assert len(network.times_) == _demo.N_CANDIDATES
    for estimator, grid in _demo.rivals().values():
        assert len(ParameterGrid(grid)) == _demo.N_CANDIDATES
        assert set(grid) <= set(estimator.get_params())


def test_summary_tells_the_phase_and_both_limits(demo):
    _, (network, _), printed = demo
    digits = _demo.load_split(*SIZES)
    params = {"depth": 1, "activation": "erf", "T": 0.1, "sigma0": 2.0}
    scores = [
        NDKClassifier(**params, limit=limit)
        .fit(digits.X, digits.y)
        .score(digits.X_test, digits.y_test)
        for limit in ("ntk", "nngp")
    ]
    assert "on test: NTK {:.3f}, NNGP {:.3f}.".format(*scores) in printed
    assert f"Validation chose t = {network.t_:.3g}," in printed
    assert f"{network.phase_} phase." in printed
    assert f"Gradient phase up to tau = {GRADIENT_END:g}, diffusive up" in printed
    assert f"after tau = {GRADIENT_END:g}." in printed


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
    for bounds in ("1 to 3", "0.001 to 10", "0.5 to 3"):
        assert bounds in " ".join(printed.split())


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--depth", "0", "must be an integer from 1 to 3; got 0"),
        ("--depth", "1.5", "must be an integer from 1 to 3; got 1.5"),
        ("--depth", "50", "must be an integer from 1 to 3; got 50"),
        ("--T", "-1", "must be a positive number from 0.001 to 10; got -1"),
        ("--T", "nan", "must be a positive number from 0.001 to 10; got nan"),
        ("--T", "1e-30", "must be a positive number from 0.001 to 10; got 1e-30"),
        ("--sigma", "inf", "must be a positive number from 0.5 to 3; got inf"),
        ("--sigma0", "1e6", "must be a positive number from 0.5 to 3; got 1e6"),
        ("--sigma0", "one", "must be a positive number from 0.5 to 3; got one"),
        ("--activation", "tanh", "invalid choice: 'tanh'"),
        ("--output", "curve.pdf", "must end in .png; got curve.pdf"),
        ("--output", "no-such-folder/curve.png", "there is no folder no-such-folder"),
        ("--output", "/proc/curve.png", "/proc/curve.png cannot be written: "),
        ("--output", f"{300 * 'a'}.png", f"{300 * 'a'}.png cannot be written: "),
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


def test_place_of_the_figure_is_tried_and_left_alone(tmp_path, capsys):
    old, new, folder = (tmp_path / name for name in ("old.png", "new.png", "f.png"))
    old.write_text("kept")
    folder.mkdir()
    for path in (old, new):
        with pytest.raises(SystemExit):  # at the option after it
            main(["--output", str(path), "--depth", "0"])
    assert old.read_text() == "kept"
    assert not new.exists()
    with pytest.raises(SystemExit):
        main(["--output", str(folder)])
    assert "f.png cannot be written: Is a directory" in capsys.readouterr().err


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
