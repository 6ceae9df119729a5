"""The command that does everything, and the one that does what follows training."""

from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.console import Console
from rich.table import Table

import lq_fda
from lq_fda.cli.options import Json, Overrides, RunArgument, name_what_is_missing, print_json, progress_bar


def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for everything.")],
    dataset: Annotated[str, typer.Option(help="digits, folder, or an image classification set of TFDS.")] = "digits",
    data_dir: Annotated[str | None, typer.Option(help="Where the data set lies.")] = None,
    model: Annotated[str, typer.Option(help="A name that `lq-fda models` lists.")] = "tiny",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training split.")] = None,
    override: Overrides = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --output.")] = False,
    as_json: Json = False,
) -> None:
    """Train a network and its float twin, convert, verify and time them, and write one HTML report.

    Example: lq-fda run --dataset cifar10 --data-dir DIR --model resnet20 --epochs 20 --output runs/r20
    """
    training = lq_fda.training
    changes = [*(override or []), *([f"epochs={epochs}"] if epochs is not None else [])]
    if dataset == "digits" and model == "tiny":
        recipe = training.apply_overrides(training.digits_demo(), changes)
    else:
        recipe = training.recipe_for(model, lq_fda.data.DataConfig(name=dataset, data_dir=data_dir), changes)
    with progress_bar() as progress:
        outcome = lq_fda.pipeline.run(
            recipe,
            output,
            resume=resume,
            say=Console(stderr=True).print,
            progress=progress,
        )
    _show(outcome, as_json)


def ship(
    run: RunArgument,
    float_run: Annotated[Path, typer.Option(help="The run of the float twin; its recipe may be another one.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for bundle, report and figures.")],
    as_json: Json = False,
) -> None:
    """Convert a run and its float twin, verify and time the files, and write a report and a model card.

    Example: lq-fda ship runs/r20 --float-run runs/r20_float --output shipped/r20
    """
    run_dir = lq_fda.artifacts.RunDir
    with progress_bar() as progress:
        outcome = lq_fda.pipeline.ship(
            run_dir(run), run_dir(float_run), output, say=Console(stderr=True).print, progress=progress
        )
    _show(outcome, as_json)


def _show(outcome: "lq_fda.pipeline.Outcome", as_json: bool) -> None:
    if as_json:
        print_json(outcome.as_json())
    else:
        rich.print(_accuracy_table(outcome))
        rich.print(lq_fda.conversion.layer_table(outcome.bundle.manifest.conversion))
        rich.print(lq_fda.verification.tables(outcome.verification))
        rich.print(lq_fda.benchmarking.latency_table(outcome.records))
        name_what_is_missing()
        typer.echo(f"Report: {outcome.report.resolve()}")
    outcome.verification.require_passed()


def _accuracy_table(outcome: "lq_fda.pipeline.Outcome") -> Table:
    table = Table("network", "best epoch", "validation %", "test %", title="Top-1 accuracy")
    for name, result in (("1-bit", outcome.binarized), ("float twin", outcome.float_twin)):
        shares = [f"{100 * split.top1:.2f}" for split in (result.validation, result.test)]
        table.add_row(name, f"{result.best_epoch} of {result.epochs}", *shares)
    return table
