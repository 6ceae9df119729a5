"""ZIP files that are the same, byte for byte, whenever their content is."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

# The earliest that the format knows.
_DATE = (1980, 1, 1, 0, 0, 0)
_STORED = (".so", ".arsc", ".png")
# Devices map native libraries from the APK in pages of up to 16 KiB, and the rest in words.
_ALIGNMENTS = {".so": 1 << 14}
_WORD = 4
# What Android's zipalign fills gaps with: a field that says what it aligned to.
_FIELD, _FIELD_HEADER = 0xD935, 6


def files(folder: Path, prefix: str = "") -> dict[str, bytes]:
    """Everything below a folder, by its path in an archive."""
    return {
        f"{prefix}{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def entries(path: Path) -> dict[str, bytes]:
    """The content of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def write(path: Path, content: Mapping[str, bytes]) -> None:
    """Writes an archive, its entries in the order of their names.

    What is compressed already is stored as it is, native libraries at multiples of 16 KiB, and all else that is stored
    at multiples of 4 bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            ending = Path(name).suffix
            entry.compress_type = zipfile.ZIP_STORED if ending in _STORED else zipfile.ZIP_DEFLATED
            if entry.compress_type == zipfile.ZIP_STORED:
                entry.extra = _padding(archive.fp.tell(), name, _ALIGNMENTS.get(ending, _WORD))
            archive.writestr(entry, content[name])


def _padding(place: int, name: str, alignment: int) -> bytes:
    gap = -(place + zipfile.sizeFileHeader + len(name.encode())) % alignment
    while 0 < gap < _FIELD_HEADER:
        gap += alignment
    return struct.pack("<HHH", _FIELD, gap - 4, alignment).ljust(gap, b"\0") if gap else b""
