"""Losses: the labels', and a teacher's.

    loss = (1 - w) CE(smoothed labels, student) + w T^2 KL(softmax(teacher / T) || softmax(student / T))

The factor T^2 keeps the two gradients comparable when T changes. Hinton et al., "Distilling the knowledge in a neural
network", 2015. A binarized network's natural teacher is its float twin.
"""

from collections.abc import Callable
from pathlib import Path

from lq_fda import models
from lq_fda._keras import keras, tf
from lq_fda.artifacts import RunDir
from lq_fda.training.earlier_run import require_same_images
from lq_fda.training.recipe import DistillationConfig, Recipe

Loss = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def build_loss(recipe: Recipe) -> Loss:
    """The loss of a recipe: images, integer labels, logits -> the mean over the batch.

    Under a strategy, call it in the strategy's scope.

    Raises:
        LqFdaError: The teacher cannot be loaded or saw other data than the student.
    """
    labels_loss = cross_entropy(recipe.label_smoothing)
    if recipe.distillation is None:
        return labels_loss
    return distillation(recipe.distillation, labels_loss, load_teacher(recipe))


def cross_entropy(label_smoothing: float = 0.0) -> Loss:
    """Cross-entropy with integer labels, `label_smoothing` of which is spread over all classes."""

    def loss(images: tf.Tensor, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        if not label_smoothing:
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        classes = logits.shape[-1]
        targets = (1 - label_smoothing) * tf.one_hot(labels, classes) + label_smoothing / classes
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))

    return loss


def distillation(config: DistillationConfig, labels_loss: Loss, teacher: keras.Model) -> Loss:
    """Mixes the labels' loss with the divergence from a teacher."""

    def loss(images: tf.Tensor, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        softened = tf.stop_gradient(teacher(images, training=False)) / config.temperature
        divergence = tf.reduce_sum(
            tf.nn.softmax(softened) * (tf.nn.log_softmax(softened) - tf.nn.log_softmax(logits / config.temperature)),
            axis=-1,
        )
        soft = config.temperature**2 * tf.reduce_mean(divergence)
        return (1 - config.weight) * labels_loss(images, labels, logits) + config.weight * soft

    return loss


def load_teacher(recipe: Recipe) -> keras.Model:
    """The best epoch of the teacher's run, frozen.

    Raises:
        LqFdaError: There is no such run, or its data set, held-out images, classes or image size are others.
    """
    run = RunDir(Path(recipe.distillation.teacher))
    require_same_images(recipe, run, "teacher")
    teacher = models.load(run)
    teacher.trainable = False
    return teacher
