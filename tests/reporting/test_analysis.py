"""What an analysis leaves behind; the runs are made of numbers."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from lq_fda.artifacts import (
    Analysis,
    BinarizationPoint,
    Distribution,
    Finding,
    Remark,
    RunAnalysis,
    Trend,
    ValueDistribution,
)
from lq_fda.errors import LqFdaError
from lq_fda.reporting import analysis_summary, write_analysis
from lq_fda.reporting.analysis_plots import figures

FILES = {"histograms.png", "balance.png", "depth.png", "epochs.png", "summary.txt", "analysis.json"}
EDGES = np.linspace(-3, 3, 21)


def values(channels: int, seed: int = 0) -> ValueDistribution:
    x = np.random.default_rng(seed).normal(0.3, 1, size=(500, channels))
    return ValueDistribution(
        positive=tuple((x >= 0).mean(0)),
        inside=tuple((abs(x) <= 1).mean(0)),
        mean=tuple(x.mean(0)),
        variance=tuple(x.var(0)),
        magnitude=tuple(abs(x).mean(0)),
        counts=tuple(np.histogram(x, EDGES)[0].tolist()),
    )


def make_run(name="full", layers=4, *, binarized=True, flips=True, epochs=3, adjusted=True) -> RunAnalysis:
    points = tuple(
        BinarizationPoint(
            name=f"stage{index}_conv",
            window=None if index == 1 else 1.0,
            edges=tuple(EDGES),
            before=values(31 + index % 3, index),
            after=values(31 + index % 3, index + 1) if adjusted and index % 2 else None,
            kernel_error=(0.3, 0.4),
        )
        for index in range(layers)
    )
    trends = tuple(
        Trend(
            layer=point.name,
            **{quantity: (0.5,) * epochs for quantity in ("positive", "imbalance", "inside")},
            flip_rate=(None, *[0.01] * (epochs - 1)) if flips else (None,) * epochs,
        )
        for point in points
    )
    return RunAnalysis(
        name=name,
        network="tiny",
        binarized=binarized,
        parts=(),
        epochs=epochs,
        planned=3,
        best_epoch=1,
        validation_accuracy=0.5,
        distribution=Distribution(split="validation", images=2, points=points),
        trends=trends if binarized else (),
    )


def make_analysis(*runs: RunAnalysis) -> Analysis:
    same = {"rule": "x", "attempt": "Add `adjustment`."}
    remarks = (Remark(observation="Too wide.", **same), Remark(observation="Too far.", **same))
    finding = Finding(layer="stage1_conv", forward=0.4, backward=0.5, remarks=remarks)
    return Analysis(runs=runs, findings=(finding,))


def test_everything_is_written_and_the_record_can_be_read_again(tmp_path):
    found = make_analysis(make_run(), make_run("plain", adjusted=False), make_run("float", binarized=False))
    written = write_analysis(found, tmp_path / "new" / "folder")
    assert {path.name for path in written} == {path.name for path in (tmp_path / "new" / "folder").iterdir()} == FILES
    assert written[-1].name == "analysis.json"
    assert Analysis.model_validate(json.loads(written[-1].read_text())) == found
    for path in written[:4]:
        picture = np.asarray(Image.open(path).convert("L"))
        assert picture.shape[0] > 200 and picture.shape[1] > 500 and picture.std() > 10, "it shows something"


@pytest.mark.parametrize("layers", [1, 2, 6, 7, 19])
def test_figures_of_any_depth(layers):
    found = make_analysis(make_run(layers=layers))
    for content in figures(found).values():
        assert Image.open(io.BytesIO(content)).size[0] > 400


def test_more_runs_than_colours_and_a_single_epoch():
    runs = [make_run(f"run {index}", layers=2, epochs=1) for index in range(8)]
    assert set(figures(make_analysis(*runs))) == FILES - {"summary.txt", "analysis.json"}


def test_the_same_analysis_gives_the_same_bytes():
    found = make_analysis(make_run(layers=2))
    assert figures(found) == figures(found)


def test_balance_shows_every_channel_from_blue_to_red():
    """Balanced channels are white, those of one sign dark; colours are compared, not positions."""
    one_sign = values(32).model_copy(update={"positive": (1.0,) * 32})
    half = values(32).model_copy(update={"positive": (0.5,) * 32})
    pictures = []
    for shares in (one_sign, half):
        run = make_run(layers=1)
        point = run.distribution.points[0].model_copy(update={"before": shares, "after": None})
        run = run.model_copy(update={"distribution": run.distribution.model_copy(update={"points": (point,)})})
        pictures.append(np.asarray(Image.open(io.BytesIO(figures(make_analysis(run))["balance.png"])).convert("RGB")))
    dark_red = (pictures[0] == (103, 0, 31)).all(-1).sum()
    assert dark_red > 5 * (pictures[1] == (103, 0, 31)).all(-1).sum()


def test_the_summary_says_what_to_try_once_for_all_that_it_cures():
    text = analysis_summary(make_analysis(make_run()))
    assert "1. stage1_conv keeps 20% (forward 40%, backward 50%)" in text
    assert text.count("Add `adjustment`.") == 1
    assert text.index("Too wide.") < text.index("Too far.") < text.index("Try: Add")
    assert max(map(len, text.splitlines())) <= 100
    assert "flip rates" not in text and "epochs:" not in text and "Float twins" not in text


def test_the_summary_says_what_is_missing():
    runs = (make_run(flips=False), make_run("plain", epochs=2), make_run("float", binarized=False))
    text = " ".join(analysis_summary(make_analysis(*runs)).split())
    assert "Without flip rates, for the version that trained them did not measure any: full." in text
    assert "plain has trained 2 of 3 epochs" in text
    assert "Float twins, measured where the others take signs: float." in text


def test_what_was_there_stays_and_an_older_analysis_is_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write_analysis(make_analysis(make_run("old")), tmp_path)
    write_analysis(make_analysis(make_run("new")), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"notes.txt"}
    assert json.loads((tmp_path / "analysis.json").read_text())["runs"][0]["name"] == "new"


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LqFdaError, match="Could not write"):
        write_analysis(make_analysis(make_run(layers=1)), tmp_path / "file" / "analysis")
    assert os.listdir(tmp_path) == ["file"]
