"""The stock runtime: LiteRT, or its predecessor tflite-runtime where LiteRT has no wheel (32-bit ARM)."""

from __future__ import annotations

import functools
import importlib
import types
from importlib import metadata

from lq_fda_runtime.errors import LqFdaRuntimeError, first_line

# In order of preference: the package's name on PyPI, and its module.
_RUNTIMES = {"ai-edge-litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}


@functools.cache
def _found() -> tuple[str, types.ModuleType]:
    reasons = []
    for package, module in _RUNTIMES.items():
        try:
            return package, importlib.import_module(module)
        except ImportError as error:
            reasons.append(f"{package}: {first_line(error)}")
    raise LqFdaRuntimeError(
        f"No runtime for .tflite files can be loaded. Expected one of {list(_RUNTIMES)}. "
        f"Received: {'; '.join(reasons)}.",
        cure="Install one: `pip install ai-edge-litert`, or `pip install tflite-runtime 'numpy<2'` on 32-bit ARM.",
    )


def interpreter_module() -> types.ModuleType:
    """The module with the stock `Interpreter` and `Delegate`.

    Raises:
        LqFdaRuntimeError: No runtime is installed, or it does not load.
    """
    return _found()[1]


def runtime_name() -> str:
    """The package whose interpreter is used: `ai-edge-litert` or `tflite-runtime`.

    Raises:
        LqFdaRuntimeError: No runtime is installed, or it does not load.
    """
    return _found()[0]


def runtime_version() -> str:
    """The version of that package.

    Raises:
        LqFdaRuntimeError: No runtime is installed, or it does not load.
    """
    return metadata.version(runtime_name())
