"""Encoded images to pixels inside tf.data: the same arithmetic as `preprocessing`, in TensorFlow."""

from lq_fda._keras import tf
from lq_fda.artifacts import Preprocessing


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """PNG, JPEG or BMP to `uint8` RGB; grayscale is repeated, an alpha channel is dropped."""
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(image, (None, None, 3))


def cut_and_resize(image: tf.Tensor, spec: Preprocessing) -> tf.Tensor:
    """Steps 1 and 2 of `preprocess`, as `uint8` of the input's size."""
    size = tf.shape(image)[:2]
    target = tf.constant((spec.height, spec.width))
    # float64 like Python's: Preprocessing promises the same cut everywhere.
    ratio = tf.reduce_min(tf.cast(size, tf.float64) / tf.cast(target, tf.float64)) * tf.constant(spec.crop, tf.float64)
    cut = tf.cast(tf.floor(ratio * tf.cast(target, tf.float64) + 0.5), tf.int32)
    cut = tf.minimum(tf.maximum(cut, 1), size)
    start = (size - cut) // 2
    pixels = tf.slice(image, tf.concat((start, (0,)), 0), tf.concat((cut, (3,)), 0))
    resized = tf.cast(tf.floor(tf.image.resize(pixels, (spec.height, spec.width)) + 0.5), tf.uint8)
    return tf.ensure_shape(resized, (spec.height, spec.width, 3))


def normalize(images: tf.Tensor, spec: Preprocessing) -> tf.Tensor:
    """Step 3 of `preprocess`."""
    return tf.cast(images, tf.float32) * tf.constant(spec.scale) + tf.constant(spec.offset)
