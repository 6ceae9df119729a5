"""Fixtures that several folders of tests share."""

import dataclasses
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture(scope="session")
def shared_tfds() -> Path:
    """The folder with CIFAR-10 in the layout of TFDS."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "tfds"
    if not folder.is_dir():
        pytest.skip(f"needs the TFDS folder {folder}, which is not there")
    return folder


@dataclasses.dataclass(frozen=True)
class Trained:
    """A binarized run, the run of its float twin, and the bundle that they became."""

    binarized: "lq_fda.artifacts.RunDir"  # noqa: F821
    float_twin: "lq_fda.artifacts.RunDir"  # noqa: F821
    bundle: "lq_fda.artifacts.Bundle"  # noqa: F821


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Trained:
    """`tiny` on digits of 8x8 pixels with all its parts, trained for three epochs; do not write into its folders."""
    from lq_fda import conversion, training
    from lq_fda.artifacts import RunDir

    recipe = training.apply_overrides(
        training.digits_demo(),
        ["epochs=3", "warmup_epochs=0", "data.image_size=8", "model.input_shape=[8,8,3]"],
    )
    folder = tmp_path_factory.mktemp("trained")
    runs = RunDir(folder / "binarized"), RunDir(folder / "float")
    for run, chosen in zip(runs, (recipe, training.float_twin(recipe)), strict=True):
        training.train(chosen, run.path, progress=False)
    return Trained(*runs, conversion.convert(runs[0], folder / "bundle", float_run=runs[1]))
