"""What a quantized Keras layer asks of LCE, and which wishes LCE is known not to grant."""

import numpy as np

from lq_fda._keras import keras, larq, tf

_WORD = 32  # LCE packs the signs of this many channels into one integer.
_TILE = 8  # Its kernels compute this many output channels at once.
_KERNELS = {
    "kernel_quantizer": "kernel",
    "depthwise_quantizer": "depthwise_kernel",
    "pointwise_quantizer": "pointwise_kernel",
}
_SIGNS = (
    larq.quantizers.SteSign,
    larq.quantizers.ApproxSign,
    larq.quantizers.SwishSign,
    larq.quantizers.MagnitudeAwareSign,
)


def quantized_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that should be binary on the device: all with a quantizer, in nested networks and wrappers too."""
    found = model._flatten_layers(include_self=False)
    return [layer for layer in found if any(_quantizers(layer).values())]


def kernels(layer: keras.layers.Layer) -> list[np.ndarray]:
    """The layer's kernels as inference uses them: quantized."""
    with larq.context.quantized_scope(True):
        return [
            tf.convert_to_tensor(getattr(layer, kernel)).numpy()
            for kernel in _KERNELS.values()
            if hasattr(layer, kernel)
        ]


def macs(layer: keras.layers.Layer) -> int:
    """Multiply-accumulates for one image; 0 inside a wrapper, which does not tell its layer's size."""
    if not layer.inbound_nodes:
        return 0
    transposed = isinstance(layer, (keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose))
    shape = layer.input_shape if transposed else layer.output_shape
    positions = int(np.prod(shape[1:-1]))
    return positions * sum(kernel.size for kernel in kernels(layer))


def hole(layer: keras.layers.Layer) -> str:
    """Why LCE cannot run the layer as a binary convolution, with what to do instead; empty when it should."""
    quantizers = _quantizers(layer)
    for name, quantizer in quantizers.items():
        precision = getattr(quantizer, "precision", 1)
        if precision != 1:
            return (
                f"{name}={type(quantizer).__name__} gives more than two values ({precision} bits), and LCE computes "
                "with signs only: use a sign quantizer such as 'ste_sign'"
            )
        if isinstance(quantizer, larq.quantizers.SteHeaviside):
            return f"{name}=SteHeaviside gives 0 and 1, and LCE computes with -1 and 1: use 'ste_sign'"
    if isinstance(layer, keras.layers.Dense):
        return (
            "LCE has no binary dense layer: use a 1x1 binary convolution on a 1x1 feature map "
            "(GlobalAveragePooling2D(keepdims=True)), or a float Dense"
        )
    if not isinstance(layer, larq.layers.QuantConv2D):
        return f"LCE has a binary Conv2D only, no {type(layer).__name__}: use QuantConv2D, or keep the layer float"
    if not quantizers["input_quantizer"]:
        return "its input is not binarized: set input_quantizer='ste_sign', or drop its kernel_quantizer"
    if not isinstance(quantizers["input_quantizer"], _SIGNS):
        return f"its input_quantizer={type(quantizers['input_quantizer']).__name__} is none that LCE knows as a sign"
    (kernel,) = kernels(layer)
    magnitude = np.abs(kernel).max((0, 1, 2), keepdims=True)
    if not np.allclose(np.abs(kernel), magnitude, rtol=1e-5) or not magnitude.all():
        return "its kernel is not binary, one magnitude an output channel: set kernel_quantizer='ste_sign'"
    channels = kernel.shape[2]
    if layer.groups > 1 and channels % _WORD:
        return f"each of its {layer.groups} groups has {channels} channels: LCE wants a multiple of {_WORD} in a group"
    if layer.padding == "same" and layer.pad_values not in (0, 1):
        return f"it pads with {layer.pad_values}, which LCE does not: use pad_values=1"
    return ""


def remarks(layer: keras.layers.Layer) -> list[str]:
    """What makes a layer that is binary slower than it could be."""
    inputs, filters = layer.kernel.shape[2:]
    found = []
    if inputs % _WORD:
        words = -(-inputs // _WORD)
        found.append(f"{inputs} input channels leave {words * _WORD - inputs} of {words * _WORD} packed bits unused")
    if filters % _TILE:
        found.append(f"{filters} output channels are no multiple of {_TILE}, the number that LCE computes at once")
    if layer.padding == "same" and layer.pad_values == 0 and set(layer.kernel_size) != {1}:
        found.append("zero padding needs a correction at the borders and rules out bitpacked output: use pad_values=1")
    return found


def _quantizers(layer: keras.layers.Layer) -> dict[str, object]:
    return {name: getattr(layer, name, None) for name in ("input_quantizer", *_KERNELS)}
