"""The peers of a 1-bit network: the same topology in float32 and in int8, without LCE."""

from collections.abc import Iterator

import numpy as np

from lq_fda._keras import keras, tf
from lq_fda.conversion.saved_model import convert_or_explain, saved_model
from lq_fda.errors import LqFdaError
from lq_fda.runtimes import compact

_NAME = "TensorFlow Lite's converter"


def to_float(model: keras.Model) -> bytes:
    """Converts a network to a float32 `.tflite` file of built-in operators.

    Raises:
        LqFdaError: The network does not take one image of known size, or the converter fails.
    """
    with saved_model(model) as folder:
        return compact(convert_or_explain(_NAME, tf.lite.TFLiteConverter.from_saved_model(folder).convert))


def to_int8(model: keras.Model, calibration: np.ndarray) -> bytes:
    """Converts a network to a `.tflite` file that computes in int8, weights per channel.

    Input and output stay float32, quantized inside the file: callers treat it as its 1-bit and float peers, and its
    latency contains all that it needs.

    Args:
        model: The network.
        calibration: Preprocessed training images that set the ranges, (n, height, width, channels), n at least 1.

    Raises:
        LqFdaError: No fitting calibration images, or as `to_float`.
    """
    expected = model.inputs[0].shape[1:]
    if calibration.ndim != 4 or calibration.shape[1:] != expected or not len(calibration):
        raise LqFdaError(
            f"The calibration images do not fit the network. Expected at least one of shape {tuple(expected)}. "
            f"Received: shape={calibration.shape}.",
            cure="Take them from Dataset.calibration of the set that the network was built for.",
        )

    def images() -> Iterator[list[np.ndarray]]:
        for image in calibration.astype(np.float32):
            yield [image[None]]

    with saved_model(model) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = images
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return compact(convert_or_explain(_NAME, converter.convert))
