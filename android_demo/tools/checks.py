"""What must be true of liblq_fda_delegate.so before it goes into an app."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path

import bionic
import elf
from abis import ABIS
from commands import ToolError

NAME = "liblq_fda_delegate.so"
PAGE = 1 << 14  # Android 15 has devices whose pages are that large.
MOST_BYTES = 500_000
# JNI's door, and the C interface of the same library on Linux, for an app in C++.
EXPORTS = frozenset(
    {
        "JNI_OnLoad",
        "tflite_plugin_create_delegate",
        "tflite_plugin_destroy_delegate",
        "lq_fda_delegate_report",
        "lq_fda_delegate_isas",
    }
)


def alignment_problem(library: elf.Library) -> str:
    """Why a library cannot be mapped where pages have 16 KiB; empty if it can."""
    for load in library.loads:
        if load.alignment % PAGE:
            return f"a part is aligned to {load.alignment:#x}, not to {PAGE:#x}"
        if (load.offset - load.address) % load.alignment:
            return "a part's place in the file and its address do not fit"
    if library.protected:
        # The system protects whole pages.
        end = library.protected.address + library.protected.memory
        page_end = -(-end // PAGE) * PAGE
        if any(end <= load.address < page_end for load in library.loads):
            return "the read-only part ends within a page of writable data"
    return ""


def problems(path: Path, abi: str, names: Mapping[str, Set[str]]) -> list[str]:
    """What is wrong with a built library; nothing, if it may be packed.

    Args:
        path: The library.
        abi: What it is for.
        names: Those that bionic has; `bionic.names` tells them.
    """
    library, row, found = elf.read(path), ABIS[abi], []
    if (library.machine, library.bits) != (row.machine, row.bits):
        found.append(f"it is for {library.machine} with {library.bits} bits, not for {row.machine} with {row.bits}")
    if library.soname != NAME:
        found.append(f"its name is {library.soname!r}, not {NAME!r}")
    if alignment_problem(library):
        found.append(alignment_problem(library))
    if library.exports != EXPORTS:
        found.append(f"it exports {sorted(library.exports)}, not {sorted(EXPORTS)}")
    if not set(library.needed) <= set(bionic.LIBRARIES):
        found.append(f"it needs {list(library.needed)}, more than {list(bionic.LIBRARIES)}")
    allowed = {name for library_names in names.values() for name in library_names}
    strange = sorted({symbol.name for symbol in library.imports} - allowed)
    if strange:
        found.append(f"it asks for {', '.join(strange)}, which bionic is not known to have")
    for is_wrong, what in (
        (library.text_relocations, "its code is changed on loading (TEXTREL)"),
        (library.executable_stack, "it wants an executable stack"),
        (not library.bind_now or library.protected is None, "its table of functions stays writable (no full RELRO)"),
        (library.thread_local, "it has variables of each thread, which Android emulates before API level 29"),
        (not library.stripped, "it is not stripped"),
        (path.stat().st_size >= MOST_BYTES, f"it has {path.stat().st_size} bytes, not less than {MOST_BYTES}"),
    ):
        if is_wrong:
            found.append(what)
    return found


def require(path: Path, abi: str, names: Mapping[str, Set[str]]) -> None:
    """Checks a built library.

    Raises:
        ToolError: It is not fit for an app.
    """
    found = problems(path, abi, names)
    if found:
        raise ToolError(f"{path.name} for {abi} is not fit for an app: {'; '.join(found)}.")
