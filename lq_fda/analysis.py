"""What the feature distribution adjustment does to the values in front of every sign."""

import numpy as np

from lq_fda._keras import keras, larq
from lq_fda.artifacts import BinarizationPoint, Distribution, ValueDistribution
from lq_fda.errors import LqFdaError
from lq_fda.layers import FeatureDistributionAdjustment, GroupExcitation

_BINS = 40


def binary_convolutions(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that take the sign of their input, in the order of the graph."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, larq.layers.QuantConv2D) and layer.input_quantizer is not None
    ]


def _before(tensor):
    """Follows a binary convolution's input back through excitation and adjustment."""
    layer = tensor.node.layer
    while isinstance(layer, (FeatureDistributionAdjustment, GroupExcitation)):
        tensor = layer.input
        layer = tensor.node.layer
    return tensor


def _describe(values: np.ndarray, edges: np.ndarray) -> ValueDistribution:
    counts, _ = np.histogram(values, edges)
    return ValueDistribution(
        positive=tuple((values >= 0).mean((0, 1, 2)).tolist()),
        inside=tuple((np.abs(values) <= 1).mean((0, 1, 2)).tolist()),
        counts=tuple(counts.tolist()),
        below=int((values < edges[0]).sum()),
        above=int((values > edges[-1]).sum()),
    )


def measure_distribution(model: keras.Model, images: np.ndarray, split: str) -> Distribution:
    """Measures, at every binarization point, the values that the block receives and those that the sign sees.

    Args:
        model: A functional float32 model.
        images: Preprocessed, (n, height, width, channels).
        split: Where they come from.

    Raises:
        LqFdaError: No images, or nothing in the model is binarized.
    """
    layers = binary_convolutions(model)
    if not layers or not len(images):
        raise LqFdaError(
            f"There is nothing to measure. Expected images and binary convolutions. "
            f"Received: {len(images)} images and {len(layers)} binary convolutions.",
            cure="Give a binarized model and at least one image.",
        )
    taps = keras.Model(model.input, [[_before(layer.input), layer.input] for layer in layers])
    points = []
    for layer, (before, after) in zip(layers, taps.predict(images, verbose=0), strict=True):
        limit = max(1.0, float(np.quantile(np.abs(np.concatenate([before.ravel(), after.ravel()])), 0.99)))
        edges = np.linspace(-limit, limit, _BINS + 1)
        adjusted = None if before is after or np.array_equal(before, after) else _describe(after, edges)
        points.append(
            BinarizationPoint(
                name=layer.name, edges=tuple(edges.tolist()), before=_describe(before, edges), after=adjusted
            )
        )
    return Distribution(split=split, images=len(images), points=tuple(points))
