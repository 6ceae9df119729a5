"""What Larq Compute Engine takes for granted about its operators, checked before it sees a file.

Its kernels divide by options and read constants by the sizes that other numbers imply: a number out of range ends the
process. LCE packs the signs of 32 channels into a word.
"""

from collections.abc import Sequence

from lq_fda.runtimes.tflite_file import Operator, Tensor, TfliteFile, damaged

_WORD = 32
_MOST = 1 << 15
_MOST_CORRECTIONS = 1 << 22
_SAME, _VALID = 0, 1
_SIZE = (1, _MOST)
_WINDOW = {"padding": (_SAME, _VALID), "stride_height": _SIZE, "stride_width": _SIZE}
_RANGES: dict[str, dict[str, tuple[int, int]]] = {
    "LceBconv2d": {
        **_WINDOW,
        "channels_in": (1, 1 << 24),
        "dilation_height_factor": _SIZE,
        "dilation_width_factor": _SIZE,
        "fused_activation_function": (0, 3),
        "pad_values": (0, 1),
    },
    "LceBMaxPool2d": {**_WINDOW, "filter_height": _SIZE, "filter_width": _SIZE},
    "LceDequantize": {},
    "LceQuantize": {},
}
_INPUTS = {"LceBconv2d": 5}


def require_sound(file: TfliteFile) -> None:
    """Refuses a file whose LCE operators have options or shapes that LCE would trip over.

    Declared shapes are compared: what the operators in between make of them at run time is theirs.

    Raises:
        LqFdaError: An option is missing or out of range, a tensor is missing or has another size than its operator
            needs, or is read before it is made.
    """
    _check_order(file)
    for operator in file.operators:
        if operator.name in _RANGES:
            _check_options(operator)
            inputs, outputs = _tensors(file, operator)
            if operator.name == "LceBconv2d":
                _check_convolution(operator, inputs, outputs[0])
            elif operator.name == "LceBMaxPool2d":
                filters = (operator.options["filter_height"], operator.options["filter_width"])
                _check_window(operator, inputs[0], filters)


def _require(condition: bool, operator: Operator, what: str) -> None:
    if not condition:
        raise damaged(f"{operator.name} at {operator.index}: {what}")


def _check_order(file: TfliteFile) -> None:
    """Every tensor is given, or made once and before it is read."""
    known = {number for number, tensor in enumerate(file.tensors) if tensor.content is not None or 0 in tensor.shape}
    known.update(file.inputs)
    for operator in file.operators:
        unknown = [number for number in operator.inputs if number >= 0 and number not in known]
        _require(not unknown, operator, f"it reads tensor {unknown[:1]} before it is made")
        made = {number for number in operator.outputs if number >= 0}
        _require(known.isdisjoint(made), operator, f"it makes one of the tensors {sorted(made)} a second time")
        known |= made
    if not known.issuperset(file.outputs):
        raise damaged("an output that nothing makes")


def _check_options(operator: Operator) -> None:
    # LCE searches the keys by bisection.
    _require(list(operator.options) == sorted(operator.options), operator, "its options are in disorder")
    for name, (least, most) in _RANGES[operator.name].items():
        value = operator.options.get(name)
        _require(type(value) is int and least <= value <= most, operator, f"{name}={value!r}")


def _tensors(file: TfliteFile, operator: Operator) -> tuple[list[Tensor | None], list[Tensor | None]]:
    """The operator's inputs and outputs, with None for an input that is absent; the first of each is there."""
    inputs, outputs = (
        [file.tensors[number] if number >= 0 else None for number in numbers]
        for numbers in (operator.inputs, operator.outputs)
    )
    _require(len(inputs) == _INPUTS.get(operator.name, 1) and len(outputs) == 1, operator, "wrong number of tensors")
    _require(inputs[0] is not None and outputs[0] is not None, operator, "a tensor is missing")
    for tensor in (inputs[0], outputs[0]):
        _require(bool(tensor.shape) and min(tensor.shape) >= 1, operator, f"a tensor of shape {tensor.shape}")
    return inputs, outputs


def _check_convolution(operator: Operator, inputs: list[Tensor | None], output: Tensor) -> None:
    values, kernel, multiplier, bias, thresholds = inputs
    options = operator.options
    _check_constant(operator, kernel, "INT32", 4)
    filters, *window, depth = kernel.shape
    channels = options["channels_in"]
    words = -(-channels // _WORD)
    groups = words // depth
    whole = groups * depth == words and (groups == 1 or (channels % (groups * _WORD) == 0 and filters % groups == 0))
    _require(whole, operator, f"channels_in={channels} beside a filter of shape {kernel.shape}")
    dilations = options["dilation_height_factor"], options["dilation_width_factor"]
    extent = [(size - 1) * dilation + 1 for size, dilation in zip(window, dilations, strict=True)]
    _check_window(operator, values, extent)
    # For zeros around the map LCE keeps four numbers for every place of the window and every filter.
    corrected = options["padding"] == _SAME and options["pad_values"] == 0
    _require(not corrected or extent[0] * extent[1] * filters <= _MOST_CORRECTIONS, operator, f"a window of {extent}")
    _require(values.shape[3] == words, operator, f"channels_in={channels} beside an input of shape {values.shape}")
    if output.dtype == "INT32":
        _check_constant(operator, thresholds, "INT32", 1, filters)
    else:
        _require(output.dtype in ("FLOAT32", "INT8"), operator, f"an output of type {output.dtype}")
        _check_constant(operator, multiplier, "FLOAT32", 1, filters)
        _check_constant(operator, bias, "FLOAT32", 1, filters)


def _check_window(operator: Operator, values: Tensor, extent: Sequence[int]) -> None:
    """The window has a sane size, and fits into a map around which nothing is padded."""
    _require(len(values.shape) == 4, operator, f"an input of shape {values.shape}")
    fits = operator.options["padding"] == _SAME or all(
        size <= given for size, given in zip(extent, values.shape[1:3], strict=True)
    )
    _require(fits and max(extent) <= _MOST, operator, f"a window of {list(extent)} on a map of shape {values.shape}")


def _check_constant(operator: Operator, tensor: Tensor | None, dtype: str, rank: int, size: int | None = None) -> None:
    _require(tensor is not None and tensor.content is not None, operator, "a constant is missing")
    sound = tensor.dtype == dtype and len(tensor.shape) == rank and min(tensor.shape) >= 1
    _require(sound and size in (None, tensor.shape[0]), operator, f"a constant {tensor.dtype} of shape {tensor.shape}")
    _require(tensor.values.shape == tensor.shape, operator, "a constant's bytes do not make its shape")
