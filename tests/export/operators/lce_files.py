"""Small `.tflite` files with Larq Compute Engine's operators, in every form that their options allow."""

import dataclasses
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder, flexbuffers

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.bool_): schema.TensorType.BOOL,
}
_BUILTINS = {
    "ADD": (schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, schema.AddOptionsT),
    "MUL": (schema.BuiltinOperator.MUL, schema.BuiltinOptions.MulOptions, schema.MulOptionsT),
    "PRELU": (schema.BuiltinOperator.PRELU, schema.BuiltinOptions.NONE, None),
    "LOGISTIC": (schema.BuiltinOperator.LOGISTIC, schema.BuiltinOptions.NONE, None),
    "SHAPE": (schema.BuiltinOperator.SHAPE, schema.BuiltinOptions.ShapeOptions, schema.ShapeOptionsT),
    "MEAN": (schema.BuiltinOperator.MEAN, schema.BuiltinOptions.ReducerOptions, schema.ReducerOptionsT),
    "RESHAPE": (schema.BuiltinOperator.RESHAPE, schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT),
    "FULLY_CONNECTED": (
        schema.BuiltinOperator.FULLY_CONNECTED,
        schema.BuiltinOptions.FullyConnectedOptions,
        schema.FullyConnectedOptionsT,
    ),
}


