"""What a link for Android wants and the NDK would bring: stubs of the system's libraries, and compiler support.

A stub has the names that the system's library has, and no code. It has only those that `bionic.names` vouches for, so
what a phone may lack does not link.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Set
from pathlib import Path

import bionic
import elf
import versions
import zig
from abis import Abi
from commands import run


def make(abi: Abi, names: Mapping[str, Set[str]], folder: Path) -> Path:
    """Makes the kit for an ABI.

    Args:
        abi: Which.
        names: Of every library, what it has.
        folder: Where the kit goes.

    Returns:
        The folder: `lib*.so`, `builtins.o` and `ld.lld`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for library, symbols in names.items():
        _stub(abi, library, sorted(symbols), folder)
    _builtins(abi, folder, {name for symbols in names.values() for name in symbols})
    _linker(folder)
    return folder


def triple(abi: Abi) -> str:
    """What clang is told to compile for."""
    return f"{abi.triple}{versions.read()['minSdk']}"


def _stub(abi: Abi, library: str, symbols: list[str], folder: Path) -> None:
    source, script, made = folder / f"{library}.s", folder / f"{library}.map", folder / f"{library}.o"
    lines = [".text"]
    for symbol in symbols:
        kind = "object" if symbol in bionic.VARIABLES else "function"
        lines += [f".globl {symbol}", f".type {symbol}, %{kind}", f"{symbol}:", ".long 0"]
    # The stack is not to be executable.
    lines.append('.section .note.GNU-stack, "", %progbits')
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    versioned = [symbol for symbol in symbols if bionic.versioned(library, symbol)]
    listed = "".join(f"  {symbol};\n" for symbol in versioned)
    script.write_text(f"LIBC {{\n{listed}}};\n" if versioned else "{ *; };\n", encoding="utf-8")
    doing = f"making a stub of {library} for {abi.name}"
    run([zig.program(), "clang", f"--target={triple(abi)}", "-c", source, "-o", made], doing=doing)
    run(
        [
            *(zig.program(), "ld.lld", "-shared", "-soname", library),
            *("--version-script", script, "-o", folder / library, made),
        ],
        doing=doing,
    )


def _builtins(abi: Abi, folder: Path, others: Set[str]) -> None:
    target, processor = abi.builtins
    path = folder / "builtins.o"
    run(
        [
            *(zig.program(), "build-obj", zig.folder() / "lib" / "compiler_rt.zig"),
            *("-target", target, f"-mcpu={processor}", "-OReleaseSmall", "-fPIC", "-fstrip", "-ffunction-sections"),
            f"-femit-bin={path}",
        ],
        doing=f"compiling zig's compiler support for {abi.name}",
    )
    elf.undefine(path, others)


def _linker(folder: Path) -> None:
    """Clang runs a program; zig's linker is a word behind the program zig."""
    path = folder / "ld.lld"
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(str(zig.program()))} ld.lld "$@"\n', encoding="utf-8")
    path.chmod(0o755)
