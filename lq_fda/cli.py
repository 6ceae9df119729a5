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
def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for everything.")],
    dataset: Annotated[str, typer.Option(help="digits, folder, or an image classification set of TFDS.")] = "digits",
    data_dir: Annotated[str | None, typer.Option(help="Where the data set lies.")] = None,
    model: Annotated[str, typer.Option(help="A name that `lq-fda models` lists.")] = "tiny",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training split.")] = None,
    override: Annotated[list[str] | None, typer.Option("--set", help="Change a field, such as batch_size=64.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --output.")] = False,
) -> None:
    """Train a network and its float twin, measure them, and write one HTML report.

    Example: lq-fda run --dataset cifar10 --data-dir DIR --model resnet20 --epochs 20 --output runs/r20
    """
    training = lq_fda.training
    if dataset == "digits" and model == "tiny":
        recipe = training.digits_demo()
    else:
        recipe = training.recipe_for(model, lq_fda.data.DataConfig(name=dataset, data_dir=data_dir))
    changes = [*(override or []), *([f"epochs={epochs}"] if epochs is not None else [])]
    report = lq_fda.pipeline.run(
        training.apply_overrides(recipe, changes),
        output,
        resume=resume,
        say=lambda text: rich.print(f"[bold]{text}[/]"),
    )
    _print_accuracy(output)
    rich.print(f"Report: {escape(str(report.resolve()))}")


def _print_accuracy(output: Path) -> None:
    table = Table("network", "best epoch", "validation %", "test %", title="Top-1 accuracy")
    for name, folder in (("1-bit", "binarized"), ("float twin", "float")):
        result = lq_fda.artifacts.RunDir(output / folder).result()
        shares = [f"{100 * result[split]['top1']:.2f}" for split in ("validation", "test")]
        table.add_row(name, f"{result['best_epoch']} of {result['epochs']}", *shares)
    rich.print(table)


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


@app.command()
def train(
    output: Annotated[Path, typer.Option("--output", "-o", help="The run directory to make.")],
    recipe: Annotated[
        str, typer.Option(help="A recipe by name, or a JSON file like a run's recipe.json.")
    ] = "digits_demo",
    override: Annotated[list[str] | None, typer.Option("--set", help="Change a field, such as epochs=20.")] = None,
    float_twin: Annotated[bool, typer.Option("--float-twin", help="Train the float twin instead.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --output stopped.")] = False,
    strategy: Annotated[str, typer.Option(help="none, mirrored or multi_worker.")] = "none",
    as_json: Json = False,
) -> None:
    """Train a network.

    Example: lq-fda train --recipe cifar10_resnet20 --set data.data_dir=DIR --set epochs=20 --output runs/r20
    """
    training = lq_fda.training
    if resume and recipe == "digits_demo" and not override:
        chosen = training.load_recipe(lq_fda.artifacts.RunDir(output))
    else:
        chosen = training.read_recipe(Path(recipe)) if recipe.endswith(".json") else training.get_recipe(recipe)
        chosen = training.apply_overrides(chosen, override or [])
        chosen = training.float_twin(chosen) if float_twin else chosen
    result = training.train(chosen, output, resume=resume, strategy=strategy, progress=not as_json)
    if result is None:
        return
    if as_json:
        _print_json(result.model_dump(mode="json"))
        return
    rich.print(
        f"Best epoch {result.best_epoch} of {result.epochs}: validation {100 * result.validation.top1:.2f} %, "
        f"test {100 * result.test.top1:.2f} % ({result.test.images} images). Run: {escape(str(output))}"
    )


@app.command()
def evaluate(
    run: RunArgument,
    split: Annotated[str, typer.Option(help="validation or test.")] = "validation",
    as_json: Json = False,
) -> None:
    """Measure the accuracy of a run's best epoch.

    Example: lq-fda evaluate runs/r20 --split test
    """
    if split not in ("validation", "test"):
        raise LqFdaError(f"No such split. Expected validation or test. Received: split={split!r}.", cure="Choose one.")
    accuracy = lq_fda.training.evaluate(lq_fda.artifacts.RunDir(run), split)
    if as_json:
        _print_json(accuracy.model_dump(mode="json"))
        return
    rich.print(f"{split} top-1: {100 * accuracy.top1:.2f} % of {accuracy.images} images")


@app.command()
def benchmark(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle directory, made by `lq-fda convert`.")],
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1",
    rounds: Annotated[int, typer.Option(help="Runs of every file that count.")] = 200,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time the 1-bit, int8 and float files of a bundle on this machine.

    Example: lq-fda benchmark runs/demo/bundle --threads 1,2
    """
    if not all(part.strip().isdigit() for part in threads.split(",")):
        raise LqFdaError(f"Expected thread counts such as 1,2. Received: threads={threads!r}.", cure="Write numbers.")
    benchmarking = lq_fda.benchmarking
    records = benchmarking.benchmark(
        lq_fda.artifacts.Bundle(bundle),
        threads=[int(part) for part in threads.split(",")],
        protocol=benchmarking.Protocol(rounds=rounds),
    )
    if output is not None:
        for record in records:
            lq_fda.artifacts.append_record(output, record)
    if as_json:
        _print_json([record.model_dump(mode="json") for record in records])
        return
    rich.print(benchmarking.latency_table(records))


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
