"""Which functions Android's C library has, as far as this build may rely on it.

A name is known to be there if the official TFLite library of the same ABI asks for it, which runs on every phone since
API level 19, or if the system's own list of symbols (libc/libc.map.txt for bionic) says since when it is there.
"""

from __future__ import annotations

import dataclasses

import elf
import versions
from commands import ToolError

LIBRARIES = ("libc.so", "libm.so", "libdl.so", "liblog.so")


@dataclasses.dataclass(frozen=True)
class Known:
    """A name that TFLite's library does not vouch for.

    Args:
        library: Where it is.
        since: The first API level with it.
        source: Where that is written.
    """

    library: str
    since: int
    source: str


_MAP = "bionic, libc/libc.map.txt"
KNOWN = {
    "getauxval": Known("libc.so", 18, f"{_MAP}; the 64-bit TFLite asks for it, too"),
    "pthread_cond_init": Known("libc.so", 1, f"{_MAP}, without a level: since the first; TFLite for x86_64, too"),
    "sched_yield": Known("libc.so", 1, f"{_MAP}, without a level: since the first"),
    "__android_log_write": Known("liblog.so", 1, "liblog, liblog.map.txt, without a level: since the first"),
}
# Variables among the names; all others are functions.
VARIABLES = frozenset({"__sF", "__stack_chk_guard"})


def names(tflite: elf.Library) -> dict[str, frozenset[str]]:
    """Of every library of the system: the names that this build may use.

    Args:
        tflite: The official library of the same ABI.

    Raises:
        ToolError: A name of the list is newer than the oldest Android that is promised.
    """
    oldest = int(versions.read()["minSdk"])
    late = [name for name, known in KNOWN.items() if known.since > oldest]
    if late:
        raise ToolError(
            f"bionic lacks {', '.join(late)} at API level {oldest}. Raise minSdk in {versions.CATALOG.name}."
        )
    found: dict[str, set[str]] = {library: set() for library in LIBRARIES}
    for symbol in tflite.imports:
        library = symbol.library or _library_of_unversioned(symbol.name)
        if library:
            found[library].add(symbol.name)
    for name, known in KNOWN.items():
        found[known.library].add(name)
    return {library: frozenset(symbols) for library, symbols in found.items()}


def versioned(library: str, name: str) -> bool:
    """Whether the name has the version LIBC, as in the NDK's stubs."""
    return library != "liblog.so" and not name.startswith("__aeabi_")


def _library_of_unversioned(name: str) -> str:
    if name.startswith("__android_log_"):
        return "liblog.so"
    # Bionic has them for 32-bit ARM; their version changed with API level 24, so nobody names it.
    return "libc.so" if name.startswith("__aeabi_mem") else ""
