"""From a Keras model to what the converters read: a SavedModel that infers in float32, one image at a time."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from typing import TypeVar

from lq_fda._keras import keras, tf
from lq_fda.errors import LqFdaError

Result = TypeVar("Result")


@contextlib.contextmanager
def saved_model(model: keras.Model) -> Iterator[str]:
    """Yields the folder of a temporary SavedModel.

    `model.save` would trace every layer several times, and so do the converters' own functions for Keras models: for a
    ResNet-18 that takes three times as long as the conversion. One traced function is all that a converter needs.

    Raises:
        LqFdaError: The model does not take one image of known size.
    """
    if len(model.inputs) != 1 or None in model.inputs[0].shape[1:]:
        raise LqFdaError(
            "The network cannot be converted. Expected one input of known height, width and channels. "
            f"Received: {[tuple(tensor.shape) for tensor in model.inputs]}.",
            cure="Build it for one image size, such as input_shape=(32, 32, 3).",
        )
    image = tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="image")
    module = tf.Module()
    module.weights = model.variables
    module.infer = tf.function(lambda image: model(image, training=False)).get_concrete_function(image)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.infer)
        yield folder


def convert_or_explain(converter: str, convert: Callable[[], Result]) -> Result:
    """Runs a converter; whatever it raises, for they document nothing, becomes one sentence.

    Raises:
        LqFdaError: The converter failed.
    """
    try:
        return convert()
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise LqFdaError(
            f"{converter} failed. Received: {type(error).__name__}: {reason}",
            cure="Look for the operator that the message names, and build the network without it.",
        ) from error
