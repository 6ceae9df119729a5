"""Elementwise clusters that XLA compiles for training: one pass over memory instead of one for every operator.

Inference, and thereby conversion, never takes these paths: LCE and LiteRT have fusions of their own.
"""

from collections.abc import Callable

from lq_fda._keras import tf

Clusters = Callable[..., tf.Tensor]


def compiled(function: Callable) -> Callable:
    """Compiles an elementwise function with XLA, once for every shape and dtype."""
    return tf.function(function, jit_compile=True, autograph=False)


def sum_over_batch(x: tf.Tensor) -> tf.Tensor:
    """Sums (batch, height, width, channels) to (channels,); TensorFlow's own reduction beats XLA's here."""
    return tf.reduce_sum(tf.cast(x, tf.float32), axis=[0, 1, 2])


def per_channel(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """A float32 variable of one number a channel, in the dtype of the feature map it meets."""
    return tf.cast(values, like.dtype)
