"""The layers against closed forms, numpy twins and Larq."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lq_fda._keras import keras, larq, tf
from lq_fda.layers import (
    BinaryConv2D,
    FeatureDistributionAdjustment,
    FeatureFineTuning,
    GroupExcitation,
    MergingBatchNormalization,
)

sys.path.insert(0, str(Path(__file__).parent))
from harness import check_layer, refuses

RNG = np.random.default_rng(7)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        FeatureDistributionAdjustment,
        lambda: GroupExcitation(groups=4),
        FeatureFineTuning,
        lambda: BinaryConv2D(8, 3),
        MergingBatchNormalization,
    ],
    ids=["adjustment", "excitation", "finetuning", "binary_conv", "normalization"],
)
def test_every_layer_builds_trains_and_survives_saving(make, tmp_path):
    check_layer(make, 16, tmp_path)


def test_adjustment_is_the_normalization_of_its_docstring():
    layer = FeatureDistributionAdjustment()
    x = RNG.normal(2, 3, size=(8, 5, 4, 6)).astype("float32")
    layer.build(x.shape)
    gamma, beta = RNG.uniform(0.5, 2, 6).astype("float32"), RNG.normal(size=6).astype("float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    expected = gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta
    # float32 sums over 160 values.
    np.testing.assert_allclose(layer(x, training=True), expected, atol=1e-4)


def test_adjustment_keeps_gamma_positive_under_a_step_that_would_flip_it():
    layer = FeatureDistributionAdjustment(gamma_floor=0.05)
    layer.build((None, 4, 4, 3))
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.apply_gradients([(tf.constant([10.0, 0.0, -1.0]), layer.gamma)])
    np.testing.assert_allclose(layer.gamma, [0.05, 1.0, 2.0])


def test_excitation_starts_as_the_identity():
    x = RNG.normal(size=(2, 3, 5, 32)).astype("float32")
    shifted, scale = GroupExcitation(groups=8, filters=64)(x, training=True)
    np.testing.assert_array_equal(shifted, x)
    np.testing.assert_array_equal(scale, np.ones((2, 1, 1, 64)))


def _trained_excitation(groups, filters, channels):
    layer = GroupExcitation(groups, reduction=2, filters=filters)
    layer.build((None, None, None, channels))
    layer.set_weights([RNG.normal(size=weight.shape).astype("float32") for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("training", [False, True])
def test_excitation_is_one_perceptron_for_every_group(training):
    layer = _trained_excitation(groups=2, filters=4, channels=6)
    x = RNG.normal(size=(3, 4, 5, 6)).astype("float32")
    w1, b1, wt, bt, ws, bs = layer.get_weights()
    z = x.mean((1, 2)).reshape(3, 2, 3)
    h = np.maximum(z @ w1 + b1, 0)
    t = (h @ wt + bt).reshape(3, 1, 1, 6)
    s = 2 / (1 + np.exp(-(h @ ws + bs).reshape(3, 1, 1, 4)))
    shifted, scale = layer(x, training=training)
    np.testing.assert_allclose(shifted, x + t, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scale, s, rtol=1e-5)


RNG_WEIGHTS = np.random.default_rng(3).normal(size=10_000).astype("float32")


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_finetuning_trains_with_the_gradients_of_its_formula(inputs):
    """The compiled path (training) against TensorFlow's own derivative of the plain path (inference)."""
    values = [RNG.normal(size=(2, 3, 5, 6)).astype("float32") for _ in range(min(inputs, 2))]
    if inputs == 3:
        values.append(RNG.uniform(0.5, 1.5, size=(2, 1, 1, 6)).astype("float32"))
    layer = FeatureFineTuning()
    layer.build([value.shape for value in values] if inputs > 1 else values[0].shape)
    layer.set_weights([RNG.normal(size=6).astype("float32") for _ in range(3)])

    def gradients(training):
        tensors = [tf.constant(value) for value in values]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            output = layer(tensors if inputs > 1 else tensors[0], training=training)
            loss = tf.reduce_sum(output * RNG_WEIGHTS[: output.shape.num_elements()].reshape(output.shape))
        return output, tape.gradient(loss, [*tensors, *layer.trainable_weights])

    compiled, compiled_gradients = gradients(True)
    plain, plain_gradients = gradients(False)
    np.testing.assert_allclose(compiled, plain, rtol=1e-5, atol=1e-5)
    for one, other in zip(compiled_gradients, plain_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("clip_value", [1.0, 0.5])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("size", [(6, 6), (7, 5)], ids=str)
def test_binary_conv_has_the_values_and_gradients_of_larq(clip_value, strides, size):
    ours = BinaryConv2D(8, 3, strides, clip_value=clip_value)
    theirs = larq.layers.QuantConv2D(
        8,
        3,
        strides,
        padding="same",
        pad_values=1.0,
        use_bias=False,
        input_quantizer=larq.quantizers.SteSign(clip_value=clip_value),
        kernel_quantizer=larq.quantizers.SteSign(clip_value=1.25),
    )
    x = RNG.normal(size=(3, *size, 4)).astype("float32")
    x[0, 0, 0] = [0.0, -0.0, clip_value, -clip_value]
    x = tf.constant(x)
    results = []
    for layer in (ours, theirs):
        layer.build(x.shape)
        layer.set_weights([RNG_WEIGHTS[: 9 * 4 * 8].reshape(3, 3, 4, 8)])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * RNG_WEIGHTS[: y.shape.num_elements()].reshape(y.shape))
        results.append((y, tape.gradient(loss, [x, *layer.trainable_weights])))
    (values, gradients), (expected_values, expected_gradients) = results
    np.testing.assert_array_equal(values, expected_values)
    for one, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("channels", [31, 32, 33])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_binary_conv_is_its_float_twin_fed_signs(channels, strides, batch):
    layer = BinaryConv2D(8, 3, strides)
    x = RNG.normal(size=(batch, 5, 7, channels)).astype("float32")
    y = layer(x, training=True)
    padding = [(0, 0), *larq_padding(x.shape[1:3], strides), (0, 0)]
    signs = np.pad(np.where(x < 0, -1.0, 1.0), padding, constant_values=1)
    kernel = np.where(layer.get_weights()[0] < 0, -1.0, 1.0)
    np.testing.assert_array_equal(y, tf.nn.conv2d(signs, kernel, strides, "VALID"))


