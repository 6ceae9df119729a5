"""What the signs of a network do to its feature maps, measured on one fixed batch after every epoch."""

import dataclasses

import numpy as np

from lq_fda._keras import keras, larq, tf
from lq_fda.layers.metrics import positive_share, window_share


@dataclasses.dataclass(frozen=True)
class BinarizationShares:
    """One place where a feature map is binarized; one number a channel.

    Args:
        layer: The layer that takes the sign.
        positive: Share of +1.
        inside: Share inside the straight-through window.
    """

    layer: str
    positive: np.ndarray
    inside: np.ndarray

    def summary(self) -> dict[str, float]:
        """Means over the channels, for one row of the history.

        `imbalance` is the mean of |2 positive - 1|: 0 when every channel is balanced, 1 when all are constant.
        """
        return {
            f"{self.layer}/positive": float(self.positive.mean()),
            f"{self.layer}/imbalance": float(np.abs(2 * self.positive - 1).mean()),
            f"{self.layer}/inside": float(self.inside.mean()),
        }


class BinarizationProbe:
    """Measures every binarization point of a network.

    Args:
        network: A functional model; one without binary layers has nothing to measure.
        images: The batch to measure on, normalized.
    """

    def __init__(self, network: keras.Model, images: tf.Tensor):
        self._layers = [layer for layer in network.layers if _takes_sign(layer)]
        self._images = images
        self._taps = keras.Model(network.inputs, [layer.input for layer in self._layers]) if self._layers else None

    @tf.function
    def _shares(self) -> list[tuple[tf.Tensor, tf.Tensor]]:
        maps = self._taps(self._images, training=False)
        return [
            (positive_share(values), window_share(values, getattr(layer.input_quantizer, "clip_value", 1.0)))
            for layer, values in zip(self._layers, tf.nest.flatten(maps), strict=True)
        ]

    def __call__(self) -> list[BinarizationShares]:
        if self._taps is None:
            return []
        return [
            BinarizationShares(layer.name, positive.numpy(), inside.numpy())
            for layer, (positive, inside) in zip(self._layers, self._shares(), strict=True)
        ]


def _takes_sign(layer: keras.layers.Layer) -> bool:
    quantizer = getattr(layer, "input_quantizer", None)
    return isinstance(layer, larq.layers.QuantConv2D) and getattr(quantizer, "precision", None) == 1
