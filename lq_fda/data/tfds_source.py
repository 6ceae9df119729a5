"""Image classification sets of TensorFlow Datasets, from their TFRecord files; nothing is fetched unless asked for."""

import difflib
from pathlib import Path
from typing import Any

import numpy as np

from lq_fda._keras import tf
from lq_fda.data.augmentation import branch
from lq_fda.errors import LqFdaError, reason

_PARALLEL_FILES = 16
# How much of a large set waits in memory to be shuffled.
_SHUFFLE_BYTES = 256 << 20
_GRAPH_SEED = 1


class TfdsSource:
    """A set that TFDS has prepared.

    Args:
        name: As TFDS writes it: `NAME`, `NAME/CONFIG`, `NAME:VERSION`.
        folder: The folder with all sets; `None` is TFDS's default.
        download: Let TFDS fetch and prepare the set if it is not there.

    Raises:
        LqFdaError: The set is unknown, absent, incomplete, or not for image classification.
    """

    def __init__(self, name: str, folder: Path | None, download: bool):
        import tensorflow_datasets as tfds

        builder = _open(name, folder, download)
        self.name = builder.info.full_name
        self.folder = str(builder.data_dir)
        self._image_key, self._label_key = _classification_keys(name, builder.info)
        image, label = builder.info.features[self._image_key], builder.info.features[self._label_key]
        self.label_names = tuple(label.names)
        height, width = image.shape[:2]
        self.image_shape = (height, width) if height and width else None
        self.sizes = {split: info.num_examples for split, info in builder.info.splits.items()}
        self._shards = {split: _shards(name, info) for split, info in builder.info.splits.items() if info.num_examples}
        self._record_bytes = {
            split: sum(Path(path).stat().st_size for path, _ in shards) / self.sizes[split]
            for split, shards in self._shards.items()
        }
        self._features = tfds.features.FeaturesDict({self._image_key: image, self._label_key: label})

    def labels(self, split: str) -> np.ndarray:
        wanted = {self._label_key: tf.io.FixedLenFeature((), tf.int64)}
        batches = (
            self._serialized(split)
            .batch(1024)
            .map(lambda _, records: tf.io.parse_example(records, wanted)[self._label_key], tf.data.AUTOTUNE)
        )
        labels = np.concatenate([np.zeros(0, np.int64), *batches.as_numpy_iterator()]).astype(np.int32)
        if len(labels) != self.sizes[split]:
            raise LqFdaError(
                f"The data set is incomplete. Expected {self.sizes[split]} images in split {split!r}. "
                f"Received: {len(labels)} in {self.folder!r}.",
                cure="Copy the data set again, or prepare it again with TFDS.",
            )
        return labels

    def fingerprint(self, split: str) -> dict[str, Any]:
        stats = {path: Path(path).stat() for path, _ in self._shards[split]}
        return {"name": self.name, "split": split, "files": [(p, s.st_size, s.st_mtime_ns) for p, s in stats.items()]}

    def records(self, split: str, key: tf.Tensor | None = None) -> tf.data.Dataset:
        return self._serialized(split, key).map(
            lambda index, record: (index, record, tf.cast(self._parse(record)[self._label_key], tf.int32)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def encoded(self, record: tf.Tensor) -> tf.Tensor:
        return self._parse(record)[self._image_key]

    def describe(self, split: str, index: int) -> str:
        return f"record {index} of split {split!r} in {self.folder!r}"

    def _serialized(self, split: str, key: tf.Tensor | None = None) -> tf.data.Dataset:
        """Elements (index, serialized example)."""
        paths, lengths = zip(*self._shards[split], strict=True)
        starts = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
        shards = tf.constant(paths), tf.constant(starts), tf.constant(lengths, tf.int64)
        if key is not None:
            order = tf.random.experimental.stateless_shuffle(tf.range(len(paths)), branch(key, 0))
            shards = tuple(tf.gather(column, order) for column in shards)
        records = tf.data.Dataset.from_tensor_slices(shards).interleave(
            lambda path, start, length: tf.data.Dataset.zip(
                (tf.data.Dataset.range(start, start + length), tf.data.TFRecordDataset(path))
            ),
            cycle_length=1 if key is None else min(_PARALLEL_FILES, len(paths)),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        if key is not None:
            buffer = int(min(max(_SHUFFLE_BYTES / self._record_bytes[split], 1024), self.sizes[split]))
            # `shuffle` mixes the global seed into its own. The one set here is that of the graph being built
            # around this call: the order must not follow the program's.
            tf.random.set_seed(_GRAPH_SEED)
            records = records.shuffle(buffer, seed=branch(key, 1)[0], reshuffle_each_iteration=False)
        return records

    def _parse(self, record: tf.Tensor) -> dict[str, tf.Tensor]:
        import tensorflow_datasets as tfds

        return self._features.deserialize_example(record, decoders={self._image_key: tfds.decode.SkipDecoding()})


def _open(name: str, folder: Path | None, download: bool) -> Any:
    """The builder of a set that lies in the folder, made without looking at the network."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core import naming
    from tensorflow_datasets.core.read_only_builder import builder_from_files

    if folder is not None and not folder.is_dir() and not download:
        raise LqFdaError(
            f"The data folder is missing. Expected the TFDS folder that holds {name.split('/')[0]!r}. "
            f"Received: data_dir={str(folder)!r}.",
            cure="Check the path; `~/tensorflow_datasets` is where TFDS keeps its sets.",
        )
    data_dir = None if folder is None else str(folder)
    try:
        naming.parse_builder_name_kwargs(name)
    except ValueError as error:
        raise _absent(name, data_dir) from error
    try:
        return builder_from_files(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        if not download:
            raise _absent(name, data_dir) from error
    # Whatever TFDS, protobuf, JSON or the file system raise here, the folder cannot be read as a data set.
    except Exception as error:
        raise LqFdaError(
            f"The data set cannot be opened ({reason(error)}). "
            f"Expected what TFDS writes. Received: name={name!r}, data_dir={data_dir!r}.",
            cure="Copy the data set again, or prepare it again with TFDS.",
        ) from error
    return _download(name, data_dir)


def _absent(name: str, data_dir: str | None) -> LqFdaError:
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    base = name.split("/")[0].split(":")[0]
    where = repr(data_dir) if data_dir else "None, TFDS's default, ~/tensorflow_datasets"
    if base in known:
        return LqFdaError(
            f"The data set is not in the folder. Expected {base!r} in the layout of TFDS. "
            f"Received: name={name!r}, data_dir={where}.",
            cure=f"Set data_dir to the folder that holds {base}/, or allow the download: download=True.",
        )
    near = difflib.get_close_matches(base, [*known, "digits", "folder"], n=3)
    return LqFdaError(
        f"There is no data set of this name. Expected 'digits', 'folder', a name that TFDS knows, or one that lies in "
        f"the data folder. Received: name={name!r}, data_dir={where}.",
        cure=f"Did you mean {' or '.join(map(repr, near))}?" if near else "Check the name and data_dir.",
    )


def _download(name: str, data_dir: str | None) -> Any:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
    except tfds.core.DatasetNotFoundError as error:
        raise _absent(name, data_dir) from error
    # A generator script may raise anything: no network, a full disk, a set that wants a manual download.
    except Exception as error:
        raise LqFdaError(
            f"TFDS could not prepare the data set ({reason(error)}). Received: name={name!r}, data_dir={data_dir!r}.",
            cure="Check the network and the disk; some sets want files that you must download yourself: see their "
            "page in the TFDS catalogue.",
        ) from error
    return builder


def _classification_keys(name: str, info: Any) -> tuple[str, str]:
    """The names of the image and of the label among the features."""
    import tensorflow_datasets as tfds

    features = info.features if isinstance(info.features, tfds.features.FeaturesDict) else {}
    pair = info.supervised_keys
    if pair is None:
        images = [key for key, feature in features.items() if type(feature) is tfds.features.Image]
        labels = [key for key, feature in features.items() if type(feature) is tfds.features.ClassLabel]
        pair = (images[0], labels[0]) if len(images) == len(labels) == 1 else None
    valid = (
        isinstance(pair, tuple)
        and len(pair) == 2
        and all(isinstance(key, str) and key in features for key in pair)
        and isinstance(features[pair[0]], tfds.features.Image)
        and isinstance(features[pair[1]], tfds.features.ClassLabel)
        and features[pair[0]].np_dtype == np.uint8
    )
    if not valid:
        raise LqFdaError(
            f"This is no image classification set. Expected an 8-bit image and one class label. "
            f"Received: name={name!r} with features {sorted(features)}.",
            cure="Choose a set of the TFDS catalogue's section 'Image classification'.",
        )
    return pair


def _shards(name: str, split: Any) -> list[tuple[str, int]]:
    """The files of a split and how many records each holds.

    Raises:
        LqFdaError: A file is missing, or is no TFRecord file.
    """
    shards = [(str(part.filename), part.examples_in_shard) for part in split.file_instructions]
    foreign = [path for path, _ in shards if "tfrecord" not in Path(path).name]
    if foreign:
        raise LqFdaError(
            f"The data set is in a format that is not read here. Expected TFRecord files. Received: {foreign[0]!r}.",
            cure="Prepare it again with TFDS's file_format='tfrecord'.",
        )
    missing = [path for path, _ in shards if not Path(path).is_file()]
    if missing:
        raise LqFdaError(
            f"The data set is incomplete: {len(missing)} of {len(shards)} files of split {split.name!r} are missing. "
            f"Received: name={name!r} without {missing[0]!r}.",
            cure="Copy the data set again, or prepare it again with TFDS.",
        )
    return shards
