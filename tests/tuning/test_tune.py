"""Whole searches on real digits: what a trial is, what a kill leaves, what goes into `train`."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lq_fda import data, training, tuning
from lq_fda.artifacts import RunDir
from lq_fda.errors import LqFdaError
from lq_fda.training import TrainingDiverged, TrainingInterrupted
from lq_fda.tuning import SearchInterrupted, trial

COMMAND = Path(sys.executable).with_name("lq-fda")


@pytest.fixture
def free_costs(monkeypatch, cost):
    """Costs that are not measured, for searches where they are not the point."""
    monkeypatch.setattr(trial, "network_cost", lambda *_: cost())


@pytest.fixture
def fake_training(monkeypatch, free_costs):
    """Training that leaves a history of one epoch at once, or does what the test wants in its place."""

    def arrange(act=lambda recipe: None):
        def train(recipe, output, **options):
            act(recipe)
            Path(output).mkdir(parents=True, exist_ok=True)
            row = f"{recipe.learning_rate},1,1\n"
            (Path(output) / "history.csv").write_text("validation_accuracy,train_seconds,validation_seconds\n" + row)

        monkeypatch.setattr(trial.training, "train", train)

    return arrange


def test_a_search_leaves_trials_table_figure_and_a_recipe_that_train_takes(open_tiny, tmp_path, monkeypatch):
    folder = tmp_path / "search"
    test_split = []
    monkeypatch.setattr(data.Dataset, "test", lambda *_: test_split.append(1) or pytest.fail("the test split was read"))
    found = tuning.tune(open_tiny(folder, trials=2, oracle="random"), folder, progress=False)
    assert not test_split and [one.status for one in found] == ["completed"] * 2
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    assert [row["status"] for row in rows] == ["completed"] * 2 and float(rows[0]["latency_ms"]) > 0
    assert (folder / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert not any(RunDir(folder / "trials" / name / "run").finished for name in ("0000", "0001"))
    monkeypatch.undo()
    best = max(rows, key=lambda row: float(row["validation_accuracy"]))
    recipe = training.read_recipe(folder / "best.json")
    assert recipe.learning_rate == float(best["learning_rate"]) and recipe.model.width == 0.25
    result = training.train(recipe, tmp_path / "run", progress=False)
    assert result.validation.top1 == float(best["validation_accuracy"]) and result.test.images > 0
    run = RunDir(folder / "trials" / f"{int(best['trial']):04d}" / "run")
    assert training.train(recipe, run.path, resume=True, progress=False).test == result.test


def test_a_trial_over_the_budget_fails_by_name_before_it_is_trained(open_tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(trial.training, "train", lambda *_, **__: pytest.fail("it was trained"))
    folder = tmp_path / "search"
    search = open_tiny(folder, trials=2, budget=["size_bytes=1000", "macs=1e9"])
    for one in tuning.tune(search, folder, progress=False):
        assert (one.status, one.outcome.failure, one.outcome.accuracy) == ("failed", "over budget", None)
        assert one.outcome.message == f"size_bytes={one.outcome.cost.size_bytes}, at most 1000"
    for row in csv.DictReader((folder / "trials.csv").open()):
        assert (row["status"], row["failure"], row["validation_accuracy"]) == ("failed", "over budget", "")
        assert int(row["size_bytes"]) > 1000 and int(row["macs"]) > 0
    with pytest.raises(LqFdaError, match="2 of them failed"):
        tuning.write_best(folder, tmp_path / "best.json")
    assert not (folder / "best.json").exists() and not (tmp_path / "best.json").exists()
    assert (folder / "trials.png").is_file()


def test_what_a_trial_does_wrong_fails_it_and_what_the_machine_does_wrong_ends_the_search(
    open_tiny, tmp_path, fake_training
):
    folder = tmp_path / "search"
    search = open_tiny(folder, trials=4, oracle="random", space=["learning_rate=0.001..0.1:log"])
    moments = []

    def misbehave(recipe):
        moments.append(recipe.learning_rate)
        if len(moments) == 2:
            raise TrainingDiverged("Training diverged.", cure="Lower it.")
        if len(moments) == 3:
            raise LqFdaError("Could not write.", cure="Free some space.")

    fake_training(misbehave)
    with pytest.raises(LqFdaError, match="Could not write"):
        tuning.tune(search, folder, progress=False)
    assert [one.status for one in tuning.read_trials(folder)] == ["completed", "failed", "running"]
    found = tuning.tune(tuning.open_search(folder), folder, progress=False)
    assert [one.outcome.failure for one in found] == [None, "diverged", None, None]
    assert len(moments) == 5 and moments[2] == moments[3], "the third one was run again"


def test_values_that_do_not_fit_together_fail_their_trial(open_tiny, tmp_path, fake_training):
    fake_training()
    folder = tmp_path / "search"
    space = ["optimizer=adam|adamw", "weight_decay=0.001|0.01"]
    search = open_tiny(folder, "optimizer=adamw", trials=4, oracle="random", space=space)
    found = tuning.tune(search, folder, progress=False)
    assert {(one.values["optimizer"], one.outcome.failure) for one in found} == {("adam", "refused"), ("adamw", None)}
    assert all("weight_decay" in one.outcome.message for one in found if one.outcome.failure)


def test_a_batch_that_the_data_set_cannot_fill_fails_its_trial(open_tiny, tmp_path, free_costs):
    folder = tmp_path / "search"
    search = open_tiny(folder, trials=2, oracle="random", space=["batch_size=256|100000"])
    found = tuning.tune(search, folder, progress=False)
    assert {(one.values["batch_size"], one.outcome.failure) for one in found} == {("256", None), ("100000", "refused")}


def test_a_trial_that_takes_its_process_with_it_fails_after_three_and_the_search_goes_on(
    open_tiny, tmp_path, fake_training
):
    folder = tmp_path / "search"
    search = open_tiny(folder, trials=2, oracle="random", space=["learning_rate=0.001..0.1:log"])
    rates = []

    def die(recipe):
        rates.append(recipe.learning_rate)
        if recipe.learning_rate == rates[0]:
            raise MemoryError

    fake_training(die)
    for _ in range(3):
        with pytest.raises(MemoryError):
            tuning.tune(search, folder, progress=False)
    bad, good = tuning.tune(search, folder, progress=False)
    assert (bad.outcome.failure, good.outcome.failure) == ("died", None) and "3 times" in bad.outcome.message
    assert rates[:3] == [rates[0]] * 3 and len(rates) == 4
    assert not list(folder.glob("trials/*/attempt.json"))


@pytest.mark.parametrize("kind", [KeyboardInterrupt, lambda: TrainingInterrupted("x", cure="y")])
def test_ctrl_c_is_one_error_and_the_same_command_goes_on(kind, open_tiny, tmp_path, fake_training):
    folder = tmp_path / "search"
    search = open_tiny(folder, trials=3, oracle="random")
    seen = []

    def press(recipe):
        seen.append(recipe)
        if len(seen) == 2:
            raise kind()

    fake_training(press)
    with pytest.raises(SearchInterrupted, match="lq-fda tune --output"):
        tuning.tune(search, folder, progress=False)
    assert [row["status"] for row in csv.DictReader((folder / "trials.csv").open())] == ["completed", "running"]
    found = tuning.tune(search, folder, progress=False)
    assert [one.status for one in found] == ["completed"] * 3 and seen[1] == seen[2]
    assert not list(folder.glob("trials/*/attempt.json")), "nobody has died"


def test_without_data_nothing_is_written(tmp_path):
    search = tuning.open_search(
        tmp_path / "search", recipe=training.get_recipe("cifar10_resnet20"), overrides=[f"data.data_dir={tmp_path}"]
    )
    with pytest.raises(LqFdaError, match="cifar10"):
        tuning.tune(search, tmp_path / "search", progress=False)
    assert not list(tmp_path.iterdir())


def test_a_line_for_every_trial_where_there_is_no_terminal(open_tiny, tmp_path, fake_training, capsys):
    fake_training()
    tuning.tune(open_tiny(tmp_path / "search", trials=2, oracle="random"), tmp_path / "search")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["trial 0", "trial 1"]


@pytest.mark.slow
def test_hyperband_goes_on_from_the_checkpoint_of_the_shorter_trial(open_tiny, tmp_path, free_costs):
    folder = tmp_path / "search"
    found = tuning.tune(open_tiny(folder, "epochs=3", oracle="hyperband"), folder, progress=False)
    assert [one.outcome.epochs for one in found].count(1) == 3
    (promoted,) = [one for one in found if one.chosen["tuner/initial_epoch"] == 1]
    earlier = next(one for one in found if one.trial_id == promoted.chosen["tuner/trial_id"])
    histories = [tuning.SearchDir(folder).run(one.trial_id).history() for one in (promoted, earlier)]
    assert histories[0][0] == histories[1][0], "its first epoch is the other's, to the second that it took"
    assert [len(history) for history in histories] == [3, 1]
    assert earlier.outcome.accuracy == max(one.outcome.accuracy for one in found if one.outcome.epochs == 1)
    recipe = trial.trial_recipe(tuning.SearchDir(folder).search(), promoted.chosen)
    training.train(recipe, tmp_path / "whole", progress=False)
    column = "validation_accuracy"
    assert [row[column] for row in histories[0]] == [row[column] for row in RunDir(tmp_path / "whole").history()]


@pytest.mark.slow
def test_after_a_kill_the_same_command_resumes_the_trial_from_its_checkpoint(tmp_path):
    folder = tmp_path / "search"
    command = [COMMAND, "tune", "--output", folder, "--oracle", "random", "--trials", "2", "--space", "learning_rate"]
    for change in ("epochs=12", "data.image_size=8", "model.parts=adjustment", "model.width=0.25"):
        command += ["--set", change]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    run = RunDir(folder / "trials" / "0001" / "run")
    deadline = time.monotonic() + 200
    while not list(run.checkpoints.glob("epoch-00003.npz")):
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = run.history()
    first = RunDir(folder / "trials" / "0000" / "run").history()
    assert 2 <= len(before) < 12 and not (folder / "trials.csv").exists()
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("trial 1:") == 1 and "trial 0:" not in done.stderr, "the first one had ended"
    after = run.history()
    assert len(after) == 12 and after[: len(before)] == before, "not from scratch"
    assert RunDir(folder / "trials" / "0000" / "run").history() == first
    assert json.loads((folder / "oracle.json").read_text())["end_order"] == ["0", "1"]
    training.train(training.load_recipe(run), tmp_path / "whole", progress=False)
    whole = RunDir(tmp_path / "whole").history()
    assert [row["validation_accuracy"] for row in after] == [row["validation_accuracy"] for row in whole]
