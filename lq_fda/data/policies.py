"""RandAugment and cutout from the image layers of Keras 3, made stateless.

Keras 3's own `RandAugment` layer draws one pair of operations for the whole batch, rotates by up to 180 degrees, and
its draws depend on how many batches came before. Its single layers are sound, so they are composed here: one image at
a time, with the operations and ranges of the paper, and with every draw derived from a key.

- RandAugment: Cubuk et al., https://arxiv.org/abs/1909.13719
- cutout: DeVries and Taylor, https://arxiv.org/abs/1708.04552; here the square always lies inside the image
"""

from collections.abc import Callable, Sequence
from typing import Any

from lq_fda._keras import tf
from lq_fda.data.augmentation import branch
from lq_fda.errors import LqFdaError

OPERATIONS = 2
_GREY = 128.0
# A quarter of the area: a 16 x 16 square on CIFAR.
_CUTOUT_AREA = 0.25

Policy = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def make_policy(augmentation: Sequence[str], mean_color: Sequence[float]) -> Policy | None:
    """The function of an image and a key that applies RandAugment, then cutout; `None` if neither is asked for.

    Args:
        augmentation: Names; others than these two are left alone.
        mean_color: What cutout fills with, 0 to 255.

    Raises:
        LqFdaError: Keras 3 runs on another backend than TensorFlow.
    """
    if not {"randaugment", "cutout"} & set(augmentation):
        return None
    import keras as keras3  # Keras 3, which TensorFlow requires; the networks are Keras 2's

    if keras3.backend.backend() != "tensorflow":
        raise LqFdaError(
            f"RandAugment and cutout need Keras 3 on TensorFlow. Received: KERAS_BACKEND={keras3.backend.backend()!r}.",
            cure="Set the environment variable KERAS_BACKEND=tensorflow, or leave these augmentations out.",
        )
    draws = _keyed_draws(keras3)
    steps = []
    if "randaugment" in augmentation:
        steps.append(_randaugment(keras3.layers, draws))
    if "cutout" in augmentation:
        steps.append(_cutout(keras3.layers, draws, mean_color))

    # Plain TensorFlow inside: letting autograph rewrite all of Keras's layers would only take seconds.
    @tf.autograph.experimental.do_not_convert
    def policy(image: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """`float32` of 0 to 255, (height, width, 3), to the same."""
        images = image[None]  # the layers' statistics (equalize, autocontrast) are the batch's: a batch of one
        for number, step in enumerate(steps):
            images = step(images, branch(key, number))
        return tf.ensure_shape(images[0], image.shape)

    return policy


def _keyed_draws(keras3: Any) -> Any:
    """A Keras seed generator whose draws follow from `key`, not from how often it was asked."""

    class KeyedDraws(keras3.random.SeedGenerator):
        key: tf.Tensor
        drawn: int

        def start(self, key: tf.Tensor) -> None:
            self.key, self.drawn = key, 0

        def next(self, ordered: bool = True) -> tf.Tensor:
            # Counted while the graph is traced, which happens in one fixed order.
            self.drawn += 1
            return branch(self.key, self.drawn)

    with tf.device("CPU:0"):
        return KeyedDraws(seed=0)


def _apply(layer: Any, draws: Any, images: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    draws.start(key)
    return tf.ensure_shape(layer(images, training=True), images.shape)


def _randaugment(layers: Any, draws: Any) -> Policy:
    common = {"dtype": "float32", "data_format": "channels_last"}
    moved = {**common, "fill_mode": "constant", "fill_value": _GREY}
    operations = [
        layers.RandomShear(x_factor=0.3, y_factor=0.0, **moved),
        layers.RandomShear(x_factor=0.0, y_factor=0.3, **moved),
        layers.RandomTranslation(height_factor=0.3, width_factor=0.0, **moved),
        layers.RandomTranslation(height_factor=0.0, width_factor=0.3, **moved),
        layers.RandomRotation(factor=30 / 360, **moved),
        layers.RandomBrightness(factor=0.3, **common),
        layers.RandomColorDegeneration(factor=0.9, **common),
        layers.RandomContrast(factor=0.9, **common),
        layers.RandomSharpness(factor=0.9, **common),
        layers.RandomPosterization(factor=4, **common),
        layers.Solarization(threshold_factor=(0.0, 1.0), **common),
        layers.AutoContrast(**common),
        layers.Equalization(**common),
    ]
    for operation in operations:
        if hasattr(operation, "generator"):
            operation.generator = draws

    def randaugment(images: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        for number in range(OPERATIONS):
            chosen, inner = branch(key, 2 * number), branch(key, 2 * number + 1)
            # One more than there are layers: the paper's list has the identity.
            choice = tf.random.stateless_uniform((), chosen, 0, len(operations) + 1, dtype=tf.int32)
            images = tf.switch_case(
                choice,
                [lambda layer=layer, x=images, k=inner: _apply(layer, draws, x, k) for layer in operations],
                default=lambda x=images: tf.identity(x),
            )
        return tf.clip_by_value(images, 0.0, 255.0)

    return randaugment


def _cutout(layers: Any, draws: Any, mean_color: Sequence[float]) -> Policy:
    layer = layers.RandomErasing(
        factor=(1.0, 1.0),
        scale=(_CUTOUT_AREA, _CUTOUT_AREA),
        fill_value=tuple(mean_color),
        dtype="float32",
        data_format="channels_last",
    )
    layer.generator = draws
    return lambda images, key: _apply(layer, draws, images, key)
