"""Keeps a second build out of the folders that the first one writes."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from commands import ToolError


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a folder until the block ends. The system lets go of it however the process ends.

    Raises:
        ToolError: Another process, or another block of this one, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ToolError(
                f"Another build is running. Expected one at a time. Received: {folder} is in use. "
                "Wait until it has ended."
            ) from error
        yield
