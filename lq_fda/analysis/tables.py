"""An analysis for people to read in a terminal."""

from collections.abc import Callable

import numpy as np
from rich.console import Group
from rich.markup import escape
from rich.table import Column, Table

from lq_fda.artifacts import Analysis, BinarizationPoint, RunAnalysis

# Means over the channels; what a standard normal distribution in a window of 1 has is in the caption.
_QUANTITIES: dict[str, Callable[[BinarizationPoint], str]] = {
    "+1": lambda point: f"{np.mean(point.seen.positive):.0%}",
    "bits": lambda point: f"{point.seen.entropy.mean():.2f}",
    "inside": lambda point: f"{point.backward:.0%}",
    "std": lambda point: f"{np.sqrt(np.mean(point.seen.variance)):.2f}",
    "e_x": lambda point: f"{point.seen.quantization_error.mean():.0%}",
    "e_w": lambda point: f"{np.mean(point.kernel_error):.0%}",
    "dead": lambda point: str(point.seen.dead.sum()),
    "kept": lambda point: f"{point.kept:.0%}",
}


def tables(found: Analysis) -> Group:
    """Every binarization point of the first run, the worst ones in bold; and all runs side by side, as rich tables.

    Args:
        found: What `analyze` returned.
    """
    return Group(_layers(found), *([_runs(found)] if len(found.runs) > 1 else []))


def _layers(found: Analysis) -> Table:
    first = found.runs[0]
    table = Table(
        "layer",
        title=f"{escape(first.name)}: what the signs see",
        caption="A normal distribution: 50%, 1 bit, 68% inside, e_x and e_w 36%, 28% kept.",
    )
    for quantity in (*_QUANTITIES, "flips"):
        table.add_column(quantity, justify="right", no_wrap=True)
    worst = {finding.layer for finding in found.findings}
    flips = {trend.layer: trend.flip_rate[-1] for trend in first.trends}
    for point in first.distribution.points:
        rate = flips.get(point.name)
        numbers = (quantity(point) for quantity in _QUANTITIES.values())
        table.add_row(
            escape(point.name),
            *numbers,
            "-" if rate is None else f"{rate:.1%}",
            style="bold red" if point.name in worst else None,
        )
    return table


def _runs(found: Analysis) -> Table:
    table = Table(Column("run", overflow="fold"), title="Side by side, means over the layers")
    for quantity in ("validation", "bits", "inside", "e_x", "e_w", "dead", "kept"):
        table.add_column(quantity, justify="right", no_wrap=True)
    for run in found.runs:
        table.add_row(escape(run.name), f"{run.validation_accuracy:.2%}", *_means(run))
    return table


def _means(run: RunAnalysis) -> tuple[str, ...]:
    points = run.distribution.points
    dead = np.concatenate([point.seen.dead for point in points])

    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    return (
        f"{mean([point.seen.entropy.mean() for point in points]):.2f}",
        f"{mean([point.backward for point in points]):.0%}",
        f"{mean([point.seen.quantization_error.mean() for point in points]):.0%}",
        f"{mean([np.mean(point.kernel_error) for point in points]):.0%}",
        f"{dead.sum()} of {dead.size}",
        f"{mean([point.kept for point in points]):.0%}",
    )
