"""The account of a conversion: what became of every layer that should be binary.

A layer is found again in the file by its weights: the signs of its kernel are compared with those of every
constant filter, each output channel up to its overall sign, which a fused BatchNormalization may flip. Names and
order decide nothing, except between layers with equal weights.
"""

from collections.abc import Collection

import numpy as np

from lq_fda._keras import keras
from lq_fda.artifacts import ConversionReport, LayerReport
from lq_fda.conversion.quantized_layers import hole, kernels, macs, quantized_layers, remarks
from lq_fda.errors import LqFdaError
from lq_fda.runtimes import Operator, TfliteFile, read_tflite

BINARY = "LceBconv2d"
_FILTERED = (BINARY, "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_OUTPUTS = {"FLOAT32": "float", "INT8": "int8", "INT32": "bitpacked"}
_ACTIVATIONS = {1: "ReLU", 2: "ReLU(-1..1)", 3: "ReLU6"}


def report(model: keras.Model, content: bytes, *, notes: Collection[str] = ()) -> ConversionReport:
    """Finds every quantized layer in a converted file.

    Args:
        model: The network that was converted.
        content: The `.tflite` file.
        notes: Remarks on the whole conversion, to travel with the report.

    Raises:
        LqFdaError: The file is damaged.

    ```python
    from lq_fda import conversion, models

    folded = conversion.fold(models.create("tiny"))
    found = conversion.report(folded, conversion.to_lce(folded))
    assert [layer.operator for layer in found.layers] == ["LceBconv2d"] * 4
    ```
    """
    file = read_tflite(content)
    left = [operator for operator in file.operators if operator.name in _FILTERED and _filter(file, operator)]
    layers = []
    for layer in quantized_layers(model):
        operator = next((operator for operator in left if _same_signs(kernels(layer)[0], file, operator)), None)
        if operator is not None:
            left.remove(operator)
        layers.append(_describe(layer, file, operator))
    return ConversionReport(layers=tuple(layers), operators=file.counts(), notes=tuple(notes))


def require_binary(found: ConversionReport, *, allow_float: Collection[str] = ()) -> None:
    """Refuses a conversion that left a layer float.

    Args:
        found: What `report` gave.
        allow_float: Names of layers that may.

    Raises:
        LqFdaError: Another layer did, there is no layer of such a name, or no quantized layer at all.
    """
    names = [layer.name for layer in found.layers]
    if not names:
        raise LqFdaError(
            "The network has no quantized layer. Expected at least one that becomes binary. Received: none.",
            cure="Use `lq_fda.layers.BinaryConv2D`, or convert a float network with `to_float`.",
        )
    unknown = sorted(set(allow_float) - set(names))
    if unknown:
        raise LqFdaError(
            f"There is no quantized layer of that name. Expected some of {names}. Received: allow_float={unknown}.",
            cure="Name layers from the list.",
        )
    stayed = [layer for layer in found.layers if not layer.binary and layer.name not in allow_float]
    if stayed:
        reasons = "; ".join(f"{layer.name} became {layer.operator}: {layer.note}" for layer in stayed)
        raise LqFdaError(
            f"{len(stayed)} of {len(names)} layers that should be binary stayed float. {reasons}.",
            cure=f"Change them, or allow it: {' '.join(f'--allow-float {layer.name}' for layer in stayed)}.",
        )


def _describe(layer: keras.layers.Layer, file: TfliteFile, operator: Operator | None) -> LayerReport:
    binary = operator is not None and operator.name == BINARY
    if binary:
        note = "; ".join([*_unfused(layer, file, operator), *remarks(layer)])
    else:
        note = hole(layer) or "LCE left it float, for a reason that is not known here"
    return LayerReport(
        name=layer.name,
        binary=binary,
        operator=operator.name if operator else "none",
        index=operator.index if operator else None,
        output=_OUTPUTS.get(file.tensors[operator.outputs[0]].dtype, "none") if operator else "none",
        macs=macs(layer),
        weight_bytes=len(_filter(file, operator)) if operator else 0,
        fused=_fused(layer, file, operator) if binary else (),
        note=note,
    )


def _filter(file: TfliteFile, operator: Operator) -> bytes:
    """The bytes of an operator's constant filter; empty if it is computed."""
    return (file.tensors[operator.inputs[1]].content or b"") if operator.inputs[1:] else b""


def _same_signs(kernel: np.ndarray, file: TfliteFile, operator: Operator) -> bool:
    """Compares a Keras kernel (..., inputs, outputs) with an operator's filter."""
    filters = file.tensors[operator.inputs[1]].values
    if operator.name == "DEPTHWISE_CONV_2D":
        wanted = kernel.reshape(-1, kernel.shape[-2] * kernel.shape[-1])
        found = filters.reshape(-1, filters.shape[-1])
    else:
        wanted = kernel.reshape(-1, kernel.shape[-1])
        found = np.moveaxis(_signs(filters, kernel.shape[-2]) if operator.name == BINARY else filters, 0, -1)
        found = found.reshape(-1, found.shape[-1])
    if wanted.shape != found.shape:
        return False
    product = np.sign(wanted) * np.sign(found)
    agree = (product == np.abs(np.sign(wanted))).all(0)
    opposed = (product == -np.abs(np.sign(wanted))).all(0)
    return bool((agree | opposed).all())


def _signs(packed: np.ndarray, channels: int) -> np.ndarray:
    """Unpacks LCE's words, (..., words), to signs, (..., channels): bit set means -1."""
    bits = np.unpackbits(np.ascontiguousarray(packed).view(np.uint8), axis=-1, bitorder="little")
    return 1 - 2 * bits[..., :channels].astype(np.int8)


def _fused(layer: keras.layers.Layer, file: TfliteFile, operator: Operator) -> tuple[str, ...]:
    """What LceBconv2d computes besides the convolution."""
    if len(operator.inputs) != 5:
        raise LqFdaError(
            f"The .tflite file is damaged. Expected 5 inputs of LceBconv2d. Received: {len(operator.inputs)}.",
            cure="Convert the run again.",
        )
    multiplier, bias, thresholds = (file.tensors[index] if index >= 0 else None for index in operator.inputs[2:])
    found = []
    if activation := _ACTIVATIONS.get(operator.options.get("fused_activation_function", 0)):
        found.append(activation)
    if thresholds:
        found += [_norm_or("affine", layer), "sign"]
    elif (multiplier and np.any(multiplier.values != 1)) or (bias and np.any(bias.values != 0)):
        found.append(_norm_or("bias" if layer.use_bias else "affine", layer))
    return tuple(found)


def _unfused(layer: keras.layers.Layer, file: TfliteFile, operator: Operator) -> list[str]:
    """Why the affine behind stayed an operator of its own, if it did."""
    behind = {reader.name for reader in file.readers(operator.outputs[0])}
    readers = _readers(layer)
    if any(isinstance(reader, keras.layers.BatchNormalization) for reader in readers):
        return [f"its output has {len(readers)} readers, which blocks fusion"] if len(readers) > 1 else []
    if len(readers) == 1 and behind - {"ADD"}:
        return [f"no BatchNormalization directly behind it, but {type(readers[0]).__name__}"]
    return []


def _norm_or(otherwise: str, layer: keras.layers.Layer) -> str:
    readers = _readers(layer)
    norm = len(readers) == 1 and isinstance(readers[0], keras.layers.BatchNormalization)
    return "BatchNormalization" if norm else otherwise


def _readers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    return [node.outbound_layer for node in layer.outbound_nodes]
