"""Files that are whole or absent: written beside their place, then moved there."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lq_fda.errors import LqFdaError, reason

_STAGING = ".unfinished."
_LARGEST_JSON = 1 << 26


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns the operating system's refusal to write into one sentence with a cure."""
    try:
        yield
    except OSError as error:
        raise LqFdaError(
            f"Could not write. Expected a writable folder with free space. "
            f"Received: path={str(path)!r} ({error.strerror or error}).",
            cure="Choose another output folder or free some space, then run the same command again.",
        ) from error


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields an empty sibling file, with the same ending, that becomes `path` when the block ends without an error.

    For writers that want a file name; `write_atomic` takes the content itself.

    Raises:
        LqFdaError: The folder is not writable or the disk is full; what stood at `path` is unchanged.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_STAGING, suffix=f".{path.name}")
        os.close(handle)
        staging = Path(name)
        try:
            yield staging
            with staging.open("rb+") as file:
                os.fsync(file.fileno())
            staging.chmod(0o644)
            os.replace(staging, path)
        except BaseException:
            staging.unlink(missing_ok=True)
            raise


def remove_leftovers(folder: Path) -> None:
    """Removes what writers that were killed left of their unfinished files."""
    for leftover in folder.glob(f"{_STAGING}*"):
        leftover.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Writes a file so that a reader, or a crash, never sees half of it.

    Raises:
        LqFdaError: The folder is not writable or the disk is full; what stood at `path` is unchanged.
    """
    with atomic_file(path) as staging:
        staging.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yields an empty sibling folder that becomes `path` when the block ends without an error.

    A directory that stood at `path` stays until the new one is complete, and is then replaced. What an earlier call
    left beside `path` because it was killed is cleared away first.

    Raises:
        LqFdaError: The parent is not writable or the disk is full; what stood at `path` is unchanged, or the message
            says where it is.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(path)
        staging = _sibling(path, "new")
        try:
            os.chmod(staging, 0o755)
            yield staging
            if path.exists():
                _exchange(staging, path)
            else:
                os.replace(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _sibling(path: Path, role: str) -> Path:
    """A new folder beside `path`, named so that `_clear_leftovers` knows it again."""
    return Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.{role}."))


def _siblings(path: Path, role: str) -> list[Path]:
    name = re.compile(rf"\.{re.escape(path.name)}\.{role}\.[a-z0-9_]{{8}}")
    return [entry for entry in path.parent.iterdir() if name.fullmatch(entry.name)]


def _clear_leftovers(path: Path) -> None:
    """Removes what a killed call left beside `path`; a folder that it had moved aside comes back first."""
    for retired in _siblings(path, "old"):
        if not os.path.lexists(path) and (retired / path.name).exists():
            os.replace(retired / path.name, path)
        shutil.rmtree(retired, ignore_errors=True)
    for staging in _siblings(path, "new"):
        shutil.rmtree(staging, ignore_errors=True)


def _exchange(staging: Path, path: Path) -> None:
    """Puts a folder in the place of another one, which goes only when something stands there again."""
    retired = _sibling(path, "old")
    old = retired / path.name
    try:
        os.replace(path, old)
        try:
            os.replace(staging, path)
        except BaseException:
            _move_back(old, path)
            raise
    finally:
        if path.exists():
            shutil.rmtree(retired, ignore_errors=True)


def _move_back(old: Path, path: Path) -> None:
    try:
        os.replace(old, path)
    except OSError as error:
        raise LqFdaError(
            f"The new folder could not be moved into its place, nor the old one back ({error.strerror or error}). "
            f"Nothing is lost: the old one is whole. Received: path={str(path)!r}, the old one in {str(old)!r}.",
            cure=f"Run the same command again, which moves it back; or move it yourself: mv {old} {path}.",
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Writes a value as JSON that people can read, whole or not at all."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        LqFdaError: The file is missing, cannot be read or is not JSON.
    """
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError(f"more than {_LARGEST_JSON} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LqFdaError(
            f"A file is missing. Expected {path.name!r}. Received: path={str(path)!r}.",
            cure="Check the path, or run the command that makes it again.",
        ) from None
    except OSError as error:
        raise LqFdaError(
            f"A file cannot be read. Received: path={str(path)!r} ({error.strerror or error}).",
            cure="Check the path and its permissions.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise LqFdaError(
            f"A file is damaged. Expected JSON. Received: path={str(path)!r} ({error}).",
            cure="Run the command that makes it again.",
        ) from error


@contextlib.contextmanager
def understood(file: Path, what: str, *, cure: str = "Restore the file from a copy.") -> Iterator[None]:
    """Turns the content of a file that is not what it should be into one sentence.

    Args:
        file: What is read.
        what: The same in words, with which the sentence begins.
        cure: What to do about it.

    Raises:
        LqFdaError: The block stumbled over the content.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise LqFdaError(
            f"{what} is damaged or of another version. Received: {str(file)!r} "
            f"({type(error).__name__}: {reason(error)}).",
            cure=cure,
        ) from error


def parse_json(text: bytes | str) -> Any:
    """`json.loads`, but of JSON: Python's own also takes `NaN` and `Infinity`.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deep.
    """
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
