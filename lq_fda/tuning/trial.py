"""One trial: what does its network cost, and how accurate does it become on the validation split?"""

import shutil
from typing import Any, Literal

import pydantic

from lq_fda import training
from lq_fda._keras import keras
from lq_fda.artifacts import atomic_directory, write_json
from lq_fda.data.dataset import NoFullBatch
from lq_fda.errors import LqFdaError
from lq_fda.training import Recipe, TrainingDiverged
from lq_fda.tuning.attempts import MOST_DEATHS, attempt
from lq_fda.tuning.costs import NetworkCost, NoOneBitFile, network_cost
from lq_fda.tuning.search import Search, SearchDir, locked
from lq_fda.tuning.space import overrides


class Outcome(pydantic.BaseModel):
    """How a trial ended: the content of `outcome.json`.

    Args:
        failure: Why it failed, if it did: its network is over the budget, its training diverged, its recipe makes no
            sense or no 1-bit file, or its process died again and again.
        message: The failure in words, with what was measured.
        epochs: Trained so far; those of the trials that it went on from included.
        accuracy: The best one on the validation split in these epochs.
        seconds: Of training and validation in these epochs.
        cost: What the network costs on the device.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    failure: Literal["over budget", "diverged", "refused", "died"] | None = None
    message: str = ""
    epochs: int = 0
    accuracy: float | None = None
    seconds: float = 0.0
    cost: NetworkCost | None = None


def run_trial(search: Search, directory: SearchDir, trial_id: str, values: dict[str, Any]) -> Outcome:
    """Runs a trial, or goes on with one that was cut, and writes its outcome.

    The test split is not read. A trial that Hyperband goes on with begins with a copy of the earlier trial's run.

    Args:
        search: What it is part of.
        directory: Where its folder is.
        trial_id: Its number.
        values: What the oracle chose.

    Raises:
        LqFdaError: Something that is not the trial's own fault, such as a full disk: it can be run again.
        TrainingInterrupted: Ctrl-C.
    """
    folder, history = directory.trial(trial_id), directory.run(trial_id).history_file
    # Whoever was thought dead may still be at it; two processes must not write one run.
    with locked(folder / ".lock", wait=True):
        with attempt(folder / "attempt.json", history.stat().st_size if history.is_file() else 0) as deaths:
            outcome = _outcome(search, directory, trial_id, values) if deaths < MOST_DEATHS else _dead(deaths)
        write_json(directory.outcome_file(trial_id), outcome.model_dump(mode="json"))
    keras.backend.clear_session()  # Keras keeps every network that it has built.
    return outcome


def _outcome(search: Search, directory: SearchDir, trial_id: str, values: dict[str, Any]) -> Outcome:
    try:
        recipe = trial_recipe(search, values)
    except LqFdaError as error:
        return Outcome(failure="refused", message=error.problem)
    try:
        cost = network_cost(recipe, search.runtime, directory.costs)
    except NoOneBitFile as error:
        return Outcome(failure="refused", message=error.problem)
    if excess := search.budget.excess(cost):
        return Outcome(failure="over budget", message=excess, cost=cost)
    run = directory.run(trial_id)
    earlier = values.get("tuner/trial_id")
    if earlier is not None and not run.exists:
        with atomic_directory(run.path) as staging:
            shutil.copytree(directory.run(earlier).path, staging, dirs_exist_ok=True)
    epochs = values.get("tuner/epochs", recipe.epochs)
    try:
        training.train(recipe, run.path, resume=run.exists, progress=False, until=epochs)
    except TrainingDiverged as error:
        return Outcome(failure="diverged", message=error.problem, cost=cost)
    except NoFullBatch as error:
        return Outcome(failure="refused", message=error.problem, cost=cost)
    history = run.history()[:epochs]
    return Outcome(
        epochs=len(history),
        accuracy=max(row["validation_accuracy"] for row in history),
        seconds=sum(row["train_seconds"] + row["validation_seconds"] for row in history),
        cost=cost,
    )


def _dead(deaths: int) -> Outcome:
    return Outcome(
        failure="died", message=f"its process died {deaths} times at the same place: does it need too much memory?"
    )


def trial_recipe(search: Search, values: dict[str, Any]) -> Recipe:
    """The recipe of a trial.

    Raises:
        LqFdaError: The values do not fit together.
    """
    return training.apply_overrides(search.recipe, overrides(search.dimensions, values))
