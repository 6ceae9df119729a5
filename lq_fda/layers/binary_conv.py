"""Larq's binary convolution, trained with fewer passes over memory."""

import functools
from collections.abc import Callable
from typing import Any, Literal

from lq_fda._keras import keras, larq, tf
from lq_fda.layers._checks import common_arguments, one_of, positive_int
from lq_fda.layers._compiled import compiled, image_sums, total
from lq_fda.layers._deferred import Affine, Elementwise, made_of
from lq_fda.layers.cousins import ClampedSign, StandardizedSign

Weights = Literal["sign", "standardized", "clamped", "float"]
Estimator = Literal["window", "triangle"]

_KERNEL_QUANTIZERS: dict[Weights, Callable[[], larq.quantizers.Quantizer | None]] = {
    "sign": lambda: larq.quantizers.SteSign(clip_value=1.25),
    "standardized": StandardizedSign,
    "clamped": ClampedSign,
    "float": lambda: None,
}

# The gradient at zero, and how fast it falls from there.
_ESTIMATORS: dict[Estimator, tuple[float, float]] = {"window": (1.0, 0.0), "triangle": (2.0, 2.0)}


@functools.cache
def _padded_sign(padding: tuple[tuple[int, int], ...]) -> Callable:
    """Compiles the sign of gain * x + shift, with ones around it."""

    def sign(x, gain, shift):
        values = gain * tf.cast(x, tf.float32) + shift
        return tf.pad(tf.cast(tf.where(values < 0, -1.0, 1.0), x.dtype), padding, constant_values=tf.ones((), x.dtype))

    return compiled(sign)


def _passed(values, dq, estimator):
    """The part of dq that passes the sign of values: (peak - fall |v|) dq inside the window, zero outside."""
    window, peak, fall = tf.unstack(tf.cast(estimator, values.dtype))
    distance = tf.abs(values)
    return tf.where(distance <= window, (peak - fall * distance) * dq, tf.zeros_like(dq))


def _affine_gradient(x, gain, shift, dq, estimator):
    return gain * _passed(gain * x + shift, dq, estimator)


@compiled
def _affine_sums(x, gain, shift, dq, estimator):
    def terms(x, dq):
        passed = _passed(gain * x + shift, dq, estimator)
        return passed * x, passed

    return image_sums(terms, [x, dq])


# In the dtype of the map: XLA's loops are faster so.
_plain_gradient = compiled(_passed)


def _convolve_signs(x, gain, shift, kernel, strides: list[int], padding: list) -> tuple[tf.Tensor, Callable]:
    """Convolves the signs of gain * x + shift, padded with ones; returns the gradient for signs and kernel, too.

    The gradient for the signs inside the padding is that of a convolution padded with zeros: TensorFlow's "SAME",
    which is faster than computing it for the padding as well.
    """
    signs = _padded_sign(tuple(map(tuple, padding)))(x, gain, shift)

    def gradient(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        dsigns = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(x), filter=kernel, out_backprop=dy, strides=strides, padding="SAME"
        )
        dkernel = tf.raw_ops.Conv2DBackpropFilter(
            input=signs, filter_sizes=tf.shape(kernel), out_backprop=dy, strides=strides, padding="VALID"
        )
        return dsigns, dkernel

    return tf.nn.conv2d(signs, kernel, strides, "VALID"), gradient


