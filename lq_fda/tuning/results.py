"""What a search has found, read from its folder: while it runs, after it was cut, and when it has ended."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lq_fda import reporting
from lq_fda.artifacts import read_json, understood, write_atomic, write_json
from lq_fda.errors import LqFdaError
from lq_fda.reporting import TradeOffPoint
from lq_fda.training import to_values
from lq_fda.tuning.search import Search, SearchDir
from lq_fda.tuning.space import overrides
from lq_fda.tuning.trial import Outcome, trial_recipe

_STATUS = {"RUNNING": "running", "COMPLETED": "completed", "FAILED": "failed"}


class Trial(NamedTuple):
    """A trial as a reader of the results sees it.

    `status` is `waiting` for a trial that was cut and will be run again. `values` are what the oracle chose, as `--set`
    takes them; `chosen` is the same for Keras Tuner. `outcome` holds what is known so far.
    """

    trial_id: str
    status: Literal["waiting", "running", "completed", "failed"]
    worker: str
    chosen: dict[str, Any]
    values: dict[str, str]
    outcome: Outcome

    @property
    def completed(self) -> bool:
        return self.status == "completed"

    def as_json(self) -> dict[str, Any]:
        fields = {"trial": int(self.trial_id), "status": self.status, "values": self.values}
        return fields | self.outcome.model_dump(mode="json")


def read_trials(output: Path | str) -> list[Trial]:
    """The trials of a search, in the order of their numbers; none if it has not begun.

    Raises:
        LqFdaError: The folder holds no search, or a file of it is damaged.
    """
    directory = SearchDir(output)
    search = directory.search()
    if not directory.oracle_file.is_file():
        return []
    with understood(directory.oracle_file, "The state of the search"):
        state = read_json(directory.oracle_file)
        workers = {trial_id: name for name, trial_id in state["ongoing_trials"].items()}
        found = []
        for trial_id, trial in state["trials"].items():
            chosen = trial["hyperparameters"]["values"]
            status = _STATUS[trial["status"]]
            # The end of a trial is written down while its worker still has it.
            worker = workers.get(trial_id, "") if status == "running" else ""
            if status == "running" and not worker:
                status = "waiting"
            values = dict(text.split("=", 1) for text in overrides(search.dimensions, chosen))
            outcome = _outcome(directory, trial_id, ended=status in ("completed", "failed"))
            found.append(Trial(trial_id, status, worker, chosen, values, outcome))
        return sorted(found, key=lambda trial: int(trial.trial_id))


def _outcome(directory: SearchDir, trial_id: str, *, ended: bool) -> Outcome:
    """How a trial ended, or how far it has come."""
    file = directory.outcome_file(trial_id)
    if ended and file.is_file():
        with understood(file, "The outcome of a trial"):
            return Outcome.model_validate(read_json(file))
    run = directory.run(trial_id)
    history = run.history() if run.history_file.is_file() else []
    accuracy = max((row["validation_accuracy"] for row in history), default=None)
    return Outcome(epochs=len(history), accuracy=accuracy)


def best_trial(trials: Sequence[Trial]) -> Trial:
    """The completed trial with the best accuracy on the validation split; of equals, the faster network's.

    Raises:
        LqFdaError: None has completed.
    """
    completed = [trial for trial in trials if trial.completed]
    if not completed:
        failures = [trial.outcome.message for trial in trials if trial.status == "failed"]
        last = f" The last one: {failures[-1]}." if failures else ""
        raise LqFdaError(
            f"The search has no best trial. Expected a trial that completed. "
            f"Received: {len(trials)} trials, {len(failures)} of them failed.{last}",
            cure="Go on with the search, raise the budget, or widen the space in another folder.",
        )
    return min(completed, key=lambda trial: (-trial.outcome.accuracy, trial.outcome.cost.latency_ms))


def write_best(output: Path | str, file: Path) -> Trial:
    """Writes the best trial's recipe, for `lq-fda train --recipe FILE`.

    Raises:
        LqFdaError: No trial has completed, or the file cannot be written.
    """
    best = best_trial(read_trials(output))
    write_json(file, to_values(trial_recipe(SearchDir(output).search(), best.chosen)))
    return best


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which points are on the front: no other one costs as little or less and is as accurate or more, but for equals.

    Args:
        points: Cost and accuracy of each.

    ```python
    from lq_fda.tuning import pareto_front

    assert pareto_front([(1.0, 0.8), (2.0, 0.9), (3.0, 0.9)]) == [True, True, False]
    ```
    """
    front = [False] * len(points)
    best, cheapest = float("-inf"), float("nan")
    for index in sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1])):
        cost, accuracy = points[index]
        if accuracy > best:
            best, cheapest = accuracy, cost
        front[index] = accuracy == best and cost == cheapest
    return front


def write_results(output: Path | str) -> list[Trial]:
    """Writes trials.csv, trials.png and, once a trial has completed, best.json.

    Raises:
        LqFdaError: A file cannot be written or read.
    """
    directory = SearchDir(output)
    trials = read_trials(output)
    write_atomic(directory.table_file, as_csv(trials, directory.search()))
    points = [
        TradeOffPoint(
            trial.trial_id, trial.outcome.accuracy, trial.outcome.cost.latency_ms, trial.outcome.cost.size_bytes
        )
        for trial in trials
        if trial.outcome.cost is not None
    ]
    write_atomic(directory.figure_file, _figure(points, directory.search()))
    if any(trial.completed for trial in trials):
        write_best(output, directory.best_file)
    return trials


def _figure(points: list[TradeOffPoint], search: Search) -> bytes:
    trained = [point for point in points if point.accuracy is not None]
    fronts = {}
    for cost in ("latency_ms", "size_bytes"):
        flags = pareto_front([(getattr(point, cost), point.accuracy) for point in trained])
        fronts[cost] = [point for point, flag in zip(trained, flags, strict=True) if flag]
    return reporting.trade_off(points, fronts, limits=search.budget.limits, runtime=search.runtime)


def as_csv(trials: Sequence[Trial], search: Search) -> str:
    """One row a trial: status, why it failed, the values, accuracy, and every cost that was measured."""
    text = io.StringIO(newline="")
    keys = [dimension.key for dimension in search.dimensions]
    table = csv.writer(text, lineterminator="\n")
    measured = ("latency_ms", "p90_ms", "size_bytes", "macs", "binary_macs")
    table.writerow(
        ["trial", "status", "failure", "message", *keys, "epochs", "validation_accuracy", *measured, "seconds"]
    )
    for trial in trials:
        outcome = trial.outcome
        table.writerow(
            [
                *(int(trial.trial_id), trial.status, outcome.failure or "", outcome.message),
                *(trial.values.get(key, "") for key in keys),
                *(outcome.epochs, "" if outcome.accuracy is None else outcome.accuracy),
                *("" if outcome.cost is None else getattr(outcome.cost, name) for name in measured),
                outcome.seconds,
            ]
        )
    return text.getvalue()
