"""Image folders, in the layout of `tfds.ImageFolder`: `SPLIT/LABEL/image.png`."""

from pathlib import Path
from typing import Any

import numpy as np

from lq_fda._keras import tf
from lq_fda.data.augmentation import branch
from lq_fda.errors import LqFdaError

_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png")
_LAYOUT = "Lay the images out as SPLIT/LABEL/image.png with a split named train, and .png, .jpg or .bmp files."


class FolderSource:
    """Images that lie as `train/cat/1.png`, with or without the splits `validation` and `test`.

    The labels are the folder names in alphabetical order. The images' order is shuffled once, the same everywhere,
    so that the first images of a split come from all classes.

    Args:
        folder: The folder that holds `train`.

    Raises:
        LqFdaError: The folder is missing or has another layout.
    """

    def __init__(self, folder: str | None):
        root = Path(folder).expanduser() if folder else None
        if root is None or not root.is_dir():
            raise LqFdaError(
                f"The image folder is missing. Expected an existing folder. Received: data_dir={folder!r}.",
                cure=f"Set data_dir to the folder. {_LAYOUT}",
            )
        self.name = root.resolve().name
        self.folder = str(root)
        self.image_shape = None
        files = {split.name: _images_by_label(split) for split in _folders(root)}
        files = {split: by_label for split, by_label in files.items() if any(by_label.values())}
        if "train" not in files:
            raise LqFdaError(
                f"The image folder has no training images. Expected them under 'train'. "
                f"Received: data_dir={self.folder!r} with {sorted(files) or 'no images'}.",
                cure=_LAYOUT,
            )
        self.label_names = tuple(sorted({label for by_label in files.values() for label in by_label}))
        self._files: dict[str, tuple[list[str], np.ndarray]] = {}
        for split, by_label in files.items():
            paths = [str(path) for label in self.label_names for path in by_label.get(label, ())]
            labels = np.repeat(np.arange(len(self.label_names)), [len(by_label.get(n, ())) for n in self.label_names])
            order = np.random.RandomState(0).permutation(len(paths))
            self._files[split] = [paths[position] for position in order], labels[order].astype(np.int32)
        self.sizes = {split: len(paths) for split, (paths, _) in self._files.items()}

    def labels(self, split: str) -> np.ndarray:
        return self._files[split][1]

    def fingerprint(self, split: str) -> dict[str, Any]:
        # A folder's time changes when a file in it comes or goes.
        times = {label.name: label.stat().st_mtime_ns for label in _folders(Path(self.folder) / split)}
        place = {"folder": str(Path(self.folder).resolve()), "split": split}
        # The numbers of the labels follow from the names in all splits.
        return {**place, "times": times, "label_names": self.label_names}

    def records(self, split: str, key: tf.Tensor | None = None) -> tf.data.Dataset:
        paths, labels = self._files[split]
        order = tf.range(len(paths), dtype=tf.int64)
        if key is not None:
            order = tf.random.experimental.stateless_shuffle(order, branch(key, 0))
        return tf.data.Dataset.from_tensor_slices((order, tf.gather(paths, order), tf.gather(labels, order)))

    def encoded(self, record: tf.Tensor) -> tf.Tensor:
        return tf.io.read_file(record)

    def describe(self, split: str, index: int) -> str:
        return self._files[split][0][index]


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images_by_label(split: Path) -> dict[str, list[Path]]:
    return {
        label.name: sorted(p for p in label.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith("."))
        for label in _folders(split)
    }