@keras.utils.register_keras_serializable(package="lq_fda")
class BinaryConv2D(larq.layers.QuantConv2D):
    """`larq.layers.QuantConv2D` set up the way LCE runs it fastest: binary weights and inputs, padded with ones.

    Use it for every convolution that should be 1-bit on the device, with a BatchNormalization behind it:

        y = conv(sign(x), sign(w)),   w clipped to [-1.25, 1.25]

    The gradient of the inputs' sign is estimated:

        "window":    dsign(x)/dx = 1 if |x| <= clip_value else 0     Larq's SteSign; Courbariaux et al., 2016
        "triangle":  dsign(x)/dx = max(0, 2 - 2 |x|)                 Larq's ApproxSign; Liu et al., Bi-Real Net, 2018

    **On device:** LceQuantize and LceBconv2d, with the BatchNormalization fused in. A bias, an activation other than
    ReLU, or padding with zeros blocks fusion or needs a slower kernel.

    Args:
        filters: Output channels; a multiple of 8 suits LCE, of 32 where another binary convolution follows.
        kernel_size: Height and width of the kernel.
        strides: Stride, the same in both directions.
        clip_value: Half the width of the window; 1 for the triangle.
        estimator: The gradient of the inputs' sign, as above.
        weights: `"standardized"` and `"clamped"` are the weights of IR-Net and of ReCU, without clipping:
            `lq_fda.layers.cousins.StandardizedSign` and `ClampedSign`. `"float"` leaves w as it is, for the first of
            two stages of training; LCE cannot run that.

    Input shape: (batch, height, width, channels); channels in multiples of 32 suit LCE.

    Output shape: (batch, ceil(height / strides), ceil(width / strides), filters).

    Raises:
        TypeError: An argument of `QuantConv2D` that is fixed here, such as `groups`; use that layer itself.
        ValueError: `strides` is no positive integer; there is no such estimator, or not of this width; there are no
            such weights.

    ```python
    import numpy as np
    from lq_fda.layers import BinaryConv2D

    y = BinaryConv2D(8, 3)(np.ones((1, 5, 5, 32), "float32"))
    assert np.all(np.abs(y) <= 9 * 32)
    ```
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int = 1,
        clip_value: float = 1.0,
        *,
        estimator: Estimator = "window",
        weights: Weights = "sign",
        **kwargs: Any,
    ):
        triangle = one_of("BinaryConv2D", "estimator", estimator, Estimator) == "triangle"
        if triangle and clip_value != 1.0:
            raise ValueError(f"The triangle of BinaryConv2D has clip_value=1. Received: clip_value={clip_value}.")
        standardized = weights in ("standardized", "clamped")
        super().__init__(
            filters,
            kernel_size,
            strides=positive_int("BinaryConv2D", "strides", strides),
            padding="same",
            pad_values=1.0,
            use_bias=False,
            input_quantizer=larq.quantizers.ApproxSign()
            if triangle
            else larq.quantizers.SteSign(clip_value=clip_value),
            kernel_quantizer=_KERNEL_QUANTIZERS[one_of("BinaryConv2D", "weights", weights, Weights)](),
            # Standardized weights cannot drift out of reach; Larq warns where there is no constraint at all.
            kernel_constraint=tf.identity if standardized else larq.constraints.WeightClip(1.25),
            kernel_initializer="glorot_normal",
            **common_arguments("BinaryConv2D", kwargs),
        )
        self.clip_value = clip_value
        self.estimator = estimator
        self.weights_kind = weights

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if training is not True or None in inputs.shape[1:3]:  # The clusters are compiled for a known size.
            return super().call(inputs)
        with larq.context.quantized_scope(True):
            kernel = tf.convert_to_tensor(self.kernel)
        strides, padding = [1, *self.strides, 1], self._get_padding_same(inputs)
        estimator = tf.constant((self.clip_value, *_ESTIMATORS[self.estimator]), tf.float32)

        @tf.custom_gradient
        def plain(x, kernel):
            y, gradient = _convolve_signs(x, tf.ones(()), tf.zeros(()), kernel, strides, padding)

            def plain_gradient(dy):
                dsigns, dkernel = gradient(dy)
                return _plain_gradient(x, dsigns, estimator), dkernel

            return y, plain_gradient

        @tf.custom_gradient
        def affine(x, gain, shift, kernel):
            y, gradient = _convolve_signs(x, gain, shift, kernel, strides, padding)

            def affine_gradient(dy):
                dsigns, dkernel = gradient(dy)
                arguments = (x, gain, shift, dsigns, estimator)
                dgain, dshift = _affine_sums(*arguments)
                dx = Elementwise(_affine_gradient, arguments).compute()
                return dx, total(dgain, gain), total(dshift, shift), dkernel

            return y, affine_gradient

        note = made_of(inputs, Affine)
        return affine(note.x, note.gain, note.shift, kernel) if note else plain(inputs, kernel)

    def get_config(self) -> dict[str, Any]:
        return {
            **keras.layers.Layer.get_config(self),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides[0],
            "clip_value": self.clip_value,
            "estimator": self.estimator,
            "weights": self.weights_kind,
        }
