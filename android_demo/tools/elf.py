"""What a library asks of the system that loads it, and what it gives."""

from __future__ import annotations

import dataclasses
import struct
import sys
from collections.abc import Set
from pathlib import Path

import versions
from commands import ToolError

try:
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection, GNUVerSymSection
    from elftools.elf.sections import SymbolTableSection
except ModuleNotFoundError:
    wanted = f"pyelftools=={versions.read()['pyelftools']}"
    sys.exit(f"{wanted} is missing. Install it: {sys.executable} -m pip install {wanted}.")


@dataclasses.dataclass(frozen=True)
class Import:
    """A symbol that the loader has to find.

    Args:
        name: Its name.
        library: The library that is to have it; empty if any may.
        version: Its version there, or empty.
        weak: Whether the library loads without it, too.
    """

    name: str
    library: str
    version: str
    weak: bool


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of the file that is mapped."""

    offset: int
    address: int
    memory: int
    alignment: int


@dataclasses.dataclass(frozen=True)
class Library:
    """A shared library.

    Args:
        machine: Its processor, as in `EM_AARCH64`.
        bits: 32 or 64.
        soname: The name that others find it by.
        needed: The libraries that it wants to be loaded.
        exports: Its symbols that others see.
        imports: Symbols that it wants of others.
        loads: Its mapped parts.
        protected: The part that becomes read-only after loading.
        text_relocations: Whether its code is changed on loading.
        executable_stack: Whether it wants to run code on the stack.
        bind_now: Whether all symbols are looked up on loading.
        thread_local: Whether it has variables of each thread.
        stripped: Whether only the symbols for loading are left.
    """

    machine: str
    bits: int
    soname: str
    needed: tuple[str, ...]
    exports: frozenset[str]
    imports: tuple[Import, ...]
    loads: tuple[Segment, ...]
    protected: Segment | None
    text_relocations: bool
    executable_stack: bool
    bind_now: bool
    thread_local: bool
    stripped: bool


_DF_TEXTREL, _DF_BIND_NOW, _DF_1_NOW, _PF_X = 0x4, 0x8, 0x1, 0x1


def read(path: Path) -> Library:
    """Reads a shared library.

    Raises:
        ToolError: It is none.
    """
    try:
        with path.open("rb") as file:
            return _read(ELFFile(file))
    except (OSError, ELFError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ToolError(f"{path} is no shared library that can be read ({error}). Build it again.") from error


def _read(file: ELFFile) -> Library:
    dynamic = next(section for section in file.iter_sections() if isinstance(section, DynamicSection))
    tags = list(dynamic.iter_tags())
    flags = {tag.entry.d_tag: tag.entry.d_val for tag in tags}
    exports, imports = _symbols(file)
    segments = list(file.iter_segments())
    return Library(
        machine=file["e_machine"],
        bits=file.elfclass,
        soname=next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), ""),
        needed=tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
        exports=exports,
        imports=imports,
        loads=tuple(_segment(segment) for segment in segments if segment["p_type"] == "PT_LOAD"),
        protected=next((_segment(segment) for segment in segments if segment["p_type"] == "PT_GNU_RELRO"), None),
        text_relocations="DT_TEXTREL" in flags or bool(flags.get("DT_FLAGS", 0) & _DF_TEXTREL),
        # Without the header the system decides, and some decide for an executable one.
        executable_stack=not any(s["p_type"] == "PT_GNU_STACK" and not s["p_flags"] & _PF_X for s in segments),
        bind_now=bool(flags.get("DT_FLAGS", 0) & _DF_BIND_NOW or flags.get("DT_FLAGS_1", 0) & _DF_1_NOW),
        thread_local=any(segment["p_type"] == "PT_TLS" for segment in segments),
        stripped=file.get_section_by_name(".symtab") is None,
    )


def _segment(segment) -> Segment:
    return Segment(segment["p_offset"], segment["p_vaddr"], segment["p_memsz"], segment["p_align"])


def _symbols(file: ELFFile) -> tuple[frozenset[str], tuple[Import, ...]]:
    versions: dict[int, tuple[str, str]] = {}
    indices = None
    for section in file.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for library, names in section.iter_versions():
                versions.update({name["vna_other"]: (library.name, name.name) for name in names})
        elif isinstance(section, GNUVerSymSection):
            indices = section
    exports, imports = set(), []
    for number, symbol in enumerate(file.get_section_by_name(".dynsym").iter_symbols()):
        if not symbol.name:
            continue
        if symbol["st_shndx"] != "SHN_UNDEF":
            exports.add(symbol.name)
            continue
        index = indices.get_symbol(number)["ndx"] if indices else 1
        library, version = versions.get(index, ("", ""))
        imports.append(Import(symbol.name, library, version, symbol["st_info"]["bind"] == "STB_WEAK"))
    return frozenset(exports), tuple(imports)


def undefine(path: Path, names: Set[str]) -> None:
    """Makes an object file ask for symbols that it defines.

    An archive of compiler support brings its own memcpy, and the linker would take it rather than the C library's.
    """
    with path.open("r+b") as stream:
        file = ELFFile(stream)
        table = next(section for section in file.iter_sections() if isinstance(section, SymbolTableSection))
        # An entry after its name: value, size, kind, visibility, section; or the last three first. All become zero but
        # the kind, which is global: for a hidden symbol, as these are, the linker would look in this library alone.
        fields = "<IIBBH" if file.elfclass == 32 else "<BBHQQ"
        undefined = (0, 0, 0x10, 0, 0) if file.elfclass == 32 else (0x10, 0, 0, 0, 0)
        for number in [number for number, symbol in enumerate(table.iter_symbols()) if symbol.name in names]:
            stream.seek(table["sh_offset"] + number * table["sh_entsize"] + 4)
            stream.write(struct.pack(fields, *undefined))
