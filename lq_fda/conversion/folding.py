"""Folding: rebuild a trained network in float32 with everything that is constant moved to where it costs nothing.

The pass walks the graph once. Each tensor of the old network becomes a `Value`: a tensor of the new network and an
affine with one number a channel that is still owed,

    old = scale * tensor + offset,   scale > 0.

A rule for each kind of layer says what becomes of the debt:

    FeatureDistributionAdjustment   adds itself to the debt and computes nothing
    FeatureFineTuning               owes its outer shift
    GroupExcitation                 pays inside its vectors of one number a channel
    BatchNormalization              pays with its moving mean
    Add, pooling, linear 1x1        pass the debt on
    sign                            needs `tensor + offset / scale` only
    everything else                 must be paid first: `settle`

Paying looks for a constant to change further back (`_absorb`: the beta of a BatchNormalization that nobody else
reads, through an Add) and computes a `ChannelAffine` only when there is none.
"""

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from lq_fda._keras import keras, larq, precision, tf
from lq_fda.conversion.folded_layers import ChannelAffine, FoldedExcitation
from lq_fda.errors import LqFdaError
from lq_fda.layers import FeatureDistributionAdjustment, FeatureFineTuning, GroupExcitation

layers = keras.layers
Constant = np.ndarray | float

_SIGNS = (larq.quantizers.SteSign, larq.quantizers.ApproxSign, larq.quantizers.SwishSign)


def fold(model: keras.Model) -> keras.Model:
    """Rebuilds a network for inference: the same function, in float32, with fewer operators.

    Use it before conversion. Predictions agree up to float rounding; where a value lies within rounding of a sign's
    threshold, that sign may flip.

    Args:
        model: A functional or sequential network; it is not changed. Layers keep their names.

    Raises:
        LqFdaError: The network is not functional.

    ```python
    import numpy as np
    from lq_fda import conversion, models

    model = models.create("tiny")
    folded = conversion.fold(model)
    assert folded.count_params() < model.count_params()
    ```
    """
    _require_functional(model)
    with precision("float32"):
        inputs = [
            keras.Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
            for tensor, name in zip(model.inputs, model.input_names, strict=True)
        ]
        graph = _Graph(_calls(model))
        outputs = graph.walk(model, [Value(tensor) for tensor in inputs])
        settled = [graph.settle(value, "output") for value in outputs]
        return keras.Model(_like(model.input, inputs), _like(model.output, settled), name=model.name)


def _require_functional(model: keras.Model) -> None:
    if not getattr(model, "_is_graph_network", False):
        raise LqFdaError(
            "The network cannot be folded. Expected functional or built sequential Keras models only. "
            f"Received: {type(model).__name__} {model.name!r}.",
            cure="Build it with keras.Model(inputs, outputs).",
        )


def _calls(model: keras.Model) -> Counter[int]:
    """How often each layer is called, by its id, in nested networks too."""
    calls: Counter[int] = Counter()
    for node in _nodes(model):
        calls[id(node.layer)] += 1
        if getattr(node.layer, "_is_graph_network", False) and calls[id(node.layer)] == 1:
            calls.update(_calls(node.layer))
    return calls


def _nodes(model: keras.Model) -> list[Any]:
    """The calls of a network's layers, in the order of execution."""
    return [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]


