"""Memory of one file: what a fresh process needs beyond the runtime alone."""

import subprocess
import sys
from pathlib import Path

from lq_fda.errors import LqFdaError

# The child says how much its resident set grew from "runtime loaded, file read" to "has run three times".
_CHILD = """
import resource, sys
import numpy as np
from lq_fda import runtimes

runtime, path = sys.argv[1:]
runtimes.available()
model = open(path, "rb").read()
with open("/proc/self/statm") as file:
    before = int(file.read().split()[1]) * resource.getpagesize()
session = runtimes.open_session(runtime, model)
for _ in range(3):
    session.run(np.zeros(session.input_shape, np.float32))
with open("/proc/self/statm") as file:
    after = int(file.read().split()[1]) * resource.getpagesize()
print(after - before)
"""


def peak_memory(runtime: str, path: Path) -> int | None:
    """Bytes of resident memory that loading and running a file adds to a fresh process that has the runtime loaded.

    Returns:
        None on systems without /proc, where it is not measured.

    Raises:
        LqFdaError: The child process failed.
    """
    if not Path("/proc/self/statm").exists():
        return None
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, runtime, str(path)], capture_output=True, text=True, check=False, timeout=300
    )
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise LqFdaError(
            f"The memory of a file could not be measured. Received: {path.name} on {runtime} ({last}).",
            cure="Run `lq-fda verify` on the bundle to see whether the file runs at all.",
        )
    return int(child.stdout.split()[-1])
