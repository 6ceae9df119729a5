"""Multiply-accumulates of a file: counted as Larq counts them on the Keras network."""

import pytest

from lq_fda import conversion, models
from lq_fda._keras import keras, larq

layers = keras.layers


@pytest.mark.parametrize("name", ["tiny", "mobile"])
def test_multiply_accumulates_are_those_that_larq_counts(name):
    plain = models.create(name, parts=(), input_shape=(32, 32, 3))
    counted = conversion.count_macs(conversion.to_lce(conversion.fold(plain)))
    larq = models.profile(plain)["total"]["macs"]
    assert counted == {"binary": larq["1"], "float": larq["32"]}


@pytest.mark.parametrize("filters", [32, 33, 64])
def test_convolutions_that_pass_bits_on_count_in_full(filters):
    x = inputs = keras.Input((16, 16, 32))
    for _ in range(3):
        convolution = larq.layers.QuantConv2D(
            filters, 3, padding="same", pad_values=1.0, use_bias=False, input_quantizer="ste_sign",
            kernel_quantizer="ste_sign", kernel_constraint="weight_clip",
        )  # fmt: skip
        x = layers.BatchNormalization()(convolution(x))
    network = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
    larqs = models.profile(network)["total"]["macs"]
    content = conversion.to_lce(conversion.fold(network))
    assert conversion.count_macs(content) == {"binary": larqs["1"], "float": larqs["32"]}
