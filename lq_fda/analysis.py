"""What the feature distribution adjustment does to the values in front of every sign."""

import dataclasses

import numpy as np

from lq_fda._keras import keras, larq
from lq_fda.artifacts import BinarizationPoint, Distribution, ValueDistribution
from lq_fda.errors import LqFdaError
from lq_fda.layers import FeatureDistributionAdjustment, GroupExcitation

_BINS = 40
_BATCH = 16


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


@dataclasses.dataclass
class _Tally:
    """What is known of a feature map after some of the images."""

    edges: np.ndarray
    positions: int = 0
    positive: np.ndarray | int = 0
    inside: np.ndarray | int = 0
    counts: np.ndarray | int = 0
    below: int = 0
    above: int = 0

    def add(self, values: np.ndarray) -> None:
        self.positions += values[..., 0].size
        self.positive += (values >= 0).sum((0, 1, 2))
        self.inside += (np.abs(values) <= 1).sum((0, 1, 2))
        self.counts += np.histogram(values, self.edges)[0]
        self.below += int((values < self.edges[0]).sum())
        self.above += int((values > self.edges[-1]).sum())

    def described(self) -> ValueDistribution:
        return ValueDistribution(
            positive=tuple((self.positive / self.positions).tolist()),
            inside=tuple((self.inside / self.positions).tolist()),
            counts=tuple(self.counts.tolist()),
            below=self.below,
            above=self.above,
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
    # All feature maps of all images at once would need gigabytes: batches, once for the range and once for the counts.
    batches = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    limits = np.zeros(len(layers))
    changed = np.zeros(len(layers), bool)
    for batch in batches:
        for index, (before, after) in enumerate(taps.predict_on_batch(batch)):
            far = np.quantile(np.abs(np.concatenate([before.ravel(), after.ravel()])), 0.99)
            limits[index] += far * len(batch) / len(images)
            changed[index] |= not np.array_equal(before, after)
    edges = [np.linspace(-limit, limit, _BINS + 1) for limit in np.maximum(limits, 1.0)]
    tallies = [(_Tally(steps), _Tally(steps)) for steps in edges]
    for batch in batches:
        for pair, values in zip(tallies, taps.predict_on_batch(batch), strict=True):
            for tally, value in zip(pair, values, strict=True):
                tally.add(value)
    points = [
        BinarizationPoint(
            name=layer.name,
            edges=tuple(before.edges.tolist()),
            before=before.described(),
            after=after.described() if differs else None,
        )
        for layer, (before, after), differs in zip(layers, tallies, changed, strict=True)
    ]
    return Distribution(split=split, images=len(images), points=tuple(points))
