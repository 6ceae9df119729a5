"""Group excitation: a threshold and a scale that depend on the image."""

from typing import Any

from lq_fda._keras import keras, tf
from lq_fda.layers._checks import channels_of, positive_int
from lq_fda.layers._deferred import Affine, made_of


@keras.utils.register_keras_serializable(package="lq_fda")
class GroupExcitation(keras.layers.Layer):
    """Predicts, from an image's own channel means, a shift before the sign and a scale after the convolution.

    Put it between the distribution adjustment and the binary convolution. The channels are split into groups, and one
    small perceptron serves all of them:

        z = GAP(x) as (batch, G, C/G)
        h = relu(z W1 + b1)
        t(x) = h W_t + b_t                 added to x before the sign
        s(x) = 2 sigmoid(h W_s + b_s)      multiplies the convolution's output

    Both heads start at zero, so that the layer starts as the identity: t = 0, s = 1.

    The name is of Liu and Chen (DOI 10.13195/j.kzyjc.2022.1945), the formula ours; its relatives are Real-to-Binary's
    gate (s alone; Martinez et al., ICLR 2020) and SD-BNN's shift (t alone; Xue et al., AAAI 2022).

    **On device:** a mean over the image, three tiny fully connected operators, one full-size ADD for t (conversion
    merges the distribution adjustment's threshold into it) and one full-size MUL for s. LCE cannot fold a scale that
    depends on the image into the convolution.

    Args:
        groups: G; must divide the channels and `filters`.
        reduction: The perceptron has C / (G reduction) hidden units, at least 1.
        filters: Channels of s; those of the convolution behind. None: as many as the input has.

    Input shape: (batch, height, width, C), any height and width.

    Output shape: (batch, height, width, C) and (batch, 1, 1, filters).

    Raises:
        ValueError: The input is not a feature map, or `groups` does not divide the channels or `filters`.

    ```python
    import numpy as np
    from lq_fda.layers import GroupExcitation

    image = np.random.rand(2, 8, 8, 16).astype("float32")
    shifted, scale = GroupExcitation(groups=4)(image)
    assert np.array_equal(shifted, image) and np.array_equal(scale, np.ones((2, 1, 1, 16)))
    ```
    """

    def __init__(self, groups: int = 4, reduction: int = 2, filters: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.groups = positive_int("GroupExcitation", "groups", groups)
        self.reduction = positive_int("GroupExcitation", "reduction", reduction)
        self.filters = None if filters is None else positive_int("GroupExcitation", "filters", filters)

    def build(self, input_shape: tf.TensorShape) -> None:
        channels = channels_of("GroupExcitation", input_shape)
        for name, value in (("channels", channels), ("filters", self.filters or channels)):
            if value % self.groups:
                raise ValueError(
                    f"GroupExcitation needs `groups` that divide the {name}. "
                    f"Expected a divisor of {value}. Received: groups={self.groups}."
                )
        self.channels = channels
        self.scale_channels = self.filters or channels
        width = channels // self.groups
        hidden = max(1, width // self.reduction)
        scale_width = self.scale_channels // self.groups

        def weight(name: str, shape: tuple[int, ...], initializer: str = "zeros") -> tf.Variable:
            return self.add_weight(name, shape, initializer=initializer, experimental_autocast=False)

        self.squeeze_kernel = weight("squeeze_kernel", (width, hidden), "he_normal")
        self.squeeze_bias = weight("squeeze_bias", (hidden,))
        self.shift_kernel = weight("shift_kernel", (hidden, width))
        self.shift_bias = weight("shift_bias", (width,))
        self.scale_kernel = weight("scale_kernel", (hidden, scale_width))
        self.scale_bias = weight("scale_bias", (scale_width,))
        super().build(input_shape)

    def excitation(self, descriptor: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns t, (batch, 1, 1, C), and the scale head before its sigmoid, from GAP(x), (batch, C); in float32."""
        grouped = tf.reshape(tf.cast(descriptor, tf.float32), (-1, self.channels // self.groups))  # one row a group
        hidden = tf.nn.relu(tf.matmul(grouped, self.squeeze_kernel) + self.squeeze_bias)
        shift = tf.matmul(hidden, self.shift_kernel) + self.shift_bias
        scale = tf.matmul(hidden, self.scale_kernel) + self.scale_bias
        return (
            tf.reshape(shift, (-1, 1, 1, self.channels)),
            tf.reshape(scale, (-1, 1, 1, self.scale_channels)),
        )

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        if training is True:
            adjusted = made_of(inputs, Affine) or Affine.identity(inputs)
            shift, scale = self.excitation(tf.squeeze(adjusted.gain * adjusted.image_mean + adjusted.shift, [1, 2]))
            shifted = adjusted._replace(shift=adjusted.shift + shift).compute()
        else:
            shift, scale = self.excitation(tf.reduce_mean(inputs, axis=[1, 2]))
            shifted = inputs + tf.cast(shift, inputs.dtype)
        return shifted, tf.cast(2 * tf.sigmoid(scale), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "reduction": self.reduction,
            "filters": self.filters,
        }
