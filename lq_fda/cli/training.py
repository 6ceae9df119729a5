"""Commands that train and measure training."""

from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.markup import escape
from rich.table import Table

import lq_fda
from lq_fda.cli.options import Json, Overrides, RunArgument, append_records, print_json, progress_bar, recipe_named


def recipes(
    name: Annotated[str | None, typer.Argument(help="Show this one's lab note.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """List the recipes, or show the lab note of one: its commands, and what a run of it took and gave.

    Example: lq-fda recipes cifar10_resnet20_long
    """
    training = lq_fda.training
    notes = {each: training.recipe_note(each) for each in ([name] if name else training.recipe_names())}
    if as_json:
        print_json(notes)
    elif name:
        typer.echo(notes[name])
    else:
        table = Table("recipe", "what it is", title="Recipes")
        for each, note in notes.items():
            table.add_row(each, escape(note.splitlines()[0]))
        rich.print(table)


def train(
    output: Annotated[Path, typer.Option("--output", "-o", help="The run directory to make.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A name that `lq-fda recipes` lists, or a JSON file like a run's recipe.json.",
            show_default="digits_demo; with --resume, the run's own",
        ),
    ] = None,
    override: Overrides = None,
    float_twin: Annotated[bool, typer.Option("--float-twin", help="Train the float twin instead.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --output stopped.")] = False,
    strategy: Annotated[str, typer.Option(help="none, mirrored or multi_worker.")] = "none",
    as_json: Json = False,
) -> None:
    """Train a network.

    Example: lq-fda train --recipe cifar10_resnet20 --set data.data_dir=DIR --set epochs=20 --output runs/r20
    """
    training = lq_fda.training
    if resume and recipe is None:
        chosen = training.load_recipe(lq_fda.artifacts.RunDir(output))
    else:
        chosen = recipe_named(recipe or "digits_demo")
    chosen = training.apply_overrides(chosen, override or [])
    chosen = training.float_twin(chosen) if float_twin else chosen
    result = training.train(chosen, output, resume=resume, strategy=strategy, progress=not as_json)
    if result is None:
        return
    if as_json:
        print_json(result.model_dump(mode="json"))
        return
    rich.print(
        f"Best epoch {result.best_epoch} of {result.epochs}: validation {100 * result.validation.top1:.2f} %, "
        f"test {100 * result.test.top1:.2f} % ({result.test.images} images). Run: {escape(str(output))}"
    )


def evaluate(
    run: RunArgument,
    split: Annotated[str, typer.Option(help="validation or test.")] = "validation",
    as_json: Json = False,
) -> None:
    """Measure the accuracy of a run's best epoch.

    Example: lq-fda evaluate runs/r20 --split test
    """
    accuracy = lq_fda.training.evaluate(lq_fda.artifacts.RunDir(run), split)
    if as_json:
        print_json(accuracy.model_dump(mode="json"))
        return
    rich.print(f"{split} top-1: {100 * accuracy.top1:.2f} % of {accuracy.images} images")


def ablate(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the run directories.")],
    recipe: Annotated[str, typer.Option(help="What all variants share: a recipe by name, or a JSON file.")],
    override: Overrides = None,
    variants: Annotated[
        str | None, typer.Option(help="Comma-separated; plain, all, ir_net and others.", show_default="all of them")
    ] = None,
    seeds: Annotated[str, typer.Option(help="Comma-separated whole numbers.")] = "0",
    as_json: Json = False,
) -> None:
    """Train a network with none, each, all but one and all parts, with the parts of published peers, and as float twin.

    The same command goes on after an interruption.

    Example: lq-fda ablate --recipe cifar10_resnet20_short --set data.data_dir=DIR --seeds 0,1,2 --output runs/ablation
    """
    training = lq_fda.training
    chosen = training.apply_overrides(recipe_named(recipe), override or [])
    records = training.ablate(
        chosen,
        output,
        variants=variants.split(",") if variants else tuple(training.VARIANTS),
        seeds=_seeds(seeds),
        progress=not as_json,
        announce=lambda name: as_json or rich.print(f"[bold]{escape(name)}[/]"),
    )
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
    else:
        rich.print(lq_fda.results.ablation_table(records))


def record(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished run directories.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")],
    study: Annotated[str, typer.Option(help="What they were trained for; runs of one study are compared.")],
    as_json: Json = False,
) -> None:
    """Keep finished runs as one line each: recipe, curve, result, machine and versions.

    Example: lq-fda record runs/ablation/* --study ablation --output results/runs.jsonl
    """
    records = [lq_fda.artifacts.RunDir(run).record(study) for run in runs]
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
    else:
        rich.print(f"{len(records)} runs of the study {escape(study)} for {escape(str(output))}")
    append_records(output, records)


def speed(
    recipe: Annotated[str, typer.Option(help="A recipe by name, or a JSON file.")] = "digits_demo",
    override: Overrides = None,
    rounds: Annotated[int, typer.Option(help="How often each network has its turn.")] = 7,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append the records to this .jsonl file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time training: plain Larq blocks, ours, and the float twin, interleaved, in float32 and mixed_bfloat16.

    Then the input pipeline alone, which should be far above them.

    Example: lq-fda speed --recipe cifar10_resnet20 --set data.data_dir=DIR --output results/training_speed.jsonl
    """
    training = lq_fda.training
    chosen = training.apply_overrides(recipe_named(recipe), override or [])
    dataset = lq_fda.data.load(chosen.data)
    with progress_bar() as progress:
        records = training.measure_speed(
            training.block_cases(chosen),
            rounds=rounds,
            progress=lambda done, total: progress("training steps", done, total),
        )
    pipeline = lq_fda.data.throughput(dataset, chosen.batch_size)
    if as_json:
        print_json({"training": [record.model_dump(mode="json") for record in records], "pipeline": pipeline})
    else:
        rich.print(lq_fda.results.speed_table(records))
        times = pipeline / max(record.images_per_second for record in records)
        rich.print(f"Input pipeline alone: {pipeline:.0f} images/s, {times:.0f} times the fastest network.")
    append_records(output, records)


def _seeds(text: str) -> list[int]:
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"Expected whole numbers with commas between them. Received: {text!r}.") from None
