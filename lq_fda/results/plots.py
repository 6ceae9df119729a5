"""Records as figures."""

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from lq_fda.artifacts import PeerRecord, RunRecord, read_records, write_atomic
from lq_fda.reporting.plots import BLUE, GREY, ORANGE, STYLE, svg
from lq_fda.results.tables import by_variant, on_test, runs_of


def write_plots(folder: Path, output: Path) -> list[Path]:
    """Draws the ablation, the long runs and the latencies.

    Args:
        folder: Of the records.
        output: Where the SVG files go.

    Returns:
        The files; none for a study that has no record.

    Raises:
        LqFdaError: Records are damaged, or a file cannot be written.
    """
    figures = _figures(folder, output)
    for path, figure in figures.items():
        write_atomic(path, figure)
    return list(figures)


def outdated_plots(folder: Path, output: Path) -> list[Path]:
    """The figures that are not what the records say.

    Args:
        folder: Of the records.
        output: Where `write_plots` has put them.

    Raises:
        LqFdaError: Records are damaged.
    """
    return [path for path, figure in _figures(folder, output).items() if not _holds(path, figure)]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _figures(folder: Path, output: Path) -> dict[Path, str]:
    runs = list(read_records(folder / "runs.jsonl", RunRecord))
    figures = {
        "ablation": ablation_figure(runs_of("ablation", runs)),
        "long_runs": curve_figure(runs_of("long", runs)),
        "latency": latency_figure(list(read_records(folder / "peers.jsonl", PeerRecord))),
    }
    return {output / f"{name}.svg": figure for name, figure in figures.items() if figure is not None}


def ablation_figure(records: Iterable[RunRecord]) -> str | None:
    """A row for each choice of parts: a dot for every seed, a stroke at their mean."""
    variants = by_variant(records)
    if not variants:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.9 + 0.3 * len(variants)))
        axis = figure.subplots()
        for row, runs in enumerate(variants.values()):
            tests = [on_test(run) for run in runs]
            axis.axhline(row, color=GREY, linewidth=0.4)
            axis.plot(statistics.mean(tests), row, "|", color=ORANGE, markersize=14)
            axis.plot(tests, [row] * len(tests), "o", color=BLUE, markersize=4)
        axis.set_yticks(range(len(variants)), [name.replace("_", " ") for name in variants])
        axis.invert_yaxis()
        axis.margins(y=0.15)
        axis.set_xlabel("top-1 on the test split, %; a dot is a seed, the stroke their mean")
        return svg(figure)


def curve_figure(records: Sequence[RunRecord]) -> str | None:
    """Validation accuracy over the epochs: a panel for each network, 1-bit and float."""
    networks = list(dict.fromkeys(record.recipe["model"]["name"] for record in records))
    if not networks:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 2.8))
        axes = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
        for axis, network in zip(axes, networks, strict=True):
            for record in records:
                model = record.recipe["model"]
                if model["name"] == network:
                    axis.plot(
                        [row["epoch"] for row in record.history],
                        [100 * row["validation_accuracy"] for row in record.history],
                        color=BLUE if model["binarized"] else ORANGE,
                        label=f"{'1-bit' if model['binarized'] else 'float'}, test {on_test(record):.1f} %",
                    )
            axis.set(title=network, xlabel="epoch")
            axis.legend(frameon=False, loc="lower right")
        axes[0].set_ylabel("validation accuracy, %")
        figure.tight_layout()
        return svg(figure)


def latency_figure(records: Sequence[PeerRecord]) -> str | None:
    """A panel for each network: the median of every form and runtime, from the newest run."""
    newest = {(record.model, record.input_shape): record.run for record in records}
    if not newest:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 2.8))
        axes = figure.subplots(1, len(newest), squeeze=False, sharey=True)[0]
        for axis, ((model, shape), run) in zip(axes, newest.items(), strict=True):
            rows = {_bar(record): record for record in records if record.run == run and _shown(record)}
            colours = [BLUE if record.runtime == "lq_fda" else GREY for record in rows.values()]
            medians = [record.median_ms for record in rows.values()]
            drawn = axis.barh(list(rows), medians, color=colours, height=0.6)
            axis.bar_label(drawn, fmt="%.3g", padding=3, color=GREY)
            axis.margins(x=0.2)
            axis.set(title=f"{model}\n{shape[1]}x{shape[2]}", xlabel="median, ms")
        axes[0].invert_yaxis()
        figure.tight_layout()
        return svg(figure)


def _shown(record: PeerRecord) -> bool:
    """Portable kernels and unfused steps are for comparison in the table; here they would dwarf the rest."""
    return record.settings.get("isa") != "portable" and record.settings.get("fuse", True)


def _bar(record: PeerRecord) -> str:
    isa = record.settings.get("isa")
    return f"{record.form} ({record.runtime}{f', {isa}' if isa else ''})"
