"""The command that does everything."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lq_fda.artifacts import RunDir, Verification, read_records

COMMAND = Path(sys.executable).with_name("lq-fda")
SMALL = ("--set", "data.image_size=8", "--set", "model.input_shape=[8,8,3]", "--set", "warmup_epochs=0")


def lq_fda(*arguments, **options):
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=280, check=False, **options
    )


@pytest.mark.slow
def test_the_whole_line_ends_with_a_report_and_can_go_on(tmp_path):
    folder = tmp_path / "all"
    first = lq_fda("run", "--output", folder, "--epochs", 3, *SMALL)
    assert first.returncode == 0, first.stderr
    assert "Top-1 accuracy" in first.stdout and f"Report: {folder / 'report.html'}" in first.stdout
    assert "WARNING" not in first.stderr and "tensorflow" not in first.stderr, "native logs stay out of the way"
    assert {path.name for path in folder.iterdir()} == {
        "binarized",
        "float",
        "bundle",
        "distribution.json",
        "verification.json",
        "benchmark.jsonl",
        "report.html",
    }
    card = (folder / "bundle" / "MODEL_CARD.md").read_text()
    result = RunDir(folder / "binarized").result()
    assert f"| 1-bit | {result.best_epoch} of 3 |" in card and f"{100 * result.test.top1:.2f} %" in card
    assert "every gate held" in card and str(tmp_path) not in card and "distilled" not in card
    html = (folder / "report.html").read_text()
    assert "Not measured." not in html and html.count("<svg") == 3
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    assert Verification.model_validate_json((folder / "verification.json").read_text()).passed
    assert len(list(read_records(folder / "benchmark.jsonl"))) == 4  # The 1-bit file in two runtimes.

    again = lq_fda("run", "--output", folder, "--epochs", 3, *SMALL)
    assert again.returncode == 1 and "--resume" in again.stderr
    resumed = lq_fda("run", "--output", folder, "--epochs", 3, *SMALL, "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["verification"]["passed"]
    assert "| Float twin | the same recipe |" in card


@pytest.mark.slow
def test_a_network_and_its_teacher_are_shipped_with_a_card_that_says_so(tmp_path):
    twin, taught = tmp_path / "twin", tmp_path / "taught"
    recipe = ("train", "--recipe", "digits_demo", "--set", "epochs=3", *SMALL)
    optimizer = ("--set", "optimizer=sgd", "--set", "learning_rate=0.1")
    for options in (
        ("--float-twin", *optimizer, "--output", twin),
        ("--set", f"distillation.teacher={twin}", "--output", taught),
    ):
        trained = lq_fda(*recipe, *options)
        assert trained.returncode == 0, trained.stderr
    shipped = lq_fda("ship", taught, "--float-run", twin, "--output", tmp_path / "shipped", "--json")
    assert shipped.returncode == 0, shipped.stderr
    assert json.loads(shipped.stdout)["float_twin"] == json.loads((twin / "result.json").read_text())
    card = (tmp_path / "shipped" / "bundle" / "MODEL_CARD.md").read_text()
    assert "; distilled from the float twin |" in card and str(tmp_path) not in card
    assert "the same recipe, from the labels and random weights alone, with optimizer=sgd, learning_rate=0.1 |" in card
    swapped = lq_fda("ship", twin, "--float-run", taught, "--output", tmp_path / "swapped")
    assert swapped.returncode == 1 and "float network" in swapped.stderr and not (tmp_path / "swapped").exists()


@pytest.mark.slow
def test_cifar10_runs_from_end_to_end(shared_tfds, tmp_path):
    folder = tmp_path / "all"
    result = lq_fda(
        *("run", "--dataset", "cifar10", "--data-dir", shared_tfds, "--model", "tiny", "--output", folder),
        *("--epochs", 1, *SMALL, "--set", "batch_size=500", "--json"),
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["binarized"]["test"]["images"] == 10000
    assert found["verification"]["accuracy"]["model.tflite"]["images"] == 10000
