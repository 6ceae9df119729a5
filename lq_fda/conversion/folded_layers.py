"""What is left of a layer once its constants are folded."""

from typing import Any

import numpy as np

from lq_fda._keras import keras, tf
from lq_fda.layers import GroupExcitation


@keras.utils.register_keras_serializable(package="lq_fda")
class ChannelAffine(keras.layers.Layer):
    """y = scale x + offset with constants of one number a channel: a MUL if scale is not 1, an ADD if offset is not 0.

    Args:
        scale: One number a channel.
        offset: One number a channel.
    """

    def __init__(self, scale: list[float], offset: list[float], **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if np.any(np.asarray(self.scale) != 1):
            inputs = inputs * tf.constant(self.scale, inputs.dtype)
        if np.any(np.asarray(self.offset) != 0):
            inputs = inputs + tf.constant(self.offset, inputs.dtype)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


@keras.utils.register_keras_serializable(package="lq_fda")
class FoldedExcitation(GroupExcitation):
    """A `GroupExcitation` behind an affine x' = gain x + offset that nobody computes at full size.

    The descriptor is one number a channel, so the affine costs nothing there: GAP(x') = gain GAP(x) + offset. The sign
    behind needs x' + t only up to a positive factor, and what it gets is

        (x' + t) / gain = x + (t + offset) / gain

    with a bracket of one number a channel: one full-size ADD for both layers. The scale is s / 2 = sigmoid(.).

    Args:
        gain: Positive, one number a channel.
        offset: One number a channel.
    """

    def __init__(self, gain: list[float], offset: list[float], **kwargs: Any):
        super().__init__(**kwargs)
        self.gain = gain
        self.offset = offset

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        gain = tf.constant(self.gain, inputs.dtype)
        threshold = tf.constant(np.divide(self.offset, self.gain), inputs.dtype)
        shift, scale = self.excitation((tf.reduce_mean(inputs, axis=[1, 2]) + threshold) * gain)
        return inputs + (shift / gain + threshold), tf.sigmoid(scale)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain, "offset": self.offset}
