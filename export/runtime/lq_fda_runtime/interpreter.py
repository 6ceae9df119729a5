"""The familiar interpreter, with the delegate in it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from lq_fda_runtime.delegate import load_delegate, report_text
from lq_fda_runtime.errors import LqFdaRuntimeError, first_line
from lq_fda_runtime.litert import interpreter_module
from lq_fda_runtime.machine import usable_cores
from lq_fda_runtime.report import DelegateReport, parse_report


class Interpreter(interpreter_module().Interpreter):
    """LiteRT's `Interpreter` that also runs Larq Compute Engine's operators.

    Everything else is LiteRT's: `allocate_tensors`, `set_tensor`, `invoke`, `get_tensor`, signatures, resizing. Float
    and int8 operators run on XNNPACK as ever, and a model without LCE's operators runs unchanged. Interpreters do not
    share anything: several may run at once, each in its own thread.

    Args:
        model_path: The `.tflite` file.
        model_content: Its content, instead of the path.
        name: How errors call it, if not by its path.
        num_threads: Threads for LCE's operators and the others; at most those that this process may use.
        isa: The delegate's instruction set: `auto`, `avx512`, `avx2`, `neon` or `portable`.
        fuse: Whether the delegate may run what lies between binary convolutions too.
        profile: Whether the delegate times its steps, for `report`.

    Raises:
        LqFdaRuntimeError: The file is missing or damaged, there are more threads than processors, or an option is
            unknown.

    ```python
    from lq_fda_runtime import Interpreter

    interpreter = Interpreter("model.tflite", num_threads=2)
    interpreter.allocate_tensors()
    print(interpreter.report().taken, "operators taken")
    ```
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        *,
        model_content: bytes | None = None,
        name: str | None = None,
        num_threads: int = 1,
        isa: str = "auto",
        fuse: bool = True,
        profile: bool = False,
    ):
        # LiteRT's destructor wants these, also if nothing comes of the construction.
        self._interpreter = self._delegates = None
        self._delegate: Any = None
        require_usable_threads(num_threads)
        content = _content(model_path, model_content)
        name = os.fspath(model_path) if name is None and model_path is not None else name
        self._name = "model_content" if name is None else repr(name)
        self._delegate = load_delegate(num_threads=num_threads, isa=isa, fuse=fuse, profile=profile)
        try:
            super().__init__(model_content=content, num_threads=num_threads, experimental_delegates=[self._delegate])
        except ValueError as error:
            raise LqFdaRuntimeError(
                f"The file is damaged or is no .tflite file. Received: {self._name} ({first_line(error)}).",
                cure="Copy the file again, or convert it again.",
            ) from error
        except (RuntimeError, MemoryError) as error:
            raise self._cannot_run(error) from error

    def allocate_tensors(self) -> None:
        """Prepares the graph for its inputs' sizes.

        Raises:
            LqFdaRuntimeError: The runtime or the delegate cannot run the model, or memory is short.
        """
        try:
            super().allocate_tensors()
        except (RuntimeError, MemoryError) as error:
            raise self._cannot_run(error) from error

    def report(self) -> DelegateReport:
        """What the delegate took, why not the rest, and, with `profile`, what its steps cost."""
        report = parse_report(report_text(self._delegate))
        # The library knows LCE's operators by name and the others by number; the runtime knows all names.
        nodes = [dataclasses.replace(node, op=self._interpreter.NodeName(node.index)) for node in report.nodes]
        return dataclasses.replace(report, nodes=tuple(nodes))

    def _cannot_run(self, error: BaseException) -> LqFdaRuntimeError:
        return LqFdaRuntimeError(
            f"The runtime cannot run this model. Expected LiteRT's own and LCE's operators. "
            f"Received: {self._name} ({first_line(error)}).",
            cure="Convert the model again for this runtime, or free memory if that is what is short.",
        )


def require_usable_threads(count: int) -> None:
    """Refuses what is no thread count for this process: more threads than processors wait for each other.

    Raises:
        LqFdaRuntimeError: It is no whole number from 1 to the processors that this process may use.
    """
    cores = usable_cores()
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= cores:
        raise LqFdaRuntimeError(
            f"That number of threads cannot be used. Expected 1 to {cores}, the processors that this process may use. "
            f"Received: num_threads={count!r}.",
            cure=f"Pass num_threads={cores} or fewer.",
        )


def _content(path: str | os.PathLike[str] | None, content: bytes | None) -> bytes:
    if (path is None) == (content is None):
        received = "neither" if path is None else "both"
        raise LqFdaRuntimeError(
            f"Expected either model_path or model_content. Received: {received}.", cure="Pass one of the two."
        )
    if content is None:
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise LqFdaRuntimeError(
                f"The model cannot be read. Received: path={os.fspath(path)!r} ({error.strerror or error}).",
                cure="Check the path and its permissions.",
            ) from error
    # The stock interpreter takes nothing for "no model given", not for a damaged one.
    return bytes(content) or b"\0"
