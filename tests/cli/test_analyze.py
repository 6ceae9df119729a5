"""`lq-fda analyze` as its user types it."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from lq_fda.artifacts import Analysis
from lq_fda.cli import app
from lq_fda.errors import LqFdaError

FILES = {"histograms.png", "balance.png", "depth.png", "epochs.png", "summary.txt", "analysis.json"}


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained.binarized.path, tmp_path / "full")


def test_figures_and_summary_lie_in_the_run(run, trained):
    shown = CliRunner().invoke(app, ["analyze", str(run), str(trained.float_twin.path), "--images", "8"])
    assert shown.exit_code == 0, shown.output
    assert {path.name for path in (run / "analysis").iterdir()} == FILES
    assert not (trained.float_twin.path / "analysis").exists()
    assert "full: what the signs see" in shown.stdout and "Side by side" in shown.stdout
    summary = (run / "analysis" / "summary.txt").read_text()
    assert summary in shown.stdout
    record = Analysis.model_validate_json((run / "analysis" / "analysis.json").read_text())
    assert all(f"{number}. {finding.layer} keeps" in summary for number, finding in enumerate(record.findings, 1))


def test_json_for_machines_and_another_folder(run, tmp_path):
    folder = tmp_path / "elsewhere"
    shown = CliRunner().invoke(app, ["analyze", str(run), "--images", "8", "--output", str(folder), "--json"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout) == json.loads((folder / "analysis.json").read_text())
    assert not (run / "analysis").exists()


def test_a_folder_that_cannot_be_made_loses_nothing(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    shown = CliRunner().invoke(app, ["analyze", str(run), "--images", "8", "--output", str(tmp_path / "file" / "x")])
    assert isinstance(shown.exception, LqFdaError) and "Could not write" in str(shown.exception)
    assert "1. stage" in shown.stdout
