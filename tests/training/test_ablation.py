"""Ablations: what each variant is, and that a cut study goes on."""

import json

import pytest
from typer.testing import CliRunner

from lq_fda import cli, training
from lq_fda.artifacts import RunDir, RunRecord
from lq_fda.errors import LqFdaError
from lq_fda.models import COUSINS, PARTS

RECIPE = training.apply_overrides(
    training.digits_demo(), ["epochs=1", "warmup_epochs=0", "data.image_size=8", "model.input_shape=8,8,3"]
)


def test_a_variant_changes_the_network_alone():
    for name in training.VARIANTS:
        values = training.to_values(training.variant(RECIPE, name))
        assert values | {"model": None} == training.to_values(RECIPE) | {"model": None}
    assert training.variant(RECIPE, "all").model.parts == PARTS
    assert training.variant(RECIPE, "recommended") == RECIPE, "the networks' default"
    for part in PARTS:
        without = training.variant(RECIPE, f"without_{part}").model.parts
        assert {*PARTS} - {*without} == {part} and len(without) == 2
    assert training.variant(RECIPE, "reactnet").model.parts == COUSINS["reactnet"]
    assert not training.variant(RECIPE, "float").model.binarized


def test_wrong_names_are_found_before_anything_is_trained(tmp_path):
    with pytest.raises(LqFdaError, match=r"No such variant.*plain.*Received: 'plane'"):
        training.ablate(RECIPE, tmp_path, variants=("plain", "plane"))
    with pytest.raises(LqFdaError, match="nothing to train"):
        training.ablate(RECIPE, tmp_path, seeds=())
    assert not list(tmp_path.iterdir())


def test_a_study_goes_on_where_it_was_cut(tmp_path):
    trained = []
    options = {"progress": False, "announce": trained.append}
    first = training.ablate(RECIPE, tmp_path, variants=("plain",), **options)
    before = RunDir(tmp_path / "plain_seed0").result_file.stat().st_mtime_ns
    records = training.ablate(RECIPE, tmp_path, variants=("plain", "recu"), seeds=(0, 1), **options)
    assert [record.name for record in records] == ["plain_seed0", "recu_seed0", "plain_seed1", "recu_seed1"]
    assert records[0] == first[0]
    assert RunDir(tmp_path / "plain_seed0").result_file.stat().st_mtime_ns == before
    assert [record.recipe["seed"] for record in records] == [0, 0, 1, 1]
    assert {record.recipe["data"]["seed"] for record in records} == {0}
    assert [len(record.history) for record in records] == [1] * 4
    assert "data_dir" not in records[0].recipe["data"]


@pytest.mark.slow
def test_the_commands_train_and_record(tmp_path):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(training.to_values(RECIPE)))
    runner = CliRunner()
    arguments = ["ablate", "--recipe", str(recipe), "--variants", "plain", "--output", str(tmp_path / "study")]
    assert runner.invoke(cli.app, [*arguments, "--seeds", "0"]).exit_code == 0
    assert runner.invoke(cli.app, [*arguments, "--seeds", "zero"]).exit_code == 2
    records = tmp_path / "runs.jsonl"
    run = tmp_path / "study" / "plain_seed0"
    recorded = runner.invoke(cli.app, ["record", str(run), "--study", "ablation", "--output", str(records)])
    assert recorded.exit_code == 0
    assert RunRecord.model_validate_json(records.read_text()) == RunDir(run).record("ablation")


def test_a_run_that_has_not_ended_or_is_damaged_is_not_recorded(tmp_path):
    training.ablate(RECIPE, tmp_path, variants=("plain",), progress=False)
    run = RunDir(tmp_path / "plain_seed0")
    text = run.history_file.read_text()
    run.history_file.write_text(text.replace("\n1,", "\none,"))
    with pytest.raises(LqFdaError, match=r"history is missing or damaged.*ValueError.*train --resume"):
        run.record("ablation")
    run.history_file.write_text(text)
    run.result_file.unlink()
    with pytest.raises(LqFdaError, match="has not ended"):
        run.record("ablation")
