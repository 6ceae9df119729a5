"""How much arithmetic a `.tflite` file asks for, counted from the shapes of its operators."""

import math

from lq_fda.conversion.report import BINARY
from lq_fda.runtimes import Operator, TfliteFile, read_tflite

_FLOAT = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def count_macs(content: bytes) -> dict[str, int]:
    """Multiply-accumulates for one image, by kind: `binary` in LCE's convolutions, `float` in all other operators.

    Convolutions and dense layers are counted; additions, norms and activations are not, as is the custom.

    Args:
        content: The `.tflite` file.

    Raises:
        LqFdaError: The file is damaged.

    ```python
    from lq_fda import conversion, models

    content = conversion.to_lce(conversion.fold(models.create("tiny", parts=())))
    counted = conversion.count_macs(content)
    assert counted["binary"] > 10 * counted["float"]
    ```
    """
    file = read_tflite(content)
    return {
        "binary": sum(_binary(file, operator) for operator in file.operators if operator.name == BINARY),
        "float": sum(_float(file, operator) for operator in file.operators if operator.name in _FLOAT),
    }


def _float(file: TfliteFile, operator: Operator) -> int:
    filters, output = file.tensors[operator.inputs[1]].shape, file.tensors[operator.outputs[0]].shape
    if operator.name == "DEPTHWISE_CONV_2D":  # 1, height, width, channels: a filter a channel
        return math.prod(output[:-1]) * math.prod(filters)
    return math.prod(output) * math.prod(filters[1:])


def _binary(file: TfliteFile, operator: Operator) -> int:
    image, filters = (file.tensors[index].shape for index in operator.inputs[:2])
    groups = image[-1] // filters[-1]  # both count words of 32 channels
    channels = operator.options["channels_in"] // groups
    positions = file.tensors[operator.outputs[0]].shape[:-1]  # the output may be bits too: its channels are the filters
    return math.prod(positions) * math.prod(filters[:-1]) * channels
