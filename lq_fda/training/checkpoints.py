"""Checkpoints: one file an epoch, whole or absent, and checked when it is read.

A checkpoint is an uncompressed `.npz` (the training state, one array a variable, and the history as JSON) followed by
its SHA-256. It is written beside its place and moved there, so that a kill at any moment leaves the checkpoints before
it. The digest finds truncation and bit rot, in the zip's headers too; the checkpoint before then takes over.
"""

import dataclasses
import hashlib
import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lq_fda._keras import tf
from lq_fda.artifacts import write_atomic
from lq_fda.errors import LqFdaError

KEEP = 2
_HISTORY = "history"
_DIGEST_SIZE = hashlib.sha256().digest_size

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The training state after an epoch.

    Args:
        history: One row an epoch, from the first one.
        values: The values of the training state's variables, in their order.
    """

    history: list[dict[str, Any]]
    values: list[np.ndarray]

    @property
    def epochs(self) -> int:
        return len(self.history)


def read_values(variables: Sequence[tf.Variable]) -> list[np.ndarray]:
    """The values of variables; under a multi-worker strategy, all workers must call it together."""
    return [variable.numpy() for variable in variables]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint and removes those that are no longer needed.

    Raises:
        LqFdaError: The folder is not writable or the disk is full; the checkpoints before it are unchanged.
    """
    history = np.frombuffer(json.dumps(checkpoint.history).encode(), np.uint8)
    arrays = {str(index): value for index, value in enumerate(checkpoint.values)}
    content = io.BytesIO()
    np.savez(content, **{_HISTORY: history}, **arrays)
    npz = content.getvalue()
    write_atomic(folder / _name(checkpoint), npz + hashlib.sha256(npz).digest())
    for old in _files(folder)[KEEP:]:
        old.unlink(missing_ok=True)


def load_latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole, or None where there is none at all.

    Damaged ones are passed over with a warning.

    Raises:
        LqFdaError: There are checkpoints, and all are damaged.
    """
    files = _files(folder)
    for file in files:
        try:
            return _load(file)
        except (OSError, ValueError) as error:
            logger.warning("The checkpoint %s is damaged (%s); trying the one before it.", file, error)
    if files:
        raise LqFdaError(
            f"No checkpoint of this run can be read: every one is damaged. "
            f"Received: {', '.join(file.name for file in files)} in {str(folder)!r}.",
            cure="Restore them from a copy, or train again in another folder.",
        )
    return None


def restore(variables: Sequence[tf.Variable], checkpoint: Checkpoint, folder: Path) -> None:
    """Puts a checkpoint's values into variables.

    Raises:
        LqFdaError: The checkpoint belongs to another network or optimizer.
    """
    expected = [tuple(variable.shape) for variable in variables]
    received = [value.shape for value in checkpoint.values]
    if expected != received:
        raise LqFdaError(
            f"The checkpoint belongs to another network or optimizer. Expected {len(expected)} variables. "
            f"Received: {len(received)} variables, or other shapes, in {str(folder)!r}.",
            cure="Resume with the version of lq-fda that began the run, or train again in another folder.",
        )
    for variable, value in zip(variables, checkpoint.values, strict=True):
        variable.assign(value)


def _files(folder: Path) -> list[Path]:
    """Checkpoint files, newest first."""
    return sorted(folder.glob("epoch-*.npz"), reverse=True)


def _load(file: Path) -> Checkpoint:
    content = file.read_bytes()
    npz, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    if hashlib.sha256(npz).digest() != digest:
        raise ValueError("wrong checksum")
    with np.load(io.BytesIO(npz), allow_pickle=False) as archive:
        history = json.loads(archive[_HISTORY].tobytes())
        values = [archive[str(index)] for index in range(len(archive.files) - 1)]
    checkpoint = Checkpoint(history, values)
    if _name(checkpoint) != file.name:
        raise ValueError(f"it holds {checkpoint.epochs} epochs")
    return checkpoint


def _name(checkpoint: Checkpoint) -> str:
    return f"epoch-{checkpoint.epochs:05d}.npz"
