"""Memory of one file: what a fresh process needs beyond the runtime alone."""

import subprocess
import sys
from pathlib import Path

# The child says how far its resident set rose above "runtime loaded, file read" while it opened the file and ran it.
# Writing 5 to clear_refs starts the kernel's high-water mark anew.
_CHILD = """
import re, sys
import numpy as np
from lq_fda import runtimes

def resident(name):
    with open("/proc/self/status") as file:
        return int(re.search(name + r":\\s+(\\d+) kB", file.read()).group(1)) * 1024

runtime, path = sys.argv[1:]
runtimes.available()
model = open(path, "rb").read()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = resident("VmRSS")
session = runtimes.open_verified(runtime, model)
for _ in range(3):
    session.run(np.zeros(session.input_shape, np.float32))
print(resident("VmHWM") - before)
"""


def peak_memory(runtime: str, path: Path) -> int | None:
    """Most bytes of resident memory that opening and running a file adds to a fresh process with the runtime loaded.

    Returns:
        None where it cannot be measured: without /proc, in a container that forbids it, or if the file does not run.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    try:
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, runtime, str(path)], capture_output=True, text=True, check=True, timeout=300
        )
    except subprocess.SubprocessError:
        return None
    return int(child.stdout.split()[-1])
