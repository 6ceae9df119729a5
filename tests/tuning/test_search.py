"""The folder of a search: new, gone on with, somebody else's, in use."""

import json
import os
import subprocess
import sys
import time

import pytest

from lq_fda import training, tuning
from lq_fda.errors import LqFdaError
from lq_fda.tuning.search import begin, locked

HOLD = """
import sys, time
from pathlib import Path
from lq_fda.tuning.search import locked
with locked(Path(sys.argv[1]), wait=False):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def begun(open_tiny, tmp_path):
    """A folder with a search that has begun, and its description."""
    folder = tmp_path / "search"
    search = open_tiny(folder, oracle="random", trials=5, budget=["macs=1e6"], seed=3)
    begin(search, tuning.SearchDir(folder))
    return folder, search


def test_opening_writes_nothing(open_tiny, tmp_path):
    search = open_tiny(tmp_path / "search")
    assert (search.oracle, search.trials, search.seed, search.budget.limits) == ("bayesian", 20, 0, {})
    assert not list(tmp_path.iterdir())


def test_the_folder_alone_goes_on_with_its_search(begun):
    folder, search = begun
    assert tuning.open_search(folder) == search == tuning.SearchDir(folder).search()
    assert tuning.open_search(folder, trials=9) == search.model_copy(update={"trials": 9})


def test_the_same_command_goes_on_with_its_search(begun, open_tiny):
    folder, search = begun
    assert open_tiny(folder, oracle="random", trials=5, budget=["macs=1e6"], seed=3) == search


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"overrides": ["batch_size=32"]}, "recipe.batch_size=32 instead of 128"),
        ({"overrides": ["model.depth=2", "learning_rate=0.1"]}, "recipe.model.depth=2"),
        ({"recipe": training.get_recipe("cifar10_resnet20")}, "recipe.model.name='resnet20' instead of 'tiny'"),
        ({"space": ["learning_rate", "clip_norm"]}, "space="),
        ({"oracle": "bayesian"}, "oracle='bayesian' instead of 'random'"),
        ({"budget": []}, "budget.macs=None instead of 1000000"),
        ({"budget": ["macs=1e6", "latency_ms=1"]}, "budget.latency_ms=1"),
        ({"seed": 4}, "seed=4 instead of 3"),
    ],
)
def test_the_folder_of_another_search_is_one_error(begun, changes, words):
    folder, _ = begun
    before = (folder / "search.json").read_text()
    with pytest.raises(LqFdaError, match="another search") as caught:
        tuning.open_search(folder, **changes)
    assert words in str(caught.value) and "lq-fda tune --output" in caught.value.cure
    assert (folder / "search.json").read_text() == before


def test_a_folder_with_something_else_or_a_damaged_search_is_refused(begun, tmp_path, open_tiny):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_text("")
    with pytest.raises(LqFdaError, match="something else than a search"):
        open_tiny(tmp_path / "photos")
    with pytest.raises(LqFdaError, match="holds no search"):
        tuning.read_trials(tmp_path / "photos")
    folder, _ = begun
    values = json.loads((folder / "search.json").read_text())
    for damaged in ("", "[]", json.dumps(values | {"oracle": "crystal ball"}), json.dumps(values | {"colour": 1})):
        (folder / "search.json").write_text(damaged)
        with pytest.raises(LqFdaError, match="damaged"):
            tuning.open_search(folder)


def test_a_search_that_could_not_begin_does_not_block_its_folder(open_tiny, tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    (folder / ".lock").touch()
    assert open_tiny(folder).trials == 20


def test_a_search_that_was_opened_for_another_folder_does_not_overwrite_the_one_there(begun, open_tiny, tmp_path):
    folder, _ = begun
    before = (folder / "search.json").read_text()
    other = open_tiny(tmp_path / "other", oracle="random", trials=5)
    with pytest.raises(LqFdaError, match=r"another search.*seed=0 instead of 3"):
        tuning.tune(other, folder, progress=False)
    assert (folder / "search.json").read_text() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"oracle": "crystal"}, "oracle='crystal'"),
        ({"trials": 0}, "trials=0"),
        ({"seed": -1}, "seed=-1"),
        ({"oracle": "hyperband", "trials": 5}, "Hyperband's epochs decide"),
        ({"budget": [""]}, "This is no budget"),
        ({"overrides": ["model.binarized=false"]}, "Expected the recipe of a binarized network"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(options, words, tmp_path):
    with pytest.raises(LqFdaError) as caught:
        tuning.open_search(tmp_path / "search", **options)
    assert words in str(caught.value) and not list(tmp_path.iterdir())


def test_a_folder_in_use_is_refused_until_its_process_dies(tmp_path, begun):
    folder, search = begun
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder / ".lock"], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LqFdaError, match=r"Another process works in this folder.*--worker"):
            tuning.tune(search, folder, progress=False)
    finally:
        child.kill()
        child.wait()
    with locked(folder / ".lock", wait=False):
        pass


def test_who_waits_for_a_lock_gets_it_when_it_is_given_back(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / ".lock"], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    subprocess.Popen(["sh", "-c", f"sleep 1; kill -9 {child.pid}"])
    began = time.monotonic()
    with locked(tmp_path / ".lock", wait=True):
        assert time.monotonic() - began > 0.5
    child.wait()
