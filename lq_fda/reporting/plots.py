"""Figures as SVG text that needs no other file: those of the report, and what all figures share."""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from lq_fda.artifacts import BenchmarkRecord, Bundle, Distribution

LABELS = {Bundle.MODEL: "1-bit", Bundle.INT8: "int8 twin", Bundle.FLOAT: "float twin"}

# Okabe and Ito's palette tells colours apart for every kind of colour vision, on white and on black.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#7f8c98"
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.color": GREY,
    "svg.fonttype": "none",
    "svg.hashsalt": "lq-fda",
}


def svg(figure: Figure) -> str:
    """A figure as an SVG element that is the same every time."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def curves(histories: dict[str, list[dict[str, float]]]) -> str:
    """Validation accuracy and training loss over the epochs, one line a network."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 2.8))
        accuracy, loss = figure.subplots(1, 2)
        for (name, rows), colour in zip(histories.items(), (BLUE, ORANGE), strict=False):
            epochs = [row["epoch"] for row in rows]
            accuracy.plot(epochs, [100 * row["validation_accuracy"] for row in rows], color=colour, label=name)
            loss.plot(epochs, [row["loss"] for row in rows], color=colour, label=name)
        accuracy.set(xlabel="epoch", ylabel="validation accuracy, %")
        loss.set(xlabel="epoch", ylabel="training loss")
        accuracy.legend(frameon=False)
        return svg(figure)


def distributions(distribution: Distribution) -> str:
    """A histogram for each binarization point: before the adjustment in grey, what the sign sees in blue."""
    points = distribution.points
    columns = min(4, len(points))
    rows = -(-len(points) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.3 * columns, 1.6 * rows))
        axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for axis, point in zip(axes, points, strict=False):
            edges = np.array(point.edges)
            axis.stairs(point.before.counts, edges, color=GREY, fill=True, alpha=0.45)
            if point.after is not None:
                axis.stairs(point.after.counts, edges, color=BLUE, linewidth=1.4)
            axis.axvline(0, color=ORANGE, linewidth=0.8)
            axis.set_title(point.name, fontsize=8)
            axis.set_yticks([])
        for axis in axes[len(points) :]:
            axis.set_visible(False)
        figure.tight_layout()
        return svg(figure)


def bars(records: Sequence[BenchmarkRecord]) -> str:
    """Median latency, one bar a device, file, runtime and thread count, and file size, one bar a file."""
    runtimes = {record.runtime for record in records if record.file == Bundle.MODEL}
    several_threads = len({record.threads for record in records}) > 1
    several_devices = len({record.device for record in records}) > 1
    latencies, sizes, colours = {}, {}, {}
    for record in records:
        file = LABELS.get(record.file, record.file)
        name = f"{file} ({record.runtime})" if record.file == Bundle.MODEL and len(runtimes) > 1 else file
        name += f", {record.threads} threads" if several_threads else ""
        name += f", {record.device}" if several_devices else ""
        latencies[name], sizes[file] = record.median_ms, record.file_bytes / 1024
        colours[name] = colours[file] = BLUE if record.file == Bundle.MODEL else GREY
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.7 + 0.3 * len(latencies)))
        latency, size = figure.subplots(1, 2)
        for axis, values, unit in ((latency, latencies, "median latency, ms"), (size, sizes, "file size, KiB")):
            drawn = axis.barh(list(values), values.values(), color=[colours[name] for name in values], height=0.6)
            axis.bar_label(drawn, fmt="%.3g", padding=3, color=GREY)
            axis.invert_yaxis()
            axis.set_xlabel(unit)
        figure.tight_layout()
        return svg(figure)
