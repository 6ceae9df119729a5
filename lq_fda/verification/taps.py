"""Looking inside the file that ships: what every sign sees, beside what it sees in Keras.

No second conversion is made for that, which might fuse otherwise: the file's own tensors in front of LceQuantize become
outputs. Folding scales and shifts those tensors, but keeps their signs.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from lq_fda import runtimes
from lq_fda._keras import keras
from lq_fda.artifacts import ConversionReport, LayerParity
from lq_fda.errors import LqFdaError
from lq_fda.verification.inference import batches, inference

_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Signs:
    """What was found in front of every sign.

    Args:
        layers: One row a binary layer.
        agreeing: One flag an image: all signs that can be seen are those of Keras.
    """

    layers: tuple[LayerParity, ...]
    agreeing: np.ndarray


@dataclasses.dataclass
class _Tally:
    signs: int = 0
    differing: int = 0
    images: int = 0
    first_differing: int = 0
    margin: float = 0.0


def compare_layers(
    model: keras.Model,
    content: bytes,
    account: ConversionReport,
    inputs: np.ndarray,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Signs:
    """Compares the signs in front of every binary layer.

    Args:
        model: The Keras network, not folded.
        content: The file that was converted from it.
        account: The report of that conversion, which says where each layer is.
        inputs: Preprocessed images.
        progress: Called with the images done and the images in all.

    Raises:
        LqFdaError: The report does not fit the file or the network.
    """
    tensors = _tapped_tensors(content, account)
    names = [name for name, tensor in tensors.items() if tensor is not None]
    if not names:
        return Signs(tuple(_row(name, _Tally()) for name in tensors), np.ones(len(inputs), bool))
    distinct = sorted({tensors[name] for name in names})
    session = runtimes.open_session("lce", runtimes.with_outputs(content, distinct))
    places = [distinct.index(tensors[name]) for name in names]
    keras_taps = inference(keras.Model(model.input, [_layer(model, name).input for name in names]))
    tallies = {name: _Tally() for name in tensors}
    agreed = []
    done = 0
    for batch in batches(inputs, _BATCH):
        found = [np.concatenate(values) for values in zip(*(session.run(image[None]) for image in batch), strict=True)]
        agreeing = np.ones(len(batch), bool)
        for name, place, values in zip(names, places, keras_taps(batch), strict=True):
            if values.shape != found[place].shape or not np.isfinite(found[place]).all():
                raise LqFdaError(
                    f"The file computes something else in front of {name!r}. Expected finite numbers of shape "
                    f"{values.shape}. Received: shape {found[place].shape}.",
                    cure="Convert the run again; if it happens again, look at the run's losses.",
                )
            agreeing &= _compare(tallies[name], values, found[place], agreeing)
        agreed.append(agreeing)
        done += len(batch)
        progress(done, len(inputs))
    return Signs(tuple(_row(name, tally) for name, tally in tallies.items()), np.concatenate(agreed))


def _compare(tally: _Tally, expected: np.ndarray, found: np.ndarray, agreeing: np.ndarray) -> np.ndarray:
    """Adds a batch to a layer's tally; returns on which images its signs agree."""
    # Larq's sign and LceQuantize alike: negative or not.
    differs = (expected < 0) != (found < 0)
    begins = differs & agreeing[:, None, None, None]
    tally.signs += differs.size
    tally.differing += int(differs.sum())
    tally.images += int(agreeing.sum())
    tally.first_differing += int(begins.sum())
    if begins.any():
        size = np.sqrt(np.mean(np.square(expected, dtype=np.float64), axis=(0, 1, 2)))
        tally.margin = max(tally.margin, float((np.abs(expected) / np.maximum(size, 1e-30))[begins].max()))
    return ~differs.any(axis=(1, 2, 3))


def _tapped_tensors(content: bytes, account: ConversionReport) -> dict[str, int | None]:
    """For each binary layer the float tensor in front of its sign, or None where there is only a bitpacked one."""
    file = runtimes.read_tflite(content)
    described = {layer.index for layer in account.layers if layer.binary}
    unknown = sorted({operator.index for operator in file.operators if operator.name == "LceBconv2d"} - described)
    if unknown:
        raise LqFdaError(
            f"The manifest's report does not fit the file: it misses the binary convolutions at {unknown}.",
            cure="Convert the run again.",
        )
    tensors: dict[str, int | None] = {}
    for layer in account.layers:
        if not layer.binary:
            continue
        operator = (
            file.operators[layer.index] if layer.index is not None and layer.index < len(file.operators) else None
        )
        if operator is None or operator.name != layer.operator:
            raise LqFdaError(
                f"The manifest's report does not fit the file. Expected {layer.operator} at {layer.index}. "
                f"Received: {operator.name if operator else 'nothing'} for {layer.name!r}.",
                cure="Convert the run again.",
            )
        quantize = file.maker(operator.inputs[0])
        visible = quantize is not None and quantize.name == "LceQuantize" and quantize.inputs[0] not in file.inputs
        tensors[layer.name] = quantize.inputs[0] if visible else None
    return tensors


def _layer(model: keras.Model, name: str) -> keras.layers.Layer:
    try:
        return model.get_layer(name)
    except ValueError as error:
        raise LqFdaError(
            f"The bundle was not made from this network. Expected a layer {name!r}. Received: {model.name!r}.",
            cure="Verify the bundle with the run that it was converted from.",
        ) from error


def _row(name: str, tally: _Tally) -> LayerParity:
    return LayerParity(name=name, **dataclasses.asdict(tally))
