"""The activation quantizer: Larq's sign with the straight-through estimator, compiled for training."""

from lq_fda._keras import keras, larq, tf


def _sign_gradient(x: tf.Tensor, dy: tf.Tensor, clip_value: float) -> tf.Tensor:
    return tf.where(tf.abs(x) <= tf.cast(clip_value, x.dtype), dy, tf.zeros_like(dy))


_compiled_sign = tf.function(
    lambda x: tf.where(x < 0, -tf.ones_like(x), tf.ones_like(x)), jit_compile=True, reduce_retracing=True
)
_compiled_sign_gradient = tf.function(_sign_gradient, jit_compile=True, reduce_retracing=True)
