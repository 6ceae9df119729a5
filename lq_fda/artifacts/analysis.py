"""What an analysis of runs found: where they lose information, and what to try."""

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from lq_fda.artifacts.distribution import Distribution, Fraction

_CONTRACT = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Trend(pydantic.BaseModel):
    """What training's own diagnostics measured at one binarization point, one number an epoch; None: not measured.

    Args:
        layer: The convolution that takes the sign.
        positive: Share of +1, mean over the channels.
        imbalance: |2 p - 1|, mean over the channels: 0 when every channel is balanced, 1 when all are constant.
        inside: Share inside the window in which the sign passes a gradient, mean over the channels.
        flip_rate: Share of the kernel's signs that are others than after the epoch before.
    """

    model_config = _CONTRACT

    layer: str
    positive: tuple[Fraction | None, ...]
    imbalance: tuple[Fraction | None, ...]
    inside: tuple[Fraction | None, ...]
    flip_rate: tuple[Fraction | None, ...]


class RunAnalysis(pydantic.BaseModel):
    """One run.

    Args:
        name: Of its folder.
        network: Its topology by name.
        binarized: False for a float twin, whose `distribution` is that of signs that it does not have.
        parts: What its blocks have around the convolution.
        epochs: How many it has trained.
        planned: How many its recipe asks for.
        best_epoch: The one whose weights were measured, counted from 1.
        validation_accuracy: Of that epoch.
        distribution: What stands in front of every sign.
        trends: One a binarization point; none for a float twin.
    """

    model_config = _CONTRACT

    name: str
    network: str
    binarized: bool
    parts: tuple[str, ...]
    epochs: int = Field(ge=1)
    planned: int = Field(ge=1)
    best_epoch: int = Field(ge=1)
    validation_accuracy: Fraction
    distribution: Distribution
    trends: tuple[Trend, ...] = ()

    def has(self, quantity: Literal["positive", "imbalance", "inside", "flip_rate"]) -> bool:
        """Whether the run's history holds that quantity, for any layer and epoch."""
        return any(value is not None for trend in self.trends for value in getattr(trend, quantity))


class Remark(pydantic.BaseModel):
    """Something that stands out at a layer.

    Args:
        rule: The rule's name in `lq_fda.analysis.findings`.
        observation: What was measured, and what it means.
        attempt: What to try, and why.
    """

    model_config = _CONTRACT

    rule: str
    observation: str
    attempt: str


class Finding(pydantic.BaseModel):
    """One of the layers that lose the most.

    Args:
        layer: Its name.
        forward: Share of the convolution's output that survives both signs.
        backward: Share of the values that get a gradient.
        remarks: What stands out there; the first one weighs most.
    """

    model_config = _CONTRACT

    layer: str
    forward: Fraction
    backward: Fraction
    remarks: Annotated[tuple[Remark, ...], Field(min_length=1)]


class Analysis(pydantic.BaseModel):
    """The content of `analysis.json`.

    Args:
        runs: The run that was asked about, and those that stand beside it; all have the same binarization points.
        findings: The worst layers of the first run, the worst one first.
    """

    model_config = _CONTRACT

    format: Literal[1] = 1
    runs: Annotated[tuple[RunAnalysis, ...], Field(min_length=1)]
    findings: tuple[Finding, ...]
