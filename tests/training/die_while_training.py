"""Trains a recipe and gets a real signal at a chosen moment.

Moments: `step:N` after the Nth execution of training steps, in the middle of an epoch; `half:NAME` when half of a file
of that name is written. A run that is already there is resumed.
"""

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lq_fda import training
from lq_fda.training.callbacks import StopOnNan


def before(owner: Any, name: str, act: Callable) -> None:
    """Calls `act` in front of a function."""
    original = getattr(owner, name)

    def watched(*args: Any) -> Any:
        act(*args)
        return original(*args)

    setattr(owner, name, watched)


def main(recipe: str, output: str, moment: str, signal_name: str = "SIGKILL") -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background jobs begin with it ignored.
    kind, _, where = moment.partition(":")
    steps: list[Any] = []

    def send() -> None:
        os.kill(os.getpid(), getattr(signal, signal_name))

    def count(*args: Any) -> None:
        steps.append(args)
        if len(steps) == int(where):
            send()

    def cut(staging: Path, target: Path) -> None:
        if Path(target).name == where:
            os.truncate(staging, os.path.getsize(staging) // 2)
            send()

    if kind == "step":
        before(StopOnNan, "on_train_batch_end", count)
    else:
        before(os, "replace", cut)  # every file is written beside its place and then moved
    resume = (Path(output) / "recipe.json").exists()
    try:
        training.train(training.read_recipe(Path(recipe)), output, resume=resume, progress=False)
    except training.TrainingInterrupted:
        traceback.print_exc()
        raise SystemExit(130) from None
