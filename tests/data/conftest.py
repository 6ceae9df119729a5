"""Small data sets on disk, written once for all tests of this folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lq_fda._keras import tf


@pytest.fixture(scope="session", autouse=True)
def own_cache_folder(tmp_path_factory):
    """Keeps the tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LQ_FDA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def write_image(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory) -> Path:
    """Two classes of 20 training images and 5 test images, each of its own size, in PNG."""
    root = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 5)):
        for label in ("cat", "dog"):
            for number in range(count):
                height, width = random.integers(20, 60, 2)
                pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
                write_image(root / split / label / f"{number}.png", pixels)
    return root


def store(
    folder: Path, name: str, splits: dict[str, int], *, shards: int = 1, shape=(12, 12, 1), unlabelled=()
) -> Path:
    """Writes a set of 3 classes with TFDS: the label of image i is i % 3, and its first pixel is i."""
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(shape=shape), "label": tfds.features.ClassLabel(num_classes=3)}
    )

    def examples(split: str, count: int):
        for index in range(count):
            pixels = np.random.default_rng(index).integers(0, 256, [size or 15 for size in shape], dtype=np.uint8)
            pixels[0, 0] = index
            yield index, {"image": pixels, "label": -1 if split in unlabelled else index % 3}

    tfds.disable_progress_bar()
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=features,
        split_datasets={split: list(examples(split, count)) for split, count in splits.items()},
        data_dir=folder,
        download_config=tfds.download.DownloadConfig(num_shards=shards),
    )
    return folder


@pytest.fixture(scope="session")
def tfds_folder(tmp_path_factory) -> Path:
    """`tiny`: 90 grayscale training images in 4 files, and 21 test images."""
    return store(tmp_path_factory.mktemp("tfds"), "tiny", {"train": 90, "test": 21}, shards=4)


@pytest.fixture(scope="session")
def store_tfds():
    return store


@pytest.fixture(scope="session")
def save_image():
    return write_image


@pytest.fixture(scope="session")
def collect():
    """Reads a pipeline to its end: all images and all labels."""

    def read(batches: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
        images, labels = zip(*batches.as_numpy_iterator(), strict=True)
        return np.concatenate(images), np.concatenate(labels)

    return read
