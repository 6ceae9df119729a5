"""What the signs of a network do to its feature maps and kernels, measured on one fixed batch after every epoch."""

import dataclasses

import numpy as np

from lq_fda._keras import keras, tf
from lq_fda.layers.binarization import binary_convolutions, gradient_window, kernel_before_sign
from lq_fda.layers.metrics import positive_share, window_share


@dataclasses.dataclass(frozen=True)
class BinarizationShares:
    """One place where a feature map is binarized.

    Args:
        layer: The layer that takes the sign.
        positive: Share of +1, one number a channel.
        inside: Share inside the window in which the gradient passes, one number a channel.
        flip_rate: Share of the kernel's signs that are others than at the measurement before.
    """

    layer: str
    positive: np.ndarray
    inside: np.ndarray
    flip_rate: float

    def summary(self) -> dict[str, float]:
        """Means over the channels, for one row of the history.

        `imbalance` is the mean of |2 positive - 1|: 0 when every channel is balanced, 1 when all are constant.
        """
        return {
            f"{self.layer}/positive": float(self.positive.mean()),
            f"{self.layer}/imbalance": float(np.abs(2 * self.positive - 1).mean()),
            f"{self.layer}/inside": float(self.inside.mean()),
            f"{self.layer}/flip_rate": self.flip_rate,
        }


class BinarizationProbe:
    """Measures every binarization point of a network.

    Flips are counted from one call to the next; those of the first call, from the weights that the network has now.

    Args:
        network: A functional model; one without binary layers has nothing to measure.
        images: The batch to measure on, normalized.
    """

    def __init__(self, network: keras.Model, images: tf.Tensor):
        self._layers = binary_convolutions(network)
        self._images = images
        self._taps = keras.Model(network.inputs, [layer.input for layer in self._layers]) if self._layers else None
        self.restart()

    def restart(self) -> None:
        """Counts the flips of the next call from the weights that the network has now."""
        self._signs = [kernel_before_sign(layer) >= 0 for layer in self._layers]

    @tf.function
    def _shares(self) -> list[tuple[tf.Tensor, tf.Tensor]]:
        maps = self._taps(self._images, training=False)
        return [
            (positive_share(values), window_share(values, gradient_window(layer)))
            for layer, values in zip(self._layers, tf.nest.flatten(maps), strict=True)
        ]

    def __call__(self) -> list[BinarizationShares]:
        if self._taps is None:
            return []
        before = self._signs
        self.restart()
        flip_rates = [float(np.mean(old != new)) for old, new in zip(before, self._signs, strict=True)]
        return [
            BinarizationShares(layer.name, positive.numpy(), inside.numpy(), flip_rate)
            for layer, (positive, inside), flip_rate in zip(self._layers, self._shares(), flip_rates, strict=True)
        ]
