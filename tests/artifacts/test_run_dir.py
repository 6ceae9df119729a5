"""What two recipes have apart, and what a record keeps of a run."""

import json

import pytest

from lq_fda.artifacts import RunDir, recipe_changes

BASE = {"epochs": 8, "distillation": None, "model": {"parts": [], "width": 1.0}}
TAUGHT = {**BASE, "distillation": {"teacher": "run", "weight": 0.5}}


@pytest.mark.parametrize(
    ("base", "recipe", "changes"),
    [
        (BASE, BASE, {}),
        (BASE, {**BASE, "epochs": 9}, {"epochs": "9"}),
        (BASE, {**BASE, "model": {"parts": ["gate", "shift"], "width": 1.0}}, {"model.parts": "gate,shift"}),
        (BASE, TAUGHT, {"distillation.teacher": "run", "distillation.weight": "0.5"}),
        (TAUGHT, BASE, {"distillation": "None"}),
        ({"epochs": 8}, BASE, {"model.parts": "[]", "model.width": "1.0"}),  # An older version's has fewer fields.
    ],
)
def test_changes_are_those_of_the_second_recipe(base, recipe, changes):
    assert recipe_changes(base, recipe) == changes


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"name": "cifar10", "data_dir": "/somewhere/tfds"}, {"name": "cifar10"}),
        ({"name": "folder", "data_dir": "/somewhere/pairs/train/.."}, {"name": "folder", "data_dir": "pairs"}),
        ({"name": "digits", "data_dir": None}, {"name": "digits"}),
        ({"name": "folder", "data_dir": "/somewhere/my_photos/"}, {"name": "folder", "data_dir": "my_photos"}),
    ],
)
def test_a_record_says_which_images_and_runs_and_not_where_they_lie(data, kept, tmp_path):
    run = RunDir(tmp_path / "run")
    run.path.mkdir()
    split = {"split": "test", "images": 2, "top1": 0.5}
    result = {"epochs": 1, "best_epoch": 1, "validation": split, "test": split, "seconds": 1, "images_per_second": 2}
    run.result_file.write_text(json.dumps(result))
    other_runs = {"start": "/runs/stage1", "distillation": {"teacher": str(tmp_path / "float"), "weight": 0.5}}
    run.recipe_file.write_text(json.dumps({"data": data, **other_runs}))
    run.environment_file.write_text("{}")
    run.history_file.write_text("epoch,validation_accuracy\n1,0.5\n")
    taught = {"teacher": "float", "weight": 0.5}
    assert run.record("mine").recipe == {"data": kept, "start": "stage1", "distillation": taught}
