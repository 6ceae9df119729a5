"""golden.npz: inputs, and the outputs that they gave where the bundle was made."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from lq_fda_runtime.errors import LqFdaRuntimeError, first_line

_LARGEST_ARRAY = 1 << 28
# What zipfile, zlib and numpy say of bytes that are none of theirs; RuntimeError is an encrypted archive.
_ERRORS = (
    *(OSError, EOFError, LookupError, TypeError, ValueError, ArithmeticError, SyntaxError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
# Numpy writes no others, whose readers have errors of their own.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Golden(NamedTuple):
    """Preprocessed images, (n, height, width, 3), and what each file gives for them, (n, classes)."""

    inputs: np.ndarray
    outputs: dict[str, np.ndarray]


def read_golden(
    content: bytes, *, name: str, files: Sequence[str], input_shape: tuple[int, ...], classes: int
) -> Golden:
    """Reads the arrays of golden.npz.

    Args:
        content: Of the file.
        name: How errors call it.
        files: The networks whose outputs are wanted.
        input_shape: Of one image.
        classes: Number of outputs.

    Raises:
        LqFdaRuntimeError: It is no archive of float32 arrays with those shapes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inputs = _array(archive, "inputs", input_shape)
            outputs = {file: _array(archive, f"outputs_{PurePath(file).stem}", (classes,)) for file in files}
        if not len(inputs) or any(len(values) != len(inputs) for values in outputs.values()):
            raise ValueError("the arrays are not equally long")
    except _ERRORS as error:
        raise LqFdaRuntimeError(
            f"The bundle is damaged: no golden inputs and outputs. Received: path={name!r} ({first_line(error)}).",
            cure="Copy the bundle again, or convert the run again.",
        ) from error
    return Golden(inputs, outputs)


def _array(archive: zipfile.ZipFile, key: str, item_shape: tuple[int, ...]) -> np.ndarray:
    """One float32 array; numpy's own reader would take the memory that the header asks for before it reads on."""
    entry = archive.getinfo(f"{key}.npy")
    if entry.file_size > _LARGEST_ARRAY:
        raise ValueError(f"{key} unpacks to {entry.file_size} bytes")
    if entry.compress_type not in _COMPRESSIONS:
        raise ValueError(f"{key} is compressed in a way that numpy does not use")
    file = io.BytesIO(archive.read(entry))
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, fortran, dtype = read_header(file)
    data = file.read()
    if dtype != np.float32 or fortran or shape[1:] != item_shape:
        raise ValueError(f"{key} has type {dtype} and shape {shape}")
    values = np.frombuffer(data, dtype).reshape(shape)
    if not np.isfinite(values).all():
        raise ValueError(f"{key} holds numbers that are not finite")
    return values