def _like(structure: Any, flat: list[Any]) -> Any:
    return tf.nest.pack_sequence_as(structure, flat)


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the old network: scale * tensor + offset, where `tensor` is of the new one and scale is positive."""

    tensor: Any
    scale: Constant = 1.0
    offset: Constant = 0.0

    @property
    def settled(self) -> bool:
        return bool(np.all(self.scale == 1) and np.all(self.offset == 0))


class _Graph:
    """The new network while it grows."""

    def __init__(self, calls: Counter[int]):
        self._calls = calls
        self._frozen: set[int] = set()  # Clones with several calls: their weights belong to all of these.
        self._shared: set[int] = set()  # New tensors that have several readers: their values must stay.
        self._clones: dict[int, layers.Layer] = {}
        self._names: Counter[str] = Counter()
        self._tensors: list[Any] = []  # Kept alive, for `_shared` holds their ids.

    def walk(self, model: keras.Model, inputs: list[Value]) -> list[Value]:
        """Rebuilds a network on the given inputs and returns its outputs."""
        nodes = _nodes(model)
        readers = Counter(id(tensor) for node in nodes if not node.is_input for tensor in node.keras_inputs)
        readers.update(id(tensor) for tensor in model.outputs)
        values: dict[int, Value] = {}

        def remember(tensors: Iterable[Any], results: Iterable[Value]) -> None:
            for tensor, value in zip(tensors, results, strict=True):
                values[id(tensor)] = value
                self._tensors.append(value.tensor)
                if readers[id(tensor)] > 1:
                    self._shared.add(id(value.tensor))

        remember(model.inputs, inputs)
        for node in nodes:
            if node.is_input:
                continue
            args, kwargs = tf.nest.map_structure(
                lambda item: values.get(id(item), item), (node.call_args, node.call_kwargs)
            )
            rule = _rule if self._calls[id(node.layer)] == 1 else _unfolded
            first, args, kwargs = node.layer._call_spec.split_out_first_arg(args, kwargs)
            results = rule(node.layer, self, first, *args, **kwargs)
            remember(tf.nest.flatten(node.outputs), tf.nest.flatten(results))
        return [values[id(tensor)] for tensor in model.outputs]

    def settle(self, value: Value, name: str) -> Any:
        """Returns scale * tensor + offset as a tensor."""
        if value.settled or self._absorb(value.tensor, value.scale, value.offset):
            return value.tensor
        return self.affine(value, name)

    def affine(self, value: Value, name: str) -> Any:
        """Computes scale * tensor + offset by a layer of its own."""
        channels = value.tensor.shape[-1]
        scale, offset = (np.broadcast_to(constant, channels).tolist() for constant in (value.scale, value.offset))
        return ChannelAffine(scale, offset, name=self.name(name), dtype="float32")(value.tensor)

    def threshold(self, value: Value, name: str) -> Any:
        """Returns a tensor with the sign of scale * tensor + offset."""
        return self.settle(Value(value.tensor, 1.0, value.offset / value.scale), f"{name}_threshold")

    def multiply(self, factors: list[Value], name: str) -> Any:
        """Returns the product. A constant factor goes where it is cheapest: into a norm, else into the smallest map."""
        tensors = [value.tensor if np.all(value.offset == 0) else self.settle(value, name) for value in factors]
        scale = functools.reduce(np.multiply, (value.scale for value in factors if np.all(value.offset == 0)), 1.0)
        if np.any(scale != 1) and not any(self._absorb(tensor, scale, 0.0) for tensor in tensors):
            smallest = min(range(len(tensors)), key=lambda index: _size(tensors[index]))
            tensors[smallest] = self.affine(Value(tensors[smallest], scale), f"{name}_factor")
        return layers.Multiply(name=self.name(name), dtype="float32")(tensors)

    def add(self, terms: list[Value], name: str) -> Value:
        """Returns the sum; it owes what its terms owe."""
        settled = [value if np.all(value.scale == 1) else Value(self.settle(value, f"{name}_term")) for value in terms]
        total = layers.Add(name=self.name(name), dtype="float32")([value.tensor for value in settled])
        return Value(total, 1.0, functools.reduce(np.add, (value.offset for value in settled)))

    def clone(self, layer: layers.Layer, **changes: Any) -> layers.Layer:
        """The same layer in float32, without its weights; one clone a layer, however often that is called."""
        if id(layer) not in self._clones:
            config = {**layer.get_config(), "dtype": "float32", "name": self.name(layer.name), **changes}
            self._clones[id(layer)] = type(layer).from_config(config)
            if self._calls[id(layer)] > 1:
                self._frozen.add(id(self._clones[id(layer)]))
        return self._clones[id(layer)]

    def call(self, layer: layers.Layer, *args: Any, **kwargs: Any) -> Any:
        """Calls a layer's clone and gives it the layer's weights."""
        clone = self.clone(layer)
        result = clone(*args, **kwargs)
        clone.set_weights(layer.get_weights())
        return result

    def name(self, name: str) -> str:
        """The name itself, or with a number where nested networks use it twice."""
        self._names[name] += 1
        return name if self._names[name] == 1 else self.name(f"{name}_{self._names[name]}")

    def _absorb(self, tensor: Any, scale: Constant, offset: Constant) -> bool:
        """Changes a constant behind `tensor` so that it becomes scale * tensor + offset; False if there is none."""
        layer = tensor.node.layer
        if id(tensor) in self._shared or id(layer) in self._frozen:
            return False
        inputs = tf.nest.flatten(layer.input)
        if isinstance(layer, layers.BatchNormalization) and np.size(offset) in (1, tensor.shape[-1]):
            layer.gamma.assign(layer.gamma * scale)
            layer.beta.assign(layer.beta * scale + offset)
            return True
        if isinstance(layer, layers.Add) and np.all(scale == 1):
            return any(self._absorb(term, scale, offset) for term in inputs)
        if isinstance(layer, layers.Multiply) and np.all(offset == 0):
            return any(self._absorb(factor, scale, offset) for factor in inputs)
        if _is_linear(layer) and layer.use_bias and np.all(scale == 1):
            layer.bias.assign_add(np.broadcast_to(offset, layer.bias.shape).astype(np.float32))
            return True
        return False


def _size(tensor: Any) -> int:
    """Numbers in an image's map, with 2 for a height or width that is not known."""
    return int(np.prod([size or 2 for size in tensor.shape[1:]]))


