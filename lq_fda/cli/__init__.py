"""The command line: each command parses, calls one function of the Python API, and prints."""

import faulthandler
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lq_fda.cli.analysis import analyze
from lq_fda.cli.benchmarks import benchmark, benchmark_log
from lq_fda.cli.bundles import convert, costs, peers, verify
from lq_fda.cli.networks import models, summary
from lq_fda.cli.pipeline import run, ship
from lq_fda.cli.quiet import silence_native_code
from lq_fda.cli.results import results
from lq_fda.cli.training import ablate, evaluate, recipes, record, speed, train
from lq_fda.cli.tuning import tune
from lq_fda.errors import LqFdaError, reason

app = typer.Typer(
    name="lq-fda",
    help="Train binarized neural networks in Keras, and ship them as fast, verified LCE .tflite files.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks, and what TensorFlow's native code logs.")
    ] = False,
) -> None:
    """Train binarized neural networks in Keras, and ship them as fast, verified LCE .tflite files."""


for command in (
    *(run, models, summary),
    *(recipes, train, tune, ablate, evaluate, record, speed),
    *(ship, convert, verify, benchmark, benchmark_log, costs, peers),
    *(analyze, results),
):
    app.command()(command)


def main() -> None:
    """Entry point: an `LqFdaError`, or what the file system refuses, becomes one sentence and exit code 1."""
    if "--debug" in sys.argv[1:2]:
        app()
        return
    silence_native_code()
    faulthandler.enable(sys.stderr)
    try:
        app()
    except (LqFdaError, OSError) as error:
        sentence = str(error if isinstance(error, LqFdaError) else _refused(error))
        Console(stderr=True).print(f"[bold red]Error:[/] {escape(sentence)}", soft_wrap=True, highlight=False)
        sys.exit(1)


def _refused(error: OSError) -> LqFdaError:
    """What the file system would not do, where no stage knows more about it."""
    where = "" if error.filename is None else f"path={str(error.filename)!r} "
    return LqFdaError(
        f"A file or folder cannot be used. Expected one that can be read and written. "
        f"Received: {where}({error.strerror or reason(error)}).",
        cure="Check the path, its permissions and the free space of the disk.",
    )
