"""What other published binary networks put around the convolution: the peers of our three layers.

Each is the part of its paper that fits one layer; scales that a BatchNormalization behind the convolution absorbs are
left out. They train without our fused passes, and convert like any Keras layer.
"""

from typing import Any

from lq_fda._keras import keras, larq, tf
from lq_fda.layers._checks import channels_of, positive_int

__all__ = ["ChannelThreshold", "ClampedSign", "ImageGate", "ImageShift", "StandardizedSign"]

_straight_through = larq.quantizers.SteSign(clip_value=None)


def _standardized(kernel: tf.Tensor) -> tf.Tensor:
    """Every filter with mean 0 and variance 1, in float32."""
    kernel = tf.cast(tf.convert_to_tensor(kernel), tf.float32)
    axes = list(range(kernel.shape.rank - 1))
    mean, variance = tf.nn.moments(kernel, axes, keepdims=True)
    return (kernel - mean) * tf.math.rsqrt(variance + 1e-12)


@keras.utils.register_keras_serializable(package="lq_fda")
class StandardizedSign(larq.quantizers.Quantizer):
    """IR-Net's weights: every filter is standardized before its sign, so that half of it is +1.

        q(w) = sign((w - mean(w)) / std(w)),   dsign(v)/dv = 1

    Qin et al., "Forward and Backward Information Retention for Accurate Binary Neural Networks", CVPR 2020; without
    its annealed estimator, and without its power-of-two scale, which the BatchNormalization absorbs.

    **On device:** the signs of the weights are constants.

    ```python
    import numpy as np
    from lq_fda.layers.cousins import StandardizedSign

    kernel = np.array([3.0, 1.0, 2.5, 1.5], "float32").reshape(1, 1, 4, 1)
    assert np.array_equal(np.ravel(StandardizedSign()(kernel)), [1, -1, 1, -1])
    ```
    """

    precision = 1

    def before_sign(self, kernel: tf.Tensor) -> tf.Tensor:
        """The standardized weights, in float32."""
        return _standardized(kernel)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.cast(_straight_through(self.before_sign(inputs)), tf.convert_to_tensor(inputs).dtype)


