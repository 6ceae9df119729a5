"""What stands in front of the signs of a network, and how much of it a sign lets through.

`lq_fda.analysis` measures it, `distribution.json` and `analysis.json` hold it, `lq_fda.reporting` draws it.
"""

from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import pydantic
from pydantic import Field

Fraction = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
_CONTRACT = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ValueDistribution(pydantic.BaseModel):
    """The values x of one feature map over all images and positions.

    Args:
        positive: Share of values that become +1: the balance, p; one number a channel.
        inside: Share of values inside the window in which the sign passes a gradient, one number a channel.
        mean: One number a channel.
        variance: One number a channel.
        magnitude: Mean of |x|, one number a channel.
        counts: Histogram of all channels together, one count a bin.
        below: Values under the first edge.
        above: Values over the last edge.

    ```python
    from lq_fda.artifacts import ValueDistribution

    # Two channels: -1, 1, -1, 1 and 1, 2, 1, 2.
    values = ValueDistribution(
        positive=(0.5, 1.0), inside=(1.0, 0.5), mean=(0.0, 1.5), variance=(1.0, 0.25), magnitude=(1.0, 1.5), counts=(8,)
    )
    assert values.entropy.tolist() == [1.0, 0.0]
    assert values.quantization_error.tolist() == [0.0, 1.0]
    assert values.dead.tolist() == [False, True]
    ```
    """

    model_config = _CONTRACT

    positive: tuple[Fraction, ...] = Field(min_length=1)
    inside: tuple[Fraction, ...] = Field(min_length=1)
    mean: tuple[float, ...] = Field(min_length=1)
    variance: tuple[NotNegative, ...] = Field(min_length=1)
    magnitude: tuple[NotNegative, ...] = Field(min_length=1)
    counts: tuple[Count, ...] = Field(min_length=1)
    below: Count = 0
    above: Count = 0

    @pydantic.model_validator(mode="after")
    def _channels_agree(self) -> "ValueDistribution":
        sizes = {name: len(getattr(self, name)) for name in ("positive", "inside", "mean", "variance", "magnitude")}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"Every quantity must have one number a channel. Received: {sizes}.")
        return self

    @property
    def entropy(self) -> np.ndarray:
        """Bits that a sign carries at most, one number a channel: -p log2 p - (1 - p) log2 (1 - p); 1 at p = 0.5."""
        shares = np.array([self.positive, 1 - np.array(self.positive)])
        # The limit of p log p at 0 is 0.
        return -(shares * np.log2(shares, where=shares > 0, out=np.zeros_like(shares))).sum(0) + 0.0

    @property
    def quantization_error(self) -> np.ndarray:
        """Share of a channel's variance that its sign s = sign(x) loses, at the scale a and offset b that suit it best:

            e = min E[(x - a s - b)^2] / Var[x] = 1 - Cov[x, s]^2 / (Var[x] Var[s]),  a = Cov[x, s] / Var[s]

        Scale and offset count for nothing, for the BatchNormalization behind a binary convolution makes up for both.
        With p = 0.5 this is XNOR-Net's error (Rastegari et al., ECCV 2016), where a = E|x|. A normal distribution
        around zero loses 1 - 2 / pi = 0.363, a uniform one 0.25, two equal peaks 0, a channel of one sign 1.
        """
        positive, magnitude = np.array(self.positive), np.array(self.magnitude)
        covariance = magnitude - np.array(self.mean) * (2 * positive - 1)
        variances = np.array(self.variance) * 4 * positive * (1 - positive)
        kept = np.divide(covariance**2, variances, where=variances > 0, out=np.zeros_like(variances))
        return np.clip(1 - kept, 0, 1)

    @property
    def dead(self) -> np.ndarray:
        """Which channels had one sign everywhere: they tell nothing about an image."""
        positive = np.array(self.positive)
        return (positive == 0) | (positive == 1)

    @property
    def blocked(self) -> np.ndarray:
        """Which channels get next to no gradient: fewer than 1 % of their values lie inside the window."""
        return np.array(self.inside) < 0.01


class BinarizationPoint(pydantic.BaseModel):
    """One place where a feature map is binarized; in a float twin, where it would be.

    Args:
        name: The convolution that takes the sign.
        window: Half the width of the window in which the sign passes a gradient; None: everywhere.
        edges: Edges of the histogram bins, one more than there are bins, increasing.
        before: The feature map as the block receives it.
        after: The same map as the sign sees it; None in a network that adjusts nothing here.
        kernel_error: Share of a filter's energy that its signs lose at their best scale a = E|w|, one number a filter:
            min E[(w - a sign(w))^2] / E[w^2] = 1 - E[|w|]^2 / E[w^2].
    """

    model_config = _CONTRACT

    name: str
    window: Annotated[float, Field(gt=0)] | None = 1.0
    edges: tuple[float, ...] = Field(min_length=2)
    before: ValueDistribution
    after: ValueDistribution | None = None
    kernel_error: tuple[Fraction, ...] = Field(min_length=1)

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

    @property
    def seen(self) -> ValueDistribution:
        """What the sign sees."""
        return self.before if self.after is None else self.after

    @property
    def forward(self) -> float:
        """Share of the convolution's output that survives both signs: (1 - e_x) (1 - e_w).

        With independent values and weights around zero, the squared correlation of sum x w with
        sum sign(x) sign(w) is the product of those of x and of w with their signs. Both errors are means over the
        channels. Two normal distributions keep (2 / pi)^2 = 0.405.
        """
        return (1 - float(self.seen.quantization_error.mean())) * (1 - float(np.mean(self.kernel_error)))

    @property
    def backward(self) -> float:
        """Share of the values that the sign gives a gradient; 0.683 for a standard normal distribution, window 1."""
        return float(np.mean(self.seen.inside))

    @property
    def kept(self) -> float:
        """What survives in both directions, forward times backward: the layer with the least is the worst."""
        return self.forward * self.backward


class Distribution(pydantic.BaseModel):
    """The content of `distribution.json`: every binarization point in the order of execution."""

    model_config = _CONTRACT

    format: Literal[2] = 2
    split: Literal["train", "validation", "test"]
    images: int = Field(ge=1)
    points: tuple[BinarizationPoint, ...] = Field(min_length=1)
