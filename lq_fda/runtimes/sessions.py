"""Sessions: a `.tflite` file, loaded into a runtime and ready to run."""

import abc
import dataclasses
from importlib import metadata
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lq_fda.errors import LqFdaError, reason
from lq_fda.runtimes.libraries import lce_module, litert_module, lq_fda_module


class _Tensor(NamedTuple):
    """An input or output of the file: shape, type, and `real = scale * (stored - zero_point)` when it is quantized."""

    name: str
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


class Session(abc.ABC):
    """A `.tflite` file, loaded and ready to run. Make one with `open_session`, which verifies the file before.

    Attributes:
        runtime: Name of the runtime, a key of `available()`.
        version: Version of the runtime's package.
        settings: What the runtime was told, for records.
        threads: Number of threads.
        total_nodes: Operators in the file, or None where the runtime does not say.
        delegated_nodes: How many of them a delegate (XNNPACK or ours) runs, or None where the runtime does not say.
    """

    runtime: ClassVar[str]
    package: ClassVar[str]
    settings: ClassVar[dict[str, Any]]
    total_nodes: int | None = None
    delegated_nodes: int | None = None

    def __init__(self, model: bytes, threads: int, isa: str = "auto", fuse: bool = True):
        self.threads = threads
        self._isa = isa
        self._fuse = fuse
        self.version = metadata.version(self.package)
        self._model = model  # The interpreters read the buffer in place.
        self._inputs, self._outputs = self._open()
        if len(self._inputs) != 1:
            raise LqFdaError(
                f"The file is no image classifier. Expected one input. "
                f"Received: {len(self._inputs)} inputs {[tensor.name for tensor in self._inputs]}.",
                cure="Convert a model with a single input.",
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of what one run takes: (1, height, width, channels)."""
        return self._inputs[0].shape

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(tensor.name for tensor in self._outputs)

    def run(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        """Runs the file once: one image in, every output out. This is what a benchmark times.

        Args:
            image: float32 of shape `input_shape`.

        Returns:
            One float32 array an output.
        """
        stored = self._invoke(self._inputs[0].encode(image))
        return tuple(tensor.decode(value) for tensor, value in zip(self._outputs, stored, strict=True))

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """Runs the file on every image of a batch.

        Args:
            batch: float32, shape (n, height, width, channels); n may be 0.

        Returns:
            The first output, float32, shape (n, classes).

        Raises:
            LqFdaError: The images do not have the file's shape.
        """
        batch = np.asarray(batch, np.float32)
        expected = self.input_shape[1:]
        if batch.ndim != len(expected) + 1 or batch.shape[1:] != expected:
            raise LqFdaError(
                f"The images do not fit the file. Expected shape (n, {', '.join(map(str, expected))}). "
                f"Received: shape={batch.shape}.",
                cure="Preprocess them as the bundle's manifest says.",
            )
        results = np.empty((len(batch), *self._outputs[0].shape[1:]), np.float32)
        for index in range(len(batch)):
            results[index] = self.run(batch[index : index + 1])[0][0]
        return results

    @abc.abstractmethod
    def _open(self) -> tuple[list[_Tensor], list[_Tensor]]:
        """Loads `self._model` and describes its inputs and outputs."""

    @abc.abstractmethod
    def _invoke(self, stored: np.ndarray) -> list[np.ndarray]:
        """Runs once on a value in the input's own type; returns copies in the outputs' own types."""


class LiteRtSession(Session):
    runtime = "litert"
    package = "ai-edge-litert"
    settings: ClassVar[dict[str, Any]] = {"xnnpack": True}

    def _open(self) -> tuple[list[_Tensor], list[_Tensor]]:
        try:
            self._interpreter = self._load()
            self._interpreter.allocate_tensors()
        except RuntimeError as error:
            raise LqFdaError(
                f"LiteRT cannot run this file. Expected built-in operators only. Received: {reason(error)}",
                cure="Run a file that holds LCE's operators with the runtime 'lq_fda' or 'lce'.",
            ) from error
        operators = self._interpreter._get_ops_details()
        self.total_nodes = sum(operator["op_name"] != "DELEGATE" for operator in operators)
        self.delegated_nodes = _count_delegated(operators)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._indices = [detail["index"] for detail in outputs]
        self._input_index = inputs[0]["index"]
        return [self._describe(detail) for detail in inputs], [self._describe(detail) for detail in outputs]

    def _load(self) -> Any:
        return litert_module().Interpreter(model_content=self._model, num_threads=self.threads)

    @staticmethod
    def _describe(detail: dict[str, Any]) -> _Tensor:
        scale, zero_point = detail["quantization"]
        shape = tuple(int(size) for size in detail["shape"])
        return _Tensor(detail["name"], shape, np.dtype(detail["dtype"]), scale, zero_point)

    def _invoke(self, stored: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input_index, stored)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._indices]


class LqFdaSession(LiteRtSession):
    """LiteRT with our delegate, which runs LCE's operators and what lies between them."""

    runtime = "lq_fda"
    package = "lq-fda-runtime"

    def _open(self) -> tuple[list[_Tensor], list[_Tensor]]:
        described = super()._open()
        report = self._interpreter.report()
        self.settings = {
            **LiteRtSession.settings,
            "isa": report.isa,
            "fuse": report.fuse,
            "lq_fda_nodes": report.taken,  # The others that are delegated run on XNNPACK.
        }
        return described

    def _load(self, *, profile: bool = False) -> Any:
        runtime = lq_fda_module()
        try:
            return runtime.Interpreter(
                model_content=self._model,
                num_threads=self.threads,
                isa=self._isa,
                fuse=self._fuse,
                profile=profile,
            )
        except runtime.LqFdaRuntimeError as error:
            raise LqFdaError(error.problem, cure=error.cure) from error

    def profile(self, runs: int = 100) -> list[dict[str, Any]]:
        """Microseconds of every step of the delegate, on a zero image; what it does not run is not in it."""
        interpreter = self._load(profile=True)
        interpreter.allocate_tensors()
        for _ in range(runs):
            interpreter.invoke()
        return [dataclasses.asdict(step) for step in interpreter.report().steps]


class LceSession(Session):
    runtime = "lce"
    package = "larq-compute-engine"
    # The fastest settings on x86: about six times the package's defaults.
    settings: ClassVar[dict[str, Any]] = {"use_indirect_bgemm": True, "use_xnnpack": True}

    def _open(self) -> tuple[list[_Tensor], list[_Tensor]]:
        try:
            self._interpreter = lce_module().LiteInterpreter(
                self._model,
                self.threads,
                False,  # use_reference_bconv
                self.settings["use_indirect_bgemm"],
                self.settings["use_xnnpack"],
            )
            return self._describe("input"), self._describe("output")
        except RuntimeError as error:
            raise LqFdaError(
                f"LCE's interpreter cannot run this file. Received: {reason(error)}",
                cure="Convert the run again with this version.",
            ) from error

    def _describe(self, side: str) -> list[_Tensor]:
        shapes, types, scales, zero_points = (
            getattr(self._interpreter, f"{side}_{field}") for field in ("shapes", "types", "scales", "zero_points")
        )
        return [
            _Tensor(f"{side}_{index}", tuple(shape), np.dtype(dtype), scale or 0.0, zero_point or 0)
            for index, (shape, dtype, scale, zero_point) in enumerate(
                zip(shapes, types, scales, zero_points, strict=True)
            )
        ]

    def _invoke(self, stored: np.ndarray) -> list[np.ndarray]:
        return self._interpreter.predict([stored])


def _count_delegated(operators: list[dict[str, Any]]) -> int:
    """Counts the nodes that lie between the inputs and the outputs of the delegates' nodes."""
    makers = {
        int(tensor): index
        for index, operator in enumerate(operators)
        if operator["op_name"] != "DELEGATE"
        for tensor in operator["outputs"]
    }
    delegated: set[int] = set()
    for delegate in (operator for operator in operators if operator["op_name"] == "DELEGATE"):
        inputs = {int(tensor) for tensor in delegate["inputs"]}
        pending = [int(tensor) for tensor in delegate["outputs"]]
        while pending:
            tensor = pending.pop()
            if tensor in inputs or tensor not in makers or makers[tensor] in delegated:
                continue
            delegated.add(makers[tensor])
            pending += [int(source) for source in operators[makers[tensor]]["inputs"]]
    return len(delegated)
