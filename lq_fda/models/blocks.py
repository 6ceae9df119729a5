"""The blocks that every family is made of: one shortcut around each binary convolution, as in Bi-Real Net."""

import dataclasses
from typing import Literal

from lq_fda._keras import keras, larq, tf
from lq_fda.layers import (
    BinaryConv2D,
    FeatureDistributionAdjustment,
    FeatureFineTuning,
    GroupExcitation,
    MergingBatchNormalization,
)
from lq_fda.layers.binary_conv import Estimator
from lq_fda.layers.cousins import ChannelThreshold, ImageGate, ImageShift
from lq_fda.models.config import RECOMMENDED, ModelConfig, Part

layers = keras.layers

_GROUP_WIDTH = 8


@dataclasses.dataclass(frozen=True)
class Block:
    """How a block is built; the same for all the blocks of a network.

    Args:
        binarized: False builds the float twin.
        parts: What to put around the convolution.
        groups: Groups of the excitation; None: one for every 8 channels.
        reduction: Bottleneck of the excitation.
        estimator: The gradient of the sign; see `lq_fda.layers.BinaryConv2D`. None: the triangle behind an adjustment,
            which brings the values into its reach, and the window elsewhere.
        convolution: Whose binary convolution, `"lq_fda"` or `"larq"`.
    """

    binarized: bool = True
    parts: tuple[Part, ...] = RECOMMENDED
    groups: int | None = 4
    reduction: int = 2
    estimator: Estimator | None = None
    convolution: Literal["lq_fda", "larq"] = "lq_fda"

    @classmethod
    def of(cls, config: ModelConfig, *, groups: int | None, reduction: int) -> "Block":
        """The block that a configuration asks for, with the family's own groups and reduction where it is silent."""
        return cls(
            config.binarized,
            config.parts,
            config.groups or groups,
            config.reduction or reduction,
            config.estimator,
            config.convolution,
        )


def batch_norm(x, name: str | None = None):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def float_conv(x, filters: int, kernel_size: int, strides: int = 1, *, name: str):
    """Convolution and BatchNormalization that stay float: first layers and 1x1 shortcuts."""
    x = layers.Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return batch_norm(x, f"{name}_norm")


def binary_conv(x, filters: int, strides: int, *, block: Block, name: str):
    """The 3x3 binary convolution: ours, or Larq's with the settings of its guides and LCE's padding."""
    if block.convolution == "lq_fda":
        kind = next((part for part in block.parts if part.endswith("_weights")), "sign_weights")
        weights = kind.removesuffix("_weights")
        estimator = block.estimator or ("triangle" if "adjustment" in block.parts else "window")
        return BinaryConv2D(filters, 3, strides, estimator=estimator, weights=weights, name=name)(x)
    return larq.layers.QuantConv2D(
        filters,
        3,
        strides,
        padding="same",
        pad_values=1.0,
        use_bias=False,
        input_quantizer="ste_sign",
        kernel_quantizer="ste_sign",
        kernel_constraint="weight_clip",
        name=name,
    )(x)


def shortcut(x, filters: int, strides: int, *, name: str):
    """The identity, or, where the shape changes, average pooling and a float 1x1 convolution."""
    if strides == 1 and x.shape[-1] == filters:
        return x
    if strides > 1:
        x = layers.AveragePooling2D(strides, padding="same", name=f"{name}_pool")(x)
    return float_conv(x, filters, 1, name=f"{name}_conv")


def residual_conv(
    x: tf.Tensor, filters: int, strides: int = 1, *, block: Block = Block(), name: str | None = None
) -> tf.Tensor:
    """One 3x3 convolution with its own shortcut: the block to put into your own Keras model.

        x' = adjustment(x),  (x'', s) = excitation(x'),  y = s norm(conv(sign(x''))) + shortcut(x),  out = finetuning(y)

    With `block.binarized=False` it is its float twin: relu(norm(conv(x)) + shortcut(x)).

    Args:
        x: Feature map, (batch, height, width, channels).
        filters: Output channels.
        strides: 1 or 2.
        block: Which parts to use.
        name: Prefix of the layers' names; None lets Keras number them.

    Returns:
        Feature map, (batch, ceil(height / strides), ceil(width / strides), filters).

    ```python
    from lq_fda import keras
    from lq_fda.models import residual_conv

    inputs = keras.Input((32, 32, 64))
    model = keras.Model(inputs, residual_conv(inputs, 128, strides=2))
    assert model.output_shape == (None, 16, 16, 128)
    ```
    """
    name = name or f"residual_conv_{keras.backend.get_uid('residual_conv')}"
    bypass = shortcut(x, filters, strides, name=f"{name}_shortcut")
    if not block.binarized:
        y = layers.Conv2D(
            filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
        )(x)
        y = layers.Add(name=f"{name}_add")([batch_norm(y, f"{name}_norm"), bypass])
        return layers.ReLU(name=f"{name}_relu")(y)

    if "adjustment" in block.parts:
        x = FeatureDistributionAdjustment(name=f"{name}_adjustment")(x)
    if "threshold" in block.parts:
        x = ChannelThreshold(name=f"{name}_threshold")(x)
    if "shift" in block.parts:
        x = ImageShift(name=f"{name}_shift")(x)
    scales = []
    if "gate" in block.parts:
        scales.append(ImageGate(filters, name=f"{name}_gate")(x))
    if "excitation" in block.parts:
        groups = block.groups or max(1, x.shape[-1] // _GROUP_WIDTH)
        x, scale = GroupExcitation(groups, block.reduction, filters, name=f"{name}_excitation")(x)
        scales.append(scale)
    scale = layers.Multiply(name=f"{name}_scales")(scales) if len(scales) == 2 else next(iter(scales), None)
    y = binary_conv(x, filters, strides, block=block, name=f"{name}_conv")
    if "finetuning" in block.parts:
        y = MergingBatchNormalization(name=f"{name}_norm")(y)
        parts = [y, bypass] if scale is None else [y, bypass, scale]
        return FeatureFineTuning(name=f"{name}_finetuning")(parts)
    y = batch_norm(y, f"{name}_norm")
    if scale is not None:
        y = layers.Multiply(name=f"{name}_scale")([y, scale])
    return layers.Add(name=f"{name}_add")([y, bypass])


def classifier(x, classes: int):
    """Global average pooling and a float dense layer; logits in float32, whatever the precision of the rest."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(classes, dtype="float32", name="logits")(x)