def larq_padding(size, strides):
    totals = [((n + strides - 1) // strides - 1) * strides + 3 - n for n in size]
    return [(max(total, 0) // 2, max(total, 0) - max(total, 0) // 2) for total in totals]


def test_bad_input_is_named():
    refuses(FeatureDistributionAdjustment(), (2, 3), "(batch, height, width, channels)")
    refuses(GroupExcitation(groups=5), (1, 4, 4, 16), "divisor of 16", "groups=5")
    refuses(GroupExcitation(groups=4, filters=6), (1, 4, 4, 16), "filters")
    refuses(FeatureFineTuning(), (2, 3), "(batch, height, width, channels)")
    refuses(FeatureFineTuning(), [(1, 2, 2, 3), (1, 2, 2, 4)], "channels=[3, 4]")
    for groups in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match="positive integer `groups`"):
            GroupExcitation(groups=groups)
    with pytest.raises(ValueError, match="gamma_floor"):
        FeatureDistributionAdjustment(gamma_floor=0)


@pytest.mark.parametrize("foreign", [{"dilation_rate": 2}, {"activation": "relu"}, {"groups": 2}])
def test_binary_conv_takes_nothing_that_training_would_ignore(foreign):
    with pytest.raises(TypeError, match=rf"BinaryConv2D does not take `{next(iter(foreign))}`.*Received"):
        BinaryConv2D(8, 3, **foreign)
    with pytest.raises(ValueError, match="positive integer `strides`"):
        BinaryConv2D(8, 3, strides=(1, 2))


@pytest.mark.parametrize("make", [MergingBatchNormalization, FeatureDistributionAdjustment])
@pytest.mark.parametrize("foreign", [{"center": False}, {"axis": 1}, {"beta_initializer": "ones"}])
def test_normalizations_take_nothing_that_training_or_saving_would_lose(make, foreign):
    with pytest.raises(TypeError, match=rf"{make.__name__} does not take `{next(iter(foreign))}`.*Received"):
        make(**foreign)
    kept = make(momentum=0.8, epsilon=1e-3, name="norm", trainable=False, dtype="float64", input_shape=(4, 4, 2))
    copy = make.from_config(kept.get_config())
    assert copy.get_config() == kept.get_config()
    assert (copy.momentum, copy.epsilon, copy.name, copy.trainable, copy.dtype) == (0.8, 1e-3, "norm", False, "float64")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_finetuning_takes_a_tuple_as_it_takes_a_list(count, training, tmp_path):
    parts = [RNG.normal(size=shape).astype("float32") for shape in ((2, 4, 4, 3), (2, 4, 4, 3), (2, 1, 1, 3))[:count]]
    layer = FeatureFineTuning()
    expected = layer(parts, training=training)
    np.testing.assert_array_equal(FeatureFineTuning()(tuple(parts), training=training), expected)
    assert layer.compute_output_shape(tuple(part.shape for part in parts)) == expected.shape
    inputs = [keras.Input(part.shape[1:]) for part in parts]
    keras.Model(inputs, FeatureFineTuning()(tuple(inputs))).save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").output_shape == (None, 4, 4, 3)


@pytest.mark.parametrize("several", [list, tuple])
def test_finetuning_refuses_a_list_of_one_or_four(several):
    y = tf.zeros((1, 2, 2, 3))
    built = FeatureFineTuning()
    built(y)
    for layer in (FeatureFineTuning(), built):
        for count in (1, 4):
            with pytest.raises(ValueError, match=rf"\[branch, shortcut\].*Received: a list of {count}"):
                layer(several([y] * count))
