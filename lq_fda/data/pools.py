"""Images of one of a set's own splits, in memory or on disk, and the batches that come out of them.

Both pools keep one promise: what epoch `e` shows depends on the seed and `e` alone. Order and augmentation follow from
a key made of the two, never from a counter, so a run that resumes at epoch `e` sees what it would have seen anyway.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from lq_fda._keras import tf
from lq_fda.artifacts import Preprocessing
from lq_fda.data.augmentation import (
    branch,
    branches,
    crop_and_flip,
    epoch_key,
    padding_of,
    random_area,
)
from lq_fda.data.images import cut_and_resize, decode
from lq_fda.data.policies import Policy
from lq_fda.data.reading import reading
from lq_fda.data.sources import Source
from lq_fda.errors import LqFdaError

# Branches of an epoch's key.
_ORDER, _OFFSET, _FLIP, _POLICY = range(4)


@dataclass(frozen=True)
class Plan:
    """How training goes through a pool.

    Args:
        batch_size: Images a step, over all workers.
        epochs: Range of epochs.
        seed: Of order and augmentation.
        augmentation: Names.
        policy: RandAugment and cutout, or `None`.
        worker: Which part of each batch to yield.
        workers: How many parts there are.
    """

    batch_size: int
    epochs: range
    seed: int
    augmentation: Sequence[str]
    policy: Policy | None
    worker: int = 0
    workers: int = 1

    @property
    def part(self) -> int:
        """Images a step and worker."""
        return self.batch_size // self.workers


class Pool(Protocol):
    """Images with labels; `members` are positions in the pool."""

    labels: np.ndarray

    def training(self, members: np.ndarray, plan: Plan) -> tf.data.Dataset:
        """Shuffled, augmented, full batches of (pixels of 0 to 255, `int32` labels), epoch after epoch."""
        ...

    def evaluation(self, members: np.ndarray, batch_size: int) -> tf.data.Dataset:
        """Batches of (`uint8` pixels, `int32` labels) in the members' order, with the remainder."""
        ...

    def sample(self, members: np.ndarray) -> np.ndarray:
        """`uint8` pixels in the members' order."""
        ...


