"""What stands in front of the signs, against numpy on the layers' own outputs and on constructed networks."""

import numpy as np
import pytest

from lq_fda import analysis, models
from lq_fda._keras import keras
from lq_fda.errors import LqFdaError
from lq_fda.layers import BinaryConv2D, FeatureDistributionAdjustment
from lq_fda.layers.cousins import ChannelThreshold, ImageShift

IMAGES = np.random.default_rng(0).normal(size=(6, 32, 32, 3)).astype("float32")


def alone(*layers) -> keras.Model:
    """A network whose input meets the given layers, 33 channels wide, and nothing else."""
    x = inputs = keras.Input((4, 4, 33))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def channels(count: int, images: int = 17) -> np.ndarray:
    random = np.random.default_rng(count)
    return random.normal(random.normal(size=count), 2, size=(images, 4, 4, count)).astype("float32")


def test_every_quantity_is_that_of_the_feature_maps():
    model = models.create("tiny")
    point = analysis.measure_distribution(model, IMAGES, "validation").points[1]
    conv = model.get_layer(point.name)
    received = model.get_layer("stage1_1_finetuning").output
    maps = keras.Model(model.input, [received, conv.input]).predict(IMAGES, verbose=0)
    for side, values in zip((point.before, point.after), maps, strict=True):
        axes = (0, 1, 2)
        np.testing.assert_allclose(side.positive, (values >= 0).mean(axes))
        np.testing.assert_allclose(side.mean, values.mean(axes, dtype=float), atol=1e-5)
        np.testing.assert_allclose(side.variance, values.var(axes, dtype=float), rtol=1e-4)
        np.testing.assert_allclose(side.magnitude, abs(values).mean(axes, dtype=float), rtol=1e-4)
        # Two graphs may round a value on the border of the window to different sides.
        np.testing.assert_allclose(side.inside, (abs(values) <= 1).mean(axes), atol=1e-3)
        signs = np.where(values >= 0, 1.0, -1.0)
        for channel in range(0, values.shape[-1], 7):
            x, s = values[..., channel].ravel(), signs[..., channel].ravel()
            # The best scale and offset by least squares.
            residual = np.linalg.lstsq(np.stack([s, np.ones_like(s)], 1), x.astype(float), rcond=None)[1][0]
            assert side.quantization_error[channel] == pytest.approx(residual / x.size / x.var(dtype=float), rel=1e-3)
        assert sum(side.counts) + side.below + side.above == values.size


