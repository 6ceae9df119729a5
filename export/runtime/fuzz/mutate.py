"""Damaged `.tflite` files: what a seed changes in an intact one, always the same for the same seed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from random import Random

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder, flexbuffers

_SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 64, 100, 255, 256, 1000, 4096, 65535, 1 << 20, 1 << 28, 2**31 - 1, -1, -2)
_WORDS = (0, 1, 2, 4, 8, 127, 128, 255, 256, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 4)
_CHOICES = (0, 1, 2, 3, 4, 5, 127)
_MOST_CONSTANT = 1 << 18  # Elements.
_SCALES = (0.0, -1.0, 1e-45, 1e30, 0.5, float("nan"), float("inf"))
_TYPES = tuple(value for name, value in vars(schema.TensorType).items() if not name.startswith("_"))
_LCE = ("LceQuantize", "LceDequantize", "LceBconv2d", "LceBMaxPool2d", "Lce", "")


def mutate(content: bytes, seed: str) -> bytes:
    """Changes a file's graph, its bytes, or both.

    Args:
        content: An intact file.
        seed: What is changed; equal seeds change the same.
    """
    chance = Random(seed)
    rounds = chance.choice((0, 1, 1, 1, 1, 2, 2, 2, 3, 5))
    if rounds:
        model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
        for _ in range(rounds):
            chance.choice(_MUTATIONS)(model, chance)
        content = _pack(model)
    # A runtime reads most of a file before the delegate sees it: mostly the bytes stay as they are.
    return content if rounds and chance.random() < 0.92 else _spoil_bytes(content, chance)


def without_lce(content: bytes) -> bytes:
    """The same file without Larq Compute Engine's operators: what they would write is an input instead.

    Raises:
        Exception: The bytes are too damaged for that.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    graph = _graph(model)
    lce = [o for o in graph.operators if (model.operatorCodes[o.opcodeIndex].customCode or b"").startswith(b"Lce")]
    graph.operators = [operator for operator in graph.operators if operator not in lce]
    graph.inputs = [*_integers(graph.inputs), *(tensor for operator in lce for tensor in _integers(operator.outputs))]
    return _pack(model)


def _pack(model: schema.ModelT) -> bytes:
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _spoil_bytes(content: bytes, chance: Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(spoilt))
        kind = chance.randrange(8)
        if kind < 4:
            spoilt[at] ^= 1 << chance.randrange(8)
        elif kind < 6:
            spoilt[at & ~3 : (at & ~3) + 4] = chance.choice(_WORDS).to_bytes(4, "little")
        elif kind == 6:
            source = chance.randrange(len(spoilt))
            piece = spoilt[source : source + chance.randrange(1, 64)]
            spoilt[at : at + len(piece)] = piece
        elif chance.random() < 0.2:
            del spoilt[max(at, 8) :]
    return bytes(spoilt)


def _graph(model: schema.ModelT) -> schema.SubGraphT:
    return model.subgraphs[0]


def _tensor(model: schema.ModelT, chance: Random) -> schema.TensorT:
    """Any tensor, or, more often, one of an operator's."""
    graph = _graph(model)
    near = [t for t in _integers(_operator(model, chance).inputs) if 0 <= t < len(graph.tensors)]
    return graph.tensors[chance.choice(near)] if near and chance.random() < 0.7 else chance.choice(graph.tensors)


def _operator(model: schema.ModelT, chance: Random) -> schema.OperatorT:
    """Any operator, or, more often, one of Larq Compute Engine's."""
    operators = _graph(model).operators
    custom = [operator for operator in operators if operator.customOptions is not None]
    return chance.choice(custom if custom and chance.random() < 0.6 else operators)


def _index(model: schema.ModelT, chance: Random) -> int:
    """A tensor's, which may be none's."""
    count = len(_graph(model).tensors)
    return chance.choice((-1, -2, count, 2**31 - 1)) if chance.random() < 0.1 else chance.randrange(count)


def _integers(numbers: object) -> list[int]:
    return [] if numbers is None else [int(number) for number in numbers]


