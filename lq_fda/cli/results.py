"""The command that turns records into tables and figures."""

from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.markup import escape

import lq_fda
from lq_fda.cli.options import Json, print_json
from lq_fda.errors import LqFdaError


def results(
    documents: Annotated[
        list[Path] | None, typer.Argument(metavar="[DOCUMENT]...", help="Markdown files with marks for tables.")
    ] = None,
    records: Annotated[Path, typer.Option(help="The folder with the records.")] = Path("results"),
    plots: Annotated[Path | None, typer.Option(help="Also draw figures into this folder.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a document or a figure is not what the records say.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn the records of what was measured into tables, in the terminal or in documents, and into figures.

    Example: lq-fda results README.md docs/accuracy.md --plots docs/images
    """
    made = lq_fda.results
    if check:
        _check(documents or [], records, plots)
        return
    for document in documents or []:
        changed = made.fill(document, records)
        rich.print(f"{escape(str(document))}: {'tables written anew' if changed else 'tables are up to date'}")
    for path in made.write_plots(records, plots) if plots is not None else ():
        rich.print(f"figure: {escape(str(path))}")
    if documents or plots is not None:
        return
    tables = {name: table(records) for name, table in made.DOCUMENT_TABLES.items()}
    if as_json:
        print_json({name: made.rows(table) for name, table in tables.items()})
        return
    for name, table in tables.items():
        rich.print(f"\n[bold]{name}[/]", table)


def _check(documents: list[Path], records: Path, plots: Path | None) -> None:
    made = lq_fda.results
    if not documents and plots is None:
        raise LqFdaError(
            "There is nothing to check. Expected documents, or a folder of figures. Received: none.",
            cure="Name them: `lq-fda results README.md --check`.",
        )
    wrong = made.disagreeing(documents, records)
    wrong += made.outdated_plots(records, plots) if plots is not None else []
    if wrong:
        raise LqFdaError(
            f"Documents or figures and the records disagree. Received: {', '.join(map(repr, map(str, wrong)))}.",
            cure="Make them anew: the same command without --check, or `make tables`.",
        )
