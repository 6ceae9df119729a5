"""What happens while an epoch runs: the progress bar, small images, and the alarm when the loss is no number."""

import math
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from lq_fda._keras import keras
from lq_fda.errors import LqFdaError
from lq_fda.training.recipe import SmallImagesConfig


class TrainingDiverged(LqFdaError):
    """The loss is no finite number any more."""


class StopOnNan(keras.callbacks.Callback):
    """Ends training as soon as the loss is not finite, before a checkpoint is made of it."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        check_finite(logs["loss"], "loss")


def check_finite(loss: float, name: str) -> None:
    """Refuses a loss that is no number.

    Raises:
        TrainingDiverged: It is not finite.
    """
    if not math.isfinite(loss):
        raise TrainingDiverged(
            f"Training diverged: the {name} is no finite number any more. Received: {name}={float(loss)}. "
            "The checkpoints and best weights of the epochs before are kept.",
            cure="Train again in another folder with a lower learning_rate, some warmup_epochs or clip_norm=1; "
            "with precision=mixed_float16, try mixed_bfloat16.",
        )


class GrowImages(keras.callbacks.Callback):
    """Shows the trainer small images in the first epochs of a recipe, and then those of the data set.

    Args:
        config: Which size, and for how long.
    """

    def __init__(self, config: SmallImagesConfig):
        super().__init__()
        self._config = config

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.image_size = self._config.size if epoch < self._config.epochs else None


class ProgressBar(keras.callbacks.Callback):
    """A bar over all epochs with the time that remains, and a line for every epoch.

    Use it as a context: the bar goes away when training ends, whatever ends it.

    Args:
        history: The rows so far; the recorder of the run appends to it.
        epochs: How many there are to be.
        steps_per_epoch: Steps of an epoch.
        batch_size: Images of a step.
        console: Where to draw; None is the standard error output.
    """

    def __init__(
        self,
        history: list[dict[str, Any]],
        *,
        epochs: int,
        steps_per_epoch: int,
        batch_size: int,
        console: Console | None = None,
    ):
        super().__init__()
        self._history = history
        self._epochs = epochs
        self._steps = steps_per_epoch
        self._batch_size = batch_size
        self._epoch = len(history)
        console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[status]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(
            "train",
            total=epochs * steps_per_epoch,
            completed=self._epoch * steps_per_epoch,
            epoch=self._epoch,
            epochs=epochs,
            status="",
        )

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._began = time.perf_counter()
        self._progress.update(self._task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        done = batch + 1
        speed = done * self._batch_size / (time.perf_counter() - self._began)
        status = f"loss {logs['loss']:.3f}  accuracy {logs['accuracy']:.3f}  {speed:.0f} images/s"
        self._progress.update(self._task, completed=self._epoch * self._steps + done, status=status)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = self._history[-1]
        best = max(range(len(self._history)), key=lambda index: self._history[index]["validation_accuracy"])
        self._progress.console.print(
            f"epoch {row['epoch']}/{self._epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
            f"validation {row['validation_accuracy']:.4f}{' (best)' if best == epoch else ''}  "
            f"{row['images_per_second']:.0f} images/s",
            highlight=False,
            soft_wrap=True,
        )
