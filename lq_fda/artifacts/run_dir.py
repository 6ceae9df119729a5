"""The run directory: everything that training leaves behind, and all that it needs to go on.

recipe.json       what was asked for
environment.json  machine and versions
history.csv       one row an epoch
best.weights.h5   the epoch with the best validation accuracy
checkpoints/      weights, optimizer, epoch: what resuming reads
tensorboard/      logs
result.json       written when training ends
"""

import csv
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

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


class RunRecord(pydantic.BaseModel):
    """A finished run in one line, to keep in `results/` when its folder is gone.

    Args:
        study: What it was trained for; runs of one study are compared with each other.
        name: Of the run's folder.
        date: When it ended.
        recipe: Content of `recipe.json`, by `without_places`.
        result: How it ended.
        history: One row an epoch, without the columns of single layers.
        environment: Machine and versions.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    kind: Literal["run"] = "run"
    study: str
    name: str
    date: str
    recipe: dict[str, Any]
    result: Result
    history: list[dict[str, float]]
    environment: dict[str, Any]


def best_row(history: list[dict[str, float]]) -> dict[str, float]:
    """The epoch with the highest validation accuracy, whose weights are shipped; the first where several share it."""
    return max(history, key=lambda row: row["validation_accuracy"])


def without_places(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe for other machines, where paths mean nothing: of a folder of images and of a run the name is left.

    ```python
    from lq_fda.artifacts import without_places

    recipe = {"data": {"name": "cifar10", "data_dir": "/data"}, "start": "/runs/stage1"}
    assert without_places(recipe) == {"data": {"name": "cifar10"}, "start": "stage1"}
    ```
    """
    data = {name: value for name, value in recipe["data"].items() if name != "data_dir"}
    if data["name"] == "folder":
        data["data_dir"] = _name(recipe["data"]["data_dir"])
    carried = {**recipe, "data": data}
    if taught := recipe.get("distillation"):
        carried["distillation"] = {**taught, "teacher": _name(taught["teacher"])}
    if start := recipe.get("start"):
        carried["start"] = _name(start)
    return carried


def _name(place: str) -> str:
    """Of a folder; a link keeps its own."""
    return Path(os.path.abspath(place)).name


def recipe_changes(base: dict[str, Any], recipe: dict[str, Any]) -> dict[str, str]:
    """What a recipe has that another one has not, as `train --set` would take it: dotted names and values.

    ```python
    from lq_fda.artifacts import recipe_changes

    base = {"epochs": 8, "model": {"parts": []}}
    assert recipe_changes(base, {"epochs": 8, "model": {"parts": ["gate", "shift"]}}) == {"model.parts": "gate,shift"}
    ```
    """
    return {
        key: (",".join(map(str, value)) or "[]") if isinstance(value, list) else str(value)
        for key, value in _changes(base, recipe)
    }


def _changes(base: Any, recipe: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves that differ, by their dotted names; a table that is gone is one, too."""
    base = base if isinstance(base, dict) else {}
    for key, value in recipe.items():
        if isinstance(value, dict):
            yield from _changes(base.get(key), value, f"{prefix}{key}.")
        elif base.get(key) != value:
            yield f"{prefix}{key}", value


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

    def history(self) -> list[dict[str, float]]:
        """One row an epoch, by column; columns named `LAYER/...` are about one layer.

        A row lacks what was not measured then: the version that trained that epoch may have measured less.

        Raises:
            LqFdaError: The file is missing or damaged.
        """
        try:
            with self.history_file.open(encoding="utf-8", newline="") as file:
                rows = [
                    {column: float(value) for column, value in row.items() if value != ""}
                    for row in csv.DictReader(file)
                ]
            if not rows or any("validation_accuracy" not in row for row in rows):
                raise ValueError("an epoch without a validation_accuracy, or no epoch")
            return rows
        except (OSError, ValueError, TypeError, csv.Error) as error:
            raise LqFdaError(
                f"The run's history is missing or damaged. Expected a table with one row an epoch. "
                f"Received: {str(self.history_file)!r} ({type(error).__name__}: {error}).",
                cure="Remove result.json, if it is there, and resume the run, which mends it from its checkpoint: "
                f"`lq-fda train --resume --output {self.path}`.",
            ) from error

    def record(self, study: str) -> RunRecord:
        """The finished run as one line for `results/`.

        Args:
            study: What it was trained for.

        Raises:
            LqFdaError: Training has not ended, or a file is missing or damaged.
        """
        result, recipe = self.result(), self.recipe()
        history = [{name: row[name] for name in row if "/" not in name} for row in self.history()]
        ended = datetime.datetime.fromtimestamp(self.result_file.stat().st_mtime, datetime.timezone.utc)
        try:
            return RunRecord(
                study=study,
                name=self.path.resolve().name,
                date=ended.isoformat(timespec="seconds"),
                recipe=without_places(recipe),
                result=result,
                history=history,
                environment=read_json(self.environment_file),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LqFdaError(
                f"The run cannot be recorded: a file of it is missing or damaged. "
                f"Received: {str(self.path)!r} ({type(error).__name__}: {error}).",
                cure="Resume the run, which mends what follows from its checkpoint: `lq-fda train --resume`.",
            ) from error