def _is_linear(layer: layers.Layer) -> bool:
    return type(layer) in (layers.Conv2D, layers.Dense) and getattr(layer.activation, "__name__", "") == "linear"


def _unfolded(layer: layers.Layer, graph: _Graph, *args: Any, **kwargs: Any) -> Any:
    """The same layer on settled inputs."""
    args, kwargs = tf.nest.map_structure(
        lambda item: graph.settle(item, f"{layer.name}_input") if isinstance(item, Value) else item, (args, kwargs)
    )
    return tf.nest.map_structure(Value, graph.call(layer, *args, **kwargs))


_rule = functools.singledispatch(_unfolded)


@_rule.register
def _(layer: keras.Model, graph: _Graph, inputs: Any, **_: Any) -> Any:
    _require_functional(layer)
    return _like(layer.output, graph.walk(layer, tf.nest.flatten(inputs)))


@_rule.register
def _(layer: FeatureDistributionAdjustment, graph: _Graph, value: Value, **_: Any) -> Value:
    gain, shift = _affine_of(layer)
    if np.any(gain <= 0):
        return _batch_normalization(layer, graph, value)
    return Value(value.tensor, value.scale * gain, value.offset * gain + shift)


@_rule.register
def _(layer: GroupExcitation, graph: _Graph, value: Value, **_: Any) -> tuple[Value, Value]:
    gain, offset = (np.broadcast_to(constant, layer.channels) for constant in (value.scale, value.offset))
    config = {**layer.get_config(), "dtype": "float32", "name": graph.name(layer.name)}
    folded = FoldedExcitation(gain.tolist(), offset.tolist(), **config)
    shifted, scale = folded(value.tensor)
    folded.set_weights(layer.get_weights())
    return Value(shifted, value.scale), Value(scale, 2.0)


@_rule.register
def _(layer: FeatureFineTuning, graph: _Graph, inputs: Any, **_: Any) -> Value:
    branch, *others = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    if len(others) == 2:
        branch = Value(graph.multiply([branch, others[1]], f"{layer.name}_scale"))
    total = graph.add([branch, others[0]], f"{layer.name}_add") if others else branch
    shift_in, slope, shift_out = (weights.astype(np.float64) for weights in layer.get_weights())
    centred = graph.settle(dataclasses.replace(total, offset=total.offset - shift_in), f"{layer.name}_shift")
    prelu = layers.PReLU(shared_axes=[1, 2], name=graph.name(layer.name), dtype="float32")
    output = prelu(centred)
    prelu.set_weights([slope.reshape(1, 1, -1)])
    return Value(output, 1.0, shift_out)


