"""The command line as its user types it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("lq-fda")


def lq_fda(*arguments, **options):
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=280, check=False, **options
    )


def commands():
    return re.findall(r"^│ ([a-z]+) ", lq_fda("--help").stdout, re.M)


def test_every_command_has_an_example_in_its_help():
    names = commands()
    assert {"models", "summary", "train", "evaluate", "benchmark"} <= set(names)
    for name in names:
        assert f"Example: lq-fda {name}" in lq_fda(name, "--help", env={"COLUMNS": "200"}).stdout


def test_models_for_machines():
    result = lq_fda("models", "--json")
    assert result.returncode == 0
    assert "resnet20" in json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("summary", "resnet21"), "Did you mean 'resnet20'?"),
        (("train", "--output", "x", "--recipe", "nope"), "No such recipe"),
        (("train", "--output", "x", "--set", "epoch=3"), "Did you mean epochs"),
        (("train", "--output", "x", "--set", "epochs=many"), "epochs"),
        (("train", "--output", "x", "--set", "data.name=cifar11"), "cifar1"),
        (("evaluate", "nowhere"), "This is no run directory"),
        (("benchmark", "nowhere"), "manifest.json"),
    ],
)
def test_bad_input_is_one_sentence_and_no_traceback(arguments, words, tmp_path):
    result = lq_fda(*arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert words in result.stderr and "Traceback" not in result.stderr
    assert result.stderr.count("Error:") == 1


def test_debug_shows_the_traceback(tmp_path):
    assert "Traceback" in lq_fda("--debug", "evaluate", "nowhere", cwd=tmp_path).stderr
