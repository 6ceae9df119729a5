"""What each part of the block costs on the device: time to convert, bytes, latency, beside the plain 1-bit network.

The networks are not trained: their cost does not depend on what they learned. But every weight gets values of its own,
as training would give it: folding drops constants that do nothing, and equal ones are stored once.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pydantic
from rich.table import Column, Table

from lq_fda import conversion, models, runtimes
from lq_fda._keras import keras
from lq_fda.artifacts import describe_measurement
from lq_fda.benchmarking import Protocol, summarize, time_interleaved
from lq_fda.models import PARTS

__all__ = ["PartCost", "give_values", "measure_part_costs", "part_cost_table"]

_POSITIVE = ("gamma", "variance", "slope")
_CASES: tuple[tuple[str, ...], ...] = ((), *((part,) for part in PARTS), PARTS)


class PartCost(pydantic.BaseModel):
    """The cost of one choice of parts; compare only with records of the same `run`.

    Args:
        parts: Which of the three layers the blocks have.
        conversion_seconds: Folding, conversion and report together.
        file_bytes: Size of the file.
        median_ms: Of one image on one thread; `min_ms` and `p90_ms` likewise.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    kind: Literal["part_cost"] = "part_cost"
    run: str
    date: str
    model: str
    input_shape: tuple[int, ...]
    classes: int
    parts: tuple[str, ...]
    runtime: str
    runtime_version: str
    settings: dict[str, Any]
    conversion_seconds: float
    file_bytes: int
    rounds: int
    median_ms: float
    min_ms: float
    p90_ms: float
    environment: dict[str, Any]
    command: str


def measure_part_costs(
    name: str,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    protocol: Protocol = Protocol(),  # noqa: B008
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> list[PartCost]:
    """Converts a network with none, each and all of the three parts, and times the files in turn.

    Args:
        name: Of the network.
        input_shape: Height, width, channels.
        classes: Outputs.
        protocol: How often to run.
        progress: Called with a step's name, what is done and how much there is.

    Returns:
        One record a choice; the plain network first.

    Raises:
        LqFdaError: No such network.

    ```python
    from lq_fda.benchmarking import Protocol
    from lq_fda.part_costs import measure_part_costs

    plain, *_, full = measure_part_costs("tiny", protocol=Protocol(warmups=1, rounds=2))
    assert plain.file_bytes < full.file_bytes
    ```
    """
    contents, seconds = {}, {}
    for index, parts in enumerate(_CASES):
        progress("converting", index, len(_CASES))
        model = models.create(name, input_shape=input_shape, classes=classes, parts=parts)
        give_values(model)
        began = time.perf_counter()
        folded = conversion.fold(model)
        contents[parts] = conversion.to_lce(folded)
        conversion.require_binary(conversion.report(folded, contents[parts]))
        seconds[parts] = time.perf_counter() - began
    sessions = {parts: runtimes.open_session("lce", content) for parts, content in contents.items()}
    times = time_interleaved(sessions, protocol, lambda done: progress("rounds", done, protocol.rounds))
    shared = describe_measurement()
    return [
        PartCost(
            model=name,
            input_shape=input_shape,
            classes=classes,
            parts=parts,
            runtime=session.runtime,
            runtime_version=session.version,
            settings=session.settings,
            conversion_seconds=seconds[parts],
            file_bytes=len(contents[parts]),
            rounds=protocol.rounds,
            **summarize(times[parts]),
            **shared,
        )
        for parts, session in sessions.items()
    ]


def part_cost_table(costs: Sequence[PartCost]) -> Table:
    """One row a choice, with ratios to the plain network.

    Args:
        costs: What `measure_part_costs` returned.
    """
    plain = costs[0]
    table = Table(Column("parts", no_wrap=True), title=f"Cost of the parts: {plain.model}")
    for column in ("conversion s", "KiB", "x plain", "median ms", "x plain", "min ms", "x plain"):
        table.add_column(column, justify="right")
    for cost in costs:
        table.add_row(
            "all" if cost.parts == PARTS else ", ".join(cost.parts) or "plain",
            f"{cost.conversion_seconds:.1f}",
            f"{cost.file_bytes / 1024:.0f}",
            f"{cost.file_bytes / plain.file_bytes:.3f}",
            f"{cost.median_ms:.3f}",
            f"{cost.median_ms / plain.median_ms:.3f}",
            f"{cost.min_ms:.3f}",
            f"{cost.min_ms / plain.min_ms:.3f}",
        )
    return table


def give_values(model: keras.Model) -> None:
    """Replaces what the initializers left constant: zeros fold away, and equal constants are stored once.

    Args:
        model: Its weights are changed, the same way each time.
    """
    generator = np.random.default_rng(0)
    for weight in model.weights:
        if np.ptp(weight.numpy()) == 0:
            positive = any(word in weight.name for word in _POSITIVE)
            spread = generator.uniform(0.5, 1.5, weight.shape)
            weight.assign(spread if positive else generator.normal(size=weight.shape) * 0.3)
