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

import pydantic

from lq_fda.artifacts.bundle import SplitAccuracy
from lq_fda.artifacts.files import read_json
from lq_fda.errors import LqFdaError


class Result(pydantic.BaseModel):
    """How a run ended: the content of `result.json`.

    Args:
        epochs: How many were trained.
        best_epoch: The one that is shipped, counted from 1; chosen on the validation split.
        validation: Its accuracy on the split that chose it.
        test: Its accuracy on the test split, which chooses nothing.
        seconds: Training and validation together, over all resumptions.
        images_per_second: Of the median epoch, validation apart.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    epochs: int
    best_epoch: int
    validation: SplitAccuracy
    test: SplitAccuracy
    seconds: float
    images_per_second: float


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
            LqFdaError: The folder is no run directory, or the file is damaged.
        """
        if not self.exists:
            raise LqFdaError(
                f"This is no run directory. Expected a folder with recipe.json. Received: {str(self.path)!r}.",
                cure="Train first: `lq-fda train --output DIR`.",
            )
        recipe = read_json(self.recipe_file)
        if not isinstance(recipe, dict):
            raise LqFdaError(
                f"The run's recipe is damaged. Expected an object. Received: {str(self.recipe_file)!r}.",
                cure="Restore the file from a copy, or train again.",
            )
        return recipe

    def result(self) -> Result:
        """What training ended with.

        Raises:
            LqFdaError: Training has not ended, or the file is damaged.
        """
        if not self.finished:
            raise LqFdaError(
                f"This run has not ended. Expected result.json. Received: {str(self.path)!r}.",
                cure="Resume it: `lq-fda train --resume --output DIR`.",
            )
        try:
            return Result.model_validate(read_json(self.result_file))
        except pydantic.ValidationError as error:
            raise LqFdaError(
                f"The run's result is damaged or of another version. "
                f"Received: {str(self.result_file)!r} ({error.errors()[0]['msg']}).",
                cure="Remove the file and resume the run: `lq-fda train --resume --output DIR`.",
            ) from error
