"""The command line as its user types it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lq_fda import models
from lq_fda.cli import app
from lq_fda.errors import LqFdaError

COMMAND = Path(sys.executable).with_name("lq-fda")


def lq_fda(*arguments, **options):
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=280, check=False, **options
    )


def test_every_command_has_an_example_in_its_help_and_json():
    names = re.findall(r"^│ ([a-z]+) ", CliRunner().invoke(app, ["--help"]).stdout, re.M)
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
        (("benchmark", "nowhere"), "manifest.json"),
        (("convert", "nowhere", "--output", "x"), "This is no run directory"),
        (("verify", "nowhere", "--run", "nowhere"), "manifest.json"),
        (("run", "--output", "x", "--dataset", "cifar11"), "cifar1"),
        (("run", "--output", "x", "--dataset", "cifar10", "--data-dir", "nowhere"), "nowhere"),
        (("run", "--output", "x", "--model", "resnet21"), "resnet20"),
        (("run", "--output", "x", "--set", "model.groups=7"), "groups=7"),
        (("run", "--output", "x", "--set", "model.classes=7"), "Expected model.classes=10"),
    ],
)
def test_bad_input_is_named_with_the_cure(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, LqFdaError) and words in str(result.exception)
    assert not list(tmp_path.iterdir()), "nothing was written"


def test_an_error_is_one_sentence_and_exit_code_1_and_debug_shows_the_traceback(tmp_path):
    plain = lq_fda("evaluate", "nowhere", cwd=tmp_path)
    assert plain.returncode == 1 and plain.stderr.startswith("Error: This is no run directory.")
    assert plain.stderr.count("\n") == 1
    assert "Traceback" in lq_fda("--debug", "evaluate", "nowhere", cwd=tmp_path).stderr
