"""What happens after an epoch: validate, then write down everything that must survive a kill.

The checkpoint holds the whole history, so that it alone decides how far a run has come. Best weights, `history.csv` and
`result.json` follow from it: a kill between two of these files is mended when the run is resumed.
"""

import contextlib
import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lq_fda import data, models
from lq_fda._keras import keras, precision, tf
from lq_fda.artifacts import RunDir, atomic_file, best_row, write_atomic
from lq_fda.errors import LqFdaError
from lq_fda.training import checkpoints
from lq_fda.training.callbacks import check_finite
from lq_fda.training.diagnostics import BinarizationProbe, BinarizationShares
from lq_fda.training.evaluation import Evaluator, split_of
from lq_fda.training.optimizers import learning_rate
from lq_fda.training.recipe import Recipe
from lq_fda.training.trainer import Trainer

Row = dict[str, Any]

# Bytes of a variable's entry beside its values; measured at 1400.
_HDF5_OVERHEAD = 4096


class EpochRecorder(keras.callbacks.Callback):
    """Validates what would be shipped, a float32 copy of the network, and writes the run directory.

    Args:
        run: Where to write.
        recipe: What is trained.
        dataset: Gives the validation split.
        trainer: What is trained, in the strategy's scope.
        steps_per_epoch: Steps of an epoch.
        chief: False on the workers that only take part in reading the variables.
    """

    def __init__(
        self, run: RunDir, recipe: Recipe, dataset: data.Dataset, trainer: Trainer, steps_per_epoch: int, *, chief: bool
    ):
        super().__init__()
        self.history: list[Row] = []
        self._run = run
        self._trainer = trainer
        self._steps = steps_per_epoch
        self._learning_rate = learning_rate(recipe, steps_per_epoch)
        self._images = steps_per_epoch * recipe.batch_size
        self._chief = chief
        shipped = checkpoints.read_values(trainer.shipped)
        if chief:
            with precision("float32"):
                self._shipped = models.build(recipe.model)
            self._shipped.set_weights(shipped)
            self._validation = split_of(dataset, "validation")
            self._evaluate = Evaluator(self._shipped)
            self._probe = BinarizationProbe(self._shipped, next(iter(self._validation))[0])
            with _logging(run.tensorboard):
                self._board = tf.summary.create_file_writer(str(run.tensorboard))

    def resume(self) -> None:
        """Goes back to the newest checkpoint that is whole, and mends the files that follow from it.

        Raises:
            LqFdaError: There are checkpoints, and none can be used.
        """
        checkpoint = checkpoints.load_latest(self._run.checkpoints)
        if checkpoint is None:
            return
        checkpoints.restore(self._trainer.state, checkpoint, self._run.checkpoints)
        self.history.extend(checkpoint.history)
        shipped = checkpoints.read_values(self._trainer.shipped)
        if self._chief:
            self._shipped.set_weights(shipped)
            self._probe.restart()
            self._write_files()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        seconds = time.perf_counter() - self._began
        values = checkpoints.read_values(self._trainer.state)
        shipped = checkpoints.read_values(self._trainer.shipped)
        if not self._chief:
            return
        self._shipped.set_weights(shipped)
        row, shares = self._measure(epoch, logs, seconds)
        check_finite(row["validation_loss"], "validation_loss")
        self._draw(row, shares)
        checkpoints.save(self._run.checkpoints, checkpoints.Checkpoint([*self.history, row], values))
        self.history.append(row)
        self._write_files()

    def _measure(self, epoch: int, logs: dict[str, float], seconds: float) -> tuple[Row, list[BinarizationShares]]:
        began = time.perf_counter()
        validation = self._evaluate(self._validation)
        shares = self._probe()
        row = {
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            "accuracy": float(logs["accuracy"]),
            "validation_loss": validation.loss,
            "validation_accuracy": validation.top1,
            "learning_rate": float(self._learning_rate((epoch + 1) * self._steps - 1)),
            "train_seconds": seconds,
            "validation_seconds": time.perf_counter() - began,
            "images_per_second": self._images / seconds,
        }
        for share in shares:
            row |= share.summary()
        return row, shares

    def _draw(self, row: Row, shares: list[BinarizationShares]) -> None:
        with _logging(self._run.tensorboard), self._board.as_default(step=row["epoch"]):
            for name, value in row.items():
                if name != "epoch":
                    tf.summary.scalar(name, value)
            for share in shares:
                tf.summary.histogram(f"channels/{share.layer}/positive", share.positive)
                tf.summary.histogram(f"channels/{share.layer}/inside", share.inside)
            self._board.flush()

    def _write_files(self) -> None:
        if best_row(self.history) is self.history[-1]:
            with atomic_file(self._run.best_weights) as staging:
                # HDF5 takes the process down when the disk is full; plain bytes raise an error.
                staging.write_bytes(bytes(sum(w.nbytes + _HDF5_OVERHEAD for w in self._shipped.get_weights())))
                self._shipped.save_weights(staging)
        write_atomic(self._run.history_file, as_csv(self.history))


@contextlib.contextmanager
def _logging(folder: Path) -> Iterator[None]:
    """TensorBoard's writer is TensorFlow's own, and so are its errors."""
    try:
        yield
    except tf.errors.OpError as error:
        raise LqFdaError(
            f"Could not write the TensorBoard log. Expected a writable folder with free space. "
            f"Received: path={str(folder)!r} ({type(error).__name__}).",
            cure="Free some space or choose another output folder; a run that has begun can be resumed.",
        ) from error


def as_csv(history: list[Row]) -> str:
    """The history as a table with a header; empty where an older version, which began the run, measured less."""
    text = io.StringIO(newline="")
    columns = dict.fromkeys(column for row in history for column in row)
    table = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
    table.writeheader()
    table.writerows(history)
    return text.getvalue()


def median_speed(history: list[Row]) -> float:
    """Images a second of the median epoch: the first one compiles."""
    return float(np.median([row["images_per_second"] for row in history]))
