"""The command line: each command parses, calls one function of the Python API, and prints."""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import rich
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import lq_fda
from lq_fda.errors import LqFdaError

# Read when TensorFlow loads: its start-up notes would bury the answer.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

app = typer.Typer(
    name="lq-fda",
    help="Train binarized neural networks in Keras, and ship them as fast, verified LCE .tflite files.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, made by `lq-fda train`.")]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Train binarized neural networks in Keras, and ship them as fast, verified LCE .tflite files."""


@app.command()
def models(as_json: Json = False) -> None:
    """List the networks.

    Example: lq-fda models
    """
    described = {name: lq_fda.models.describe(name) for name in lq_fda.models.names()}
    if as_json:
        _print_json(described)
        return
    table = Table("model", "what it is", title="Networks")
    for name, text in described.items():
        table.add_row(name, escape(text))
    rich.print(table)


@app.command()
def summary(
    model: Annotated[str, typer.Argument(help="A name that `lq-fda models` lists.")],
    classes: Annotated[int, typer.Option(help="Outputs.")] = 10,
    image_size: Annotated[int, typer.Option(help="Height and width of the input.")] = 32,
    float_twin: Annotated[bool, typer.Option("--float-twin", help="Show the float twin instead.")] = False,
) -> None:
    """Show a network layer by layer: 1-bit and 32-bit parameters and multiply-accumulates.

    Example: lq-fda summary resnet20 --classes 100
    """
    shape = (image_size, image_size, 3)
    lq_fda.models.summary(lq_fda.models.create(model, classes=classes, input_shape=shape, binarized=not float_twin))


def main() -> None:
    """Entry point: an `LqFdaError` becomes one sentence and exit code 1."""
    debug = "--debug" in sys.argv
    with contextlib.ExitStack() as stack:
        if not debug:
            stack.enter_context(_plain_errors())
        app()


@contextlib.contextmanager
def _plain_errors():
    try:
        yield
    except LqFdaError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
