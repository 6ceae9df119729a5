"""Answers that take minutes to compute and never change: kept as small files in the user's cache folder."""

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lq_fda.artifacts import write_atomic
from lq_fda.errors import LqFdaError


def cache_folder() -> Path:
    """`LQ_FDA_CACHE`, else `lq_fda` in the user's cache folder."""
    if "LQ_FDA_CACHE" in os.environ:
        return Path(os.environ["LQ_FDA_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lq_fda"


def remembered(question: dict[str, Any], compute: Callable[[], np.ndarray]) -> np.ndarray:
    """The array that `compute` gave when this question was first asked.

    Args:
        question: Everything that the answer depends on, JSON-able.
        compute: Finds the answer.

    Raises:
        LqFdaError: The cache folder is not writable.
    """
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    path = cache_folder() / f"{digest[:32]}.npy"
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError):
        pass  # not there, not readable or cut short: the answer is computed, and writing it says what is wrong
    answer = compute()
    buffer = io.BytesIO()
    np.save(buffer, answer, allow_pickle=False)
    try:
        write_atomic(path, buffer.getvalue())
    except LqFdaError as error:
        raise LqFdaError(
            error.problem, cure="Set the environment variable LQ_FDA_CACHE to a writable folder."
        ) from error
    return answer
