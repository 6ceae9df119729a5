"""What several commands share: options, JSON, and a progress bar."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pydantic
import rich
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import lq_fda
from lq_fda.artifacts import append_record

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, made by `lq-fda train`.")]
BundleArgument = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle directory, made by `lq-fda convert`.")]
FloatRun = Annotated[Path | None, typer.Option(help="The run of the float twin.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a field, such as batch_size=64.")
]


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def recipe_named(name: str) -> "lq_fda.training.Recipe":
    """What `--recipe` names: a JSON file, or one of the recipes."""
    training = lq_fda.training
    return training.read_recipe(Path(name)) if name.endswith(".json") else training.get_recipe(name)


def append_records(output: Path | None, records: Iterable[pydantic.BaseModel]) -> None:
    """Writes what `--output` asks for; after it was printed, so that a file that cannot be written loses nothing."""
    for record in records if output is not None else ():
        append_record(output, record)


def name_what_is_missing() -> None:
    """Says why the delegate's column is absent, if it is."""
    missing = lq_fda.runtimes.available()[lq_fda.artifacts.Bundle.DELEGATE]
    if missing:
        rich.print(f"Without the column LiteRT + delegate: {escape(missing)}.")


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Yields a function that takes a step's name, what is done and how much there is, and draws it on standard error.

    The bar is there from the first call to the one in which everything is done: training draws one of its own.
    """
    # A step may have brackets in it, and is a device's own word at times.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task("")

    def advance(step: str, done: int, total: int) -> None:
        progress.update(task, description=step, completed=done, total=total)
        if done < total:
            progress.start()
        else:
            progress.stop()

    try:
        yield advance
    finally:
        progress.stop()
