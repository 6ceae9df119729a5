"""What binarization does to a feature map: how balanced the signs are, and how much gradient passes.

A channel that is always +1 or always -1 carries no information; a value outside the straight-through window gets no
gradient. Both are what `FeatureDistributionAdjustment` is for.
"""

from typing import Any

from lq_fda._keras import keras, tf


def positive_share(values: tf.Tensor) -> tf.Tensor:
    """Share of values that the sign maps to +1, one number a channel.

    Args:
        values: Feature map in front of the sign, (batch, ..., channels).
    """
    return _share(values >= 0)


def window_share(values: tf.Tensor, clip_value: float = 1.0) -> tf.Tensor:
    """Share of values with |x| <= clip_value, where the straight-through gradient passes, one number a channel.

    Args:
        values: Feature map in front of the sign, (batch, ..., channels).
        clip_value: Half the width of the window.
    """
    return _share(tf.abs(values) <= tf.cast(clip_value, values.dtype))


def _share(condition: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(condition, tf.float32), axis=list(range(condition.shape.rank - 1)))


class _ChannelShare(keras.metrics.Metric):
    """Mean of a share over all batches, each weighted with its number of values."""

    def __init__(self, channels: int, name: str, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.channels = channels
        self._total = self.add_weight("total", (channels,), initializer="zeros", dtype=tf.float64)
        self._count = self.add_weight("count", (), initializer="zeros", dtype=tf.float64)

    def _share(self, values: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError

    def update_state(self, values: tf.Tensor, sample_weight: None = None) -> None:
        values = tf.convert_to_tensor(values)
        count = tf.cast(tf.size(values) // self.channels, tf.float64)
        self._total.assign_add(count * tf.cast(self._share(values), tf.float64))
        self._count.assign_add(count)

    def result(self) -> tf.Tensor:
        return tf.cast(tf.math.divide_no_nan(self._total, self._count), tf.float32)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "channels": self.channels}


@keras.utils.register_keras_serializable(package="lq_fda")
class PositiveShare(_ChannelShare):
    """Share of values that the sign maps to +1, one number a channel, over all batches it is shown.

    Use it on the input of a binary convolution; 0.5 is balanced, 0 and 1 are channels that carry nothing:

        p_c = #{x_c >= 0} / #{x_c}

    Args:
        channels: Channels of the feature map.

    ```python
    import numpy as np
    from lq_fda.layers.metrics import PositiveShare

    metric = PositiveShare(channels=2)
    metric.update_state(np.array([[1.0, -1.0], [-2.0, -3.0]], "float32"))
    assert np.array_equal(metric.result(), [0.5, 0.0])
    ```
    """

    def __init__(self, channels: int, name: str = "positive_share", **kwargs: Any):
        super().__init__(channels, name, **kwargs)

    def _share(self, values: tf.Tensor) -> tf.Tensor:
        return positive_share(values)


@keras.utils.register_keras_serializable(package="lq_fda")
class WindowShare(_ChannelShare):
    """Share of values inside the straight-through window, one number a channel, over all batches it is shown.

    Use it on the input of a binary convolution; values outside get no gradient:

        w_c = #{|x_c| <= clip_value} / #{x_c}

    Args:
        channels: Channels of the feature map.
        clip_value: Half the width of the window.

    ```python
    import numpy as np
    from lq_fda.layers.metrics import WindowShare

    metric = WindowShare(channels=2)
    metric.update_state(np.array([[1.0, -1.1], [-2.0, -3.0]], "float32"))
    assert np.array_equal(metric.result(), [0.5, 0.0])
    ```
    """

    def __init__(self, channels: int, clip_value: float = 1.0, name: str = "window_share", **kwargs: Any):
        super().__init__(channels, name, **kwargs)
        self.clip_value = clip_value

    def _share(self, values: tf.Tensor) -> tf.Tensor:
        return window_share(values, self.clip_value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "clip_value": self.clip_value}