def _near(number: int, chance: Random) -> int:
    """A neighbour, which other numbers of the file may fit by chance."""
    odd = chance.choice((number - 1, number + 1, number + 32, number * 2, number // 2))
    return max(-(2**31), min(odd, 2**31 - 1))


def _change_size(model: schema.ModelT, chance: Random) -> None:
    tensor = _tensor(model, chance)
    shape = _integers(tensor.shape)
    if not shape:
        return
    at = chance.randrange(len(shape))
    before = math.prod(shape)
    shape[at] = _near(shape[at], chance) if chance.random() < 0.6 else chance.choice(_SIZES)
    tensor.shape, tensor.shapeSignature = shape, None
    data = _data(model, tensor)
    if data and before > 0 and 0 < math.prod(shape) <= _MOST_CONSTANT and chance.random() < 0.7:
        # A constant that fits its new shape: without that, no runtime would go on.
        length = len(data) // before * math.prod(shape)
        _put(model, tensor, (data * (length // len(data) + 1))[:length])


def _change_rank(model: schema.ModelT, chance: Random) -> None:
    tensor = _tensor(model, chance)
    shape = _integers(tensor.shape)
    if shape and chance.random() < 0.5:
        del shape[chance.randrange(len(shape))]
    else:
        shape.insert(chance.randint(0, len(shape)), chance.choice((1, 1, 1, 2, 0)))
    tensor.shape, tensor.shapeSignature = shape, None


def _change_type(model: schema.ModelT, chance: Random) -> None:
    _tensor(model, chance).type = chance.choice(_TYPES)


def _change_flags(model: schema.ModelT, chance: Random) -> None:
    tensor = _tensor(model, chance)
    if chance.random() < 0.5:
        tensor.isVariable = not tensor.isVariable
    else:
        tensor.shapeSignature = [chance.choice((-1, size)) for size in _integers(tensor.shape)]


def _change_quantization(model: schema.ModelT, chance: Random) -> None:
    tensor = _tensor(model, chance)
    quantization = tensor.quantization = schema.QuantizationParametersT()
    count = chance.choice((1, 1, 1, 0, 2, 33))
    quantization.scale = [chance.choice(_SCALES) for _ in range(count)]
    quantization.zeroPoint = [chance.choice((0, 3, -128, 127, 1000, 2**40, -(2**31))) for _ in range(count)]
    quantization.quantizedDimension = chance.choice((0, 0, 3, -1))


def _data(model: schema.ModelT, tensor: schema.TensorT) -> bytearray:
    # Another mutation may have left the tensor without a buffer.
    data = model.buffers[tensor.buffer].data if tensor.buffer < len(model.buffers) else None
    return bytearray() if data is None else bytearray(np.asarray(data, np.uint8).tobytes())


def _put(model: schema.ModelT, tensor: schema.TensorT, data: bytearray) -> None:
    # Buffer 0 stays empty, as the format has it.
    if 0 < tensor.buffer < len(model.buffers):
        model.buffers[tensor.buffer].data = np.frombuffer(bytes(data), np.uint8)


def _change_length(model: schema.ModelT, chance: Random) -> None:
    tensor = _tensor(model, chance)
    data = _data(model, tensor)
    if data and chance.random() < 0.7:
        del data[chance.choice((0, 1, len(data) // 2, len(data) - 1, chance.randrange(len(data)))) :]
    else:
        data += bytes(chance.choice((1, 4, 64, 4096)))
    _put(model, tensor, data)


def _change_values(model: schema.ModelT, chance: Random) -> None:
    tensor = _tensor(model, chance)
    data = _data(model, tensor)
    for _ in range(chance.choice((1, 4, 32)) if data else 0):
        data[chance.randrange(len(data))] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    _put(model, tensor, data)


def _change_buffer(model: schema.ModelT, chance: Random) -> None:
    # Buffer 0 is "no data": the tensor is no longer a constant.
    _tensor(model, chance).buffer = chance.choice((0, chance.randrange(len(model.buffers)), len(model.buffers)))


def _change_wires(model: schema.ModelT, chance: Random) -> None:
    operator = _operator(model, chance)
    field = chance.choice(("inputs", "inputs", "outputs"))
    wires = _integers(getattr(operator, field))
    kind = chance.randrange(6)
    if wires and kind < 4:
        wires[chance.randrange(len(wires))] = _index(model, chance)
    elif wires and kind == 4:
        del wires[chance.randrange(len(wires))]
    else:
        wires.append(_index(model, chance))
    setattr(operator, field, wires)


def _change_ends(model: schema.ModelT, chance: Random) -> None:
    graph = _graph(model)
    field = chance.choice(("inputs", "outputs"))
    ends = _integers(getattr(graph, field))
    if ends and chance.random() < 0.5:
        ends[chance.randrange(len(ends))] = _index(model, chance)
    else:
        ends.append(_index(model, chance))
    setattr(graph, field, ends)


def _change_order(model: schema.ModelT, chance: Random) -> None:
    operators = _graph(model).operators
    kind = chance.randrange(4)
    at = chance.randrange(len(operators))
    if kind == 0:
        operators.insert(chance.randint(0, len(operators)), copy.deepcopy(operators[at]))
    elif kind == 1 and len(operators) > 1:
        del operators[at]
    else:
        other = chance.randrange(len(operators))
        operators[at], operators[other] = operators[other], operators[at]


def _change_operator(model: schema.ModelT, chance: Random) -> None:
    operator = _operator(model, chance)
    if chance.random() < 0.7:
        operator.opcodeIndex = chance.randrange(len(model.operatorCodes) + 1)
        return
    code = chance.choice(model.operatorCodes)
    if code.customCode is not None:
        code.customCode = chance.choice(_LCE)
    code.version = chance.choice((0, 1, 2, 99))


def _change_options(model: schema.ModelT, chance: Random) -> None:
    operator = _operator(model, chance)
    if operator.customOptions is not None and len(operator.customOptions):
        operator.customOptions = np.frombuffer(_custom_options(bytes(operator.customOptions), chance), np.uint8)
        return
    options = operator.builtinOptions
    names = [name for name, value in vars(options).items() if isinstance(value, int)] if options is not None else []
    if names:
        name = chance.choice(names)
        # Enumerations are bytes; what is larger does not pack.
        odd = not getattr(options, name) if isinstance(getattr(options, name), bool) else chance.choice(_CHOICES)
        setattr(options, name, odd)


def _custom_options(blob: bytes, chance: Random) -> bytes:
    # Damaged maps are what libFuzzer makes: here most stay readable, and say something else.
    options = _read_options(blob) if chance.random() < 0.8 else {}
    if options:
        name = chance.choice(sorted(options))
        kind = chance.randrange(10)
        if kind == 0:
            del options[name]
        elif kind < 7 and isinstance(options[name], int):
            options[name] = _near(options[name], chance)
        else:
            options[name] = chance.choice((*_SIZES, 2**40, 0.5, "text", [1, 2]))
        return bytes(flexbuffers.Dumps(options))
    damaged = bytearray(blob)
    if chance.random() < 0.5:
        damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
    else:
        del damaged[chance.randrange(len(damaged)) :]
    return bytes(damaged)


def _read_options(blob: bytes) -> dict[str, object]:
    """Empty if an earlier round has damaged them: the reader is not made for that."""
    try:
        options = flexbuffers.Loads(blob)
    except Exception:
        return {}
    return options if isinstance(options, dict) else {}


_MUTATIONS: tuple[Callable[[schema.ModelT, Random], None], ...] = (
    _change_size,
    _change_size,
    _change_rank,
    _change_type,
    _change_flags,
    _change_quantization,
    _change_length,
    _change_values,
    _change_buffer,
    _change_wires,
    _change_wires,
    _change_ends,
    _change_order,
    _change_operator,
    _change_options,
    _change_options,
    _change_options,
)
