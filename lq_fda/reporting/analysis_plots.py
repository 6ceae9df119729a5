"""The figures of an analysis, as PNG files that a person reads at a glance."""

import io
import itertools
from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from lq_fda.artifacts import Analysis, BinarizationPoint, RunAnalysis
from lq_fda.reporting.plots import BLUE, GREEN, GREY, ORANGE, STYLE

_DARK = "#333b44"
# The rest of Okabe and Ito's palette; what comes after has other markers.
_COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = ("o", "^", "s")
_ON_PAPER = {**STYLE, "text.color": _DARK, "axes.labelcolor": _DARK, "xtick.color": _DARK, "ytick.color": _DARK}
_COLUMNS = 6
# Of a normal distribution around zero, as wide as the window.
_NORMAL = {"bits": 1.0, "inside": 0.683, "e_x": 0.363, "e_w": 0.363, "std": 1.0, "kept": 0.277}


def figures(found: Analysis) -> dict[str, bytes]:
    """Every figure of an analysis, by file name."""
    drawn = {
        "histograms.png": histograms(found),
        "balance.png": balance(found),
        "depth.png": depth(found),
        "epochs.png": epochs(found),
    }
    return {name: _png(figure) for name, figure in drawn.items()}


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def _labels(found: Analysis) -> list[str]:
    """The layers' names without what all of them share."""
    names = [point.name for point in found.runs[0].distribution.points]
    return [name.removesuffix("_conv") for name in names] if all(name.endswith("_conv") for name in names) else names


def _mark_worst(texts: Sequence[Text], found: Analysis) -> None:
    """Prints the names of the worst layers of the first run in colour."""
    worst = {finding.layer for finding in found.findings}
    for text, point in zip(texts, found.runs[0].distribution.points, strict=False):
        if point.name in worst:
            text.set(color=ORANGE, fontweight="bold")


