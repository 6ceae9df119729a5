"""From a Keras model to what the converters read: a SavedModel that infers in float32, one image at a time."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from typing import TypeVar

from lq_fda._keras import keras, tf
from lq_fda.errors import LqFdaError, reason

_HALVES = ("bfloat16", "float16")

Result = TypeVar("Result")


@contextlib.contextmanager
def saved_model(model: keras.Model) -> Iterator[str]:
    """Yields the folder of a temporary SavedModel.

    `model.save` would trace every layer several times, and so do the converters' own functions for Keras models: for a
    ResNet-18 that takes three times as long as the conversion. One traced function is all that a converter needs.

    Raises:
        LqFdaError: The model does not take one image of known size or does not compute in float32, or the folder for
            temporary files cannot be written.
    """
    if len(model.inputs) != 1 or None in model.inputs[0].shape[1:]:
        raise LqFdaError(
            "The network cannot be converted. Expected one input of known height, width and channels. "
            f"Received: {[tuple(tensor.shape) for tensor in model.inputs]}.",
            cure="Build it for one image size, such as input_shape=(32, 32, 3).",
        )
    _require_float32(model)
    image = tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="image")
    module = tf.Module()
    module.weights = model.variables
    module.infer = tf.function(lambda image: model(image, training=False)).get_concrete_function(image)
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            tf.saved_model.save(module, folder, signatures=module.infer)
        except (OSError, tf.errors.OpError) as error:
            place = tempfile.tempdir or "none that can be written"
            raise LqFdaError(
                f"Could not write a temporary copy of the network. Expected a folder for temporary files with free "
                f"space. Received: {place} ({reason(error)}).",
                cure="Free some space there, or set the environment variable TMPDIR to another folder.",
            ) from error
        yield folder


def _require_float32(model: keras.Model) -> None:
    halves = [layer for layer in model._flatten_layers(include_self=False) if layer.compute_dtype in _HALVES]
    if halves:
        raise LqFdaError(
            f"The network computes in mixed precision. Expected float32 throughout. "
            f"Received: {halves[0].name!r} in {halves[0].compute_dtype}.",
            cure="Fold it first: `conversion.fold` rebuilds it in float32.",
        )


def convert_or_explain(converter: str, convert: Callable[[], Result]) -> Result:
    """Runs a converter; whatever it raises, for they document nothing, becomes one sentence.

    Raises:
        LqFdaError: The converter failed.
    """
    try:
        return convert()
    except Exception as error:
        raise LqFdaError(
            f"{converter} failed. Received: {type(error).__name__}: {reason(error)}",
            cure="Look for the operator that the message names, and build the network without it.",
        ) from error
