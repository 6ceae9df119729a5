"""One small interface to the runtimes that execute a `.tflite` file on this machine.

    lce      Larq Compute Engine's interpreter
    litert   Google's LiteRT interpreter with XNNPACK: float and int8 files
    lq_fda   the same with the delegate of `lq-fda-runtime`, which knows LCE's operators

```python
from lq_fda import runtimes

assert set(runtimes.available()) == {"lce", "litert", "lq_fda"}
```

Every session takes and gives float32: quantized inputs and outputs are converted with the file's own scales, so that
callers treat a 1-bit, an int8 and a float file alike.
"""

from collections.abc import Callable
from typing import Any

from lq_fda.errors import LqFdaError
from lq_fda.runtimes.lce_operators import require_sound
from lq_fda.runtimes.libraries import lce_module, litert_module, lq_fda_module, verify_buffer
from lq_fda.runtimes.sessions import LceSession, LiteRtSession, LqFdaSession, Session
from lq_fda.runtimes.tflite_file import Operator, Tensor, TfliteFile, compact, read_tflite, with_outputs

__all__ = [
    "Operator",
    "Session",
    "Tensor",
    "TfliteFile",
    "available",
    "compact",
    "instruction_sets",
    "open_session",
    "open_verified",
    "read_tflite",
    "with_outputs",
]

_RUNTIMES: dict[str, tuple[type[Session], Callable[[], Any]]] = {
    "lce": (LceSession, lce_module),
    "litert": (LiteRtSession, litert_module),
    "lq_fda": (LqFdaSession, lq_fda_module),
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


def instruction_sets() -> tuple[str, ...]:
    """The instruction sets that `lq_fda` has and this processor runs, best first; none where it is not installed."""
    return lq_fda_module().available_isas() if not available()["lq_fda"] else ()


def open_session(runtime: str, model: bytes, *, threads: int = 1, isa: str = "auto", fuse: bool = True) -> Session:
    """Loads a `.tflite` file into a runtime; the file need not be trusted, as far as the runtime can be.

    What is damaged is refused, and for LCE also operators with options or shapes that its kernels do not check. Beyond
    that LCE's interpreter is not hardened: give it files of others in a process of its own.

    Args:
        runtime: A key of `available()`.
        model: Content of the file.
        threads: Number of threads, at least 1.
        isa: Of the runtime `lq_fda`: one of `instruction_sets`, or `auto`.
        fuse: Whether the runtime `lq_fda` may run what lies between binary convolutions, too.

    Raises:
        LqFdaError: No such runtime, or it is not installed, or the file is damaged or cannot be run.
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
    # LCE verifies nothing and crashes on a truncated buffer, so LiteRT reads it first.
    if runtime == "lce":
        require_sound(read_tflite(model))
    else:
        verify_buffer(model)
    return open_verified(runtime, model, threads=threads, isa=isa, fuse=fuse)


def open_verified(runtime: str, model: bytes, *, threads: int = 1, isa: str = "auto", fuse: bool = True) -> Session:
    """`open_session` without its checks, for a file that has passed them: needs no memory but the runtime's own.

    Raises:
        LqFdaError: The runtime cannot run the file.
    """
    return _RUNTIMES[runtime][0](model, threads, isa, fuse)
