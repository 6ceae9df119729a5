"""From run directories to an analysis: what is measured, what stands beside it, and what is refused."""

import csv
import shutil

import numpy as np
import pytest

from lq_fda import analysis, data, models, training
from lq_fda.artifacts import RunDir, write_json
from lq_fda.errors import LqFdaError


@pytest.fixture
def copied(trained, tmp_path):
    """Copies of the two runs, to write into."""
    return tuple(
        RunDir(shutil.copytree(run.path, tmp_path / run.path.name)) for run in (trained.binarized, trained.float_twin)
    )


def rewrite(run: RunDir, change) -> None:
    """Changes every row of a run's history."""
    with run.history_file.open(newline="") as file:
        rows = [change(row) for row in csv.DictReader(file)]
    with run.history_file.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_a_run_and_its_float_twin_stand_side_by_side(trained):
    seen = []
    found = analysis.analyze(
        [trained.binarized, trained.float_twin], images=20, progress=lambda *step: seen.append(step)
    )
    binarized, twin = found.runs
    assert (binarized.name, binarized.binarized, twin.name, twin.binarized) == ("binarized", True, "float", False)
    assert [p.name for p in binarized.distribution.points] == [p.name for p in twin.distribution.points]
    assert seen[-1] == ("float", 20, 20) and ("binarized", 16, 20) in seen
    for run, described in zip((trained.binarized, trained.float_twin), found.runs, strict=True):
        result = run.result()
        assert (described.best_epoch, described.epochs) == (result.best_epoch, 3)
        assert described.validation_accuracy == pytest.approx(result.validation.top1)
    assert len(found.findings) == 3 and twin.trends == ()
    kept = {point.name: point.kept for point in binarized.distribution.points}
    assert [finding.layer for finding in found.findings] == sorted(kept, key=kept.get)[:3]


def test_the_images_are_the_first_of_the_validation_split(trained):
    found = analysis.analyze([trained.binarized], images=20).runs[0].distribution
    _, config = models.configs(trained.binarized)
    dataset = data.load(config)
    images = data.preprocessing.normalize(dataset.raw("validation", 20)[0], dataset.preprocessing)
    expected = analysis.measure_distribution(models.load(trained.binarized), images, "validation")
    assert (found.split, found.images) == ("validation", 20)
    for one, other in zip(found.points, expected.points, strict=True):
        np.testing.assert_allclose(one.seen.mean, other.seen.mean, rtol=1e-5, atol=1e-6)


def test_a_split_with_fewer_images_gives_all_of_them(trained):
    _, config = models.configs(trained.binarized)
    everything = data.load(config).sizes["validation"]
    found = analysis.analyze([trained.binarized], images=100_000)
    assert found.runs[0].distribution.images == everything


def test_trends_are_the_columns_of_the_history(trained):
    rows = trained.binarized.history()
    for trend in analysis.analyze([trained.binarized], images=4).runs[0].trends:
        for quantity in ("positive", "imbalance", "inside", "flip_rate"):
            assert list(getattr(trend, quantity)) == [row[f"{trend.layer}/{quantity}"] for row in rows]


def test_epochs_without_flip_rates_have_none(copied):
    run, _ = copied
    rewrite(run, lambda row: {k: "" if "flip" in k and row["epoch"] == "1" else v for k, v in row.items()})
    begun_before = analysis.analyze([run], images=4).runs[0]
    assert all(trend.flip_rate[0] is None and trend.flip_rate[1] is not None for trend in begun_before.trends)
    assert begun_before.has("flip_rate")
    rewrite(run, lambda row: {k: v for k, v in row.items() if "flip" not in k})
    ended_before = analysis.analyze([run], images=4).runs[0]
    assert not ended_before.has("flip_rate") and ended_before.has("imbalance")


def test_a_run_that_has_not_ended_is_measured_as_it_stands(copied):
    run, _ = copied
    run.result_file.unlink()
    lines = run.history_file.read_text().splitlines(keepends=True)
    run.history_file.write_text("".join(lines[:2]))
    found = analysis.analyze([run], images=4).runs[0]
    assert (found.epochs, found.planned, found.best_epoch) == (1, 3, 1)


def test_runs_of_one_name_are_told_apart_by_their_paths(trained, copied):
    found = analysis.analyze([trained.binarized, copied[0]], images=4)
    assert [run.name for run in found.runs] == [str(trained.binarized.path), str(copied[0].path)]


def test_a_float_network_cannot_come_first(trained):
    with pytest.raises(LqFdaError, match=r"first run takes no sign.*a float network\. Name the binarized run first"):
        analysis.analyze([trained.float_twin, trained.binarized])


@pytest.mark.parametrize(("runs", "images"), [(0, 512), (1, 0), (1, -3)])
def test_nothing_to_analyze_is_said(runs, images, trained):
    with pytest.raises(LqFdaError, match="nothing to analyze"):
        analysis.analyze([trained.binarized] * runs, images=images)


def begun(folder, overrides=()) -> RunDir:
    """A run directory that holds a recipe and nothing else."""
    write_json(folder / "recipe.json", training.to_values(training.apply_overrides(training.digits_demo(), overrides)))
    return RunDir(folder)


@pytest.mark.parametrize(
    ("override", "named"), [("model.name=resnet20", "name"), ("data.seed=1", "data.seed"), ("model.classes=11", "clas")]
)
def test_runs_that_cannot_be_compared_are_refused(override, named, tmp_path):
    with pytest.raises(LqFdaError, match=f"cannot be compared: they differ in {named}"):
        analysis.analyze([begun(tmp_path / "one"), begun(tmp_path / "other", [override])])


def test_a_run_without_weights_and_a_folder_without_a_run_are_refused(tmp_path):
    with pytest.raises(LqFdaError, match=r"no weights yet.*train --resume"):
        analysis.analyze([begun(tmp_path / "one")])
    with pytest.raises(LqFdaError, match="no run directory"):
        analysis.analyze([RunDir(tmp_path)])


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda run: run.history_file.unlink(), id="missing"),
        pytest.param(lambda run: run.history_file.write_text(""), id="empty"),
        pytest.param(lambda run: run.history_file.write_bytes(b"\xff\x00,\n1,2\n"), id="no text"),
        pytest.param(lambda run: run.history_file.write_text("epoch,loss\n1,2\n"), id="no accuracy"),
        pytest.param(lambda run: rewrite(run, lambda row: {**row, "loss": "much"}), id="no number"),
        pytest.param(lambda run: rewrite(run, lambda row: {**row, "stage1_1_conv/flip_rate": "1.5"}), id="no share"),
        pytest.param(lambda run: rewrite(run, lambda row: {**row, "stage1_1_conv/flip_rate": "nan"}), id="nan"),
        pytest.param(lambda run: run.history_file.write_text("validation_accuracy\n0.5\n"), id="no epoch"),
        pytest.param(
            lambda run: run.history_file.write_text(run.history_file.read_text().replace("\n2,", "\n2,7,")), id="long"
        ),
    ],
)
def test_a_damaged_history_is_one_error(damage, copied):
    damage(copied[0])
    with pytest.raises(LqFdaError, match=r"history is (missing or )?damaged.*Received: "):
        analysis.analyze([copied[0]], images=4)
