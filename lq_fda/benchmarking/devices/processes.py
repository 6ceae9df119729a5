"""A program whose output is not trusted: every amount and every wait has a limit."""

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence

from lq_fda.errors import LqFdaError, printable

LONGEST_LINE = 1 << 20
_MOST = 1 << 26
_TAIL = 8192


class Silence(Exception):
    """Nothing came, or was taken, for too long."""


class Process:
    """Runs a program, given as a list of arguments: no shell sees them.

    Args:
        command: Program and arguments.

    Raises:
        FileNotFoundError: There is no such program.

    ```python
    from lq_fda.benchmarking.devices.processes import Process

    with Process(["echo", "a", "b"]) as process:
        assert list(process.lines(timeout=10)) == [b"a b"] and process.wait() == 0
    ```
    """

    def __init__(self, command: Sequence[str]):
        # In a session of its own Ctrl-C does not reach it: there is something to be said to it first.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        os.set_blocking(self._process.stdin.fileno(), False)
        self._errors = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # What it had not yet read of its input is lost.
                pipe.close()

    def _listen(self) -> None:
        """Keeps the end of what it complains of; read all the time, or it would wait."""
        with self._process.stderr as pipe:
            while block := pipe.read1(_TAIL):
                self._errors = (self._errors + block)[-_TAIL:]

    def send(self, content: bytes, timeout: float) -> None:
        """Gives it input; what it does not want any more is lost, and its output tells why.

        Args:
            content: The input.
            timeout: Seconds that it may take nothing.

        Raises:
            Silence: It took nothing for that long.
        """
        pipe, left = self._process.stdin.fileno(), memoryview(content)
        with contextlib.suppress(BrokenPipeError):
            while left:
                if not select.select([], [pipe], [], timeout)[1]:
                    raise Silence
                left = left[os.write(pipe, left) :]

    def blocks(self, timeout: float) -> Iterator[bytes]:
        """Yields its output as it comes.

        Args:
            timeout: Seconds that may pass in silence.

        Raises:
            LqFdaError: More than 64 MiB came.
            Silence: Nothing came for that long.
        """
        total = 0
        pipe = self._process.stdout.fileno()
        while True:
            if not select.select([pipe], [], [], timeout)[0]:
                raise Silence
            block = os.read(pipe, 1 << 16)
            if not block:
                return
            total += len(block)
            if total > _MOST:
                raise _too_much(f"more than {_MOST >> 20} MiB")
            yield block

    def lines(self, timeout: float) -> Iterator[bytes]:
        """Yields the lines of its output, without their ends; a last one that has none is no line.

        Raises:
            LqFdaError: A line is longer than 1 MiB, or more than 64 MiB came.
            Silence: Nothing came for `timeout` seconds.
        """
        rest = b""
        for block in self.blocks(timeout):
            *whole, rest = (rest + block).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise _too_much(f"a line of more than {LONGEST_LINE >> 20} MiB")
            yield from whole

    def wait(self) -> int:
        """Its exit code, once it has closed its output; it has ten seconds to go."""
        deadline = time.monotonic() + 10
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._listener.join(max(0.0, deadline - time.monotonic()))
        return code

    def complaints(self) -> str:
        """The end of what it wrote to standard error, fit for a terminal; line by line."""
        lines = self._errors.decode("utf-8", "replace").splitlines()
        return "\n".join(printable(line.strip()) for line in lines if line.strip())


def _too_much(what: str) -> LqFdaError:
    return LqFdaError(
        f"The device sent too much. Expected a few thousand bytes a file. Received: {what}.",
        cure="See that the device is the one that you mean.",
    )
