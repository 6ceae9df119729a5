"""The report shows what is there, says what is not, and trusts no text."""

import re

import pytest

from lq_fda.artifacts import RunDir, write_json
from lq_fda.errors import LqFdaError
from lq_fda.reporting import write_model_card, write_report

VALIDATION, TEST = ({"split": split, "images": 100, "top1": 0.75} for split in ("validation", "test"))


def make_run(folder, name="tiny"):
    run = RunDir(folder)
    write_json(run.recipe_file, {"model": {"name": name}, "data": {"name": "digits"}})
    run.history_file.write_text("epoch,loss,validation_accuracy\n1,2.0,0.5\n2,1.0,0.75\n")
    figures = {"epochs": 2, "best_epoch": 2, "seconds": 20.0, "images_per_second": 10.0}
    write_json(run.result_file, {**figures, "validation": VALIDATION, "test": TEST})


def report(folder):
    return write_report(folder, RunDir(folder / "binarized"), RunDir(folder / "float"))


def card(folder):
    return write_model_card(folder, RunDir(folder / "binarized"), RunDir(folder / "float"))


def test_what_was_measured_is_shown_and_the_rest_named(tmp_path):
    make_run(tmp_path / "binarized")
    html = report(tmp_path).read_text()
    assert "75.00 %" in html and html.count("<svg") == 1
    assert html.count("Not measured.") == 4
    assert not re.search(r"(src|href)=\"(https?:)?//", html)


def test_text_from_files_is_escaped(tmp_path):
    make_run(tmp_path / "binarized", name="<script>alert(1)</script>")
    assert "<script>" not in report(tmp_path).read_text()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(LqFdaError, match="no run directory"):
        report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_distribution_is_named(tmp_path):
    make_run(tmp_path / "binarized")
    write_json(tmp_path / "distribution.json", {"points": 3})
    with pytest.raises(LqFdaError, match=r"damaged.*distribution\.json"):
        report(tmp_path)


def test_a_model_card_without_times_is_refused(tmp_path):
    make_run(tmp_path / "binarized")
    with pytest.raises(LqFdaError, match="records cannot be read"):
        card(tmp_path)
    (tmp_path / "benchmark.jsonl").touch()
    with pytest.raises(LqFdaError, match="no times for the model card"):
        card(tmp_path)
    assert not list(tmp_path.rglob("MODEL_CARD.md"))
