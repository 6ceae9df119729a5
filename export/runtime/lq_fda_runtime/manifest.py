"""The bundle's table of contents, read with suspicion: a bundle may come from anywhere."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from lq_fda_runtime.errors import LqFdaRuntimeError
from lq_fda_runtime.preprocessing import Preprocessing

FORMAT = 1
MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 24
_LARGEST_FILE = (1 << 31) - 1  # Offsets in a .tflite file are 32-bit.
_LARGEST_SIDE = 4096
_LARGEST_CLASSES = 1 << 20
_MOST_FILES = 64
# 255 times such a number and one more are finite in float32, as preprocessing computes.
_LARGEST_NUMBER = 2.0**119


@dataclasses.dataclass(frozen=True)
class FileEntry:
    """What a file has to be: its size and its sha256, in hexadecimal."""

    sha256: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a device needs of the manifest.

    Args:
        name: Of the network and its data set.
        classes: Number of outputs, which are logits.
        preprocessing: How an image becomes the input.
        files: The bundle's files, by name.
        accuracy: Top-1 accuracy by network, as fractions.
    """

    name: str
    classes: int
    preprocessing: Preprocessing
    files: dict[str, FileEntry]
    accuracy: dict[str, float]


class _Damaged(ValueError):
    """A field that is missing or odd; the message names it."""


def read_manifest(folder: Path) -> Manifest:
    """Reads `manifest.json`.

    Fields that a device does not need are passed over. Those of the preprocessing and of the files are not: one more
    there would change what they mean.

    Raises:
        LqFdaRuntimeError: It is missing, of another format, or damaged.
    """
    path = folder / MANIFEST
    content = _read(path)
    received = content.get("format") if isinstance(content, dict) else None
    if isinstance(received, int) and not isinstance(received, bool) and received > FORMAT:
        raise LqFdaRuntimeError(
            f"The bundle is newer than this program. Expected format {FORMAT}. "
            f"Received: format={received!r:.60} in {str(path)!r}.",
            cure="Update: `pip install --upgrade lq-fda-runtime`.",
        )
    try:
        if type(received) is not int or received != FORMAT:
            raise _Damaged(f"format={received!r:.60} is not {FORMAT}")
        if content.get("output", "logits") != "logits":
            raise _Damaged(f"output={content['output']!r} is not 'logits'")
        return Manifest(
            name=_text(content, "name"),
            classes=_whole(content, "classes", 2, _LARGEST_CLASSES),
            preprocessing=_preprocessing(_table(content, "preprocessing")),
            files=_files(_table(content, "files")),
            accuracy=_accuracy(content.get("accuracy", {})),
        )
    except _Damaged as error:
        raise LqFdaRuntimeError(
            f"The bundle's manifest is damaged: {error}. Received: path={str(path)!r}.",
            cure="Copy the bundle again, or convert the run again.",
        ) from error


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_MANIFEST + 1)
    except OSError as error:
        raise LqFdaRuntimeError(
            f"This is no bundle. Expected a folder with {MANIFEST}. "
            f"Received: path={str(path.parent)!r} ({error.strerror or error}).",
            cure="Check the path, or make a bundle: `lq-fda convert RUN --output BUNDLE`.",
        ) from error
    try:
        if len(data) > _LARGEST_MANIFEST:
            raise ValueError(f"more than {_LARGEST_MANIFEST} bytes")
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LqFdaRuntimeError(
            f"The bundle's manifest is damaged. Expected JSON. Received: path={str(path)!r} ({error}).",
            cure="Copy the bundle again, or convert the run again.",
        ) from error


def _preprocessing(table: dict[str, Any]) -> Preprocessing:
    _only(table, "preprocessing", {field.name for field in dataclasses.fields(Preprocessing)})
    crop = _number(table.get("crop", 1.0), "preprocessing.crop")
    if not 0 < crop <= 1:
        raise _Damaged(f"preprocessing.crop={crop} is not in (0, 1]")
    return Preprocessing(
        height=_whole(table, "height", 1, _LARGEST_SIDE),
        width=_whole(table, "width", 1, _LARGEST_SIDE),
        crop=crop,
        scale=_triple(table, "scale"),
        offset=_triple(table, "offset"),
    )


def _files(table: dict[str, Any]) -> dict[str, FileEntry]:
    if len(table) > _MOST_FILES:
        raise _Damaged(f"files has {len(table)} entries, more than {_MOST_FILES}")
    entries = {}
    for name, entry in table.items():
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise _Damaged(f"files holds {name!r}, which is no plain file name")
        if not isinstance(entry, dict):
            raise _Damaged(f"files.{name} is no table")
        _only(entry, f"files.{name}", {"sha256", "bytes"})
        digest = _text(entry, "sha256")
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise _Damaged(f"files.{name}.sha256={digest[:70]!r} is no sha256")
        entries[name] = FileEntry(digest, _whole(entry, "bytes", 0, _LARGEST_FILE))
    return entries


def _accuracy(table: Any) -> dict[str, float]:
    if not isinstance(table, dict):
        raise _Damaged("accuracy is no table")
    return {
        name: _number(entry.get("top1"), f"accuracy.{name}.top1")
        for name, entry in table.items()
        if isinstance(entry, dict)
    }


def _only(table: dict[str, Any], where: str, names: set[str]) -> None:
    unknown = sorted(set(table) - names)
    if unknown:
        raise _Damaged(f"{where} has unknown fields {unknown}")


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    if not isinstance(value, dict):
        raise _Damaged(f"{name} is no table")
    return value


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str):
        raise _Damaged(f"{name} is no text")
    return value


def _whole(content: dict[str, Any], name: str, least: int, most: int) -> int:
    value = content.get(name)
    if type(value) is not int or not least <= value <= most:
        raise _Damaged(f"{name}={value!r:.60} is no whole number from {least} to {most}")
    return value


def _number(value: Any, name: str) -> float:
    # Not a number is not below either; a whole number may have hundreds of digits.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST_NUMBER:
        raise _Damaged(f"{name}={value!r:.60} is no number from -2^119 to 2^119")
    return float(value)


def _triple(content: dict[str, Any], name: str) -> tuple[float, float, float]:
    value = content.get(name)
    if not isinstance(value, list) or len(value) != 3:
        raise _Damaged(f"{name} does not hold 3 numbers")
    return tuple(_number(item, name) for item in value)
