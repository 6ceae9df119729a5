"""The command that searches."""

from pathlib import Path
from typing import Annotated

import rich
import typer

import lq_fda
from lq_fda.cli.options import Json, Overrides, print_json, recipe_named
from lq_fda.errors import LqFdaError


def tune(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The search's folder; a search that is there goes on.")
    ],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="What all trials share: a recipe by name, or a JSON file.", show_default="digits_demo, or the folder's"
        ),
    ] = None,
    override: Overrides = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUES",
            help="What to vary, such as model.parts=[]|adjustment or learning_rate=0.001..0.03:log; KEY alone takes "
            "its default range, and `default` all default keys. May be repeated.",
            show_default="default",
        ),
    ] = None,
    oracle: Annotated[str | None, typer.Option(help="random, bayesian or hyperband.", show_default="bayesian")] = None,
    trials: Annotated[int | None, typer.Option(help="How many; not with hyperband.", show_default="20")] = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COST=LIMIT",
            help="What the converted network may cost: latency_ms, size_bytes or macs. May be repeated.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the oracle.", show_default="0")] = None,
    chief: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Give the trials to workers that call this address.")
    ] = None,
    worker: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Run trials for the chief at this address.")
    ] = None,
    best: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Search no further: write the best recipe so far to this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search over layers and recipe, for the best validation accuracy within a budget on the device.

    The same command goes on after an interruption.

    Example: lq-fda tune --recipe cifar10_resnet20_short --set data.data_dir=DIR --space model.parts
    --space learning_rate=0.002..0.02:log --budget latency_ms=0.5 --trials 30 --output searches/r20
    """
    tuning = lq_fda.tuning
    if best is not None:
        wishes = {"recipe": recipe, "set": override, "space": space, "oracle": oracle, "trials": trials}
        wishes |= {"budget": budget, "seed": seed, "chief": chief, "worker": worker}
        given = ", ".join(f"--{name}" for name, wish in wishes.items() if wish is not None)
        if given:
            raise LqFdaError(
                f"--best only reads what a search has found. Expected no option of a search. Received: {given}.",
                cure="Leave them out, or leave out --best to go on with the search.",
            )
        found = tuning.write_best(output, best)
        if as_json:
            print_json(found.as_json())
        else:
            _tell_best(found, best)
        return
    search = tuning.open_search(
        output,
        recipe=None if recipe is None else recipe_named(recipe),
        overrides=override or (),
        space=space,
        oracle=oracle,
        trials=trials,
        budget=budget,
        seed=seed,
    )
    found = tuning.tune(search, output, chief=chief, worker=worker, progress=not as_json)
    if not found:  # A worker's: the chief shows them.
        return
    if as_json:
        print_json([trial.as_json() for trial in found])
        return
    directory = tuning.SearchDir(output)
    rich.print(tuning.trial_table(found))
    if search.trials is not None and len(found) < search.trials:
        typer.echo(f"The space has no more than these {len(found)} of {search.trials} trials.")
    typer.echo(f"Table: {directory.table_file}\nFigure: {directory.figure_file}")
    _tell_best(tuning.best_trial(found), directory.best_file)


def _tell_best(trial: "lq_fda.tuning.Trial", file: Path) -> None:
    outcome = trial.outcome
    typer.echo(
        f"Best trial: {int(trial.trial_id)}, validation {100 * outcome.accuracy:.2f} %, epochs {outcome.epochs}, "
        f"{outcome.cost.latency_ms:.3f} ms, {outcome.cost.size_bytes / 1024:.1f} KiB.\n"
        f"Train it and read the test split: lq-fda train --recipe {file} --output RUN"
    )
