"""The command line as its user types it."""

import dataclasses
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from lq_fda import cli, models, pipeline, training
from lq_fda.artifacts import write_json
from lq_fda.cli import app
from lq_fda.errors import LqFdaError

COMMAND = Path(sys.executable).with_name("lq-fda")


def lq_fda(*arguments, **options):
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=280, check=False, **options
    )


def test_every_command_has_an_example_in_its_help_and_json():
    names = re.findall(r"^│ ([a-z][a-z-]*) ", CliRunner().invoke(app, ["--help"]).stdout, re.M)
    assert {"run", "train", "convert", "verify", "benchmark"} <= set(names)
    for name in names:
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
        assert f"Example: lq-fda {name}" in shown and "--json" in shown


def test_models_for_machines():
    result = lq_fda("models", "--json")
    assert result.returncode == 0
    assert "resnet20" in json.loads(result.stdout)


def test_summary_for_machines_counts_as_the_network_does():
    shown = json.loads(CliRunner().invoke(app, ["summary", "tiny", "--json"]).stdout)
    network = models.create("tiny")
    # Larq leaves the moving statistics out: on the device they are part of scale and shift.
    trained = sum(weight.shape.num_elements() for weight in network.trainable_weights)
    assert sum(shown["total"]["parameters"].values()) == trained
    binary = {layer["name"]: layer["macs"] for layer in shown["layers"] if "1" in layer["macs"]}
    height, width = network.get_layer("stage1_1_conv").output_shape[1:3]
    kernel = network.get_layer("stage1_1_conv").kernel.shape
    assert binary["stage1_1_conv"]["1"] == height * width * kernel.num_elements() and len(binary) == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("summary", "tiny", "--image-size", "0"), "input_shape.0=0"),
        (("summary", "resnet21"), "Did you mean 'resnet20'?"),
        (("train", "--output", "x", "--recipe", "nope"), "No such recipe"),
        (("train", "--output", "x", "--set", "epoch=3"), "Did you mean epochs"),
        (("train", "--output", "x", "--set", "epochs=many"), "epochs"),
        (("train", "--output", "x", "--set", "data.name=cifar11"), "cifar1"),
        (("evaluate", "nowhere"), "This is no run directory"),
        (("analyze", "nowhere"), "This is no run directory"),
        (("benchmark", "nowhere"), "manifest.json"),
        (("convert", "nowhere", "--output", "x"), "This is no run directory"),
        (("verify", "nowhere", "--run", "nowhere"), "manifest.json"),
        (("run", "--output", "x", "--dataset", "cifar11"), "cifar1"),
        (("run", "--output", "x", "--dataset", "cifar10", "--data-dir", "nowhere"), "nowhere"),
        (("run", "--output", "x", "--model", "resnet21"), "resnet20"),
        (("run", "--output", "x", "--set", "model.groups=7"), "groups=7"),
        (("run", "--output", "x", "--set", "model.classes=7"), "Expected model.classes=10"),
        (("speed", "--set", "model.input_shape=[null,null,3]"), "no known size"),
    ],
)
def test_bad_input_is_named_with_the_cure(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, LqFdaError) and words in str(result.exception)
    assert not list(tmp_path.iterdir()), "nothing was written"


@pytest.mark.parametrize("command", ["evaluate", "convert --output x", "train --output"])
def test_what_the_file_system_refuses_is_one_sentence_too(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["lq-fda", *command.split(), str(tmp_path / ("x" * 300))])
    monkeypatch.setattr(cli, "silence_native_code", lambda: None)
    monkeypatch.setattr(cli.faulthandler, "enable", lambda *_: None)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and re.match(r"Error: .*Received: path='.*xxx.*\(File name too long\)", shown)


def test_recipes_are_listed_and_a_note_is_shown_as_it_stands():
    listed = CliRunner().invoke(app, ["recipes", "--json"])
    assert list(json.loads(listed.stdout)) == training.recipe_names()
    shown = CliRunner().invoke(app, ["recipes", "cifar10_resnet20_long"]).stdout
    assert "--set distillation.teacher=runs/long/resnet20_float" in shown
    unknown = CliRunner().invoke(app, ["recipes", "resnet20"])
    assert isinstance(unknown.exception, LqFdaError) and "No such recipe" in str(unknown.exception)


@pytest.mark.parametrize("wish", [("--trials", "3"), ("--set", "epochs=3"), ("--worker", "127.0.0.1:4000")])
def test_best_does_not_let_the_options_of_a_search_pass_unheard(wish, tmp_path):
    result = CliRunner().invoke(app, ["tune", "--output", str(tmp_path), "--best", str(tmp_path / "best.json"), *wish])
    assert isinstance(result.exception, LqFdaError) and f"Received: {wish[0]}." in str(result.exception)


@pytest.mark.parametrize(
    "asked", [("--recipe", "digits_demo"), ("--recipe", "cifar10_resnet20"), ("--set", "epochs=7")]
)
def test_a_run_is_not_resumed_with_another_recipe(asked, tmp_path):
    begun = training.apply_overrides(training.digits_demo(), ["epochs=5", "data.image_size=8"])
    write_json(tmp_path / "recipe.json", training.to_values(begun))
    result = CliRunner().invoke(app, ["train", "--resume", "--output", str(tmp_path), *asked])
    assert isinstance(result.exception, LqFdaError) and "begun with another recipe" in str(result.exception)


@pytest.mark.parametrize("resumed", [(), ("--float-twin",), ("--set", "epochs=5")])
def test_resuming_takes_the_runs_own_recipe(resumed, tmp_path, monkeypatch):
    begun = training.float_twin(training.apply_overrides(training.digits_demo(), ["epochs=5"]))
    write_json(tmp_path / "recipe.json", training.to_values(begun))
    asked = []
    monkeypatch.setattr(training, "train", lambda recipe, *_, **__: asked.append(recipe))
    assert CliRunner().invoke(app, ["train", "--resume", "--output", str(tmp_path), *resumed]).exit_code == 0
    assert asked == [begun]


def test_run_opens_an_image_folder_at_the_size_that_is_set(tmp_path, monkeypatch):
    for index, (split, label) in enumerate(itertools.product(("train", "test"), ("cat", "dog"))):
        for number in range(3):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20 + number, 30), (index, number, 0)).save(folder / f"{number}.png")
    asked = []

    def stop(recipe, *_, **__):
        asked.append(recipe)
        raise LqFdaError("That is enough.", cure="Go home.")

    monkeypatch.setattr(pipeline, "run", stop)
    command = ["run", "--dataset", "folder", "--data-dir", str(tmp_path / "images"), "--output", str(tmp_path / "out")]
    for changes in (["--set", "data.image_size=16"], ["--set", "data.image_size=16", "--epochs", "3"]):
        result = CliRunner().invoke(app, [*command, *changes])
        assert "That is enough" in str(result.exception)
    (first, second) = asked
    assert (first.data.image_size, first.model.input_shape, first.model.classes) == (16, (16, 16, 3), 2)
    assert second == dataclasses.replace(first, epochs=3, warmup_epochs=second.warmup_epochs)


def test_an_error_is_one_sentence_and_exit_code_1_and_debug_shows_the_traceback(tmp_path):
    plain = lq_fda("benchmark", "nowhere", cwd=tmp_path)  # The command that starts fastest: without TensorFlow.
    assert plain.returncode == 1 and plain.stderr.startswith("Error: A file is missing.")
    assert plain.stderr.count("\n") == 1
    assert "Traceback" in lq_fda("--debug", "benchmark", "nowhere", cwd=tmp_path).stderr
