"""Larq's binary convolution, with the sign and its padding compiled for training."""

from typing import Any

from lq_fda._keras import keras, larq, tf
from lq_fda.layers._compiled import compiled


def _sign(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x < 0, -tf.ones_like(x), tf.ones_like(x))


def _window(x: tf.Tensor, dy: tf.Tensor, clip_value: float) -> tf.Tensor:
    return tf.where(tf.abs(x) <= tf.cast(clip_value, x.dtype), dy, tf.zeros_like(dy))


_compiled_sign = compiled(_sign)
_compiled_window = compiled(_window)


@keras.utils.register_keras_serializable(package="lq_fda")
class CompiledSteSign(larq.quantizers.SteSign):
    """Larq's `SteSign` in one pass over memory forward and one backward.

    Use it as an `input_quantizer` where training speed matters; values and gradients are Larq's:

        q(x) = -1 if x < 0 else 1,   dq/dx = 1 if |x| <= clip_value else 0

    **On device:** LceQuantize; at inference it is Larq's own sign.

    Args:
        clip_value: Half the width of the straight-through window.

    ```python
    import numpy as np
    from lq_fda.layers import CompiledSteSign

    assert np.array_equal(CompiledSteSign()(np.array([-0.5, 0.0, 2.0], "float32"), training=True), [-1, 1, 1])
    ```
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if training is not True:
            return super().call(inputs)

        @tf.custom_gradient
        def sign(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
            return _compiled_sign(x), lambda dy: _compiled_window(x, dy, self.clip_value)

        return sign(inputs)


@keras.utils.register_keras_serializable(package="lq_fda")
class BinaryConv2D(larq.layers.QuantConv2D):
    """`larq.layers.QuantConv2D` set up the way LCE runs it fastest: binary weights and inputs, padded with ones.

    Use it for every convolution that should be 1-bit on the device, with a BatchNormalization behind it:

        y = conv(sign(x), sign(w)),   w clipped to [-1.25, 1.25]

    **On device:** LceQuantize and LceBconv2d, with the BatchNormalization fused in. A bias, an activation other than
    ReLU, or padding with zeros blocks fusion or needs a slower kernel.

    Args:
        filters: Output channels; a multiple of 8 suits LCE, of 32 where another binary convolution follows.
        kernel_size: Height and width of the kernel.
        strides: Stride, the same in both directions.
        clip_value: Half the width of the straight-through window of the inputs.

    Input shape: (batch, height, width, channels); channels in multiples of 32 suit LCE.

    Output shape: (batch, ceil(height / strides), ceil(width / strides), filters).

    ```python
    import numpy as np
    from lq_fda.layers import BinaryConv2D

    y = BinaryConv2D(8, 3)(np.ones((1, 5, 5, 32), "float32"))
    assert np.all(np.abs(y) <= 9 * 32)
    ```
    """

    def __init__(
        self, filters: int, kernel_size: int | tuple[int, int], strides: int = 1, clip_value: float = 1.0, **kwargs: Any
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            pad_values=1.0,
            use_bias=False,
            input_quantizer=CompiledSteSign(clip_value=clip_value),
            kernel_quantizer=larq.quantizers.SteSign(clip_value=1.25),
            kernel_constraint=larq.constraints.WeightClip(1.25),
            kernel_initializer="glorot_normal",
            **kwargs,
        )
        self.clip_value = clip_value

    def get_config(self) -> dict[str, Any]:
        return {
            **keras.layers.Layer.get_config(self),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides[0],
            "clip_value": self.clip_value,
        }
