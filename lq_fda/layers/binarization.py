"""Where a network takes signs: of which feature maps, of which kernels, and how far the gradient reaches."""

import math

import numpy as np

from lq_fda._keras import keras, larq


def binary_convolutions(model: keras.Model) -> list[keras.layers.Layer]:
    """The convolutions that take the sign of their input, in the order of the graph: `BinaryConv2D`, or Larq's own.

    ```python
    from lq_fda import models
    from lq_fda.layers.binarization import binary_convolutions

    names = [layer.name for layer in binary_convolutions(models.create("tiny"))]
    assert names == ["stage1_1_conv", "stage1_2_conv", "stage2_1_conv", "stage2_2_conv"]
    ```
    """
    return [
        layer
        for layer in model.layers
        if isinstance(layer, larq.layers.QuantConv2D) and getattr(layer.input_quantizer, "precision", None) == 1
    ]


def gradient_window(layer: keras.layers.Layer) -> float:
    """Half the width of the window |x| <= w outside which the sign of a binary convolution's input passes no gradient.

    It is the estimator's: `clip_value` of the straight-through window, 1 of the triangle; infinite where nothing is
    clipped.

    ```python
    from lq_fda.layers import BinaryConv2D
    from lq_fda.layers.binarization import gradient_window

    assert gradient_window(BinaryConv2D(8, 3, clip_value=1.5)) == 1.5
    assert gradient_window(BinaryConv2D(8, 3, estimator="triangle")) == 1.0
    ```
    """
    window = getattr(layer.input_quantizer, "clip_value", 1.0)
    return math.inf if window is None else window


def kernel_before_sign(layer: keras.layers.Layer) -> np.ndarray:
    """The kernel of a convolution as its sign sees it, (height, width, in, out).

    These are the latent weights; where the weights are standardized or clamped, after that. The kernel of a float
    convolution is given as it is.

    ```python
    import numpy as np
    from lq_fda import keras
    from lq_fda.layers import BinaryConv2D
    from lq_fda.layers.binarization import kernel_before_sign

    layer = BinaryConv2D(8, 3, weights="standardized")
    layer(keras.Input((5, 5, 32)))
    assert np.allclose(kernel_before_sign(layer).mean((0, 1, 2)), 0, atol=1e-6)
    ```
    """
    kernel = layer.kernel.numpy()
    before_sign = getattr(getattr(layer, "kernel_quantizer", None), "before_sign", None)
    return kernel if before_sign is None else before_sign(kernel).numpy()