@_rule.register
def _(layer: layers.BatchNormalization, graph: _Graph, value: Value, **_: Any) -> Value:
    return _batch_normalization(layer, graph, value)


@_rule.register
def _(layer: layers.Add, graph: _Graph, terms: list[Value], **_: Any) -> Value:
    return graph.add(terms, layer.name)


@_rule.register
def _(layer: layers.Multiply, graph: _Graph, factors: list[Value], **_: Any) -> Value:
    return Value(graph.multiply(factors, layer.name))


@_rule.register(layers.AveragePooling2D)
@_rule.register(layers.MaxPooling2D)
@_rule.register(layers.GlobalAveragePooling2D)
@_rule.register(layers.GlobalMaxPooling2D)
def _(layer: layers.Layer, graph: _Graph, value: Value, **_: Any) -> Value:
    # Means and maxima commute with a positive scale and a constant; "same" padding takes no part in either.
    return dataclasses.replace(value, tensor=graph.call(layer, value.tensor))


@_rule.register
def _(layer: layers.Dropout, graph: _Graph, value: Value, **_: Any) -> Value:
    return value


@_rule.register(layers.Conv2D)
@_rule.register(layers.Dense)
def _(layer: layers.Layer, graph: _Graph, value: Value, **_: Any) -> Value:
    pads = isinstance(layer, layers.Conv2D) and layer.padding == "same" and set(layer.kernel_size) != {1}
    if not _is_linear(layer) or pads or getattr(layer, "groups", 1) > 1 or np.any(value.scale != 1):
        return _unfolded(layer, graph, value)
    kernel = layer.get_weights()[0].astype(np.float64)
    channels = kernel.shape[-2]
    offset = np.broadcast_to(value.offset, channels) @ kernel.reshape(-1, channels, kernel.shape[-1]).sum(0)
    return Value(graph.call(layer, value.tensor), 1.0, offset)


@_rule.register
def _(layer: larq.layers_base.BaseLayer, graph: _Graph, value: Value, **_: Any) -> Value:
    if not isinstance(layer.input_quantizer, _SIGNS):
        return _unfolded(layer, graph, value)
    return Value(graph.call(layer, graph.threshold(value, layer.name)))


@_rule.register
def _(layer: larq.quantizers.Quantizer, graph: _Graph, value: Value, **_: Any) -> Value:
    if not isinstance(layer, _SIGNS):
        return _unfolded(layer, graph, value)
    return Value(graph.call(layer, graph.threshold(value, layer.name)))


def _affine_of(norm: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """The gain and shift of a BatchNormalization at inference, in double precision."""
    mean, variance = (weights.numpy().astype(np.float64) for weights in (norm.moving_mean, norm.moving_variance))
    gamma = norm.gamma.numpy().astype(np.float64) if norm.scale else np.ones_like(mean)
    beta = norm.beta.numpy().astype(np.float64) if norm.center else np.zeros_like(mean)
    gain = gamma / np.sqrt(variance + norm.epsilon)
    return gain, beta - mean * gain


def _batch_normalization(norm: layers.BatchNormalization, graph: _Graph, value: Value) -> Value:
    if tuple(norm.axis) != (len(value.tensor.shape) - 1,):
        return _unfolded(norm, graph, value)
    # Always with gamma and beta, so that what comes later can be absorbed.
    folded = layers.BatchNormalization(epsilon=norm.epsilon, name=graph.name(norm.name), dtype="float32")
    output = folded(value.tensor)
    mean, variance = (weights.numpy().astype(np.float64) for weights in (norm.moving_mean, norm.moving_variance))
    gamma = norm.gamma.numpy() if norm.scale else np.ones_like(mean)
    beta = norm.beta.numpy() if norm.center else np.zeros_like(mean)
    folded.set_weights([gamma * value.scale, beta, (mean - value.offset) / value.scale, variance])
    return Value(output)