@pytest.mark.parametrize("count", [15, 16, 17, 33])
def test_batches_make_no_difference(count):
    images = channels(33, count)
    point = analysis.measure_distribution(alone(BinaryConv2D(8, 3)), images, "validation").points[0]
    np.testing.assert_allclose(point.seen.positive, (images >= 0).mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(point.seen.variance, images.var((0, 1, 2), dtype=float), rtol=1e-6)
    assert sum(point.seen.counts) + point.seen.below + point.seen.above == images.size


@pytest.mark.parametrize("window", [0.5, 1.0, 2.0])
def test_the_window_is_that_of_the_convolution(window):
    images = channels(33)
    point = analysis.measure_distribution(alone(BinaryConv2D(8, 3, clip_value=window)), images, "validation").points[0]
    assert point.window == window
    np.testing.assert_allclose(point.seen.inside, (abs(images) <= window).mean((0, 1, 2)), rtol=1e-12)


def test_dead_and_blocked_channels_are_found():
    images = channels(33)
    images[..., 3] = abs(images[..., 3])
    images[..., 30] = -7 - abs(images[..., 30])
    images[..., 31] = np.where(images[..., 31] > 0, 9, -9)
    images[..., 32] = 0
    seen = analysis.measure_distribution(alone(BinaryConv2D(8, 3)), images, "validation").points[0].seen
    assert np.flatnonzero(seen.dead).tolist() == [3, 30, 32]
    assert np.flatnonzero(seen.blocked).tolist() == [30, 31]
    np.testing.assert_array_equal(seen.entropy[[3, 30, 32]], 0)
    np.testing.assert_array_equal(seen.quantization_error[[3, 30, 32]], 1)
    assert seen.quantization_error[31] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("layer", [FeatureDistributionAdjustment(), ChannelThreshold(), ImageShift()])
def test_before_is_in_front_of_whatever_adjusts(layer):
    images = channels(33)
    model = alone(keras.layers.ReLU(), layer, BinaryConv2D(8, 3))
    point = analysis.measure_distribution(model, images, "validation").points[0]
    np.testing.assert_allclose(point.before.mean, np.maximum(images, 0).mean((0, 1, 2)), rtol=1e-5)
    seen = keras.Model(model.input, layer.output).predict(images, verbose=0)
    np.testing.assert_allclose(point.after.mean, seen.mean((0, 1, 2)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("weights", "centred"), [("sign", False), ("standardized", True)])
@pytest.mark.parametrize("filters", [31, 32, 33])
def test_the_kernel_error_is_that_of_the_best_scale(filters, weights, centred):
    layer = BinaryConv2D(filters, 3, weights=weights)
    model = alone(layer)
    kernel = np.random.default_rng(filters).normal(0.3, 1, size=(3, 3, 33, filters)).astype("float32")
    layer.set_weights([kernel])
    error = analysis.measure_distribution(model, channels(33), "validation").points[0].kernel_error
    flat = kernel.reshape(-1, filters).astype(float)
    flat = flat - flat.mean(0) if centred else flat
    for number in range(filters):
        w, s = flat[:, number], np.where(flat[:, number] >= 0, 1.0, -1.0)
        residual = np.linalg.lstsq(s[:, None], w, rcond=None)[1][0]
        assert error[number] == pytest.approx(residual / (w @ w), rel=1e-4)


def test_a_kernel_of_signs_loses_nothing_and_one_of_zeros_everything():
    layer = BinaryConv2D(2, 3)
    model = alone(layer)
    kernel = np.zeros((3, 3, 33, 2), "float32")
    kernel[..., 0] = np.random.default_rng(0).choice([-0.5, 0.5], size=(3, 3, 33))
    layer.set_weights([kernel])
    error = analysis.measure_distribution(model, channels(33), "validation").points[0].kernel_error
    assert error == pytest.approx((0, 1))


def test_a_plain_network_has_nothing_after():
    points = analysis.measure_distribution(models.create("tiny", parts=()), IMAGES, "validation").points
    assert len(points) == 4 and all(point.after is None and point.seen is point.before for point in points)


def test_a_float_twin_is_measured_where_the_other_has_signs():
    twin, binarized = models.create("tiny", binarized=False), models.create("tiny", estimator="triangle")
    points = analysis.measure_distribution(twin, IMAGES, "validation", template=binarized).points
    assert [point.name for point in points] == [f"stage{i}_{j}_conv" for i in (1, 2) for j in (1, 2)]
    # Behind a ReLU every sign would be +1; in front of the first block there is none.
    assert points[0].seen.entropy.mean() > 0.5
    assert all(point.seen.dead.all() for point in points[1:])
    kernel = twin.get_layer("stage2_1_conv").kernel.numpy().reshape(-1, 64).astype(float)
    np.testing.assert_allclose(points[2].kernel_error, 1 - abs(kernel).mean(0) ** 2 / (kernel**2).mean(0))


@pytest.mark.parametrize(("binarized", "count"), [(False, 6), (True, 0)])
def test_nothing_to_measure_is_said(binarized, count):
    with pytest.raises(LqFdaError, match="nothing to measure"):
        analysis.measure_distribution(models.create("tiny", binarized=binarized), IMAGES[:count], "test")


def test_networks_that_differ_are_refused():
    with pytest.raises(LqFdaError, match="Expected a layer 'stage1_1_conv' in both"):
        analysis.measure_distribution(
            alone(keras.layers.ReLU()), channels(33), "test", template=models.create("tiny", parts=())
        )


def test_values_that_are_no_numbers_are_refused():
    images = channels(33)
    for where in (0, -1):  # In the first batch, which decides the histogram's edges, and behind it.
        broken = images.copy()
        broken[where, 0, 0, 5] = np.nan
        with pytest.raises(LqFdaError, match=r"no finite numbers.*input of 'binary'"):
            analysis.measure_distribution(alone(BinaryConv2D(8, 3, name="binary")), broken, "validation")
