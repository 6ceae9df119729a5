"""What layers compute together in training, against their formulas in double precision and TensorFlow's derivatives."""

import itertools

import numpy as np
import pytest

from lq_fda._keras import keras, tf
from lq_fda.layers import BinaryConv2D, FeatureDistributionAdjustment, MergingBatchNormalization
from lq_fda.models import PARTS
from lq_fda.models.blocks import Block, residual_conv

GROUPS, CHANNELS, EPSILON = 4, 8, 1e-5


@tf.custom_gradient
def ste_sign(x, clip_value):
    def gradient(dy):
        return tf.where(tf.abs(x) <= clip_value, dy, tf.zeros_like(dy)), None

    return tf.where(x >= 0, tf.ones_like(x), -tf.ones_like(x)), gradient


@tf.custom_gradient
def triangle_sign(x):
    def gradient(dy):
        return dy * tf.maximum(2 - 2 * tf.abs(x), 0)

    return tf.where(x >= 0, tf.ones_like(x), -tf.ones_like(x)), gradient


def normalize(x, weights, layer):
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    return weights[f"{layer}/gamma:0"] * (x - mean) / tf.sqrt(variance + EPSILON) + weights[f"{layer}/beta:0"]


def excite(x, weights):
    weights = {name.removeprefix("b_excitation/"): value for name, value in weights.items()}
    hidden = tf.reshape(tf.reduce_mean(x, [1, 2]), (-1, CHANNELS // GROUPS)) @ weights["squeeze_kernel:0"]
    hidden = tf.nn.relu(hidden + weights["squeeze_bias:0"])
    shift, scale = (
        tf.reshape(hidden @ weights[f"{head}_kernel:0"] + weights[f"{head}_bias:0"], (len(x), 1, 1, -1))
        for head in ("shift", "scale")
    )
    return x + shift, 2 * tf.sigmoid(scale)


def block_formula(x, weights, parts, strides, triangle):
    """The block as `residual_conv` documents it, in TensorFlow's own operators and the dtype of x."""
    bypass, scale = x, 1.0
    if strides > 1:
        bypass = tf.nn.conv2d(
            tf.nn.avg_pool2d(x, strides, strides, "SAME"), weights["b_shortcut_conv/kernel:0"], 1, "SAME"
        )
        bypass = normalize(bypass, weights, "b_shortcut_conv_norm")
    if "adjustment" in parts:
        x = normalize(x, weights, "b_adjustment")
    if "excitation" in parts:
        x, scale = excite(x, weights)
    totals = [max((-(-size // strides) - 1) * strides + 3 - size, 0) for size in x.shape[1:3]]
    padding = [(0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)]
    signs = tf.pad(triangle_sign(x) if triangle else ste_sign(x, 1.0), padding, constant_values=1)
    z = tf.nn.conv2d(signs, ste_sign(weights["b_conv/kernel:0"], 1.25), strides, "VALID")
    y = normalize(z, weights, "b_norm") * scale + bypass
    if "finetuning" in parts:
        shift_in, slope, shift_out = (weights[f"b_finetuning/{name}:0"] for name in ("shift_in", "slope", "shift_out"))
        y = tf.where(y > shift_in, y - shift_in, slope * (y - shift_in)) + shift_out
    return y


def gradients(function, x, weights, dy):
    with tf.GradientTape() as tape:
        tape.watch([x, *weights])
        y = function(x)
        loss = tf.reduce_sum(y * dy)
    return y, tape.gradient(loss, [x, *weights])


def trained(model, eager):
    """Output and gradients of a model in training."""

    def function(x, dy):
        return gradients(lambda values: model(values, training=True), x, model.trainable_variables, dy)

    return function if eager else tf.function(function, autograph=False)


def random_model(layers_of, input_shape, rng):
    inputs = keras.Input(input_shape)
    model = keras.Model(inputs, layers_of(inputs))
    for variable in model.trainable_variables:
        value = rng.uniform(0.5, 1.5, variable.shape) if "gamma" in variable.name else rng.normal(size=variable.shape)
        variable.assign(value)
    return model


CASES = [
    *((PARTS, "window", *case) for case in itertools.product((1, 2), ((6, 5), (7, 9), (1, 1)), (False, True))),
    *((parts, "window", 1, (6, 5), False) for count in range(3) for parts in itertools.combinations(PARTS, count)),
    *((parts, None, 1, (6, 5), False) for parts in ((), PARTS)),
]


@pytest.mark.parametrize(("parts", "estimator", "strides", "size", "eager"), CASES, ids=str)
def test_a_block_trains_with_the_values_and_gradients_of_its_formula(parts, estimator, strides, size, eager):
    rng = np.random.default_rng(11)
    filters = CHANNELS * strides
    block = Block(parts=parts, groups=GROUPS, reduction=2, estimator=estimator)
    model = random_model(
        lambda inputs: residual_conv(inputs, filters, strides, block=block, name="b"), (*size, CHANNELS), rng
    )
    # Far from zero, where sums of squares would cancel.
    x = tf.constant(rng.normal(5, 2, size=(6, *size, CHANNELS)), tf.float32)
    dy = tf.constant(rng.normal(size=model(x).shape), tf.float32)

    y, received = trained(model, eager)(x, dy)
    weights = {variable.name: tf.constant(variable.numpy(), tf.float64) for variable in model.trainable_variables}
    expected_y, expected = gradients(
        lambda x: block_formula(x, weights, parts, strides, triangle=estimator is None and "adjustment" in parts),
        tf.cast(x, tf.float64),
        list(weights.values()),
        tf.cast(dy, tf.float64),
    )
    # float32 against float64; seen: 3e-6 of the largest gradient of a weight.
    np.testing.assert_allclose(y, expected_y, rtol=1e-4, atol=1e-4)
    for name, one, other in zip(["x", *weights], received, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * (1 + np.abs(other).max()), rtol=0, err_msg=name)


def test_a_map_that_several_layers_read_has_the_gradients_of_all():
    """The adjusted map goes into two convolutions and is an output, too."""
    rng = np.random.default_rng(5)

    def layers_of(inputs):
        x = FeatureDistributionAdjustment(name="adjustment")(inputs)
        return keras.layers.Concatenate()([BinaryConv2D(4, 3, name="one")(x), BinaryConv2D(4, 3, name="two")(x), x])

    def formula(x, weights):
        x = normalize(x, weights, "adjustment")
        signs = tf.pad(ste_sign(x, 1.0), [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1)
        convs = [tf.nn.conv2d(signs, ste_sign(weights[f"{n}/kernel:0"], 1.25), 1, "VALID") for n in ("one", "two")]
        return tf.concat([*convs, x], -1)

    model = random_model(layers_of, (4, 6, CHANNELS), rng)
    x = tf.constant(rng.normal(size=(3, 4, 6, CHANNELS)), tf.float32)
    dy = tf.constant(rng.normal(size=(3, 4, 6, 8 + CHANNELS)), tf.float32)
    y, received = trained(model, eager=False)(x, dy)
    weights = {variable.name: tf.constant(variable.numpy()) for variable in model.trainable_variables}
    expected_y, expected = gradients(lambda x: formula(x, weights), x, list(weights.values()), dy)
    np.testing.assert_allclose(y, expected_y, atol=1e-4)
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_normalization_keeps_the_statistics_of_keras(policy):
    rng = np.random.default_rng(2)
    x = tf.constant(rng.normal(30, 2, size=(16, 5, 3, 4)), tf.float32)
    ours = MergingBatchNormalization(dtype=keras.mixed_precision.Policy(policy))
    theirs = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=keras.mixed_precision.Policy(policy))
    for _ in range(3):
        y, expected = ours(x, training=True), theirs(x, training=True)
    assert y.dtype == expected.dtype
    # bfloat16 has 8 bits; the values reach 3.
    tolerance = 1e-4 if policy == "float32" else 2**-6
    np.testing.assert_allclose(tf.cast(y, tf.float32), tf.cast(expected, tf.float32), atol=4 * tolerance)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-4)
    ours.trainable = False
    before = ours.moving_mean.numpy()
    ours(x, training=True)
    np.testing.assert_array_equal(ours.moving_mean, before)
