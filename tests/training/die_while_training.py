"""Trains a recipe and dies of a real SIGKILL at a chosen moment: `die_while_training.py RECIPE OUTPUT MOMENT`.

Moments: `step:N` in the middle of the epoch after N executions; `checkpoint:N`, `best:N` and `history:N` when half of
the Nth such file is written; `result` before the result is written. `interrupt:N` is Ctrl-C in place of `step:N`.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np

from lq_fda import training
from lq_fda._keras import keras
from lq_fda.training import callbacks, loop, recorder


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def half_of(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def patch(owner, name: str, count: int, before_end) -> None:
    """Calls `before_end(*args)` in place of returning from the call number `count`."""
    original, calls = getattr(owner, name), []

    def patched(*args, **kwargs):
        result = original(*args, **kwargs)
        calls.append(None)
        if len(calls) == count:
            before_end(*args)
        return result

    setattr(owner, name, patched)


def die_with_half(*args) -> None:
    half_of(next(Path(argument) for argument in args if isinstance(argument, str | Path)))
    die()


def main(recipe: str, output: str, moment: str) -> None:
    kind, _, number = moment.partition(":")
    count = int(number or 1)
    if kind == "step":
        patch(callbacks.StopOnNan, "on_train_batch_end", count, lambda *_: die())
    elif kind == "interrupt":
        patch(callbacks.StopOnNan, "on_train_batch_end", count, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    elif kind == "checkpoint":
        patch(np, "savez", count, die_with_half)
    elif kind == "best":
        patch(keras.Model, "save_weights", count, die_with_half)
    elif kind == "history":
        patch(recorder, "as_csv", count, lambda *_: die())
    elif kind == "result":
        patch(loop, "best_row", 1, lambda *_: die())
    training.train(
        training.read_recipe(Path(recipe)), output, resume=(Path(output) / "recipe.json").exists(), progress=False
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
