"""Reading a `.tflite` file: its operators, its tensors, its constants; and exposing what lies inside."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder, flexbuffers

from lq_fda.errors import LqFdaError
from lq_fda.runtimes.libraries import verify_buffer

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


_OPERATORS = _names(schema.BuiltinOperator)
_TYPES = _names(schema.TensorType)


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor of the file.

    Args:
        name: As the converter wrote it; not always unique.
        shape: Empty for a scalar.
        dtype: TFLite's name of the type, such as `FLOAT32`.
        content: The bytes of a constant, else None.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    content: bytes | None = dataclasses.field(repr=False)

    @property
    def values(self) -> np.ndarray:
        """The constant as an array.

        Raises:
            LqFdaError: It is no constant, or its bytes do not make its shape.
        """
        try:
            return np.frombuffer(self.content or b"", np.dtype(self.dtype.lower())).reshape(self.shape)
        except (TypeError, ValueError) as error:
            raise damaged(f"tensor {self.name!r} of shape {self.shape} and type {self.dtype}") from error


@dataclasses.dataclass(frozen=True)
class Operator:
    """An operator of the file, in the order of execution.

    Args:
        index: Its place in that order.
        name: TFLite's name (`CONV_2D`) or the custom operator's (`LceBconv2d`).
        inputs: Tensor numbers; -1 for an optional one that is absent.
        outputs: Tensor numbers.
        options: Of a custom operator whose options are a FlexBuffers map, as LCE's are; else empty.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class TfliteFile:
    """The graph of a file.

    Args:
        tensors: By number.
        operators: In the order of execution.
        inputs: Tensor numbers of the graph's inputs.
        outputs: Tensor numbers of its outputs.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def counts(self) -> dict[str, int]:
        """How many operators of each name there are."""
        return dict(sorted(Counter(operator.name for operator in self.operators).items()))

    def maker(self, tensor: int) -> Operator | None:
        """The operator that computes a tensor; None for constants and inputs."""
        return next((operator for operator in self.operators if tensor in operator.outputs), None)

    def readers(self, tensor: int) -> list[Operator]:
        return [operator for operator in self.operators if tensor in operator.inputs]


def read_tflite(model: bytes) -> TfliteFile:
    """Reads the graph of a `.tflite` file; the file need not be trusted.

    Args:
        model: Content of the file.

    Raises:
        LqFdaError: It is damaged, or holds more than one graph.
    """
    content = _unpack(model)
    (graph,) = content.subgraphs
    count = len(_items(graph.tensors))
    operators = []
    for index, operator in enumerate(_items(graph.operators)):
        inputs, outputs = (tuple(map(int, _items(items))) for items in (operator.inputs, operator.outputs))
        if not all(-1 <= item < count for item in (*inputs, *outputs)):
            raise damaged(f"operator {index} names tensors beyond the {count} that there are")
        operators.append(
            Operator(index, _name(content.operatorCodes[operator.opcodeIndex]), inputs, outputs, _options(operator))
        )
    return TfliteFile(
        tuple(_tensor(tensor, content.buffers) for tensor in _items(graph.tensors)),
        tuple(operators),
        tuple(map(int, _items(graph.inputs))),
        tuple(map(int, _items(graph.outputs))),
    )


def with_outputs(model: bytes, tensors: list[int]) -> bytes:
    """The same file with other tensors as its outputs: a way to look inside.

    Args:
        model: Content of the file.
        tensors: Tensor numbers, as `read_tflite` counts them.

    Raises:
        LqFdaError: The file is damaged.
    """
    content = _unpack(model)
    content.subgraphs[0].outputs = np.array(tensors, np.int32)
    content.signatureDefs = None  # They would name the old outputs.
    return _pack(content)


def compact(model: bytes) -> bytes:
    """The same network in fewer bytes: few names, no constant, shape or text twice, no empty tables.

    Feature maps and the ends keep their names, for people who look into the file. Converters write some hundred bytes
    for every small operator; a 1-bit network is small enough to notice.

    Args:
        model: Content of the file.

    Raises:
        LqFdaError: The file is damaged.
    """
    content = _unpack(model)
    (graph,) = content.subgraphs
    buffers, places = [content.buffers[0]], {b"": 0}  # The first one is empty: for tensors that are computed.
    moved = {}
    for index, buffer in enumerate(content.buffers):
        data = b"" if buffer.data is None else bytes(bytearray(buffer.data))
        if data not in places:
            places[data] = len(buffers)
            buffers.append(buffer)
        moved[index] = places[data]
    for holder in (*graph.tensors, *(content.metadata or ())):
        holder.buffer = moved[holder.buffer]
    content.buffers = buffers
    outer = {*map(int, graph.inputs), *map(int, graph.outputs)}
    for index, tensor in enumerate(graph.tensors):
        if index not in outer and (tensor.buffer or _is_vector(tensor)):
            tensor.name = None
        elif tensor.name:
            tensor.name = tensor.name.partition(b";")[0].partition(b"/")[2] or tensor.name
        if tensor.quantization is not None and tensor.quantization.scale is None:
            tensor.quantization = None
    return _pack(content)


def _is_vector(tensor: schema.TensorT) -> bool:
    """Whether it has at most one number a channel, as what lies inside a gate has."""
    return tensor.shape is None or len(tensor.shape) != 4 or int(np.prod(tensor.shape[1:3])) == 1


class _SharingBuilder(Builder):
    """Writes equal vectors of numbers and equal strings once: most shapes occur many times.

    Byte vectors, which hold the constants, begin at multiples of 16 bytes: the schema demands it of their field, and
    the generated code forgets it.
    """

    def __init__(self, initial_size: int):
        super().__init__(initial_size)
        self._places: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        key = (x.dtype.str, x.tobytes())
        if key not in self._places:
            self._places[key] = super().CreateNumpyVector(x)
        return self._places[key]

    def CreateString(self, s: bytes, *options: str) -> int:
        key = ("string", bytes(s))
        if key not in self._places:
            self._places[key] = super().CreateString(s, *options)
        return self._places[key]

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        return super().StartVector(elemSize, numElems, _ALIGNMENT if elemSize == 1 else alignment)


def _pack(content: schema.ModelT) -> bytes:
    builder = _SharingBuilder(1 << 20)
    builder.Finish(content.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _unpack(model: bytes) -> schema.ModelT:
    # The generated reader trusts every offset; LiteRT's verifier, in C++, has checked them before it runs.
    verify_buffer(model)
    content = schema.ModelT.InitFromPackedBuf(bytes(model), 0)
    if len(content.subgraphs) != 1:
        raise LqFdaError(
            f"The file holds control flow. Expected one graph. Received: {len(content.subgraphs)} graphs.",
            cure="Convert a network without loops and conditions.",
        )
    return content


def _items(vector: Any) -> Any:
    """A vector of the schema; the generated code gives None for one that is absent."""
    return () if vector is None else vector


def _name(code: schema.OperatorCodeT) -> str:
    if code.customCode:
        return code.customCode.decode("utf-8", "replace")
    # Files older than the operators above 127 have the first field only; LiteRT takes the larger one too.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return _OPERATORS.get(number, f"builtin {number}")


def _tensor(tensor: schema.TensorT, buffers: list[schema.BufferT]) -> Tensor:
    data = buffers[tensor.buffer].data
    return Tensor(
        name=(tensor.name or b"").decode("utf-8", "replace"),
        shape=tuple(int(size) for size in tensor.shape) if tensor.shape is not None else (),
        dtype=_TYPES[tensor.type],
        content=None if data is None else bytes(data),
    )


def _options(operator: schema.OperatorT) -> dict[str, Any]:
    blob = b"" if operator.customOptions is None else bytes(bytearray(operator.customOptions))
    if not blob:
        return {}
    try:
        options = flexbuffers.Loads(blob)
    # The reader of FlexBuffers checks nothing: whatever trips it up is damage.
    except Exception as error:
        raise damaged("the options of a custom operator") from error
    return options if isinstance(options, dict) else {}


def damaged(what: str) -> LqFdaError:
    return LqFdaError(
        f"The .tflite file is damaged. Received: {what}.", cure="Copy the file again, or convert the run again."
    )