class MemoryPool:
    """Images held as bytes in memory: a batch is one gather.

    Args:
        labels: `int32`, (count,).
        load: Gives the images, `uint8`, (count, height, width, 3); called once, when they are first needed.
    """

    def __init__(self, labels: np.ndarray, load: Callable[[], np.ndarray]):
        self.labels = labels
        self._load = load

    @cached_property
    def _images(self) -> tf.Tensor:
        with tf.device("CPU:0"):  # not in the accelerator's memory
            return tf.constant(self._load())

    def training(self, members: np.ndarray, plan: Plan) -> tf.data.Dataset:
        images, labels, candidates = self._images, tf.constant(self.labels), tf.constant(members, tf.int64)
        count, height, width, _ = images.shape
        steps = len(members) // plan.batch_size

        def epoch_of_steps(epoch: tf.Tensor) -> tf.data.Dataset:
            """One element a step; the draws are made for the whole epoch at once, by an image's place in the pool."""
            key = epoch_key(plan.seed, epoch)
            order = tf.random.experimental.stateless_shuffle(candidates, branch(key, _ORDER))
            order = tf.reshape(order[: steps * plan.batch_size], (steps, plan.workers, plan.part))[:, plan.worker]
            draws = {"index": order}
            if "crop" in plan.augmentation:
                places = tf.constant((2 * padding_of(height) + 1, 2 * padding_of(width) + 1), tf.float32)
                offsets = tf.random.stateless_uniform((count, 2), branch(key, _OFFSET)) * places
                draws["offsets"] = tf.gather(tf.cast(offsets, tf.int32), order)
            if "flip" in plan.augmentation:
                draws["flips"] = tf.gather(tf.random.stateless_uniform((count,), branch(key, _FLIP)) < 0.5, order)
            if plan.policy is not None:
                keys = tf.reshape(branches(branch(key, _POLICY), tf.reshape(order, (-1,))), (steps, plan.part, 2))
                draws["keys"] = keys
            return tf.data.Dataset.from_tensor_slices(draws)

        def batch(draws: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            pixels = crop_and_flip(tf.gather(images, draws["index"]), draws.get("offsets"), draws.get("flips"))
            if plan.policy is not None:
                pixels = tf.map_fn(
                    lambda pair: plan.policy(*pair),
                    (tf.cast(pixels, tf.float32), draws["keys"]),
                    fn_output_signature=tf.TensorSpec((height, width, 3), tf.float32),
                )
            return (
                tf.ensure_shape(pixels, (plan.part, height, width, 3)),
                tf.ensure_shape(tf.gather(labels, draws["index"]), (plan.part,)),
            )

        return _epochs(plan).flat_map(epoch_of_steps).map(batch, num_parallel_calls=tf.data.AUTOTUNE)

    def evaluation(self, members: np.ndarray, batch_size: int) -> tf.data.Dataset:
        images, labels = self._images, tf.constant(self.labels)
        return (
            tf.data.Dataset.from_tensor_slices(members)
            .batch(batch_size)
            .map(lambda index: (tf.gather(images, index), tf.gather(labels, index)), tf.data.AUTOTUNE)
        )

    def sample(self, members: np.ndarray) -> np.ndarray:
        return self._images.numpy()[members]


class StreamingPool:
    """Images read from disk, decoded and augmented as they pass: for sets larger than memory.

    Args:
        source: Where the files are.
        split: One of the source's splits.
        labels: `int32`, (count,).
        spec: The input's size and the evaluation's cut.
    """

    def __init__(self, source: Source, split: str, labels: np.ndarray, spec: Preprocessing):
        self.labels = labels
        self._source, self._split, self._spec = source, split, spec

    def training(self, members: np.ndarray, plan: Plan) -> tf.data.Dataset:
        used = len(members) // plan.batch_size * plan.batch_size
        height, width = self._spec.height, self._spec.width

        def epoch_of_records(epoch: tf.Tensor) -> tf.data.Dataset:
            key = epoch_key(plan.seed, epoch)
            records = self._records(members, branch(key, _ORDER)).take(used)
            # Cut into parts as the memory pool does: this worker's rows of every batch.
            if plan.workers > 1:
                records = (
                    records.enumerate()
                    .filter(lambda place, _: place % plan.batch_size // plan.part == plan.worker)
                    .map(lambda _, record: record)
                )
            return records.map(lambda *record: (epoch, *record))

        def image(epoch: tf.Tensor, index: tf.Tensor, record: tf.Tensor, label: tf.Tensor):
            key = epoch_key(plan.seed, epoch)
            encoded = self._source.encoded(record)
            if "crop" in plan.augmentation:
                pixels = random_area(encoded, branch(branch(key, _OFFSET), index), height, width)
            else:
                pixels = tf.cast(cut_and_resize(decode(encoded), self._spec), tf.float32)
            if "flip" in plan.augmentation:
                mirrored = tf.random.stateless_uniform((), branch(branch(key, _FLIP), index)) < 0.5
                pixels = tf.where(mirrored, pixels[:, ::-1], pixels)
            if plan.policy is not None:
                pixels = plan.policy(pixels, branch(branch(key, _POLICY), index))
            return pixels, label

        images = _epochs(plan).flat_map(epoch_of_records).map(image, num_parallel_calls=tf.data.AUTOTUNE)
        return images.batch(plan.part, drop_remainder=True)

    def evaluation(self, members: np.ndarray, batch_size: int) -> tf.data.Dataset:
        images = self._records(members).map(
            lambda _, record, label: (cut_and_resize(decode(self._source.encoded(record)), self._spec), label),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        return images.batch(batch_size)

    def sample(self, members: np.ndarray) -> np.ndarray:
        ascending, places = np.unique(members, return_inverse=True)
        # Stops at the last of them, which matters: the files may hold a million more.
        images = (
            self._records(ascending)
            .take(len(ascending))
            .map(
                lambda _, record, __: cut_and_resize(decode(self._source.encoded(record)), self._spec),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        )
        with reading(self._source.name, self._source.folder):
            return np.stack(list(images.as_numpy_iterator()))[places]

    def _records(self, members: np.ndarray, key: tf.Tensor | None = None) -> tf.data.Dataset:
        wanted = np.zeros(len(self.labels), bool)
        wanted[members] = True
        wanted = tf.constant(wanted)
        return self._source.records(self._split, key).filter(lambda index, *_: tf.gather(wanted, index))


def _epochs(plan: Plan) -> tf.data.Dataset:
    return tf.data.Dataset.range(plan.epochs.start, plan.epochs.stop)


def load_images(source: Source, split: str, spec: Preprocessing) -> np.ndarray:
    """Decodes a whole split: `uint8`, (count, height, width, 3).

    Raises:
        LqFdaError: A file is damaged, or an image cannot be decoded.
    """
    images = np.empty((source.sizes[split], spec.height, spec.width, 3), np.uint8)
    batches = (
        source.records(split)
        .map(lambda _, record, __: cut_and_resize(decode(source.encoded(record)), spec), tf.data.AUTOTUNE)
        .batch(256)
    )
    done = 0
    with reading(source.name, source.folder):
        try:
            for batch in batches.as_numpy_iterator():
                images[done : done + len(batch)] = batch
                done += len(batch)
        except tf.errors.InvalidArgumentError as error:
            raise LqFdaError(
                "The data set holds an image that cannot be decoded. Expected PNG, JPEG or BMP. "
                f"Received: {_first_undecodable(source, split, done)}.",
                cure="Replace or remove it.",
            ) from error
    return images


def _first_undecodable(source: Source, split: str, start: int) -> str:
    """Names the image by looking at the records one by one."""
    for index, record, _ in source.records(split).skip(start):
        try:
            decode(source.encoded(record))
        except tf.errors.InvalidArgumentError:
            return source.describe(split, int(index))
    return f"split {split!r}"
