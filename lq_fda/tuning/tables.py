"""Trials for people: one row each."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lq_fda.tuning.costs import NetworkCost
from lq_fda.tuning.results import Trial, best_trial

_COLOURS = {"waiting": "yellow", "running": "cyan", "completed": "green", "failed": "red"}


def trial_table(trials: Sequence[Trial], *, last: int | None = None) -> Table:
    """Status, accuracy, costs and values of every trial; the best one is bold.

    Args:
        trials: What `read_trials` returned.
        last: Show no more than this many, the newest and the best; None shows all.
    """
    best = best_trial(trials) if any(trial.completed for trial in trials) else None
    shown = [*trials] if last is None else [trial for trial in trials if trial is best or trial in trials[-last:]]
    counts = [f"{sum(trial.status == status for trial in trials)} {status}" for status in _COLOURS]
    table = Table(
        "#",
        Column("status", no_wrap=True),
        title=f"Search: {', '.join(counts)}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for column in ("epochs", "top-1 %", "ms", "KiB", "M MACs"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("values, or why it failed", min_width=24)
    for trial in shown:
        table.add_row(*_row(trial), style="bold" if trial is best else "")
    return table


def _row(trial: Trial) -> list[str]:
    outcome, cost = trial.outcome, trial.outcome.cost
    status = f"{trial.status} {trial.worker}" if trial.worker.startswith("worker") else trial.status
    return [
        str(int(trial.trial_id)),
        f"[{_COLOURS[trial.status]}]{escape(outcome.failure or status)}[/]",
        str(outcome.epochs),
        "" if outcome.accuracy is None else f"{100 * outcome.accuracy:.2f}",
        *(["", "", ""] if cost is None else _costs(cost)),
        escape(outcome.message or " ".join(f"{key}={value}" for key, value in trial.values.items())),
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
