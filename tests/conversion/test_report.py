"""The account of a conversion is true, and a layer that stayed float does not go unnoticed."""

import resource
import tempfile

import numpy as np
import pytest

from lq_fda import conversion, models, runtimes
from lq_fda._keras import keras, larq
from lq_fda.errors import LqFdaError
from lq_fda.layers import BinaryConv2D
from lq_fda.part_costs import give_values

layers = keras.layers


def network(*middle, channels=32, filters=32, size=7):
    """A float convolution, the layers in question, a BatchNormalization and a classifier."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(channels, 3, padding="same", name="stem")(inputs)
    for layer in middle:
        x = layer(x)
    x = layers.BatchNormalization(name="norm")(x)
    outputs = layers.Dense(4, name="logits")(layers.GlobalAveragePooling2D()(x) if len(x.shape) == 4 else x)
    model = keras.Model(inputs, outputs)
    for weight in model.weights:
        if "gamma" in weight.name or "variance" in weight.name:
            weight.assign(np.random.default_rng(1).uniform(0.5, 1.5, weight.shape))
    return model


def account(model):
    folded = conversion.fold(model)
    content = conversion.to_lce(folded)
    return conversion.report(folded, content), content


def parity(model, content):
    images = np.random.default_rng(2).normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    expected = model.predict(images, verbose=0)
    # The sums of signs are exact; only the float layers round, to some 1e-7 of the size of the logits each.
    received = runtimes.open_session("lce", content).predict(images)
    np.testing.assert_allclose(received, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("channels", [31, 32, 33])
@pytest.mark.parametrize("filters", [7, 8])
def test_a_binary_convolution_is_found_whatever_its_width(channels, filters):
    model = network(BinaryConv2D(filters, 3, name="binary"), channels=channels)
    found, content = account(model)
    (layer,) = found.layers
    assert (layer.name, layer.operator, layer.binary, layer.output) == ("binary", "LceBconv2d", True, "float")
    assert layer.macs == 7 * 7 * 3 * 3 * channels * filters
    assert layer.weight_bytes == filters * 3 * 3 * 4 * -(-channels // 32)
    assert "BatchNormalization" in layer.fused
    assert ("packed bits unused" in layer.note) == (channels != 32)
    assert ("no multiple of 8" in layer.note) == (filters == 7)
    conversion.require_binary(found)
    parity(model, content)


def test_zero_padding_is_remarked_on():
    layer = larq.layers.QuantConv2D(
        32, 3, padding="same", input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False, name="binary"
    )
    (found,) = account(network(layer))[0].layers
    assert found.binary and "pad_values=1" in found.note


def test_two_convolutions_in_a_row_stay_bitpacked_between_them():
    middle = [BinaryConv2D(32, 3, name="first"), layers.BatchNormalization(name="between")]
    model = network(*middle, BinaryConv2D(32, 3, name="second"))
    found, content = account(model)
    first, second = found.layers
    assert first.output == "bitpacked" and first.fused == ("BatchNormalization", "sign")
    assert second.output == "float"
    parity(model, content)


STAY_FLOAT = {
    "dense": (
        (
            layers.GlobalAveragePooling2D(),
            larq.layers.QuantDense(8, input_quantizer="ste_sign", kernel_quantizer="ste_sign", name="guilty"),
        ),
        "no binary dense layer: use a 1x1",
    ),
    "no input quantizer": (
        (larq.layers.QuantConv2D(32, 3, kernel_quantizer="ste_sign", name="guilty"),),
        "its input is not binarized",
    ),
    "k bits": (
        (
            larq.layers.QuantConv2D(
                32, 3, input_quantizer=larq.quantizers.DoReFa(2), kernel_quantizer="ste_sign", name="guilty"
            ),
        ),
        r"more than two values \(2 bits\)",
    ),
    "ternary kernel": (
        (
            larq.layers.QuantConv2D(
                32, 3, input_quantizer="ste_sign", kernel_quantizer=larq.quantizers.SteTern(), name="guilty"
            ),
        ),
        "SteTern",
    ),
    "depthwise": (
        (
            larq.layers.QuantDepthwiseConv2D(
                3, input_quantizer="ste_sign", depthwise_quantizer="ste_sign", name="guilty"
            ),
        ),
        "LCE has a binary Conv2D only, no QuantDepthwiseConv2D",
    ),
}


@pytest.mark.parametrize(("middle", "reason"), STAY_FLOAT.values(), ids=STAY_FLOAT)
def test_a_layer_that_stays_float_fails_the_conversion_with_the_cure(middle, reason):
    found, _ = account(network(BinaryConv2D(32, 3, name="innocent"), *middle))
    by_name = {layer.name: layer for layer in found.layers}
    assert by_name["innocent"].binary and not by_name["guilty"].binary
    with pytest.raises(LqFdaError, match=reason) as raised:
        conversion.require_binary(found)
    assert "--allow-float guilty" in str(raised.value) and "innocent became" not in str(raised.value)
    conversion.require_binary(found, allow_float=["guilty"])


def test_an_unknown_name_in_allow_float_is_refused():
    found, _ = account(network(BinaryConv2D(32, 3, name="binary")))
    with pytest.raises(LqFdaError, match="no quantized layer of that name"):
        conversion.require_binary(found, allow_float=["binari"])


def test_a_network_of_unknown_size_is_refused():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(BinaryConv2D(8, 3)(inputs)))
    with pytest.raises(LqFdaError, match="known height, width"):
        conversion.to_lce(conversion.fold(model))


def test_a_folder_for_temporary_files_that_is_missing_or_full_is_named(tmp_path, monkeypatch):
    folded = conversion.fold(network(BinaryConv2D(32, 3, name="binary")))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(LqFdaError, match=r"temporary copy.*nowhere.*TMPDIR"):
        conversion.to_lce(folded)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(LqFdaError, match=r"temporary copy.*File too large.*TMPDIR"):
            conversion.to_lce(folded)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_a_mixed_precision_network_converts_in_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = network(BinaryConv2D(32, 3, name="binary"))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    with pytest.raises(LqFdaError, match=r"mixed precision.*Received: '.*' in bfloat16. Fold it first"):
        conversion.to_lce(model)
    found, content = account(model)
    conversion.require_binary(found)
    file = runtimes.read_tflite(content)
    assert {file.tensors[index].dtype for index in (*file.inputs, *file.outputs)} == {"FLOAT32"}


def test_int8_twin_computes_in_int8_and_wants_fitting_calibration_images():
    model = network(layers.Conv2D(8, 3, name="middle"))
    images = np.random.default_rng(0).normal(size=(20, 7, 7, 3)).astype(np.float32)
    content = conversion.to_int8(model, images)
    file = runtimes.read_tflite(content)
    convolutions = [operator for operator in file.operators if operator.name == "CONV_2D"]
    assert len(convolutions) == 2
    assert all(file.tensors[operator.inputs[0]].dtype == "INT8" for operator in convolutions)
    expected = model.predict(images, verbose=0)
    # 8 bits over the range of the values: an error of some 1/256 of it, through three layers.
    error = np.abs(runtimes.open_session("litert", content).predict(images) - expected).max()
    assert error < 0.05 * np.ptp(expected)
    for wrong in (images[:0], images[:, :5], images[0]):
        with pytest.raises(LqFdaError, match="calibration images"):
            conversion.to_int8(model, wrong)


def test_a_layer_that_stays_float_inside_a_shared_network_is_found():
    keras.utils.set_random_seed(0)
    dense = larq.layers.QuantDense(
        32, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False, name="hidden"
    )
    inner_inputs = keras.Input((32,))
    inner = keras.Model(inner_inputs, dense(inner_inputs), name="inner")
    inputs = keras.Input((32,))
    model = keras.Model(inputs, inner(inner(inputs)))
    found, _ = account(model)
    assert [layer.name for layer in found.layers] == ["hidden"]
    with pytest.raises(LqFdaError, match="hidden became FULLY_CONNECTED"):
        conversion.require_binary(found)


def test_a_network_without_a_quantized_layer_is_refused():
    found, _ = account(network(layers.Conv2D(32, 3, padding="same")))
    with pytest.raises(LqFdaError, match="no quantized layer"):
        conversion.require_binary(found)


@pytest.mark.parametrize("name", models.COUSINS)
def test_networks_of_published_blocks_convert_whole(name):
    model = models.create("tiny", input_shape=(8, 8, 3), parts=models.COUSINS[name])
    give_values(model)
    found, content = account(model)
    conversion.require_binary(found)
    assert found.operators["LceBconv2d"] == 4
    parity(model, content)
