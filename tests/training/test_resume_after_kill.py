"""A run that was killed, at any point, ends with the bits of one that was not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lq_fda import training

SCRIPT = Path(__file__).with_name("die_while_training.py")
# The files of a fresh run, in the order of writing: recipe, environment, then checkpoint, best weights and history of
# every epoch, then the result. A resumed run begins with best weights, history and environment.
FILES = 12


def kill(recipe_file: Path, folder: Path, moment: str) -> None:
    process = subprocess.run(
        [sys.executable, SCRIPT, recipe_file, folder, moment],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        timeout=240,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


def test_killed_in_an_epoch_and_again_in_a_checkpoint(
    small_recipe, recipe_file, reference, outcome, assert_same, tmp_path
):
    folder = tmp_path / "run"
    kill(recipe_file, folder, "execution:4")  # two executions an epoch: this is in the second one
    assert sorted(file.name for file in (folder / "checkpoints").iterdir()) == [f"epoch-{1:05d}.npz"]
    kill(recipe_file, folder, "file:4")
    assert len(list((folder / "checkpoints").iterdir())) == 2, "no half-written checkpoint was left behind"
    training.train(small_recipe, folder, resume=True, progress=False)
    assert_same(outcome(folder), outcome(reference))
    rows = (folder / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3"]
    left = {file.name for file in folder.rglob("*") if file.name.startswith(".")}
    assert not left, "unfinished files are cleared away"


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, FILES + 1))
def test_killed_in_every_file(number, small_recipe, recipe_file, reference, outcome, assert_same, tmp_path):
    folder = tmp_path / "run"
    kill(recipe_file, folder, f"file:{number}")
    training.train(small_recipe, folder, resume=(folder / "recipe.json").exists(), progress=False)
    assert_same(outcome(folder), outcome(reference))
