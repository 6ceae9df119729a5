"""Trials for people: two lines each, figures and values."""

from collections.abc import Sequence

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from lq_fda.tuning.costs import NetworkCost
from lq_fda.tuning.results import Trial, best_trial

_COLOURS = {"waiting": "yellow", "running": "cyan", "completed": "green", "failed": "red"}
_INDENT = 5


def trial_table(trials: Sequence[Trial], *, last: int | None = None) -> Table:
    """Status, accuracy, costs and, under them, the values of every trial, or why it failed; the best one is bold.

    Args:
        trials: What `read_trials` returned.
        last: Show no more than this many, the newest and the best; None shows all.
    """
    best = best_trial(trials) if any(trial.completed for trial in trials) else None
    shown = [*trials] if last is None else [trial for trial in trials if trial is best or trial in trials[-last:]]
    counts = [f"{sum(trial.status == status for trial in trials)} {status}" for status in _COLOURS]
    table = Table(
        Column(_line("#", "status", "", "epochs", "top-1 %", "ms", "KiB", "M MACs")),
        title=f"Search: {', '.join(counts)}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for trial in shown:
        number, status, *figures, values = _row(trial)
        line = _line(number, status, _COLOURS[trial.status], *figures)
        below = Padding(Text(values, overflow="fold"), (0, 0, 0, _INDENT))
        table.add_row(Group(line, below), style="bold" if trial is best else "")
    return table


def _line(number: str, status: str, colour: str, *figures: str) -> Text:
    """70 columns: they fit a terminal of 80, with the name of a worker, too."""
    numbers = "".join(f"{figure:>{width}}" for figure, width in zip(figures, (8, 9, 8, 9, 8), strict=True))
    return Text.assemble(f"{number:>{_INDENT - 2}}  ", (f"{status:<23}", colour), numbers)


def _row(trial: Trial) -> list[str]:
    outcome, cost = trial.outcome, trial.outcome.cost
    status = f"{trial.status} {trial.worker}" if trial.worker.startswith("worker") else trial.status
    return [
        str(int(trial.trial_id)),
        outcome.failure or status,
        str(outcome.epochs),
        "" if outcome.accuracy is None else f"{100 * outcome.accuracy:.2f}",
        *(["", "", ""] if cost is None else _costs(cost)),
        outcome.message or " ".join(f"{key}={value}" for key, value in trial.values.items()),
    ]


def _costs(cost: NetworkCost) -> list[str]:
    return [f"{cost.latency_ms:.3f}", f"{cost.size_bytes / 1024:.1f}", f"{cost.macs / 1e6:.1f}"]


def sentence(trial: Trial) -> str:
    """A trial that has ended, in one line."""
    if trial.outcome.failure:
        return f"trial {int(trial.trial_id)} failed, {trial.outcome.failure}: {trial.outcome.message}"
    _, _, epochs, accuracy, latency, size, macs, values = _row(trial)
    costs = f"{latency} ms, {size} KiB, {macs} M MACs"
    return f"trial {int(trial.trial_id)}: validation {accuracy} %, epochs {epochs}, {costs}; {values}"
