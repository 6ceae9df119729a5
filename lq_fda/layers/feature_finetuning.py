"""Feature fine-tuning: reshape the distribution after the residual add."""

from typing import Any

from lq_fda._keras import keras, tf
from lq_fda.layers._checks import channels_of
from lq_fda.layers._compiled import compiled, per_channel, sum_over_batch


def _prelu(u: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    return tf.where(u > 0, u, u * slope)


# The sum inside, y = scale * branch + shortcut, is computed again for the gradient: reading three maps a second time
# costs less than writing and reading y.
@compiled
def _forward(branch, shortcut, scale, shift_in, slope, shift_out):
    return _prelu(scale * branch + shortcut - shift_in, slope) + shift_out


@compiled
def _backward(branch, shortcut, scale, shift_in, slope, dy):
    u = scale * branch + shortcut - shift_in
    du = tf.where(u > 0, dy, dy * slope)
    return du, du * scale, tf.where(u > 0, tf.zeros_like(u), dy * u)


@tf.custom_gradient
def _trained(branch, shortcut, scale, shift_in, slope, shift_out):
    def gradient(dy):
        du, dbranch, dslope = _backward(branch, shortcut, scale, shift_in, slope, dy)
        dscale = tf.reduce_sum(du * branch, axis=[1, 2], keepdims=True)
        totals = (-sum_over_batch(du), sum_over_batch(dslope), sum_over_batch(dy))
        return dbranch, du, dscale, *(tf.cast(total, dy.dtype) for total in totals)

    return _forward(branch, shortcut, scale, shift_in, slope, shift_out), gradient


@keras.utils.register_keras_serializable(package="lq_fda")
class FeatureFineTuning(keras.layers.Layer):
    """A PReLU with a learned shift on either side, for the end of a residual block.

    Use it after the shortcut is added, where it decides how the features leave the block:

        f(y) = PReLU(y - a) + b,   PReLU(u) = u if u > 0 else slope u

    with one a, b and slope a channel. It can be given the parts of y, which trains faster than their sum:
    `[branch, shortcut]` for y = branch + shortcut, `[branch, shortcut, scale]` for y = scale branch + shortcut.

    The name is of Liu and Chen (DOI 10.13195/j.kzyjc.2022.1945), the formula ours; ReActNet's RPReLU is the same
    function (Liu et al., ECCV 2020).

    **On device:** PRELU. Conversion moves a back into the BatchNormalization in front and b forward into the next
    threshold or bias; a scale that depends on the image, or a layer that is not affine, costs one ADD for what
    cannot move.

    Input shape: (batch, height, width, channels), or a list: branch and shortcut of that shape, and scale,
    (batch, 1, 1, channels).

    Output shape: (batch, height, width, channels).

    Raises:
        ValueError: The input is not a feature map, or a list that is neither two nor three of them.

    ```python
    import numpy as np
    from lq_fda.layers import FeatureFineTuning

    y = np.array([-4.0, 0.0, 4.0], "float32").reshape(1, 1, 3, 1)
    assert np.array_equal(FeatureFineTuning()(y)[0, 0, :, 0], [-1.0, 0.0, 4.0])
    ```
    """

    def build(self, input_shape: Any) -> None:
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        if len(shapes) > 3:
            raise ValueError(
                "FeatureFineTuning takes y, [branch, shortcut] or [branch, shortcut, scale]. "
                f"Received: {len(shapes)} inputs."
            )
        channels = {channels_of("FeatureFineTuning", shape) for shape in shapes}
        if len(channels) > 1:
            raise ValueError(
                f"FeatureFineTuning needs the same channels in all its inputs. Received: channels={sorted(channels)}."
            )
        shape = (channels.pop(),)
        self.shift_in = self.add_weight("shift_in", shape, initializer="zeros")
        self.slope = self.add_weight("slope", shape, initializer=keras.initializers.Constant(0.25))
        self.shift_out = self.add_weight("shift_out", shape, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        branch, *others = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        shift_in, slope, shift_out = (
            per_channel(values, branch) for values in (self.shift_in, self.slope, self.shift_out)
        )
        if training is True and others:
            shortcut = others[0]
            scale = others[1] if len(others) == 2 else tf.ones((1, 1, 1, 1), branch.dtype)
            return _trained(branch, shortcut, scale, shift_in, slope, shift_out)
        y = branch * others[1] + others[0] if len(others) == 2 else branch + others[0] if others else branch
        # PRELU on the device; written out so that the converter recognises it.
        u = y - shift_in
        return tf.nn.relu(u) - slope * tf.nn.relu(-u) + shift_out

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        return tf.TensorShape(input_shape[0] if isinstance(input_shape, list) else input_shape)