@dataclasses.dataclass
class File:
    """A file that grows: tensors and operators are added in order, `content` packs it."""

    model: schema.ModelT = dataclasses.field(default_factory=schema.ModelT)

    def __post_init__(self) -> None:
        self.model.version = 3
        self.model.operatorCodes, self.model.subgraphs = [], [schema.SubGraphT()]
        self.model.buffers = [schema.BufferT()]
        self.graph.tensors, self.graph.operators, self.graph.inputs, self.graph.outputs = [], [], [], []

    @property
    def graph(self) -> schema.SubGraphT:
        return self.model.subgraphs[0]

    def tensor(
        self, shape: tuple[int, ...], dtype: Any = np.float32, quantization: tuple[float, int] | None = None
    ) -> int:
        """Adds a tensor; `quantization` is its scale and zero point."""
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), _TYPES[np.dtype(dtype)], 0
        tensor.name = f"tensor_{len(self.graph.tensors)}".encode()
        if quantization is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [quantization[0]], [quantization[1]]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def input(self, shape: tuple[int, ...], dtype: Any = np.float32, quantization: Any = None) -> int:
        self.graph.inputs.append(self.tensor(shape, dtype, quantization))
        return self.graph.inputs[-1]

    def constant(self, values: np.ndarray) -> int:
        index = self.tensor(values.shape, values.dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def operator(self, name: str, inputs: list[int], output: int, **options: Any) -> int:
        """Adds an operator; options of a custom one become a FlexBuffers map."""
        operator, code = schema.OperatorT(), schema.OperatorCodeT()
        code.version = 1
        if name in _BUILTINS:
            code.builtinCode, operator.builtinOptionsType, kind = _BUILTINS[name]
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            if kind is not None:
                operator.builtinOptions = kind()
                for key, value in options.items():
                    assert hasattr(operator.builtinOptions, key), key
                    setattr(operator.builtinOptions, key, value)
        else:
            code.builtinCode, code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM, 32
            code.customCode = name.encode()
            operator.customOptions = np.frombuffer(flexbuffers.Dumps(options), np.uint8)
        self.model.operatorCodes.append(code)
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), [output]
        self.graph.operators.append(operator)
        return output

    def content(self, *outputs: int) -> bytes:
        self.graph.outputs = list(outputs)
        builder = Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def words(channels: int) -> int:
    return -(-channels // 32)


def pack(signs: np.ndarray) -> np.ndarray:
    """Bits of the last axis, 32 a word, set where a number is negative."""
    padded = np.zeros((*signs.shape[:-1], words(signs.shape[-1]) * 32), bool)
    padded[..., : signs.shape[-1]] = signs < 0
    return np.packbits(padded, axis=-1, bitorder="little").view(np.int32)


@dataclasses.dataclass(frozen=True)
class Convolution:
    """LceQuantize, LceBconv2d and, for packed outputs, LceDequantize, on random weights."""

    channels: int = 32
    outputs: int = 32
    height: int = 5
    width: int = 6
    filter_height: int = 3
    filter_width: int = 3
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    same: bool = True
    pad_value: int = 1
    activation: int = 0
    groups: int = 1
    output: str = "float"  # or int8, packed
    float_filter: bool = False
    source: str = "float"  # or int8, bool
    batch: int = 1
    seed: int = 0

    def content(self) -> bytes:
        random = np.random.default_rng(self.seed)
        file = File()
        source = self.add_source(file)
        packed = file.operator(
            "LceQuantize", [source], file.tensor((self.batch, self.height, self.width, words(self.channels)), np.int32)
        )
        result = self.add(file, packed, random)
        if self.output == "packed":
            shape = (self.batch, *self.output_size(), self.outputs)
            result = file.operator("LceDequantize", [result], file.tensor(shape))
        return file.content(result)

    def add_source(self, file: File) -> int:
        shape = (self.batch, self.height, self.width, self.channels)
        if self.source == "int8":
            return file.input(shape, np.int8, (0.1, 3))
        return file.input(shape, np.bool_ if self.source == "bool" else np.float32)

    def output_size(self) -> tuple[int, int]:
        sizes = []
        for size, taps, stride, dilation in zip(
            (self.height, self.width),
            (self.filter_height, self.filter_width),
            self.strides,
            self.dilations,
            strict=True,
        ):
            extent = (taps - 1) * dilation + 1
            sizes.append(-(-size // stride) if self.same else (size - extent) // stride + 1)
        return tuple(sizes)

    def add(self, file: File, packed: int, random: np.random.Generator) -> int:
        """Adds the convolution alone."""
        depth = self.channels // self.groups
        weights = random.choice([-1.0, 1.0], (self.outputs, self.filter_height, self.filter_width, depth))
        weights = weights.astype(np.float32)
        length = self.filter_height * self.filter_width * depth
        multiplier = (random.uniform(0.5, 2, self.outputs) / np.sqrt(length)).astype(np.float32)
        bias = random.normal(size=self.outputs).astype(np.float32)
        thresholds = random.integers(length // 2 - 9, length // 2 + 9, self.outputs).astype(np.int32)
        is_packed = self.output == "packed"
        inputs = [
            packed,
            file.constant(weights if self.float_filter else pack(weights)),
            -1 if is_packed else file.constant(multiplier),
            -1 if is_packed else file.constant(bias),
            file.constant(thresholds) if is_packed else -1,
        ]
        channels = words(self.outputs) if is_packed else self.outputs
        dtype = {"float": np.float32, "int8": np.int8, "packed": np.int32}[self.output]
        result = file.tensor(
            (self.batch, *self.output_size(), channels), dtype, (0.05, -4) if self.output == "int8" else None
        )
        return file.operator(
            "LceBconv2d",
            inputs,
            result,
            channels_in=self.channels,
            dilation_height_factor=self.dilations[0],
            dilation_width_factor=self.dilations[1],
            fused_activation_function=self.activation,
            pad_values=self.pad_value,
            padding=0 if self.same else 1,
            stride_height=self.strides[0],
            stride_width=self.strides[1],
        )

    def image(self, seed: int) -> np.ndarray:
        """An input in the file's own type."""
        random = np.random.default_rng(seed)
        shape = (self.batch, self.height, self.width, self.channels)
        if self.source == "int8":
            return random.integers(-128, 128, shape).astype(np.int8)
        if self.source == "bool":
            return random.integers(0, 2, shape).astype(bool)
        values = random.normal(size=shape).astype(np.float32)
        values.flat[::7] = 0.0  # Zero is +1, and so is minus zero.
        values.flat[3::11] = -0.0
        return values
