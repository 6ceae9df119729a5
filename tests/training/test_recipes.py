"""Recipes: the registry, the round trip through JSON, and what is refused."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from lq_fda import models, training
from lq_fda.artifacts import RunRecord, read_records, without_places
from lq_fda.data import DataConfig
from lq_fda.errors import LqFdaError

RESULTS = Path(__file__).parents[2] / "results" / "runs.jsonl"


@pytest.mark.parametrize("name", training.recipe_names())
def test_every_recipe_survives_json_and_has_a_twin_and_a_note(name, tmp_path):
    recipe = training.get_recipe(name)
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(training.to_values(recipe)))
    assert training.read_recipe(file) == recipe
    assert recipe.model.name in models.names()
    twin = training.float_twin(recipe)
    assert twin == dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, binarized=False))
    assert f"--recipe {name} " in training.recipe_note(name)


def learned(values):
    """The fields that decide what a run learns: not where its data lie, nor the teacher, nor a float twin's parts."""
    model = dict(values["model"])
    if not model["binarized"]:
        model = {name: model[name] for name in ("name", "input_shape", "classes", "binarized")}
    elif model["estimator"] is None:
        model["estimator"] = "triangle"  # Behind an adjustment, which all of these networks have.
    data = {**values["data"], "data_dir": None}
    return {**values, "model": model, "data": data, "distillation": None}


def values_of(name):
    return json.loads(json.dumps(training.to_values(training.get_recipe(name))))


def with_defaults(record, default):
    """A record's fields, with the default in those that came after it."""
    if not isinstance(record, dict) or not isinstance(default, dict):
        return record
    assert record.keys() <= default.keys()
    return {name: with_defaults(record[name], value) if name in record else value for name, value in default.items()}


def test_a_lab_note_says_what_the_record_says():
    """A note names its run's folder; the record has its name, recipe and accuracy."""
    records = {record.name: record for record in read_records(RESULTS, RunRecord) if record.study == "long"}
    told = {}
    for name in training.recipe_names():
        note = " ".join(training.recipe_note(name).split())
        found = re.search(
            r"(\d+) minutes.*Accuracy: ([\d.]+) % on validation, ([\d.]+) % on test "
            r"\(seed (\d+), epoch (\d+) of (\d+)\)",
            note,
        )
        if found:
            told[re.findall(r"--output runs/long/(\w+)", note)[-1]] = (name, found.groups())
    assert set(told) == set(records)
    for run, (name, (minutes, validation, test, seed, epoch, epochs)) in told.items():
        result, recipe = records[run].result, records[run].recipe
        recorded = learned(with_defaults(recipe, values_of(name)))
        assert int(minutes) == round(result.seconds / 60)
        assert (validation, test) == (f"{100 * result.validation.top1:.2f}", f"{100 * result.test.top1:.2f}")
        assert (int(epoch), int(epochs), int(seed)) == (result.best_epoch, result.epochs, recorded["seed"])
        assert learned(values_of(name)) == recorded
        teacher = re.search(r"distillation.teacher=(\S+)", training.recipe_note(name))
        taught = teacher and training.to_values(training.apply_overrides(training.get_recipe(name), [teacher[0]]))
        assert (without_places(taught)["distillation"] if taught else None) == without_places(recipe)["distillation"]


def test_the_twin_of_a_distilled_bop_recipe_learns_from_labels_with_adam():
    recipe = training.apply_overrides(training.digits_demo(), ["optimizer=bop", "distillation.teacher=x"])
    assert training.float_twin(recipe) == training.float_twin(training.digits_demo())


@pytest.mark.parametrize("ask", [training.get_recipe, training.recipe_note])
def test_unknown_recipes_are_refused_with_a_near_one(ask):
    with pytest.raises(LqFdaError, match="Did you mean 'cifar10_resnet20'"):
        ask("cifar_resnet20")


def test_a_recipe_for_any_network_learns_classes_and_size_from_the_data():
    recipe = training.recipe_for("vgg_small", DataConfig(name="digits", image_size=16), epochs=1)
    assert (recipe.model.classes, recipe.model.input_shape) == (10, (16, 16, 3))
    assert (recipe.epochs, recipe.warmup_epochs) == (1, 0)


def test_overrides_of_the_data_hold_before_the_set_is_opened():
    with pytest.raises(LqFdaError, match="cifar10"):
        training.recipe_for("tiny", DataConfig(name="cifar11"), ["data.name=cifar10", "data.data_dir=nowhere"])
    changes = ["data.image_size=16", "epochs=3", "model.groups=2"]
    recipe = training.recipe_for("tiny", DataConfig(name="digits"), changes)
    assert (recipe.data.image_size, recipe.model.input_shape) == (16, (16, 16, 3))
    assert (recipe.epochs, recipe.warmup_epochs, recipe.model.groups) == (3, 0.1, 2)


@pytest.mark.parametrize("fields", [{"epochs": "3"}, {"epochs": 0}, {"epoch": 3}, {"epochs": 3, "warmup_epochs": 3.0}])
def test_wrong_fields_of_a_recipe_for_any_network_are_refused(fields):
    with pytest.raises(LqFdaError, match="recipe is wrong"):
        training.recipe_for("tiny", DataConfig(name="digits"), **fields)


def change(values, **changes):
    return json.dumps({**values, **changes})


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda values: "", "damaged"),
        (lambda values: json.dumps(values)[:-9], "damaged"),
        (lambda values: "\x00\xff", "recipe|damaged"),
        (lambda values: "[]", "recipe is wrong"),
        (lambda values: "null", "recipe is wrong"),
        (lambda values: change(values, extra=1), "extra"),
        (lambda values: change(values, epochs="3"), "epochs='3'"),
        (lambda values: change(values, learning_rate=float("nan")), "learning_rate"),
        (lambda values: change(values, data={"name": "digits", "seed": -1}), "seed is out of range"),
        (lambda values: change(values, model=None), "model"),
        (
            lambda values: json.dumps({key: value for key, value in values.items() if key != "epochs"}),
            "epochs is missing",
        ),
    ],
)
def test_a_wrong_recipe_file_is_refused(damage, complaint, tmp_path):
    file = tmp_path / "recipe.json"
    file.write_text(damage(training.to_values(training.digits_demo())))
    with pytest.raises(LqFdaError, match=complaint):
        training.read_recipe(file)


def test_a_recipe_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "missing.json", tmp_path, tmp_path / "file" / "recipe.json"):
        with pytest.raises(LqFdaError, match="path="):
            training.read_recipe(path)
