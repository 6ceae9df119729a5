"""Fixtures that several folders of tests share."""

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
