"""A run that was killed, at any point, ends with the bits of one that was not."""

import signal
from pathlib import Path

import pytest

from lq_fda import training
from lq_fda.artifacts import RunDir

SCRIPT = Path(__file__).with_name("die_while_training.py")


def test_killed_in_an_epoch_and_again_in_a_checkpoint(
    small_recipe, write_recipe, reference, outcome, assert_same, start_child, finish, tmp_path
):
    folder, recipe_file = tmp_path / "run", write_recipe(small_recipe)
    finish(start_child(SCRIPT, recipe_file, folder, "step:3"), -signal.SIGKILL)  # two an epoch: this is in the second
    assert [file.name for file in (folder / "checkpoints").iterdir()] == ["epoch-00001.npz"]
    finish(start_child(SCRIPT, recipe_file, folder, "half:epoch-00003.npz"), -signal.SIGKILL)
    assert len(list((folder / "checkpoints").glob("epoch-*"))) == 2, "half a checkpoint is none"
    training.train(small_recipe, folder, resume=True, progress=False)
    assert_same(outcome(folder), outcome(reference))
    rows = (folder / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3"]
    left = {file.name for file in folder.rglob("*") if file.name.startswith(".")}
    assert not left, "unfinished files are cleared away"


@pytest.mark.slow
def test_killed_in_every_file_that_follows_from_a_checkpoint(
    small_recipe, write_recipe, reference, outcome, assert_same, start_child, finish, tmp_path
):
    folder, recipe_file = tmp_path / "run", write_recipe(small_recipe)
    for name in ("best.weights.h5", "history.csv", "result.json"):  # the second dies while it mends what the first left
        finish(start_child(SCRIPT, recipe_file, folder, f"half:{name}"), -signal.SIGKILL)
        assert not (folder / name).exists()
    training.train(small_recipe, folder, resume=True, progress=False)
    assert_same(outcome(folder), outcome(reference))


def test_ctrl_c_gives_one_error_and_a_run_that_goes_on(
    float_recipe, write_recipe, float_reference, outcome, assert_same, start_child, finish, tmp_path
):
    folder = tmp_path / "run"
    child = start_child(SCRIPT, write_recipe(float_recipe), folder, "step:3", "SIGINT")
    finish(child, 130)
    assert f"`lq-fda train --resume --output {folder}`" in Path(child.name).read_text()
    assert training.evaluate(RunDir(folder), "validation").images > 0, "what is there can be used"
    training.train(float_recipe, folder, resume=True, progress=False)
    assert_same(outcome(folder), outcome(float_reference))
