"""What the feature distribution adjustment does to the values that are about to lose all but their sign.

The analysis writes `distribution.json`; the report draws it.
"""

from itertools import pairwise
from typing import Annotated, Literal

import pydantic
from pydantic import Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class ValueDistribution(pydantic.BaseModel):
    """The values of one feature map over all images and positions.

    Args:
        positive: Share of values that become +1, one number a channel.
        inside: Share of values with |x| <= 1, the window of the straight-through gradient, one number a channel.
        counts: Histogram of all channels together, one count a bin.
        below: Values under the first edge.
        above: Values over the last edge.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    positive: tuple[Fraction, ...] = Field(min_length=1)
    inside: tuple[Fraction, ...] = Field(min_length=1)
    counts: tuple[Count, ...] = Field(min_length=1)
    below: Count = 0
    above: Count = 0

    @pydantic.model_validator(mode="after")
    def _channels_agree(self) -> "ValueDistribution":
        if len(self.positive) != len(self.inside):
            raise ValueError(
                "`positive` and `inside` must have one number a channel each. "
                f"Received: {len(self.positive)} and {len(self.inside)} numbers."
            )
        return self


class BinarizationPoint(pydantic.BaseModel):
    """One place where a feature map is binarized.

    Args:
        name: The layer that takes the sign.
        edges: Edges of the histogram bins, one more than there are bins, increasing.
        before: The feature map as the block receives it.
        after: The same map as the sign sees it; None in a network that adjusts nothing here.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    name: str
    edges: tuple[float, ...] = Field(min_length=2)
    before: ValueDistribution
    after: ValueDistribution | None = None

    @pydantic.model_validator(mode="after")
    def _bins_agree(self) -> "BinarizationPoint":
        if any(left >= right for left, right in pairwise(self.edges)):
            raise ValueError(f"`edges` must increase. Received: edges={self.edges}.")
        for side in (self.before, self.after):
            if side is not None and len(side.counts) != len(self.edges) - 1:
                raise ValueError(
                    f"A histogram must have one count a bin. Expected {len(self.edges) - 1} counts. "
                    f"Received: {len(side.counts)} counts."
                )
        return self


class Distribution(pydantic.BaseModel):
    """The content of `distribution.json`: every binarization point in the order of execution."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    split: Literal["train", "validation", "test"]
    images: int = Field(ge=1)
    points: tuple[BinarizationPoint, ...]
