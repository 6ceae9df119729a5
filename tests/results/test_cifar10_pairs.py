"""The script behind the records of 100 classes."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
import typer
from PIL import Image

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "results" / "cifar10_pairs.py"))


@pytest.fixture
def labelled():
    """Images of one value each, which says which image it is: even columns one below it, odd columns one above."""
    values = np.arange(10, 210, 2)
    images = np.broadcast_to(values[:, None, None, None], (len(values), 4, 6, 3)).astype(np.uint8).copy()
    images[:, :, 0::2] -= 1
    images[:, :, 1::2] += 1
    return images, np.arange(len(values)) % 10


@pytest.mark.parametrize("count", [0, 1, 2, 99, 100])
def test_every_image_is_the_half_of_one_pair_that_has_both_labels(labelled, count):
    images, labels = (array[:count] for array in labelled)
    combined, found = SCRIPT["pairs"](images, labels, seed=3)
    assert combined.shape == (count // 2, 4, 6, 3) and combined.dtype == np.uint8
    left, right = combined[:, :, :3], combined[:, :, 3:]
    halves = np.stack([left[:, 0, 0, 0], right[:, 0, 0, 0]], axis=1)
    assert (left == halves[:, 0, None, None, None]).all() and (right == halves[:, 1, None, None, None]).all()
    assert len(np.unique(halves)) == count // 2 * 2
    np.testing.assert_array_equal(found, labels[(halves.astype(int) - 10) // 2])
    if count > 2:
        assert not np.array_equal(found, SCRIPT["pairs"](images, labels, seed=4)[1])


def test_the_folder_has_a_class_for_every_ordered_pair(shared_tfds, tmp_path, monkeypatch):
    builder = tfds.builder("cifar10", data_dir=shared_tfds)
    few = {split: builder.as_dataset(split=f"{split}[:40]", batch_size=-1) for split in ("train", "test")}
    monkeypatch.setattr(type(builder), "as_dataset", lambda self, split, batch_size: few[split])
    SCRIPT["lay_out"](shared_tfds, tmp_path / "pairs")
    names = builder.info.features["label"].names
    for split in ("train", "test"):
        folders = sorted(path.name for path in (tmp_path / "pairs" / split).iterdir())
        assert folders == sorted(f"{left}_{right}" for left in names for right in names)
        files = list((tmp_path / "pairs" / split).glob("*/*.png"))
        assert len(files) == 20
        assert {Image.open(file).size for file in files} == {(32, 32)}
        stored = tfds.as_numpy(few[split])
        squeezed = stored["image"].astype(float).reshape(40, 32, 16, 2, 3).mean(axis=3)
        for file in files:
            pixels = np.asarray(Image.open(file)).astype(int)
            nearest = [
                np.abs(squeezed - half).sum(axis=(1, 2, 3)).argmin() for half in (pixels[:, :16], pixels[:, 16:])
            ]
            assert file.parent.name == "_".join(names[stored["label"][index]] for index in nearest)
    with pytest.raises(typer.BadParameter, match="not there yet"):
        SCRIPT["lay_out"](shared_tfds, tmp_path / "pairs")
