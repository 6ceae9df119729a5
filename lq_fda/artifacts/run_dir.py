"""The run directory: everything that training leaves behind, and all that it needs to go on.

recipe.json       what was asked for
environment.json  machine and versions
history.csv       one row an epoch
best.weights.h5   the epoch with the best validation accuracy
checkpoints/      weights, optimizer, epoch: what resuming reads
tensorboard/      logs
result.json       written when training ends
"""

from pathlib import Path
from typing import Any

from lq_fda.artifacts.files import read_json
from lq_fda.errors import LqFdaError


class RunDir:
    """A training run on disk.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.json"
        self.environment_file = self.path / "environment.json"
        self.history_file = self.path / "history.csv"
        self.best_weights = self.path / "best.weights.h5"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"
        self.result_file = self.path / "result.json"

    @property
    def exists(self) -> bool:
        return self.recipe_file.is_file()

    @property
    def finished(self) -> bool:
        return self.result_file.is_file()

    def recipe(self) -> dict[str, Any]:
        """The recipe as plain values.

        Raises:
            LqFdaError: The folder is no run directory.
        """
        if not self.exists:
            raise LqFdaError(
                f"This is no run directory. Expected a folder with recipe.json. Received: {str(self.path)!r}.",
                cure="Train first: `lq-fda train --output DIR`.",
            )
        return read_json(self.recipe_file)

    def result(self) -> dict[str, Any]:
        """What training ended with.

        Raises:
            LqFdaError: Training has not ended.
        """
        if not self.finished:
            raise LqFdaError(
                f"This run has not ended. Expected result.json. Received: {str(self.path)!r}.",
                cure="Resume it: `lq-fda train --resume --output DIR`.",
            )
        return read_json(self.result_file)
