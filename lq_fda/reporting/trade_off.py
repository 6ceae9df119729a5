"""Accuracy against what it costs: the figure of a search."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lq_fda.reporting.plots import BLUE, GREY, ORANGE, STYLE

_UNITS = {"latency_ms": ("latency, ms", 1.0), "size_bytes": ("file size, KiB", 1 / 1024)}


class TradeOffPoint(NamedTuple):
    """A network: its name in the figure, accuracy (None if its trial failed), median latency and file size."""

    name: str
    accuracy: float | None
    latency_ms: float
    size_bytes: float


def trade_off(
    points: Sequence[TradeOffPoint],
    fronts: Mapping[str, Sequence[TradeOffPoint]],
    *,
    limits: Mapping[str, float],
    runtime: str,
) -> bytes:
    """Validation accuracy against latency and against size, as PNG.

    Networks without an accuracy, over the budget or diverged, are crosses at the foot.

    Args:
        points: All of them.
        fronts: The points of the Pareto front, by `"latency_ms"` and `"size_bytes"`.
        limits: The budget, by the same names; others are left out.
        runtime: What measured the latency.

    ```python
    from lq_fda.reporting import TradeOffPoint, trade_off

    point = TradeOffPoint("0", 0.9, 0.2, 50_000)
    content = trade_off([point], {"latency_ms": [point], "size_bytes": [point]}, limits={}, runtime="lce")
    assert content[1:4] == b"PNG"
    ```
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.6))
        for axis, (cost, (label, scale)) in zip(figure.subplots(1, 2, sharey=True), _UNITS.items(), strict=True):
            _draw(axis, points, fronts[cost], cost, scale)
            if cost in limits:
                axis.axvline(limits[cost] * scale, color=ORANGE, linewidth=1, linestyle="--", label="budget")
            axis.set_xlabel(f"{label} ({runtime}, one thread)" if cost == "latency_ms" else label)
            axis.set_xlim(left=0)
        figure.axes[0].set_ylabel("validation accuracy, %")
        named = {
            label: line for axis in figure.axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(named.values(), named, loc="upper center", ncols=max(1, len(named)), frameon=False)
        figure.tight_layout(rect=(0, 0, 1, 0.93))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150, facecolor="white")
        return buffer.getvalue()


def _draw(axis: Axes, points: Sequence[TradeOffPoint], front: Sequence[TradeOffPoint], cost: str, scale: float) -> None:
    def place(chosen: Sequence[TradeOffPoint]) -> tuple[list[float], list[float]]:
        return [getattr(point, cost) * scale for point in chosen], [100 * point.accuracy for point in chosen]

    trained = [point for point in points if point.accuracy is not None]
    left_out = [getattr(point, cost) * scale for point in points if point.accuracy is None]
    if trained:
        axis.scatter(*place(trained), color=GREY, s=18, alpha=0.6, label="trial")
        steps = sorted(front, key=lambda point: getattr(point, cost))
        axis.step(
            *place(steps), where="post", color=BLUE, linewidth=1.4, marker="o", markersize=4, label="Pareto front"
        )
        for point, x, y in zip(steps, *place(steps), strict=True):
            axis.annotate(point.name, (x, y), textcoords="offset points", xytext=(4, 5), fontsize=7, color=BLUE)
    if left_out:
        foot = axis.get_xaxis_transform()
        axis.plot(left_out, [0.02] * len(left_out), "x", color=ORANGE, transform=foot, label="failed")