@keras.utils.register_keras_serializable(package="lq_fda")
class ClampedSign(larq.quantizers.Quantizer):
    """ReCU's weights: standardized, then clamped, so that outliers stop pulling the update.

        v = (w - mean(w)) / std(w),   q(w) = sign(min(max(v, -Q), Q)),   Q = -mean(|v|) ln(2 - 2 tau)

    Q is the tau-quantile of a Laplace distribution. Weights beyond Q get no gradient. Xu et al., "ReCU: Reviving the
    Dead Weights in Binary Neural Networks", ICCV 2021, where tau grows from 0.85 to 0.99 during training; here it is
    about the mean of that.

    **On device:** the signs of the weights are constants.

    Args:
        tau: Share of the weights that lies below Q, above 0.5 and below 1.

    ```python
    import numpy as np
    from lq_fda.layers.cousins import ClampedSign

    kernel = np.random.default_rng(0).normal(size=(3, 3, 8, 4)).astype("float32")
    assert set(np.unique(ClampedSign()(kernel))) == {-1.0, 1.0}
    ```
    """

    precision = 1

    def __init__(self, tau: float = 0.92, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0.5 < tau < 1:
            raise ValueError(f"ClampedSign needs 0.5 < tau < 1. Received: tau={tau}.")
        self.tau = tau

    def before_sign(self, kernel: tf.Tensor) -> tf.Tensor:
        """The clamped weights, in float32."""
        values = _standardized(kernel)
        axes = list(range(values.shape.rank - 1))
        bound = -tf.reduce_mean(tf.abs(values), axis=axes, keepdims=True) * tf.math.log(2 - 2 * self.tau)
        bound = tf.stop_gradient(bound)
        return tf.clip_by_value(values, -bound, bound)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.cast(_straight_through(self.before_sign(inputs)), tf.convert_to_tensor(inputs).dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "tau": self.tau}


@keras.utils.register_keras_serializable(package="lq_fda")
class ChannelThreshold(keras.layers.Layer):
    """ReActNet's RSign without the sign: a learned threshold a channel.

        x'_c = x_c - a_c

    Liu et al., "ReActNet", ECCV 2020. Its RPReLU is `FeatureFineTuning`.

    **On device:** one ADD.

    Input shape: (batch, height, width, channels).

    Output shape: the same.

    Raises:
        ValueError: The input is not a feature map.

    ```python
    import numpy as np
    from lq_fda.layers.cousins import ChannelThreshold

    x = np.random.rand(2, 4, 4, 8).astype("float32")
    assert np.array_equal(ChannelThreshold()(x), x)  # before training
    ```
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        channels = channels_of("ChannelThreshold", input_shape)
        self.threshold = self.add_weight("threshold", (channels,), initializer="zeros", experimental_autocast=False)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs - tf.cast(self.threshold, inputs.dtype)


class _ImagePerceptron(keras.layers.Layer):
    """W2 relu(W1 GAP(x) + b1) + b2, (batch, 1, 1, filters), in float32; zero before training."""

    filters: int | None = None  # As many as the input has channels.

    def __init__(self, reduction: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self.reduction = positive_int(type(self).__name__, "reduction", reduction)

    def build(self, input_shape: tf.TensorShape) -> None:
        channels = channels_of(type(self).__name__, input_shape)
        hidden = max(1, channels // self.reduction)
        outputs = self.filters or channels

        def weight(name: str, shape: tuple[int, ...], initializer: str = "zeros") -> tf.Variable:
            return self.add_weight(name, shape, initializer=initializer, experimental_autocast=False)

        self.squeeze_kernel = weight("squeeze_kernel", (channels, hidden), "he_normal")
        self.squeeze_bias = weight("squeeze_bias", (hidden,))
        self.expand_kernel = weight("expand_kernel", (hidden, outputs))
        self.expand_bias = weight("expand_bias", (outputs,))
        super().build(input_shape)

    def perceptron(self, inputs: tf.Tensor) -> tf.Tensor:
        means = tf.cast(tf.reduce_mean(inputs, axis=[1, 2]), tf.float32)
        hidden = tf.nn.relu(tf.matmul(means, self.squeeze_kernel) + self.squeeze_bias)
        outputs = tf.matmul(hidden, self.expand_kernel) + self.expand_bias
        return tf.reshape(outputs, (-1, 1, 1, outputs.shape[-1]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reduction": self.reduction}


@keras.utils.register_keras_serializable(package="lq_fda")
class ImageShift(_ImagePerceptron):
    """SD-BNN's activation self-distribution: a shift before the sign that depends on the image.

        x' = x + sigmoid(W2 relu(W1 GAP(x) + b1) + b2)

    Xue et al., "Self-Distribution Binary Neural Networks", 2021 (arXiv 2103.02394); without its part for the weights.

    **On device:** a mean, two fully connected operators, LOGISTIC, and one full-size ADD.

    Args:
        reduction: The hidden layer has C / reduction units, at least 1.

    Input shape: (batch, height, width, channels).

    Output shape: the same.

    Raises:
        ValueError: The input is not a feature map.

    ```python
    import numpy as np
    from lq_fda.layers.cousins import ImageShift

    x = np.random.rand(2, 4, 4, 8).astype("float32")
    assert np.allclose(ImageShift()(x), x + 0.5)  # before training
    ```
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + tf.cast(tf.sigmoid(self.perceptron(inputs)), inputs.dtype)


@keras.utils.register_keras_serializable(package="lq_fda")
class ImageGate(_ImagePerceptron):
    """Real-to-Binary's gate: a scale after the convolution that depends on the image.

        s = sigmoid(W2 relu(W1 GAP(x) + b1) + b2)

    Martinez et al., "Training Binary Neural Networks with Real-to-Binary Convolutions", ICLR 2020.

    **On device:** a mean, two fully connected operators, LOGISTIC, and one full-size MUL.

    Args:
        filters: Channels of s: those of the convolution.
        reduction: The hidden layer has C / reduction units, at least 1.

    Input shape: (batch, height, width, channels).

    Output shape: (batch, 1, 1, filters).

    Raises:
        ValueError: The input is not a feature map.

    ```python
    import numpy as np
    from lq_fda.layers.cousins import ImageGate

    x = np.random.rand(2, 4, 4, 8).astype("float32")
    assert np.array_equal(ImageGate(16)(x), np.full((2, 1, 1, 16), 0.5))  # before training
    ```
    """

    def __init__(self, filters: int, reduction: int = 4, **kwargs: Any):
        super().__init__(reduction, **kwargs)
        self.filters = positive_int("ImageGate", "filters", filters)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.sigmoid(self.perceptron(inputs)), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
