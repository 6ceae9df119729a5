"""Shape checks that the layers share."""

from lq_fda._keras import tf


def channels_of(layer: str, input_shape: tf.TensorShape | tuple) -> int:
    """The number of channels of a feature map.

    Raises:
        ValueError: The shape is not (batch, height, width, channels), or its channels are unknown.
    """
    shape = tf.TensorShape(input_shape)
    if shape.rank != 4 or shape[-1] is None:
        raise ValueError(
            f"{layer} works on feature maps. Expected shape (batch, height, width, channels) with known channels. "
            f"Received: input_shape={tuple(shape) if shape.rank is not None else None}."
        )
    return shape[-1]


def positive_int(layer: str, name: str, value: int) -> int:
    """Returns `value` if it is an int of at least 1.

    Raises:
        ValueError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{layer} needs a positive integer `{name}`. Received: {name}={value!r}.")
    return value
