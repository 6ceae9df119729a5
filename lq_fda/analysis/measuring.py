"""What stands in front of every sign: moments, histograms, balance, gradient window; and what the kernels lose."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from lq_fda._keras import keras, tf
from lq_fda.artifacts import BinarizationPoint, Distribution, ValueDistribution
from lq_fda.errors import LqFdaError
from lq_fda.layers import FeatureDistributionAdjustment, GroupExcitation
from lq_fda.layers.binarization import binary_convolutions, gradient_window, kernel_before_sign
from lq_fda.layers.cousins import ChannelThreshold, ImageShift

_BINS = 60
_BATCH = 16
_ADJUSTING = (FeatureDistributionAdjustment, GroupExcitation, ChannelThreshold, ImageShift)


def measure_distribution(
    model: keras.Model,
    images: np.ndarray,
    split: str,
    *,
    template: keras.Model | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Distribution:
    """Measures, at every binarization point, the values that the block receives, those that the sign sees, the kernel.

    Args:
        model: A functional float32 model.
        images: Preprocessed, (n, height, width, channels).
        split: Where they come from.
        template: A binarized network, at whose points `model`, its float twin, is measured: what the signs would see.
        progress: Called with the images done and the images in all.

    Raises:
        LqFdaError: No images; nothing is binarized; a layer of the template is not in the model; or a value is no
            number.

    ```python
    import numpy as np
    from lq_fda import analysis, models

    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    found = analysis.measure_distribution(models.create("tiny"), images, "validation")
    assert [point.name for point in found.points][:2] == ["stage1_1_conv", "stage1_2_conv"]
    ```
    """
    signs = binary_convolutions(template or model)
    if not signs or not len(images):
        raise LqFdaError(
            f"There is nothing to measure. Expected images and binary convolutions. "
            f"Received: {len(images)} images and {len(signs)} binary convolutions.",
            cure="Give a binarized model and at least one image.",
        )
    windows = [gradient_window(layer) for layer in signs]
    layers = [_counterpart(model, layer.name) for layer in signs]
    maps = [(_before(layer.input), layer.input) for layer in layers]
    taps = tf.function(keras.Model(model.inputs, maps), reduce_retracing=True)
    tallies: list[tuple[_Tally, _Tally]] = []
    for start in range(0, len(images), _BATCH):
        pairs = taps(images[start : start + _BATCH], training=False)
        found = [(before.numpy(), after.numpy()) for before, after in pairs]
        if not tallies:
            for layer, window, pair in zip(layers, windows, found, strict=True):
                edges = _edges(pair, layer.name)
                tallies.append((_Tally(window, edges), _Tally(window, edges)))
        for both, pair in zip(tallies, found, strict=True):
            for tally, values in zip(both, pair, strict=True):
                tally.add(values)
        progress(min(start + _BATCH, len(images)), len(images))
    points = [
        BinarizationPoint(
            name=layer.name,
            window=window if math.isfinite(window) else None,
            edges=tuple(before.edges.tolist()),
            before=before.described(layer.name),
            after=None if received is seen else after.described(layer.name),
            kernel_error=tuple(_kernel_error(kernel_before_sign(layer)).tolist()),
        )
        for layer, window, (received, seen), (before, after) in zip(layers, windows, maps, tallies, strict=True)
    ]
    return Distribution(split=split, images=len(images), points=tuple(points))


def _counterpart(model: keras.Model, name: str) -> keras.layers.Layer:
    try:
        return model.get_layer(name)
    except ValueError as error:
        raise LqFdaError(
            f"The networks differ. Expected a layer {name!r} in both. Received: {model.name!r} without it.",
            cure="Compare networks of one topology.",
        ) from error


def _before(tensor):
    """Follows a convolution's input back through what adjusts it."""
    layer = tensor.node.layer
    while isinstance(layer, _ADJUSTING):
        tensor = layer.input
        layer = tensor.node.layer
    return tensor


def _edges(pair: tuple[np.ndarray, np.ndarray], name: str) -> np.ndarray:
    """Histogram bins around zero for both sides of an adjustment, from the first batch: they hold about 99 %."""
    far = max(float(np.quantile(np.abs(values), 0.99)) for values in pair)
    if not math.isfinite(far):
        raise _no_number(name)
    return np.linspace(-far, far, _BINS + 1) if far > 0 else np.linspace(-1, 1, _BINS + 1)


def _no_number(name: str) -> LqFdaError:
    return LqFdaError(
        f"A feature map holds values that are no finite numbers. Received: the input of {name!r}.",
        cure="Look at the run's losses: its training has diverged. Train again with a lower learning_rate.",
    )


@dataclasses.dataclass
class _Tally:
    """What is known of a feature map after some of the images."""

    window: float
    edges: np.ndarray
    positions: int = 0
    positive: np.ndarray | int = 0
    inside: np.ndarray | int = 0
    total: np.ndarray | float = 0.0
    squares: np.ndarray | float = 0.0
    magnitudes: np.ndarray | float = 0.0
    counts: np.ndarray | int = 0
    below: int = 0
    above: int = 0

    def add(self, values: np.ndarray) -> None:
        values = values.reshape(-1, values.shape[-1])
        magnitudes = np.abs(values)
        self.positions += len(values)
        self.positive += (values >= 0).sum(0)
        self.inside += (magnitudes <= self.window).sum(0)
        self.total += values.sum(0, dtype=np.float64)
        self.squares += np.square(values, dtype=np.float64).sum(0)
        self.magnitudes += magnitudes.sum(0, dtype=np.float64)
        self.counts += np.histogram(values, self.edges)[0]
        self.below += int((values < self.edges[0]).sum())
        self.above += int((values > self.edges[-1]).sum())

    def described(self, name: str) -> ValueDistribution:
        mean, squares = self.total / self.positions, self.squares / self.positions
        if not np.isfinite(squares).all():
            raise _no_number(name)
        return ValueDistribution(
            positive=tuple((self.positive / self.positions).tolist()),
            inside=tuple((self.inside / self.positions).tolist()),
            mean=tuple(mean.tolist()),
            variance=tuple(np.maximum(squares - mean**2, 0).tolist()),
            magnitude=tuple((self.magnitudes / self.positions).tolist()),
            counts=tuple(self.counts.tolist()),
            below=self.below,
            above=self.above,
        )


def _kernel_error(kernel: np.ndarray) -> np.ndarray:
    """Share of every filter's energy that its signs lose at their best scale; all of it where the filter is zero."""
    filters = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    energy = np.square(filters).mean(0)
    kept = np.divide(np.abs(filters).mean(0) ** 2, energy, where=energy > 0, out=np.zeros_like(energy))
    return np.clip(1 - kept, 0, 1)
