"""The Keras side: inference with one graph for all batch sizes."""

from collections.abc import Callable, Iterator

import numpy as np

from lq_fda._keras import keras, tf


def inference(model: keras.Model) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Traces a network once; the function takes a batch and gives every output."""
    images = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)
    function = tf.function(lambda batch: tf.nest.flatten(model(batch, training=False)), input_signature=[images])
    return lambda batch: [output.numpy() for output in function(batch)]


def batches(inputs: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Cuts images into batches; the last one may be smaller."""
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size]
