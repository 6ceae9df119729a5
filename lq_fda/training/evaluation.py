"""Top-1 accuracy of what a run ships, in float32."""

import dataclasses
from typing import Literal, get_args

from lq_fda import data, models
from lq_fda._keras import keras, tf
from lq_fda.artifacts import RunDir, SplitAccuracy
from lq_fda.errors import LqFdaError
from lq_fda.training.recipe import load_recipe

BATCH_SIZE = 256

Split = Literal["validation", "test"]


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a network does on a whole split.

    Args:
        images: How many there are.
        correct: How many are classified rightly.
        loss: Mean cross-entropy, labels not smoothed.
    """

    images: int
    correct: int
    loss: float

    @property
    def top1(self) -> float:
        return self.correct / self.images


class Evaluator:
    """Measures one network again and again; the graph is traced once.

    Args:
        network: Maps images to logits.
    """

    def __init__(self, network: keras.Model):
        self._network = network
        self._counts = tf.function(
            self._count,
            input_signature=[tf.TensorSpec(network.input_shape, tf.float32), tf.TensorSpec((None,), tf.int32)],
        )

    def _count(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = self._network(images, training=False)
        hits = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return tf.math.count_nonzero(hits), tf.reduce_sum(losses)

    def __call__(self, dataset: tf.data.Dataset) -> Measurement:
        """Measures on batches of images and labels."""
        images, correct, loss = 0, 0, 0.0
        for batch, labels in dataset:
            hits, losses = self._counts(batch, labels)
            images, correct, loss = images + len(labels), correct + int(hits), loss + float(losses)
        return Measurement(images, correct, loss / images)


def split_of(dataset: data.Dataset, split: Split) -> tf.data.Dataset:
    return dataset.validation(BATCH_SIZE) if split == "validation" else dataset.test(BATCH_SIZE)


def evaluate(run: RunDir, split: Split) -> SplitAccuracy:
    """Top-1 accuracy of a run's best epoch on a whole split.

    Args:
        run: A run with at least one epoch.
        split: `"validation"` to compare runs, `"test"` for the number to report.

    Raises:
        LqFdaError: No such split; the folder is no run, has no weights yet, or its data set cannot be read.
    """
    if split not in get_args(Split):
        raise LqFdaError(
            f"No such split. Expected {' or '.join(get_args(Split))}. Received: split={split!r}.",
            cure="Choose a split from the list.",
        )
    recipe = load_recipe(run)
    evaluator = Evaluator(models.load(run))
    dataset = data.load(recipe.data)
    with dataset.reading():
        measured = evaluator(split_of(dataset, split))
    return SplitAccuracy(split=split, images=measured.images, top1=measured.top1)
