"""A data set as training, conversion and verification see it: splits, batches, calibration images, preprocessing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from lq_fda._keras import tf
from lq_fda.artifacts import Preprocessing
from lq_fda.data import images
from lq_fda.data.policies import make_policy
from lq_fda.data.pools import Plan, Pool
from lq_fda.data.preprocessing import normalize
from lq_fda.data.reading import reading
from lq_fda.data.splits import stratified_sample
from lq_fda.errors import LqFdaError

SPLITS = ("train", "validation", "test")
# Calibration images come from a prefix of a large set, so that finding them does not mean reading all of it.
_PREFIX = 20


@dataclass(frozen=True)
class Split:
    """Some images of a pool."""

    pool: Pool
    members: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        return self.pool.labels[self.members]

    def subset(self, positions: np.ndarray) -> "Split":
        return Split(self.pool, self.members[positions])


class NoFullBatch(LqFdaError):
    """The training split has fewer images than a batch."""


class Dataset:
    """Images with labels, divided into train, validation and test; `load` makes one.

    Attributes:
        name: Of the set, with the version if it has one.
        folder: Where its files are, or `None`.
        label_names: One a class, in the order of the labels.
        classes: How many there are.
        input_shape: (height, width, 3).
        preprocessing: What turns an 8-bit image into the network's input; goes into the bundle's manifest.
        augmentation: What training does to images.
        sizes: Images in each split.

    ```python
    from lq_fda import data

    digits = data.load(data.DataConfig(name="digits"))
    images, labels = next(iter(digits.train(batch_size=32, epochs=1, seed=0)))
    assert images.shape == (32, 32, 32, 3)
    ```
    """

    def __init__(
        self,
        *,
        name: str,
        folder: str | None,
        label_names: tuple[str, ...],
        preprocessing: Preprocessing,
        augmentation: tuple[str, ...],
        seed: int,
        splits: dict[str, Split],
    ):
        self.name = name
        self.folder = folder
        self.label_names = label_names
        self.classes = len(label_names)
        self.input_shape = (preprocessing.height, preprocessing.width, 3)
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.sizes = {split: len(splits[split].members) for split in SPLITS}
        self._seed = seed
        self._splits = splits

    def steps_per_epoch(self, batch_size: int) -> int:
        """Full batches in the training split.

        Raises:
            NoFullBatch: There is not one.
        """
        if not 1 <= batch_size <= self.sizes["train"]:
            raise NoFullBatch(
                f"An epoch has no full batch of this size. Expected 1 to {self.sizes['train']} images, the size of the "
                f"training split. Received: batch_size={batch_size}.",
                cure="Choose a smaller batch size.",
            )
        return self.sizes["train"] // batch_size

    def train(
        self, batch_size: int, *, epochs: int, seed: int, start_epoch: int = 0, worker: int = 0, workers: int = 1
    ) -> tf.data.Dataset:
        """Augmented batches of `float32` inputs and `int32` labels, all epochs in one chain.

        Epoch `e` has `steps_per_epoch` batches, and what they hold depends on `seed` and `e` alone: starting at
        `start_epoch` gives what a run from epoch 0 sees from there on. The remainder of an epoch is dropped.

        Args:
            batch_size: Images a step, over all workers.
            epochs: The epoch to stop before.
            seed: Of order and augmentation.
            start_epoch: The epoch to start with.
            worker: With several workers, the part of each batch to yield.
            workers: Into how many equal parts each batch is cut.

        Raises:
            LqFdaError: No full batch, or numbers that do not fit together.
        """
        steps = self.steps_per_epoch(batch_size)
        if not 0 <= start_epoch <= epochs:
            raise LqFdaError(
                f"There is no such range of epochs. Expected 0 <= start_epoch <= epochs. "
                f"Received: start_epoch={start_epoch}, epochs={epochs}.",
                cure="Raise epochs, or start earlier.",
            )
        if not 0 <= worker < workers or batch_size % workers:
            raise LqFdaError(
                f"The batch cannot be divided among the workers. Expected batch_size to be a multiple of workers and "
                f"0 <= worker < workers. Received: batch_size={batch_size}, worker={worker}, workers={workers}.",
                cure=f"Choose a batch size that is a multiple of {workers}.",
            )
        scale, offset = np.asarray(self.preprocessing.scale), np.asarray(self.preprocessing.offset)
        policy = make_policy(self.augmentation, mean_color=np.clip(-offset / scale, 0, 255).tolist())
        plan = Plan(batch_size, range(start_epoch, epochs), seed, self.augmentation, policy, worker, workers)
        split = self._splits["train"]
        return self._finish(lambda: split.pool.training(split.members, plan), batches=steps * (epochs - start_epoch))

    def validation(self, batch_size: int) -> tf.data.Dataset:
        """Batches of inputs and labels, unaugmented, in a fixed order, with the remainder."""
        return self._evaluation("validation", batch_size)

    def test(self, batch_size: int) -> tf.data.Dataset:
        """Like `validation`, but never to choose anything by."""
        return self._evaluation("test", batch_size)

    def calibration(self, count: int) -> np.ndarray:
        """Inputs from train for the int8 converter: unaugmented, even over the classes, the same in every run.

        Args:
            count: How many; all of train if it has fewer.

        Returns:
            `float32`, (count, height, width, 3).
        """
        split = self._splits["train"]
        labels = split.labels[: _PREFIX * max(count, self.classes)]
        chosen = stratified_sample(labels, count, seed=self._seed)
        return normalize(split.pool.sample(split.members[chosen]), self.preprocessing)

    def raw(self, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The first images of a split, in the order of `validation` and `test`, before normalization.

        They have the input's size: `normalize` turns them into inputs, `preprocess` would cut them again.

        Args:
            split: `train`, `validation` or `test`.
            count: How many; all of them if the split has fewer.

        Returns:
            `uint8` images, (count, height, width, 3), and `int32` labels.

        Raises:
            LqFdaError: There is no such split.
        """
        if split not in SPLITS:
            raise LqFdaError(
                f"There is no such split. Expected one of {', '.join(SPLITS)}. Received: split={split!r}.",
                cure="Name a split from the list.",
            )
        first = self._splits[split].subset(np.arange(min(count, self.sizes[split])))
        return first.pool.sample(first.members), first.labels

    def reading(self) -> AbstractContextManager[None]:
        """A context that turns TensorFlow's read errors inside it into `LqFdaError`.

        Put it around a loop over `train`, `validation` or `test`.
        """
        return reading(self.name, self.folder)

    def _evaluation(self, name: str, batch_size: int) -> tf.data.Dataset:
        if batch_size < 1:
            raise LqFdaError(
                f"There is no such batch. Expected at least one image. Received: batch_size={batch_size}.",
                cure="Choose a larger batch size.",
            )
        split = self._splits[name]
        return self._finish(
            lambda: split.pool.evaluation(split.members, batch_size), batches=-(-self.sizes[name] // batch_size)
        )

    def _finish(self, make: Callable[[], tf.data.Dataset], *, batches: int) -> tf.data.Dataset:
        """Normalizes, and sets what all pipelines share."""
        options = tf.data.Options()
        options.deterministic = True
        # Sharding by files, TensorFlow's first choice, cannot work: a file is no share of an epoch here.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        with tf.device("CPU:0"):
            return (
                make()
                .map(lambda pixels, labels: (images.normalize(pixels, self.preprocessing), labels), tf.data.AUTOTUNE)
                .apply(tf.data.experimental.assert_cardinality(batches))
                .with_options(options)
                .prefetch(tf.data.AUTOTUNE)
            )
