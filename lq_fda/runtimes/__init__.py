"""One small interface to the runtimes that execute a `.tflite` file on this machine.

    lce      Larq Compute Engine's interpreter: the only one that knows its binary operators
    litert   Google's LiteRT interpreter with XNNPACK: float and int8 files

```python
from lq_fda import runtimes

assert set(runtimes.available()) == {"lce", "litert"}
```

Every session takes and gives float32: quantized inputs and outputs are converted with the file's own scales, so that
callers treat a 1-bit, an int8 and a float file alike.
"""

from collections.abc import Callable
from typing import Any

from lq_fda.errors import LqFdaError
from lq_fda.runtimes.libraries import lce_module, litert_module, verify_buffer
from lq_fda.runtimes.sessions import LceSession, LiteRtSession, Session
from lq_fda.runtimes.tflite_file import Operator, Tensor, TfliteFile, compact, read_tflite, with_outputs

__all__ = [
    "Operator",
    "Session",
    "Tensor",
    "TfliteFile",
    "available",
    "compact",
    "open_session",
    "open_verified",
    "read_tflite",
    "with_outputs",
]

_RUNTIMES: dict[str, tuple[type[Session], Callable[[], Any]]] = {
    "lce": (LceSession, lce_module),
    "litert": (LiteRtSession, litert_module),
}


def available() -> dict[str, str]:
    """The runtimes by name, each with the reason why it cannot be used here, or an empty string when it can."""
    reasons = {}
    for name, (_, load) in _RUNTIMES.items():
        try:
            load()
            reasons[name] = ""
        except ImportError as error:
            reasons[name] = str(error)
    return reasons


def open_session(runtime: str, model: bytes, *, threads: int = 1) -> Session:
    """Loads a `.tflite` file into a runtime.

    Args:
        runtime: A key of `available()`.
        model: Content of the file.
        threads: Number of threads, at least 1.

    Raises:
        LqFdaError: No such runtime, or it is not installed, or it cannot run the file.
    """
    reasons = available()
    if reasons.get(runtime, "unknown"):
        raise LqFdaError(
            f"The runtime cannot be used here. Expected one of {[name for name in reasons if not reasons[name]]}. "
            f"Received: runtime={runtime!r} ({reasons.get(runtime, 'unknown')}).",
            cure="Choose another runtime, or install its package.",
        )
    if threads < 1:
        raise LqFdaError(f"Expected at least one thread. Received: threads={threads!r}.", cure="Pass threads=1.")
    # LCE does not verify the buffer and crashes on a truncated one, so LiteRT reads it first.
    verify_buffer(model)
    return open_verified(runtime, model, threads=threads)


def open_verified(runtime: str, model: bytes, *, threads: int = 1) -> Session:
    """`open_session` without its checks, for a file that has passed them: needs no memory but the runtime's own.

    Raises:
        LqFdaError: The runtime cannot run the file.
    """
    return _RUNTIMES[runtime][0](model, threads)
