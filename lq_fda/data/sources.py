"""Where encoded images come from: what a source can do, and how `name` finds one."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lq_fda._keras import tf
from lq_fda.data.config import DataConfig


class Source(Protocol):
    """The files of one data set; images stay encoded until somebody needs their pixels.

    Attributes:
        name: For messages and manifests, with the version if there is one.
        folder: Where the files are.
        label_names: One a class.
        image_shape: The height and width that all images have, or `None`.
        sizes: The number of images in each of the set's own splits.
    """

    name: str
    folder: str
    label_names: tuple[str, ...]
    image_shape: tuple[int, int] | None
    sizes: dict[str, int]

    def labels(self, split: str) -> np.ndarray:
        """The class of every image, in the files' order; reads, and so checks, every record."""
        ...

    def fingerprint(self, split: str) -> dict[str, Any]:
        """Changes when the files change: what an answer that is remembered depends on."""
        ...

    def records(self, split: str, key: tf.Tensor | None = None) -> tf.data.Dataset:
        """Elements (index in the files' order, record, label), in the files' order or shuffled by a key."""
        ...

    def encoded(self, record: tf.Tensor) -> tf.Tensor:
        """The bytes of the image file that a record holds or points to."""
        ...

    def describe(self, split: str, index: int) -> str:
        """Names one record in a message."""
        ...


def open_source(config: DataConfig) -> Source:
    """Finds the files that a configuration names.

    Raises:
        LqFdaError: There is no such set, it is not there, it is incomplete, or it is not for classification.
    """
    if config.name == "folder":
        from lq_fda.data.folder_source import FolderSource

        return FolderSource(config.data_dir)
    from lq_fda.data.tfds_source import TfdsSource

    return TfdsSource(config.name, Path(config.data_dir).expanduser() if config.data_dir else None, config.download)
