"""The committed bundles: whole, with all three networks, and giving their golden outputs on this machine."""

from pathlib import Path

import pytest
from lq_fda_runtime import Bundle
from lq_fda_runtime.bundle import FLOAT, INT8, MODEL
from lq_fda_runtime.selftest import selftest

GOLDEN = sorted(path.parent for path in (Path(__file__).parents[2] / "export" / "golden").glob("*/manifest.json"))


def test_there_is_one():
    assert GOLDEN


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_golden_bundle_gives_its_golden_outputs(folder):
    results = selftest(Bundle(folder))
    assert {result.file for result in results} == {MODEL, FLOAT, INT8}
    assert all(result.passed and result.same_top1 == result.images for result in results)
    assert (folder / "MODEL_CARD.md").is_file()
