"""What a search shows while it runs: a table that changes on a terminal, a line for every trial elsewhere."""

import bisect
import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from lq_fda.tuning.results import Trial, read_trials
from lq_fda.tuning.tables import sentence, trial_table

_SECONDS = 2.0


@contextlib.contextmanager
def watching(output: Path | str, console: Console | None = None) -> Iterator[None]:
    """Shows the trials of a folder, whoever runs them, until the block ends.

    Args:
        output: The search's folder.
        console: Where to draw; None is the standard error output.
    """
    console = console or Console(stderr=True)
    ended = threading.Event()
    told = {trial.trial_id for trial in read_trials(output) if _ended(trial)}

    def look(live: Live) -> None:
        trials = read_trials(output)
        if console.is_terminal:
            live.update(fitting_table(trials, console), refresh=True)
            return
        for trial in trials:
            if _ended(trial) and trial.trial_id not in told:
                told.add(trial.trial_id)
                console.print(sentence(trial), soft_wrap=True, highlight=False, markup=False)

    def watch(live: Live) -> None:
        while not ended.wait(_SECONDS):
            look(live)

    with Live(console=console, auto_refresh=False, transient=True) as live:
        watcher = threading.Thread(target=watch, args=(live,), name="watching", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
            look(live)


def fitting_table(trials: Sequence[Trial], console: Console) -> Table:
    """The table with as many of the newest trials as the terminal has lines for; what is longer, Live cuts at its end.

    Args:
        trials: All of them.
        console: The terminal.
    """

    def lines(last: int) -> int:
        return len(console.render_lines(trial_table(trials, last=last)))

    most = min(len(trials), console.height // 2)  # A trial takes two lines or more.
    return trial_table(trials, last=max(1, bisect.bisect_right(range(1, most + 1), console.height, key=lines)))


def _ended(trial: Trial) -> bool:
    return trial.status in ("completed", "failed")