def histograms(found: Analysis) -> Figure:
    """What every block of the first run receives, in grey, and what its sign sees, in blue."""
    run = found.runs[0]
    points = run.distribution.points
    columns = min(_COLUMNS, len(points))
    rows = -(-len(points) // columns)
    with matplotlib.rc_context(_ON_PAPER):
        figure = Figure(figsize=(max(6, 2.1 * columns), 1.75 * rows + 1.0), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        titles = []
        for axis, point, label in zip(axes, points, _labels(found), strict=False):
            _histogram(axis, point)
            share = f"{np.mean(point.seen.positive):.0%} are +1, {point.backward:.0%} inside"
            titles.append(axis.set_title(f"{label}\n{share}", fontsize=8, loc="left"))
        _mark_worst(titles, found)
        for axis in axes[len(points) :]:
            axis.set_visible(False)
        figure.suptitle(
            f"{run.name}: values in front of every sign, {run.distribution.images} {run.distribution.split} images; "
            "the worst layers in colour",
            x=0.01,
            ha="left",
            fontsize=11,
        )
        adjusted = next((axis for axis, point in zip(axes, points, strict=False) if point.after is not None), axes[0])
        handles, names = adjusted.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=len(names), frameon=False)
        return figure


def _histogram(axis: Axes, point: BinarizationPoint) -> None:
    edges = np.array(point.edges)
    if point.window is not None:
        axis.axvspan(-point.window, point.window, color=GREEN, alpha=0.13, linewidth=0, label="the gradient passes")
    received = "what the block receives" if point.after is not None else "what the sign sees"
    colour = GREY if point.after is not None else BLUE
    axis.stairs(point.before.counts, edges, color=colour, fill=True, alpha=0.45, label=received)
    if point.after is not None:
        axis.stairs(point.after.counts, edges, color=BLUE, linewidth=1.4, label="what the sign sees")
    axis.axvline(0, color=ORANGE, linewidth=1, label="zero")
    axis.set_ylim(0, 1.08 * max(point.seen.counts))
    axis.set_xlim(edges[0], edges[-1])
    axis.set_yticks([])
    axis.tick_params(labelsize=7)


def balance(found: Analysis) -> Figure:
    """Share of +1, a row a layer; its channels are sorted and stretched to one width."""
    runs, labels = found.runs, _labels(found)
    with matplotlib.rc_context(_ON_PAPER):
        figure = Figure(figsize=(1.9 + 2.6 * len(runs), 1.3 + 0.24 * len(labels)), layout="constrained")
        axes = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
        for axis, run in zip(axes, runs, strict=True):
            rows = [_stretched(np.sort(point.seen.positive)) for point in run.distribution.points]
            image = axis.imshow(
                rows, cmap="RdBu_r", vmin=0, vmax=1, aspect="auto", interpolation="nearest", extent=_extent(rows, 100)
            )
            axis.set_title(_with_bits(run), fontsize=9, loc="left")
            axis.set_xlabel("channels, sorted, %")
        axes[0].set_yticks(range(len(labels)), labels, fontsize=8)
        _mark_worst(axes[0].get_yticklabels(), found)
        bar = figure.colorbar(image, ax=axes, shrink=0.9, pad=0.02, ticks=[0, 0.25, 0.5, 0.75, 1])
        bar.ax.set_yticklabels(["0: always -1", "0.25", "0.5: balanced", "0.75", "1: always +1"])
        bar.outline.set_visible(False)
        figure.suptitle("Share of +1, channel by channel", x=0.01, ha="left", fontsize=11)
        return figure


def _stretched(values: np.ndarray, width: int = 240) -> np.ndarray:
    return values[np.arange(width) * len(values) // width]


def _extent(rows: Sequence[np.ndarray], right: float, left: float = 0.0) -> tuple[float, float, float, float]:
    return (left, right, len(rows) - 0.5, -0.5)


def _with_bits(run: RunAnalysis) -> str:
    bits = np.mean([point.seen.entropy.mean() for point in run.distribution.points])
    would = "" if run.binarized else ", if it had signs"
    return f"{run.name}{would}\n{bits:.2f} bits a sign"


def depth(found: Analysis) -> Figure:
    """What every run keeps at every layer, from the first to the last; dotted is a normal distribution."""
    panels: dict[str, tuple[str, Callable[[BinarizationPoint], float]]] = {
        "bits": ("bits a sign", lambda point: point.seen.entropy.mean()),
        "inside": ("share with a gradient", lambda point: point.backward),
        "std": ("standard deviation in front of the sign", lambda point: np.sqrt(np.mean(point.seen.variance))),
        "e_x": ("lost by the signs of the values", lambda point: point.seen.quantization_error.mean()),
        "e_w": ("lost by the signs of the kernel", lambda point: np.mean(point.kernel_error)),
        "kept": ("kept, forward x backward", lambda point: point.kept),
    }
    runs, labels = found.runs, _labels(found)
    places = np.arange(len(labels))
    with matplotlib.rc_context(_ON_PAPER):
        figure = Figure(figsize=(11, 5.6), layout="constrained")
        axes = figure.subplots(2, 3, sharex=True).ravel()
        for axis, (quantity, (title, value)) in zip(axes, panels.items(), strict=True):
            axis.axhline(_NORMAL[quantity], color=GREY, linewidth=1, linestyle=":", label="normal distribution")
            for run, line in zip(runs, _lines(runs), strict=True):
                numbers = [value(point) for point in run.distribution.points]
                axis.plot(places, numbers, label=f"{run.name} ({run.validation_accuracy:.1%})", markersize=3, **line)
            axis.set_title(title, fontsize=9, loc="left")
            axis.set_ylim(bottom=0)
            axis.grid(axis="y", color=GREY, alpha=0.2)
        for axis in axes[3:]:
            axis.set_xticks(places, labels, rotation=90, fontsize=7)
            _mark_worst(axis.get_xticklabels(), found)
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(
            handles[1:] + handles[:1], names[1:] + names[:1], loc="outside upper right", ncols=4, frameon=False
        )
        figure.suptitle("Along the network", x=0.01, ha="left", fontsize=11)
        return figure


def _lines(runs: Sequence[RunAnalysis]) -> list[dict[str, str]]:
    """How the line of each run looks: float twins are dashed, the others have the colours in their order."""
    looks = itertools.cycle(itertools.product(_MARKERS, _COLOURS))
    lines = []
    for run in runs:
        marker, colour = next(looks) if run.binarized else ("o", _DARK)
        lines.append({"color": colour, "marker": marker, "linestyle": "-" if run.binarized else "--"})
    return lines


def epochs(found: Analysis) -> Figure:
    """Flip rate, imbalance and gradient share of every layer over the epochs, from the history of each run."""
    panels: dict[str, tuple[str, str, Normalize]] = {
        # An epoch flips half of the signs at first, and one in a thousand at last.
        "flip_rate": ("flipped signs of the kernel, %", "viridis", LogNorm(0.1, 50, clip=True)),
        "imbalance": ("imbalance |2p - 1|, %", "magma_r", Normalize(0, 100)),
        "inside": ("share with a gradient, %", "cividis", Normalize(0, 100)),
    }
    runs, labels = [run for run in found.runs if run.binarized], _labels(found)
    with matplotlib.rc_context(_ON_PAPER):
        figure = Figure(figsize=(11, (1.1 + 0.21 * len(labels)) * len(runs)), layout="constrained")
        axes = figure.subplots(len(runs), len(panels), sharey=True, squeeze=False)
        for row, run in zip(axes, runs, strict=True):
            for axis, (quantity, (title, colours, norm)) in zip(row, panels.items(), strict=True):
                axis.set_title(f"{run.name}: {title}", fontsize=9, loc="left")
                if not run.has(quantity):
                    _say_nothing_recorded(axis, len(labels))
                    continue
                values = [getattr(trend, quantity) for trend in run.trends]
                rows = 100 * np.array(values, dtype=float)  # None becomes NaN, which stays white.
                extent = _extent(rows, run.epochs + 0.5, 0.5)
                image = axis.imshow(
                    rows, cmap=colours, norm=norm, aspect="auto", interpolation="nearest", extent=extent
                )
                axis.set_xlabel("epoch")
                axis.xaxis.set_major_locator(MaxNLocator(integer=True))
                figure.colorbar(image, ax=axis, pad=0.02, format="%g").outline.set_visible(False)
            row[0].set_yticks(range(len(labels)), labels, fontsize=7)
            _mark_worst(row[0].get_yticklabels(), found)
        figure.suptitle("In the course of training", x=0.01, ha="left", fontsize=11)
        return figure


def _say_nothing_recorded(axis: Axes, layers: int) -> None:
    axis.text(
        0.5,
        0.5,
        "not recorded: the version that\ntrained this run did not measure it",
        ha="center",
        va="center",
        color=GREY,
        transform=axis.transAxes,
    )
    axis.set_ylim(layers - 0.5, -0.5)
    axis.set_xticks([])
