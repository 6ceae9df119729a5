"""One model in one child process: what became of it, and, if it crashed, in whose code."""

from __future__ import annotations

import dataclasses
import os
import re
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable

_POLL = 0.05  # Seconds.
_LAST_WORDS = 10.0  # Seconds that a sanitizer may take to write its report.
_MOST_WRITTEN = 100_000
_PAGE = resource.getpagesize()
_DELEGATE = "liblq_fda_delegate.so"
# A line of a sanitizer's stack: "    #3 0x7f12 in name file:line (library+0x12)".
_FRAME = re.compile(r"^\s+#\d+ 0x[0-9a-f]+ .*?\(([^()]+)\+(0x[0-9a-f]+)\)", re.MULTILINE)
# What stands in front of the code that is at fault: the C library and the sanitizers' versions of it.
_NOBODY = re.compile(r"(^|/)(libasan|libubsan|libc|libstdc\+\+|libgcc_s|libm|libpthread)[-.0-9]*\.so|^linux-vdso")


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a child may take.

    Args:
        seconds: Of wall time.
        megabytes: Of memory beyond what it starts with.
    """

    seconds: float = 30.0
    megabytes: int = 4000


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a child.

    Args:
        verdict: `crashed`, `hung` or `swelled`, or what the child said of itself.
        details: What it or its sanitizer wrote.
        place: For a crash or a hang, the library and offset that it happened in, if they are known.
        ours: Whether the delegate's code is at fault, or may be.
        raised: Whether a crash is an exception that nobody expected.
    """

    verdict: str
    details: str = ""
    place: str = ""
    ours: bool = False
    raised: bool = False


def in_child(action: Callable[[], tuple[str, str]], limits: Limits) -> Outcome:
    """Runs something in a fork of this process.

    Args:
        action: Returns a verdict and details. An exception is a crash.
        limits: What it may take.
    """
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.close(reader)
            _be_child(action, writer, errors.fileno(), limits)
        os.close(writer)
        said, end = _wait(child, reader, limits)
        os.close(reader)
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _MOST_WRITTEN))
        written = errors.read().decode(errors="replace")
    if end is None and said:
        verdict, _, details = said.decode(errors="replace").partition("\n")
        return Outcome(verdict, details)
    place, ours = _blame(written)
    return Outcome(end or "crashed", written, place, ours, raised="Traceback (most recent call" in written)


def _be_child(action: Callable[[], tuple[str, str]], writer: int, errors: int, limits: Limits) -> None:
    """Never returns."""
    code = 1
    try:
        os.dup2(errors, 2)
        os.dup2(errors, 1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not sanitized():
            # A sanitizer reserves terabytes; its allocator has a limit of its own.
            limit = _memory(os.getpid(), 0) + (limits.megabytes << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        os.write(writer, "\n".join(action()).encode()[:60_000])
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _wait(child: int, reader: int, limits: Limits) -> tuple[bytes, str | None]:
    """Returns what a child said, and `crashed`, `hung` or `swelled` if it did not end well."""
    # It began as a copy of this process.
    start, most = time.monotonic(), _memory(os.getpid(), 1) + (limits.megabytes << 20)
    said, end = b"", None
    while end is None:
        if select.select([reader], [], [], _POLL)[0]:
            piece = os.read(reader, 65536)
            if not piece:
                break
            said += piece
        elif time.monotonic() - start > limits.seconds:
            end = "hung"
        elif _memory(child, 1) > most:
            end = "swelled"
    if end is not None:
        # A sanitizer writes where it was.
        os.kill(child, signal.SIGABRT)
        select.select([reader], [], [], _LAST_WORDS)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if end is None and status != 0:
        end = "crashed"
    return said, end


def _memory(process: int, field: int) -> int:
    """Bytes that a process has reserved (0) or uses (1)."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[field]) * _PAGE
    except (OSError, IndexError):
        return 0  # It has just ended.


def reserved() -> int:
    """Bytes that this process has reserved."""
    return _memory(os.getpid(), 0)


def sanitized() -> bool:
    """Whether this process runs under AddressSanitizer."""
    return "libasan" in os.environ.get("LD_PRELOAD", "")


def _blame(written: str) -> tuple[str, bool]:
    """The place of a crash, and whether it is the delegate's; what no sanitizer saw may be."""
    frames = [(library, offset) for library, offset in _FRAME.findall(written) if not _NOBODY.search(library)]
    if not frames:
        return "", True
    library, offset = frames[0]
    return f"{os.path.basename(library)}+{offset}", any(_DELEGATE in library for library, _ in frames)
