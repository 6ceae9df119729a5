"""Checks that the layers share."""

from typing import Any, get_args

from lq_fda._keras import tf

_COMMON = ("name", "trainable", "dtype", "input_shape", "batch_input_shape", "batch_size")


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


def one_of(layer: str, name: str, value: Any, choices: Any) -> Any:
    """Returns `value` if it is one of the values of a `Literal`.

    Raises:
        ValueError: It is not.
    """
    if value not in get_args(choices):
        expected = " or ".join(map(repr, get_args(choices)))
        raise ValueError(f"{layer} has no such `{name}`. Expected {expected}. Received: {name}={value!r}.")
    return value


def common_arguments(layer: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments if every Keras layer has them: for a layer that fixes those of its base class.

    Raises:
        TypeError: One is of the base class, and would be lost in training or in the config.
    """
    foreign = sorted(set(arguments) - set(_COMMON))
    if foreign:
        raise TypeError(
            f"{layer} does not take `{foreign[0]}`. Expected its own arguments, and of Keras's {', '.join(_COMMON)}. "
            f"Received: {foreign[0]}={arguments[foreign[0]]!r}."
        )
    return arguments
