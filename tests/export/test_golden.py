"""The committed bundles: whole, with all three networks, and giving their golden outputs on this machine."""

from pathlib import Path

import pytest
from lq_fda_runtime import Bundle
from lq_fda_runtime.bundle import FLOAT, INT8, MODEL
from lq_fda_runtime.selftest import selftest

from lq_fda.artifacts import RunRecord, read_records

ROOT = Path(__file__).parents[2]
GOLDEN = sorted(path.parent for path in (ROOT / "export" / "golden").glob("*/manifest.json"))


def test_there_is_one():
    assert GOLDEN


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_golden_bundle_gives_its_golden_outputs(folder):
    results = selftest(Bundle(folder))
    assert {result.file for result in results} == {MODEL, FLOAT, INT8}
    assert all(result.passed and result.same_top1 == result.images for result in results)


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_card_says_what_the_records_say(folder):
    runs = {run.name: run for run in read_records(ROOT / "results" / "runs.jsonl", RunRecord) if run.study == "long"}
    name = folder.name.removeprefix("cifar10_")
    card, ours, twin = (folder / "MODEL_CARD.md").read_text(), runs[name], runs[f"{name}_float"]
    for row, run in (("1-bit", ours), ("float twin", twin)):
        result = run.result
        accuracy = f"{100 * result.validation.top1:.2f} % | {100 * result.test.top1:.2f} %"
        assert f"| {row} | {result.best_epoch} of {result.epochs} | {accuracy} |" in card
    assert f"twin: {100 * (twin.result.test.top1 - ours.result.test.top1):.2f} points, one seed" in card
    teacher = ours.recipe["distillation"]["teacher"]
    assert teacher == twin.name and "; distilled from the float twin |" in card
    assert f"{ours.recipe['precision']}, seed {ours.recipe['seed']}" in card
