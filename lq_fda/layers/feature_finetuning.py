"""Feature fine-tuning: reshape the distribution after the residual add."""

from typing import Any

from lq_fda._keras import keras, tf
from lq_fda.layers._checks import channels_of
from lq_fda.layers._compiled import compiled, float32, image_sums, total
from lq_fda.layers._deferred import Affine, Elementwise, made_of


def _input(branch, shortcut, gain, shift):
    return gain * branch + shift + shortcut


@compiled
def _forward(branch, shortcut, gain, shift, slope, shift_out):
    u = _input(*float32(branch, shortcut), gain, shift)
    return tf.cast(tf.where(u > 0, u, u * slope) + shift_out, branch.dtype)


# u is computed again for the gradient: reading two maps a second time costs less than writing and reading u.
@compiled
def _input_gradient(branch, shortcut, gain, shift, slope, dy):
    u = _input(*float32(branch, shortcut), gain, shift)
    dy = tf.cast(dy, tf.float32)
    return tf.cast(tf.where(u > 0, dy, dy * slope), branch.dtype)


@compiled
def _gradient_sums(branch, shortcut, gain, shift, dy, du):
    def terms(branch, shortcut, dy, du):
        u = _input(branch, shortcut, gain, shift)
        return du * branch, du, tf.where(u > 0, tf.zeros_like(u), dy * u), dy

    return image_sums(terms, [branch, shortcut, dy, du])


def _product(du, gain):
    return du * gain


@tf.custom_gradient
def _trained(branch, shortcut, gain, shift, slope, shift_out):
    """PReLU(gain * branch + shift + shortcut) + shift_out."""

    def gradient(dy):
        du = _input_gradient(branch, shortcut, gain, shift, slope, dy)
        dgain, dshift, dslope, dshift_out = _gradient_sums(branch, shortcut, gain, shift, dy, du)
        dbranch = Elementwise(_product, (du, gain)).compute()
        over_batch = (tf.reduce_sum(sums, axis=[0, 1, 2]) for sums in (dslope, dshift_out))
        return dbranch, du, total(dgain, gain), total(dshift, shift), *over_batch

    return _forward(branch, shortcut, gain, shift, slope, shift_out), gradient


def _parts(inputs: Any) -> list[Any]:
    """The inputs as a list: y alone, or its parts."""
    if not isinstance(inputs, (list, tuple)):
        return [inputs]
    if len(inputs) not in (2, 3):
        raise ValueError(
            "FeatureFineTuning takes y, [branch, shortcut] or [branch, shortcut, scale]. "
            f"Received: a list of {len(inputs)}."
        )
    return list(inputs)


def _shapes(input_shape: Any) -> list[Any]:
    """The inputs' shapes; a single one may be a list or tuple itself, of numbers."""
    several = isinstance(input_shape, (list, tuple)) and not all(
        size is None or isinstance(size, int) for size in input_shape
    )
    return _parts(input_shape) if several else [input_shape]


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

    Input shape: (batch, height, width, channels), or a list or tuple: branch and shortcut of that shape, and scale,
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
        shapes = _shapes(input_shape)
        channels = {channels_of("FeatureFineTuning", shape) for shape in shapes}
        if len(channels) > 1:
            raise ValueError(
                f"FeatureFineTuning needs the same channels in all its inputs. Received: channels={sorted(channels)}."
            )
        channels = channels.pop()
        self.shift_in = self._vector("shift_in", channels, "zeros")
        self.slope = self._vector("slope", channels, keras.initializers.Constant(0.25))
        self.shift_out = self._vector("shift_out", channels, "zeros")
        super().build(input_shape)

    def _vector(self, name: str, channels: int, initializer: Any) -> tf.Variable:
        return self.add_weight(name, (channels,), initializer=initializer, experimental_autocast=False)

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        branch, *others = _parts(inputs)
        if training is True and others:
            scaled = made_of(branch, Affine) or Affine.identity(branch)
            scale = tf.cast(others[1], tf.float32) if len(others) == 2 else 1.0
            gain, shift = scale * scaled.gain, scale * scaled.shift - self.shift_in
            return _trained(scaled.x, others[0], gain, shift, self.slope, self.shift_out)
        y = branch * others[1] + others[0] if len(others) == 2 else branch + others[0] if others else branch
        shift_in, slope, shift_out = (tf.cast(w, y.dtype) for w in (self.shift_in, self.slope, self.shift_out))
        # PRELU on the device; written out so that the converter recognises it.
        u = y - shift_in
        return tf.nn.relu(u) - slope * tf.nn.relu(-u) + shift_out

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        return tf.TensorShape(_shapes(input_shape)[0])
