"""The compiler from PyPI's package `ziglang`: clang, lld and the support code that goes with them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import versions
from commands import ToolError, run


def folder() -> Path:
    """Where the package is.

    Raises:
        ToolError: It is missing, or has another version: its ways of calling clang and lld change between them.
    """
    expected = versions.read()["ziglang"]
    spec = importlib.util.find_spec("ziglang")
    found = importlib.metadata.version("ziglang") if spec else "none"
    if found != expected:
        raise ToolError(
            f"The compiler is another one. Expected ziglang {expected}. Received: {found}. Install it: "
            f"{sys.executable} -m pip install ziglang=={expected}."
        )
    return Path(spec.submodule_search_locations[0])


def program() -> Path:
    """The program zig."""
    return folder() / "zig"


def headers() -> Path:
    """The headers that belong to clang, of whatever C library."""
    return folder() / "lib" / "include"


def compile_c(target: str, sources: Sequence[Path], output: Path, *flags: str | Path) -> Path:
    """Compiles and links C for a Linux with glibc."""
    output.parent.mkdir(parents=True, exist_ok=True)
    run(
        [program(), "cc", "-target", target, "-O2", "-Wall", "-Wextra", "-Werror", *sources, *flags, "-o", output],
        doing=f"compiling {output.name} for {target}",
    )
    return output
