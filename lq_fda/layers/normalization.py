"""Keras's BatchNormalization for training in one pass with the layer behind it."""

import functools
from collections.abc import Callable
from typing import Any

from lq_fda._keras import keras, tf
from lq_fda.layers._checks import common_arguments
from lq_fda.layers._compiled import compiled, float32, image_sums
from lq_fda.layers._deferred import Affine, Elementwise, made_of


@compiled
def _moments(x: tf.Tensor, origin: tf.Tensor) -> list[tf.Tensor]:
    return image_sums(lambda x: (x - origin, tf.square(x - origin)), [x])


@functools.cache
def _moments_gradient(upstream: Callable) -> Callable:
    """Compiles upstream(...) + dfirst + (x - origin) dsecond."""

    def gradient(x, origin, dfirst, dsecond, *arguments):
        return tf.cast(upstream(*float32(*arguments)) + dfirst + (tf.cast(x, tf.float32) - origin) * dsecond, x.dtype)

    return compiled(gradient)


def _identity(x: tf.Tensor) -> tf.Tensor:
    return x


@tf.custom_gradient
def image_moments(x: tf.Tensor) -> tuple[Any, Callable]:
    """Returns x; the means of x - origin and of its square over every image; and origin.

    The origin is a pixel of x: the squares of values far from zero would cancel, and any pixel is near the mean.
    What is computed from the returned x has its gradient added to that of the means in one pass.
    """
    origin = tf.cast(x[:1, :1, :1], tf.float32)
    pixels = tf.cast(tf.shape(x)[1] * tf.shape(x)[2], tf.float32)
    first, second = (sums / pixels for sums in _moments(x, origin))

    def gradient(dx: tf.Tensor, dfirst: tf.Tensor, dsecond: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        upstream = made_of(dx, Elementwise) or Elementwise(_identity, (dx,))
        spread = (dfirst / pixels, 2 * dsecond / pixels)
        return _moments_gradient(upstream.function)(x, origin, *spread, *upstream.arguments)

    return (tf.identity(x), first, second, origin), gradient


@keras.utils.register_keras_serializable(package="lq_fda")
class MergingBatchNormalization(keras.layers.BatchNormalization):
    """Keras's BatchNormalization of feature maps; in training it is computed by the layer behind it, if that can.

    Use it in front of a `FeatureFineTuning`, or, as `FeatureDistributionAdjustment`, of a `GroupExcitation` or
    `BinaryConv2D`. In front of other layers Keras's own is faster:

        y_c = gamma_c (x_c - mu_c) / sqrt(var_c + epsilon) + beta_c

    `mu` and `var` are batch statistics in training, in float32 in every precision, and moving statistics at inference.

    **On device:** what Keras's own is.

    Args:
        momentum: Share of the old moving statistics that stays at every step.
        epsilon: Added to the variance.

    Input shape: (batch, height, width, channels), any height and width.

    Output shape: the same.

    Raises:
        TypeError: An argument of Keras's layer that is fixed here, such as `axis`; use that layer itself.

    ```python
    import numpy as np
    from lq_fda.layers import MergingBatchNormalization

    normalized = MergingBatchNormalization()(np.random.rand(8, 4, 4, 16).astype("float32"), training=True)
    assert abs(float(normalized.numpy().mean())) < 1e-4
    ```
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(momentum=momentum, epsilon=epsilon, **common_arguments(type(self).__name__, kwargs))

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not (training is True and self.trainable):
            return super().call(inputs, training=training)
        x, first, second, origin = image_moments(inputs)
        offset = tf.reduce_mean(first, axis=0, keepdims=True)
        variance = tf.maximum(tf.reduce_mean(second, axis=0, keepdims=True) - tf.square(offset), 0)
        mean = offset + origin
        count = tf.cast(tf.reduce_prod(tf.shape(x)[:3]), tf.float32)
        unbiased = variance * count / tf.maximum(count - 1, 1)  # As Keras does for the moving variance.
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            moving.assign_sub((1 - self.momentum) * (moving - tf.reshape(batch, moving.shape)))
        gain = self.gamma * tf.math.rsqrt(variance + self.epsilon)
        return Affine(x, gain, self.beta - mean * gain, first + origin).compute()

    def get_config(self) -> dict[str, Any]:
        return {**keras.layers.Layer.get_config(self), "momentum": self.momentum, "epsilon": self.epsilon}
