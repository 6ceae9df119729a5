"""The command that looks into trained networks."""

from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.markup import escape

import lq_fda
from lq_fda.cli.options import Json, print_json, progress_bar


def analyze(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="A binarized run; behind it, others of the same network to compare."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for record, figures and summary.", show_default="RUN/analysis"),
    ] = None,
    images: Annotated[int, typer.Option(help="Images of the validation split.")] = 512,
    as_json: Json = False,
) -> None:
    """Find the layers of a binarized network that lose information, and what to try; with figures.

    Example: lq-fda analyze runs/full runs/plain runs/float
    """
    with progress_bar() as progress:
        found = lq_fda.analysis.analyze(
            [lq_fda.artifacts.RunDir(run) for run in runs], images=images, progress=progress
        )
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        rich.print(lq_fda.analysis.tables(found))
        typer.echo(f"\n{lq_fda.reporting.analysis_summary(found)}\n")
    # After it was printed, so that a folder that cannot be written loses nothing.
    folder = output or runs[0] / "analysis"
    files = lq_fda.reporting.write_analysis(found, folder)
    if not as_json:
        rich.print(f"{escape(str(folder))}: {', '.join(file.name for file in files)}")
