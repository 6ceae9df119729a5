"""A loaded file, ready to run: float32 in, float32 out, whatever the file stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lq_fda_runtime.errors import LqFdaRuntimeError, first_line
from lq_fda_runtime.interpreter import Interpreter, require_usable_threads
from lq_fda_runtime.litert import interpreter_module
from lq_fda_runtime.report import DelegateReport


class _Tensor(NamedTuple):
    """An input or output: `real = scale * (stored - zero_point)` if it is quantized, and scale 0 if it is not."""

    index: int
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float
    zero_point: int

    def encode(self, real: np.ndarray) -> np.ndarray:
        if self.scale == 0:
            return np.ascontiguousarray(real, self.dtype)
        limits = np.iinfo(self.dtype)
        return np.clip(np.rint(real / self.scale) + self.zero_point, limits.min, limits.max).astype(self.dtype)

    def decode(self, stored: np.ndarray) -> np.ndarray:
        if self.scale == 0:
            return stored.astype(np.float32)
        return (self.scale * (stored.astype(np.float32) - self.zero_point)).astype(np.float32)


class Session:
    """A `.tflite` file with one input, loaded into an interpreter.

    Args:
        content: Content of the file.
        name: How errors call it.
        delegate: Whether this package's delegate is in the interpreter; else it is the stock one, with XNNPACK.
        num_threads: Threads; at most those that this process may use.
        isa: The delegate's instruction set.
        fuse: Whether the delegate may run what lies between binary convolutions too.

    Raises:
        LqFdaRuntimeError: The file is damaged, the runtime cannot run it, or it has more than one input.
    """

    def __init__(
        self,
        content: bytes,
        *,
        name: str,
        delegate: bool = True,
        num_threads: int = 1,
        isa: str = "auto",
        fuse: bool = True,
    ):
        self._name = name
        self.report: DelegateReport | None = None
        if delegate:
            self._interpreter = Interpreter(
                model_content=content, name=name, num_threads=num_threads, isa=isa, fuse=fuse
            )
            self._interpreter.allocate_tensors()
            self.report = self._interpreter.report()
        else:
            require_usable_threads(num_threads)
            self._interpreter = _stock(content, name, num_threads)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1:
            raise LqFdaRuntimeError(
                f"The file is no image classifier. Expected one input. Received: {len(inputs)} inputs in {name!r}.",
                cure="Choose a model with a single input.",
            )
        self._input = _describe(inputs[0])
        self._outputs = [_describe(detail) for detail in outputs]
        operators = self._interpreter._get_ops_details()
        self.total_nodes = sum(not _is_delegate(operator) for operator in operators)
        self.delegated_nodes = _count_delegated(operators)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of what one run takes."""
        return self._input.shape

    def run(self, value: np.ndarray) -> tuple[np.ndarray, ...]:
        """Runs the file once, copies in and out included: this is what a benchmark times.

        Args:
            value: float32 of shape `input_shape`.

        Returns:
            One float32 array an output.

        Raises:
            LqFdaRuntimeError: An operator fails on this input.
        """
        try:
            self._interpreter.set_tensor(self._input.index, self._input.encode(value))
            self._interpreter.invoke()
        except (RuntimeError, ValueError, MemoryError) as error:
            raise LqFdaRuntimeError(
                f"The model failed as it ran. Expected operators that run on any input of shape {self.input_shape}. "
                f"Received: {self._name!r} ({first_line(error)}).",
                cure="Convert the model again.",
            ) from error
        return tuple(output.decode(self._interpreter.get_tensor(output.index)) for output in self._outputs)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Runs the file on every image, one after the other.

        Args:
            images: float32, shape (n, height, width, channels).

        Returns:
            The first output, float32, shape (n, classes).

        Raises:
            LqFdaRuntimeError: The images do not have the file's shape.
        """
        if images.shape[1:] != self.input_shape[1:] or self.input_shape[0] != 1:
            raise LqFdaRuntimeError(
                f"The images do not fit the file. Expected shape {self.input_shape}. Received: shape={images.shape}.",
                cure="Preprocess them as the bundle's manifest says.",
            )
        return np.stack([self.run(images[index : index + 1])[0][0] for index in range(len(images))])


def _stock(content: bytes, name: str, num_threads: int) -> Any:
    try:
        interpreter = interpreter_module().Interpreter(model_content=content, num_threads=num_threads)
        interpreter.allocate_tensors()
    except ValueError as error:
        raise LqFdaRuntimeError(
            f"The file is damaged or is no .tflite file. Received: {name!r} ({first_line(error)}).",
            cure="Copy the file again, or convert it again.",
        ) from error
    except (RuntimeError, MemoryError) as error:
        raise LqFdaRuntimeError(
            f"The stock runtime cannot run this model. Expected built-in operators only. "
            f"Received: {name!r} ({first_line(error)}).",
            cure="Run it with the delegate.",
        ) from error
    return interpreter


def _describe(detail: dict[str, Any]) -> _Tensor:
    scale, zero_point = detail["quantization"]
    return _Tensor(
        detail["index"], tuple(int(size) for size in detail["shape"]), np.dtype(detail["dtype"]), scale, zero_point
    )


def _is_delegate(operator: dict[str, Any]) -> bool:
    return operator["op_name"].startswith("DELEGATE")


def _count_delegated(operators: Sequence[dict[str, Any]]) -> int:
    """Counts the operators between the inputs and outputs of the delegates' nodes, ours and XNNPACK's."""
    makers = {
        int(tensor): index
        for index, operator in enumerate(operators)
        if not _is_delegate(operator)
        for tensor in operator["outputs"]
    }
    delegated: set[int] = set()
    for delegate in filter(_is_delegate, operators):
        inputs = {int(tensor) for tensor in delegate["inputs"]}
        pending = [int(tensor) for tensor in delegate["outputs"]]
        while pending:
            tensor = pending.pop()
            if tensor in inputs or tensor not in makers or makers[tensor] in delegated:
                continue
            delegated.add(makers[tensor])
            pending += [int(source) for source in operators[makers[tensor]]["inputs"]]
    return len(delegated)
