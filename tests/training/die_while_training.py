"""Trains a recipe and dies of a real SIGKILL at a chosen moment: `die_while_training.py RECIPE OUTPUT MOMENT`.

Moments: `execution:N` after the Nth execution of training steps, in the middle of an epoch; `file:N` when half of the
Nth file of the run directory is written. A run that is already there is resumed.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lq_fda import training
from lq_fda.training.callbacks import StopOnNan


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_half(descriptor: int) -> None:
    os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
    die()


def at_call(owner: Any, name: str, number: int, last_act: Callable) -> None:
    """Makes call `number` of a function the last one."""
    original, calls = getattr(owner, name), []

    def counted(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == number:
            last_act(*args)
        return original(*args)

    setattr(owner, name, counted)


def main(recipe: str, output: str, moment: str) -> None:
    kind, _, number = moment.partition(":")
    if kind == "execution":
        at_call(StopOnNan, "on_train_batch_end", int(number), die)
    else:
        at_call(os, "fsync", int(number), die_with_half)  # the last act of every atomic write before the file is moved
    resume = (Path(output) / "recipe.json").exists()
    training.train(training.read_recipe(Path(recipe)), output, resume=resume, progress=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
