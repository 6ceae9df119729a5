"""What a network is, as plain values that go into a recipe and a manifest."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from lq_fda.layers.binary_conv import Estimator

Part = Literal[
    "adjustment",
    "excitation",
    "finetuning",
    "threshold",
    "shift",
    "gate",
    "standardized_weights",
    "clamped_weights",
    "float_weights",
]
_WEIGHTS = ("standardized_weights", "clamped_weights", "float_weights")
_Size = Annotated[int, Field(ge=1)]
_Multiplier = Annotated[float, Field(gt=0, le=8)]
_CHANNELS_A_STEP = 8
PARTS: tuple[Part, ...] = ("adjustment", "excitation", "finetuning")
"""The three layers."""
RECOMMENDED: tuple[Part, ...] = (*PARTS, "standardized_weights")
"""The three layers with standardized weights, which cost nothing on a device; docs/accuracy.md has the figures."""
COUSINS: dict[str, tuple[Part, ...]] = {
    "ir_net": ("standardized_weights",),
    "recu": ("clamped_weights",),
    "reactnet": ("threshold", "finetuning"),
    "sd_bnn": ("shift",),
    "real_to_binary": ("gate",),
}
"""What is particular to the blocks of published networks, in parts of ours."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ModelConfig:
    """A network by name, with the choices that every family understands.

    Args:
        name: A key of the registry; `lq_fda.models.names()` lists them.
        input_shape: Height, width, channels of an image; None for any height or width.
        classes: Outputs.
        binarized: False builds the float twin: the same topology, no sign anywhere.
        parts: What every binary convolution gets: our three layers, or what published networks have in their place
            (`lq_fda.layers.cousins`); () is the plain Bi-Real/Larq block. `float_weights` is for the first of two
            stages of training.
        estimator: The gradient of the sign; see `lq_fda.layers.BinaryConv2D`. None: what suits the parts, the triangle
            behind an adjustment and the window elsewhere.
        groups: Groups of the excitation; more groups make it smaller. None: what suits the network's width.
        reduction: Bottleneck of the excitation; None: what suits the network's width.
        width: Multiplies the channels of every layer, in steps of 8.
        depth: Multiplies the binary convolutions of every stage; at least one stays.
        convolution: `"larq"` takes Larq's own QuantConv2D in place of `lq_fda.layers.BinaryConv2D`, as somebody without
            this package would: the yardstick of the training speed.
    """

    name: str = "resnet20"
    input_shape: tuple[_Size | None, _Size | None, _Size] = (32, 32, 3)
    classes: int = Field(default=10, ge=2)
    binarized: bool = True
    parts: tuple[Part, ...] = RECOMMENDED
    groups: int | None = Field(default=None, ge=1)
    reduction: int | None = Field(default=None, ge=1)
    estimator: Estimator | None = None
    width: _Multiplier = 1.0
    depth: _Multiplier = 1.0
    convolution: Literal["lq_fda", "larq"] = "lq_fda"

    def __post_init__(self) -> None:
        kinds = [part for part in self.parts if part in _WEIGHTS]
        if len(kinds) > 1:
            raise ValueError(f"A network has one kind of weights. Received: {', '.join(kinds)}.")

    def channels(self, channels: int) -> int:
        """How many channels a layer has that has `channels` at width 1."""
        if self.width == 1:
            return channels
        return max(1, round(self.width * channels / _CHANNELS_A_STEP)) * _CHANNELS_A_STEP

    def convolutions(self, count: int) -> int:
        """How many binary convolutions a stage has that has `count` at depth 1."""
        return max(1, round(self.depth * count))
