"""The parts of other published networks against their formulas in numpy."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lq_fda import models
from lq_fda._keras import keras, larq, tf
from lq_fda.layers import BinaryConv2D
from lq_fda.layers.cousins import ChannelThreshold, ClampedSign, ImageGate, ImageShift, StandardizedSign

sys.path.insert(0, str(Path(__file__).parent))
from harness import check_layer, refuses

RNG = np.random.default_rng(11)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        ChannelThreshold,
        ImageShift,
        lambda: BinaryConv2D(8, 3, estimator="triangle"),
        lambda: BinaryConv2D(8, 3, weights="standardized"),
        lambda: BinaryConv2D(8, 3, weights="clamped"),
    ],
    ids=["threshold", "shift", "triangle", "standardized", "clamped"],
)
def test_every_cousin_builds_trains_and_survives_saving(make, tmp_path):
    check_layer(make, 16, tmp_path)


def _standardized(kernel):
    return (kernel - kernel.mean((0, 1, 2))) / kernel.std((0, 1, 2))


def _gradient(quantizer, kernel):
    variable = tf.Variable(kernel)
    with tf.GradientTape() as tape:
        outputs = quantizer(variable)
        loss = tf.reduce_sum(outputs * UPSTREAM)
    return outputs.numpy(), tape.gradient(loss, variable).numpy()


KERNEL = RNG.laplace(0.3, 2, size=(3, 3, 8, 5)).astype("float32")
UPSTREAM = RNG.normal(size=KERNEL.shape).astype("float32")


def _gradient_through_standardization(upstream):
    """d/dw of sum(upstream v), v = (w - mean) / std: the derivative of a normalization, written out."""
    v, std = _standardized(KERNEL), KERNEL.std((0, 1, 2))
    mean = upstream.mean((0, 1, 2))
    return (upstream - mean - v * (upstream * v).mean((0, 1, 2))) / std


def test_standardized_weights_are_balanced_and_pass_the_whole_gradient():
    signs, gradient = _gradient(StandardizedSign(), KERNEL)
    np.testing.assert_array_equal(signs, np.where(_standardized(KERNEL) < 0, -1, 1))
    np.testing.assert_allclose(gradient, _gradient_through_standardization(UPSTREAM), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("tau", [0.6, 0.92, 0.99])
def test_clamped_weights_beyond_the_quantile_get_no_gradient_of_their_own(tau):
    signs, gradient = _gradient(ClampedSign(tau), KERNEL)
    v = _standardized(KERNEL)
    inside = np.abs(v) <= -np.abs(v).mean((0, 1, 2)) * np.log(2 - 2 * tau)
    assert 0 < inside.mean() < 1
    np.testing.assert_array_equal(signs, np.where(v < 0, -1, 1))
    np.testing.assert_allclose(gradient, _gradient_through_standardization(UPSTREAM * inside), rtol=1e-3, atol=1e-5)
    assert ClampedSign.from_config(ClampedSign(tau).get_config()).tau == tau


def _perceptron(layer, x):
    w1, b1, w2, b2 = layer.get_weights()
    return (np.maximum(x.mean((1, 2)) @ w1 + b1, 0) @ w2 + b2)[:, None, None]


def _with_random_weights(layer, channels):
    layer.build((None, None, None, channels))
    layer.set_weights([RNG.normal(size=weight.shape).astype("float32") for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("channels", [1, 8, 33])
def test_shift_and_gate_are_a_perceptron_of_the_channel_means(channels):
    x = RNG.normal(size=(3, 4, 5, channels)).astype("float32")
    shift = _with_random_weights(ImageShift(), channels)
    np.testing.assert_allclose(shift(x), x + 1 / (1 + np.exp(-_perceptron(shift, x))), rtol=1e-4, atol=1e-5)
    gate = _with_random_weights(ImageGate(6), channels)
    np.testing.assert_allclose(gate(x), 1 / (1 + np.exp(-_perceptron(gate, x))), rtol=1e-4, atol=1e-5)


def test_threshold_is_subtracted():
    x = RNG.normal(size=(2, 3, 3, 4)).astype("float32")
    layer = _with_random_weights(ChannelThreshold(), 4)
    np.testing.assert_array_equal(layer(x), x - layer.get_weights()[0])


@pytest.mark.parametrize("size", [(6, 6), (None, None)], ids=str)
@pytest.mark.parametrize("strides", [1, 2])
def test_the_triangle_has_the_values_and_gradients_of_larq(size, strides):
    """Sizes that are known train in a compiled cluster, others in Larq's own operators."""
    x = RNG.normal(size=(3, 6, 6, 4)).astype("float32")
    x[0, 0, 0] = [0.0, -0.0, 1.0, -1.0]
    results = []
    for make in (
        lambda: BinaryConv2D(8, 3, strides, estimator="triangle"),
        lambda: larq.layers.QuantConv2D(
            8,
            3,
            strides,
            padding="same",
            pad_values=1.0,
            use_bias=False,
            input_quantizer="approx_sign",
            kernel_quantizer=larq.quantizers.SteSign(clip_value=1.25),
        ),
    ):
        inputs = keras.Input((*size, 4))
        model = keras.Model(inputs, make()(inputs))
        model.set_weights([np.random.default_rng(0).normal(size=(3, 3, 4, 8))])
        values = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(values)
            y = model(values, training=True)
            loss = tf.reduce_sum(y * np.random.default_rng(1).normal(size=y.shape).astype("float32"))
        results.append((y, *tape.gradient(loss, [values, *model.trainable_weights])))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_bad_arguments_are_named():
    refuses(ChannelThreshold(), (2, 3), "(batch, height, width, channels)")
    refuses(ImageShift(), (2, 3), "(batch, height, width, channels)")
    for wrong, message in (
        (lambda: ImageGate(0), "positive integer `filters`.*Received"),
        (lambda: ImageShift(reduction=0), "positive integer `reduction`.*Received"),
        (lambda: ClampedSign(0.5), "0.5 < tau < 1.*Received: tau=0.5"),
        (lambda: BinaryConv2D(8, 3, estimator="tanh"), "no such `estimator`.*'window' or 'triangle'.*Received"),
        (lambda: BinaryConv2D(8, 3, weights="ternary"), "no such `weights`.*Received"),
        (lambda: BinaryConv2D(8, 3, 1, 0.5, estimator="triangle"), "clip_value=1.*Received: clip_value=0.5"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_a_network_has_one_kind_of_weights():
    with pytest.raises(Exception, match="one kind of weights"):
        models.create("tiny", parts=("standardized_weights", "clamped_weights"))


@pytest.mark.parametrize("name", models.COUSINS)
def test_every_cousin_is_a_network_with_binary_convolutions(name, tmp_path):
    model = models.create("tiny", parts=models.COUSINS[name])
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    images = RNG.normal(size=(2, 32, 32, 3)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(images, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    for layer in model.layers:
        if isinstance(layer, BinaryConv2D):
            with larq.context.quantized_scope(True):
                assert set(np.unique(tf.convert_to_tensor(layer.kernel))) == {-1.0, 1.0}
