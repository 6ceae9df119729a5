"""Finding, checking and loading the delegate's shared library."""

from __future__ import annotations

import ctypes
import functools
import json
import os
from pathlib import Path
from typing import Any

from lq_fda_runtime.elf import require_same_architecture
from lq_fda_runtime.errors import LqFdaRuntimeError, first_line
from lq_fda_runtime.litert import interpreter_module

LIBRARY = "liblq_fda_delegate.so"
# For whoever works on the C++: a library built elsewhere.
VARIABLE = "LQ_FDA_DELEGATE_LIBRARY"
_FUNCTIONS = (
    "tflite_plugin_create_delegate",
    "tflite_plugin_destroy_delegate",
    "lq_fda_delegate_report",
    "lq_fda_delegate_isas",
)
_REINSTALL = "Reinstall: `pip install --force-reinstall lq-fda-runtime`."
_MOST_THREADS = 1024


def library_path() -> Path:
    """The shared library, for runtimes that this package does not wrap.

    ```python
    import tensorflow as tf
    from lq_fda_runtime import library_path

    delegate = tf.lite.experimental.load_delegate(str(library_path()), {"num_threads": 2})
    ```

    Raises:
        LqFdaRuntimeError: It is missing.
    """
    chosen = os.environ.get(VARIABLE)
    path = Path(chosen) if chosen else Path(__file__).with_name(LIBRARY)
    if not path.is_file():
        raise LqFdaRuntimeError(
            f"The delegate's library is missing. Expected a file. Received: path={str(path)!r}.",
            cure=f"Correct ${VARIABLE} or unset it." if chosen else _REINSTALL,
        )
    return path


def load_delegate(
    *, num_threads: int = 0, isa: str = "auto", fuse: bool = True, profile: bool = False, verbose: bool = False
) -> Any:
    """Makes a delegate for a stock interpreter.

    One delegate serves one interpreter. `Interpreter` of this package brings one along by itself.

    Args:
        num_threads: Threads of its own pool; 0 takes the number that the interpreter recommends.
        isa: The instruction set: `auto`, `avx512`, `avx2`, `neon` or `portable`.
        fuse: Whether to run what lies between binary convolutions too, where that is faster.
        profile: Whether to time every step, for the report.
        verbose: Whether to write what it does to stderr.

    Returns:
        A `Delegate` of the stock runtime, for `experimental_delegates`.

    Raises:
        LqFdaRuntimeError: No runtime is installed, the library is missing or for another machine, or an option is
            none that the library knows.

    ```python
    from ai_edge_litert.interpreter import Interpreter
    from lq_fda_runtime import load_delegate

    interpreter = Interpreter("model.tflite", experimental_delegates=[load_delegate()])
    ```
    """
    if isinstance(num_threads, bool) or not isinstance(num_threads, int) or not 0 <= num_threads <= _MOST_THREADS:
        raise LqFdaRuntimeError(
            f"That number of threads cannot be used. Expected 0 (the interpreter's) to {_MOST_THREADS}. "
            f"Received: num_threads={num_threads!r}.",
            cure="Pass num_threads=0.",
        )
    switches = {"fuse": fuse, "profile": profile, "verbose": verbose}
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise LqFdaRuntimeError(
                f"This switch is on or off. Expected True or False. Received: {name}={value!r}.",
                cure=f"Pass {name}=True or {name}=False.",
            )
    options = {"num_threads": num_threads, "isa": isa, **switches}
    path = library_path()
    delegate_class = interpreter_module().Delegate
    _library(path)
    try:
        return delegate_class(str(path), options)
    except ValueError as error:
        raise LqFdaRuntimeError(
            f"The delegate refuses its options. Expected an instruction set that the library and this processor have. "
            f"Received: isa={isa!r} ({first_line(error)}).",
            cure="Run `lq-fda-runtime info` to see which there are, or pass isa='auto'.",
        ) from error


def available_isas() -> tuple[str, ...]:
    """The instruction sets that the library has and this processor runs, best first.

    Raises:
        LqFdaRuntimeError: The library is missing, for another machine, or another one.
    """
    return tuple(json.loads(_library(library_path()).lq_fda_delegate_isas().decode()))


def report_text(delegate: Any) -> str:
    """The delegate's account of itself, as JSON."""
    pointer = ctypes.c_void_p(delegate._get_native_delegate_pointer())
    return _library(library_path()).lq_fda_delegate_report(pointer).decode()


@functools.cache
def _library(path: Path) -> ctypes.CDLL:
    """A handle of our own to the library that the runtime loads too: the loader keeps one copy of a file.

    The runtime is not asked to load what is no delegate: its destructor would complain of the missing functions.
    """
    require_same_architecture(path)
    try:
        library = ctypes.CDLL(str(path))
        for name in _FUNCTIONS:
            getattr(library, name)
    except (OSError, AttributeError) as error:
        raise LqFdaRuntimeError(
            f"The delegate's library does not load, or is another one. Expected the functions {', '.join(_FUNCTIONS)}. "
            f"Received: path={str(path)!r} ({first_line(error)}).",
            cure=_REINSTALL,
        ) from error
    for name in ("lq_fda_delegate_isas", "lq_fda_delegate_report"):
        getattr(library, name).restype = ctypes.c_char_p
    return library
