"""What machine a shared library is for, read from its first bytes, before the loader sees it."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import NamedTuple

from lq_fda_runtime.errors import LqFdaRuntimeError

_MACHINES = {3: "x86", 40: "ARM", 62: "x86_64", 183: "aarch64", 243: "RISC-V"}
_HEADER = 20
# The program that runs, whatever links and wrappers it was started through.
_PYTHON = Path("/proc/self/exe")


class Architecture(NamedTuple):
    """`bits` is 32 or 64, `little` the byte order, `machine` the number in the ELF header."""

    bits: int
    little: bool
    machine: int

    def __str__(self) -> str:
        order = "" if self.little else " big-endian"
        return f"{self.bits}-bit{order} {_MACHINES.get(self.machine, f'machine {self.machine}')}"


def architecture(path: Path) -> Architecture:
    """Reads the header of an ELF file.

    Raises:
        LqFdaRuntimeError: It cannot be read, or is no ELF file.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise LqFdaRuntimeError(
            f"A shared library cannot be read. Received: path={str(path)!r} ({error.strerror or error}).",
            cure="Check the path, or reinstall: `pip install --force-reinstall lq-fda-runtime`.",
        ) from error
    if len(header) < _HEADER or header[:4] != b"\x7fELF" or header[4] not in (1, 2) or header[5] not in (1, 2):
        raise LqFdaRuntimeError(
            f"This is no Linux shared library. Expected an ELF file. "
            f"Received: path={str(path)!r}, which begins with {header[:4]!r}.",
            cure="Reinstall: `pip install --force-reinstall lq-fda-runtime`.",
        )
    little = header[5] == 1
    (machine,) = struct.unpack_from("<H" if little else ">H", header, 18)
    return Architecture(32 * header[4], little, machine)


def require_same_architecture(path: Path) -> None:
    """Refuses a library for another machine than this Python's.

    The kernel's machine does not decide: a 32-bit Python runs on a 64-bit kernel.

    Raises:
        LqFdaRuntimeError: The library is for another machine, or is no library.
    """
    received, expected = architecture(path), architecture(_PYTHON if _PYTHON.exists() else Path(sys.executable))
    if received != expected:
        raise LqFdaRuntimeError(
            f"The delegate was built for another machine. Expected {expected}, as this Python is. "
            f"Received: {received} in {str(path)!r}.",
            cure="Install the wheel for this machine: `pip install --force-reinstall lq-fda-runtime`.",
        )
