"""Programs that a build runs, and how it says what went wrong."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_LONGEST = 900  # Seconds for one program.
DOWNLOAD = 3600  # For one that also fetches hundreds of megabytes: lines are slow, and servers are.


class ToolError(Exception):
    """What is wrong and what to do, in a sentence or two."""


def run(
    command: Sequence[str | Path], *, doing: str, environment: Mapping[str, str] | None = None, longest: int = _LONGEST
) -> str:
    """Runs a program.

    Args:
        command: The program and its arguments; no shell reads them.
        doing: What it is run for, as in "linking the library"; errors say so.
        environment: Variables that are set besides those of this process.
        longest: Seconds that it may take.

    Returns:
        What it wrote, to stdout and to stderr.

    Raises:
        ToolError: It could not be started, failed or did not end.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env={**os.environ, **(environment or {})},
            timeout=longest,
            check=False,
        )
    except OSError as error:
        raise ToolError(f"{words[0]} could not be started while {doing}: {error.strerror}. Install it.") from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{words[0]} did not end within {longest} s while {doing}. Try again.") from error
    if done.returncode:
        end = "\n".join(done.stdout.strip().splitlines()[-40:])
        raise ToolError(f"{words[0]} failed ({done.returncode}) while {doing}; it said:\n{end}")
    return done.stdout
